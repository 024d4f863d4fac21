// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The kernel's OOM killer has chosen a task of a worker. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "emit.bpf.h"
#include "watch.bpf.h"
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
