// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pauses: from the moment a task begins to wait for memory to the moment it
 * goes on. A memstall is the whole; reclaim and the over-high sleep are parts
 * of it. A begin is kept with the task and consumed by its end, so a skipped
 * or missing one can neither be paired wrongly nor counted twice. The worker
 * charged is the one the task was in at the begin.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "emit.bpf.h"
#include "watch.bpf.h"
#include "compat.bpf.h"

const volatile __u64 mw_jiffy_ns = 4000000;

/* The kernel never plans a penalty sleep below 10 ms (HZ/100); a rest shorter than this was none. */
#define MW_NO_SLEEP_NS 1000000

static const struct mw_pause_stat no_pauses;

static __always_inline struct mw_task *task_of_current(__u64 create)
{
	return bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, create);
}

/* This task's memory, if it is in a guarded worker. */
static __always_inline struct mw_task *guarded_task(__u64 *ret_worker)
{
	struct mw_task *task;

	if (!mw_watch(bpf_get_current_cgroup_id(), ret_worker))
		return NULL;
	task = task_of_current(BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!task)
		mw_count(task_storage_failed, 1);
	return task;
}

static __always_inline void begin(struct mw_begun *begun, __u64 worker)
{
	begun->worker = worker;
	begun->at_ns = bpf_ktime_get_ns();
}

/* An end without a begin: counted, never guessed. */
static __always_inline void count_unmatched(void)
{
	__u64 worker;

	if (mw_watch(bpf_get_current_cgroup_id(), &worker))
		mw_count(pause_unmatched, 1);
}

static __always_inline __u32 log2_slot(__u64 ns)
{
	__u32 slot = 0;

	for (int shift = 32; shift > 0; shift >>= 1) {
		if (ns >> shift) {
			ns >>= shift;
			slot += shift;
		}
	}
	return slot < MW_HIST_SLOTS ? slot : MW_HIST_SLOTS - 1;
}

static __always_inline void add(struct mw_pause_stat *stat, __u64 ns)
{
	__u64 seen;

	__sync_fetch_and_add(&stat->count, 1);
	__sync_fetch_and_add(&stat->total_ns, ns);
	__sync_fetch_and_add(&stat->hist[log2_slot(ns)], 1);
	for (int tries = 0; tries < 4; tries++) {
		seen = stat->max_ns;
		if (ns <= seen || __sync_val_compare_and_swap(&stat->max_ns, seen, ns) == seen)
			break;
	}
}

static __always_inline void record(void *ctx, __u64 worker, enum mw_pause_kind kind, __u64 ns, __u64 pages)
{
	struct mw_pause_key key = { .cgroup_id = worker, .kind = kind };
	struct mw_worker_info *info = bpf_map_lookup_elem(&workers, &worker);
	struct mw_event event = {};
	struct mw_pause_stat *stat;

	if (!info)
		return;
	stat = bpf_map_lookup_elem(&pauses, &key);
	if (!stat) {
		bpf_map_update_elem(&pauses, &key, &no_pauses, BPF_NOEXIST);
		stat = bpf_map_lookup_elem(&pauses, &key);
	}
	if (stat)
		add(stat, ns);
	else
		mw_count(pause_map_full, 1);
	if (!info->pause_budget_ns || ns <= info->pause_budget_ns)
		return;
	mw_event_init(&event, MW_EVENT_PAUSE, worker);
	event.kind = kind;
	event.duration_ns = ns;
	event.value = pages;
	mw_emit(ctx, &event, info, MW_WAKE_ADAPTIVE);
}

/* *flags is the task's memstall state before this section: 0 means outermost. It replaces a depth counter, which never
 * recovers from a run the kernel skipped (preempted inside the same program). */
static __always_inline bool outermost(unsigned long *flags)
{
	unsigned long inside = 1;

	bpf_probe_read_kernel(&inside, sizeof(inside), flags);
	return inside == 0;
}

SEC("fexit/psi_memstall_enter")
int BPF_PROG(memstall_enter, unsigned long *flags)
{
	struct mw_task *task;
	__u64 worker;

	(void)ctx;
	if (!outermost(flags))
		return 0;
	task = guarded_task(&worker);
	if (!task)
		return 0;
	task->stall_pages = 0;
	begin(&task->memstall, worker);
	return 0;
}

