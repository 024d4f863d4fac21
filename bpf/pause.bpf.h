/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pauses: from the moment a task begins to wait for memory to the moment it
 * goes on. A begin is kept with the task and consumed by its end, so a skipped or missing one can neither be
 * paired wrongly nor counted twice. The worker charged is the one the task was in at the begin.
 *
 * The ledger: a memstall (pause.bpf.c) is a whole. What happens inside it and is measured by itself is a part: reclaim,
 * compaction. What is left is the rest: the over-high sleep (throttle.bpf.c), a refault, a swap-in (swap_in.bpf.c), or
 * other. So for each worker memstall = sum of its parts + other.
 */
#ifndef MW_PAUSE_BPF_H
#define MW_PAUSE_BPF_H

#include "emit.bpf.h"
#include "watch.bpf.h"

static const struct mw_pause_stat mw_no_pauses;

static __always_inline struct mw_task *mw_task_of_current(__u64 create)
{
	return bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, create);
}

/* This task's memory, if it is in a guarded worker. */
static __always_inline struct mw_task *mw_guarded_task(__u64 *ret_worker)
{
	struct mw_task *task;

	if (!mw_watch(bpf_get_current_cgroup_id(), ret_worker))
		return NULL;
	task = mw_task_of_current(BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!task)
		mw_count(task_storage_failed, 1);
	return task;
}

static __always_inline void mw_begin(struct mw_begun *begun, __u64 worker)
{
	begun->worker = worker;
	begun->at_ns = bpf_ktime_get_ns();
}

static __always_inline __u32 mw_log2_slot(__u64 ns)
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

static __always_inline void mw_pause_add(struct mw_pause_stat *stat, __u64 ns)
{
	__u64 seen;

	__sync_fetch_and_add(&stat->count, 1);
	__sync_fetch_and_add(&stat->total_ns, ns);
	__sync_fetch_and_add(&stat->hist[mw_log2_slot(ns)], 1);
	for (int tries = 0; tries < 4; tries++) {
		seen = stat->max_ns;
		if (ns <= seen || __sync_val_compare_and_swap(&stat->max_ns, seen, ns) == seen)
			break;
	}
}

static __always_inline void mw_pause_count(__u64 worker, enum mw_pause_kind kind, __u64 ns)
{
	struct mw_pause_key key = {.cgroup_id = worker, .kind = kind};
	struct mw_pause_stat *stat = bpf_map_lookup_elem(&pauses, &key);

	if (!stat) {
		bpf_map_update_elem(&pauses, &key, &mw_no_pauses, BPF_NOEXIST);
		stat = bpf_map_lookup_elem(&pauses, &key);
	}
	if (!stat) {
		mw_count(pause_map_full, 1);
		return;
	}
	mw_pause_add(stat, ns);
	mw_count(pauses_counted, 1);
}

/* One event for a pause over the budget. */
static __always_inline bool mw_pause_tell(void *ctx, const struct mw_task *task, __u64 worker, enum mw_pause_kind kind,
					  __u64 ns, __u64 pages)
{
	struct mw_worker_info *info = bpf_map_lookup_elem(&workers, &worker);
	struct mw_event event = {};

	if (!info || !info->pause_budget_ns || ns <= info->pause_budget_ns)
		return false;
	mw_event_init(&event, MW_EVENT_PAUSE, worker);
	event.kind = kind;
	event.duration_ns = ns;
	event.value = pages;
	event.limit_id = task->limit_id;
	mw_emit(ctx, &event, info, MW_WAKE_ADAPTIVE);
	return true;
}

extern const volatile bool mw_memstall_on; /* pause.bpf.c; daemon */

/* A part has ended. Inside a memstall it is told with the whole; where memstalls are not seen, by itself. */
static __always_inline void mw_part_end(void *ctx, struct mw_task *task, __u64 worker, enum mw_pause_kind kind,
					__u64 ns, __u64 pages)
{
	if (!bpf_map_lookup_elem(&workers, &worker))
		return;
	mw_pause_count(worker, kind, ns);
	task->pages += pages;
	if (task->memstall.at_ns) {
		task->parts_ns += ns;
		if (ns > task->longest_ns) {
			task->longest_ns = ns;
			task->longest_kind = kind;
		}
	} else if (!mw_memstall_on) {
		mw_pause_tell(ctx, task, worker, kind, ns, pages);
	}
}

/* Of a begin, if there was one: its length so far; it is over. 0: none. */
static __always_inline __u64 mw_end(struct mw_begun *begun)
{
	__u64 ns = begun->at_ns ? bpf_ktime_get_ns() - begun->at_ns : 0;

	begun->at_ns = 0;
	return ns;
}

/* An end without a begin: counted, never guessed. */
static __always_inline void mw_count_unmatched(void)
{
	__u64 worker;

	if (mw_watch(bpf_get_current_cgroup_id(), &worker))
		mw_count(pause_unmatched, 1);
}

#endif
