// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Over memory.high the kernel reclaims, then puts the task to sleep for what it could not free. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "pause.bpf.h"

const volatile __u64 mw_jiffy_ns = 4000000;

const volatile bool mw_sleep_seen = true; /* high_sleep is loaded */

/* Without it: the kernel plans no penalty sleep of less than HZ/100, so a shorter rest was none. */
#define MW_SHORTEST_SLEEP_NS 10000000

/* Up to 6.12 it is called with nothing to do as well. Such a call also forgets a begin whose end was skipped. */
SEC("fentry/mem_cgroup_handle_over_high")
int BPF_PROG(high_enter)
{
	struct mw_task *task;
	__u64 worker;

	(void)ctx;
	if (!bpf_get_current_task_btf()->memcg_nr_pages_over_high) {
		task = mw_task_of_current(0);
		if (task)
			task->high.at_ns = 0;
		return 0;
	}
	task = mw_guarded_task(&worker);
	if (!task)
		return 0;
	task->high_pages = 0;
	task->high_reclaim_ns = 0;
	task->high_sleeps = 0;
	task->high_told = 0;
	task->limit_id = 0;
	mw_begin(&task->high, worker);
	return 0;
}

/* The one place where the over-high function sleeps; it can come here several times. timeout is in jiffies. */
SEC("fentry/schedule_timeout_killable")
int BPF_PROG(high_sleep, long timeout)
{
	struct mw_task *task = mw_task_of_current(0);
	struct mw_event event = {};
	struct mw_worker_info *info;
	__u64 worker;

	if (!task || !task->high.at_ns || !mw_live())
		return 0;
	task->high_sleeps++;
	task->rest = MW_REST_THROTTLE; /* of the memstall that was just entered */
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
	struct mw_task *task = mw_task_of_current(0);
	__u64 ns, worker;

	if (!task || !task->high.at_ns)
		return 0;
	worker = task->high.worker;
	ns = mw_end(&task->high);
	ns = ns > task->high_reclaim_ns ? ns - task->high_reclaim_ns : 0;
	if (!(mw_sleep_seen ? task->high_sleeps > 0 : ns >= MW_SHORTEST_SLEEP_NS) ||
	    !bpf_map_lookup_elem(&workers, &worker))
		return 0;
	mw_pause_count(worker, MW_PAUSE_HIGH_THROTTLE, ns);
	if (!task->high_told) /* memstalls are not seen, or no one of them was long */
		mw_pause_tell(ctx, task, worker, MW_PAUSE_HIGH_THROTTLE, ns, task->high_pages);
	return 0;
}