SEC("fentry/psi_memstall_leave")
int BPF_PROG(memstall_leave, unsigned long *flags)
{
	struct mw_task *task;
	__u64 at_ns;

	if (!outermost(flags) || !mw_live())
		return 0;
	task = task_of_current(0);
	if (!task || !task->memstall.at_ns) {
		count_unmatched();
		return 0;
	}
	at_ns = task->memstall.at_ns;
	task->memstall.at_ns = 0;
	record(ctx, task->memstall.worker, MW_PAUSE_MEMSTALL, bpf_ktime_get_ns() - at_ns, task->stall_pages);
	return 0;
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_begin")
int BPF_PROG(reclaim_begin)
{
	struct mw_task *task;
	__u64 worker;

	(void)ctx;
	task = guarded_task(&worker);
	if (task)
		begin(&task->reclaim, worker);
	return 0;
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_end")
int BPF_PROG(reclaim_end, unsigned long pages)
{
	struct mw_task *task;
	__u64 ns;

	if (!mw_live())
		return 0;
	task = task_of_current(0);
	if (!task || !task->reclaim.at_ns) {
		count_unmatched();
		return 0;
	}
	ns = bpf_ktime_get_ns() - task->reclaim.at_ns;
	task->reclaim.at_ns = 0;
	task->stall_pages += pages;
	if (task->high.at_ns) {
		task->high_reclaim_ns += ns;
		task->high_pages += pages;
		record(ctx, task->reclaim.worker, MW_PAUSE_HIGH_RECLAIM, ns, pages);
	} else {
		record(ctx, task->reclaim.worker, MW_PAUSE_MAX_RECLAIM, ns, pages);
	}
	return 0;
}

/* Up to 6.12 it is called with nothing to do as well. Such a call also forgets a begin whose end was skipped. */
SEC("fentry/mem_cgroup_handle_over_high")
int BPF_PROG(high_enter)
{
	struct mw_task *task;
	__u64 worker;

	(void)ctx;
	if (!bpf_get_current_task_btf()->memcg_nr_pages_over_high) {
		task = task_of_current(0);
		if (task)
			task->high.at_ns = 0;
		return 0;
	}
	task = guarded_task(&worker);
	if (!task)
		return 0;
	task->high_pages = 0;
	task->high_reclaim_ns = 0;
	task->high_sleeps = 0;
	begin(&task->high, worker);
	return 0;
}

/* The one place where the over-high function sleeps; it can come here several times. timeout is in jiffies. */
SEC("fentry/schedule_timeout_killable")
int BPF_PROG(high_sleep, long timeout)
{
	struct mw_task *task = task_of_current(0);
	struct mw_event event = {};
	struct mw_worker_info *info;
	__u64 worker;

	if (!task || !task->high.at_ns || !mw_live())
		return 0;
	task->high_sleeps++;
	worker = task->high.worker;
	info = bpf_map_lookup_elem(&workers, &worker);
	if (!info)
		return 0;
	mw_event_init(&event, MW_EVENT_THROTTLE, worker);
	event.kind = MW_PAUSE_HIGH_THROTTLE;
	event.duration_ns = timeout * mw_jiffy_ns;
	mw_emit(ctx, &event, info, MW_WAKE_NOW);
	return 0;
}

SEC("fexit/mem_cgroup_handle_over_high")
int BPF_PROG(high_leave)
{
	struct mw_task *task = task_of_current(0);
	__u64 ns;

	if (!task || !task->high.at_ns)
		return 0;
	ns = bpf_ktime_get_ns() - task->high.at_ns;
	task->high.at_ns = 0;
	ns = ns > task->high_reclaim_ns ? ns - task->high_reclaim_ns : 0;
	if (task->high_sleeps || ns >= MW_NO_SLEEP_NS)
		record(ctx, task->high.worker, MW_PAUSE_HIGH_THROTTLE, ns, task->high_pages);
	return 0;
}
