// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The kernel's OOM killer has chosen a task of a worker. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "pause.bpf.h"
#include "compat.bpf.h"

extern const volatile __u32 mw_page_shift;

static __always_inline void tell(void *ctx, struct task_struct *victim, __u32 flags)
{
	__u64 worker, id = BPF_CORE_READ(victim, cgroups, dfl_cgrp, kn, id);
	struct mw_worker_info *info = mw_watch(id, &worker);
	struct mw_event event = {};

	if (!info)
		return;
	mw_event_init(&event, MW_EVENT_OOM, worker);
	event.pid = BPF_CORE_READ(victim, tgid);
	event.tid = BPF_CORE_READ(victim, pid);
	BPF_CORE_READ_STR_INTO(&event.comm, victim, comm);
	event.flags = flags;
	event.value = mw_rss_pages(BPF_CORE_READ(victim, mm)) << mw_page_shift;
	mw_emit(ctx, &event, info, MW_WAKE_NOW);
}

SEC("fentry/oom_kill_process")
int BPF_PROG(oom_kill, struct oom_control *oom)
{
	struct task_struct *victim = BPF_CORE_READ(oom, chosen);

	if (victim)
		tell(ctx, victim, BPF_CORE_READ(oom, memcg) ? MW_OOM_MEMCG : 0);
	return 0;
}

/* Without fentry; it does not say whose limit it was. */
SEC("tp_btf/mark_victim")
int BPF_PROG(oom_mark_task, struct task_struct *victim)
{
	tell(ctx, victim, 0);
	return 0;
}

/* Before 6.10 it has the pid alone; the task that met the limit stands in the same worker. */
SEC("tp_btf/mark_victim")
int BPF_PROG(oom_mark_pid, int pid)
{
	struct mw_event event = {};
	struct mw_worker_info *info;
	__u64 worker;

	info = mw_watch(bpf_get_current_cgroup_id(), &worker);
	if (!info)
		return 0;
	mw_event_init(&event, MW_EVENT_OOM, worker);
	event.pid = pid;
	event.tid = pid;
	if (bpf_get_current_pid_tgid() >> 32 != pid)
		__builtin_memset(event.comm, 0, sizeof(event.comm));
	mw_emit(ctx, &event, info, MW_WAKE_NOW);
	return 0;
}

/* ---- the time a task spends in it: choosing a victim, waiting for another OOM kill to be through ---- */

static __always_inline struct mw_task *begin_oom(void)
{
	struct mw_task *task;
	__u64 worker;

	task = mw_guarded_task(&worker);
	if (!task)
		return NULL;
	task->limit_id = 0;
	mw_begin(&task->oom, worker);
	return task;
}

static __always_inline int end_oom(void *ctx, struct mw_task *task)
{
	__u64 worker = task->oom.worker, ns = mw_end(&task->oom);

	mw_part_end(ctx, task, worker, MW_PAUSE_OOM, ns, 0);
	if (mw_memstall_on && !task->memstall.at_ns)
		mw_pause_tell(ctx, task, worker, MW_PAUSE_OOM, ns, 0);
	return 0;
}

SEC("fentry/mem_cgroup_out_of_memory")
int BPF_PROG(oom_memcg_enter, struct mem_cgroup *memcg)
{
	struct mw_task *task = begin_oom();

	(void)ctx;
	if (task)
		task->limit_id = BPF_CORE_READ(memcg, css.cgroup, kn, id);
	return 0;
}

SEC("fexit/mem_cgroup_out_of_memory")
int BPF_PROG(oom_memcg_leave)
{
	struct mw_task *task = mw_task_of_current(0);

	return task && task->oom.at_ns && mw_live() ? end_oom(ctx, task) : 0;
}

/* A memcg's comes through here as well: then it is the outer one that counts. */
SEC("fentry/out_of_memory")
int BPF_PROG(oom_host_enter)
{
	struct mw_task *task = mw_task_of_current(0);

	(void)ctx;
	if (task && task->oom.at_ns) {
		task->oom_nested = 1;
		return 0;
	}
	begin_oom();
	return 0;
}

SEC("fexit/out_of_memory")
int BPF_PROG(oom_host_leave)
{
	struct mw_task *task = mw_task_of_current(0);

	if (!task || !task->oom.at_ns || !mw_live())
		return 0;
	if (task->oom_nested) {
		task->oom_nested = 0;
		return 0;
	}
	return end_oom(ctx, task);
}
