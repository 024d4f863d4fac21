// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Whole stalls for memory, and the reclaim a task runs itself: over memory.high or at memory.max. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "pause.bpf.h"

/* An end without a begin: counted, never guessed. */
static __always_inline void count_unmatched(void)
{
	__u64 worker;

	if (mw_watch(bpf_get_current_cgroup_id(), &worker))
		mw_count(pause_unmatched, 1);
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
	task = mw_guarded_task(&worker);
	if (!task)
		return 0;
	task->stall_pages = 0;
	mw_begin(&task->memstall, worker);
	return 0;
}

SEC("fentry/psi_memstall_leave")
int BPF_PROG(memstall_leave, unsigned long *flags)
{
	struct mw_task *task;
	__u64 at_ns;

	if (!outermost(flags) || !mw_live())
		return 0;
	task = mw_task_of_current(0);
	if (!task || !task->memstall.at_ns) {
		count_unmatched();
		return 0;
	}
	at_ns = task->memstall.at_ns;
	task->memstall.at_ns = 0;
	mw_pause_record(ctx, task->memstall.worker, MW_PAUSE_MEMSTALL, bpf_ktime_get_ns() - at_ns, task->stall_pages);
	return 0;
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_begin")
int BPF_PROG(reclaim_begin)
{
	struct mw_task *task;
	__u64 worker;

	(void)ctx;
	task = mw_guarded_task(&worker);
	if (task)
		mw_begin(&task->reclaim, worker);
	return 0;
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_end")
int BPF_PROG(reclaim_end, unsigned long pages)
{
	struct mw_task *task;
	__u64 ns;

	if (!mw_live())
		return 0;
	task = mw_task_of_current(0);
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
		mw_pause_record(ctx, task->reclaim.worker, MW_PAUSE_HIGH_RECLAIM, ns, pages);
	} else {
		mw_pause_record(ctx, task->reclaim.worker, MW_PAUSE_MAX_RECLAIM, ns, pages);
	}
	return 0;
}
