// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who belongs to whom: processes and cgroups of guarded workers come and go. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "emit.bpf.h"
#include "watch.bpf.h"
#include "compat.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u64 mw_generation = 0;

#define MW_SIGNAL_GROUP_EXIT 4 /* include/linux/sched/signal.h */

/* The child's cgroup counts: clone3(CLONE_INTO_CGROUP) starts a worker from outside it. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(worker_fork, struct task_struct *parent, struct task_struct *child)
{
	struct mw_event event = {};
	struct mw_worker_info *info;
	__u64 worker;

	(void)parent;
	if (child->pid != child->tgid)
		return 0;
	info = mw_watch(child->cgroups->dfl_cgrp->kn->id, &worker);
	if (!info)
		return 0;
	__sync_fetch_and_add(&info->forks, 1);
	mw_event_init(&event, MW_EVENT_FORK, worker);
	event.pid = child->tgid;
	event.tid = child->pid;
	mw_emit(ctx, &event, info, MW_WAKE_ADAPTIVE);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(worker_exec)
{
	struct mw_event event = {};
	struct mw_worker_info *info;
	__u64 worker;

	info = mw_watch(bpf_get_current_cgroup_id(), &worker);
	if (!info)
		return 0;
	__sync_fetch_and_add(&info->execs, 1);
	mw_event_init(&event, MW_EVENT_EXEC, worker);
	mw_emit(ctx, &event, info, MW_WAKE_ADAPTIVE);
	return 0;
}

/* Threads that end together can both see that none is left: the first one tells. */
static __always_inline bool exit_is_told(struct task_struct *task)
{
	__u64 create = task->signal->nr_threads > 1 ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0;
	struct mw_task *leader = bpf_task_storage_get(&tasks, task->group_leader, NULL, create);

	return leader && __sync_lock_test_and_set(&leader->exit_told, 1);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(worker_exit, struct task_struct *task)
{
	struct mw_event event = {};
	struct mw_worker_info *info;
	__u64 worker;

	if (task->signal->live.counter != 0)
		return 0;
	info = mw_watch(bpf_get_current_cgroup_id(), &worker);
	if (!info || exit_is_told(task))
		return 0;
	__sync_fetch_and_add(&info->exits, 1);
	mw_event_init(&event, MW_EVENT_EXIT, worker);
	event.value = task->signal->flags & MW_SIGNAL_GROUP_EXIT ? task->signal->group_exit_code
								 : task->group_leader->exit_code;
	mw_emit(ctx, &event, info, MW_WAKE_ADAPTIVE);
	return 0;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(worker_attach, struct cgroup *to, const char *path, struct task_struct *task)
{
	struct mw_event event = {};
	struct mw_worker_info *info;
	__u64 worker;

	(void)path;
	if (!mw_is_v2(to))
		return 0;
	info = mw_watch(to->kn->id, &worker);
	if (!info)
		return 0;
	mw_event_init(&event, MW_EVENT_ATTACH, worker);
	mw_event_about(&event, task);
	mw_emit(ctx, &event, info, MW_WAKE_ADAPTIVE);
	return 0;
}

/* A cgroup made below a worker belongs to it, before anything can enter it. */
SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(worker_mkdir, struct cgroup *made)
{
	struct cgroup_subsys_state *parent = made->self.parent;
	struct mw_event event = {};
	struct mw_worker_info *info;
	__u64 worker, id;

	if (!parent || !mw_is_v2(made))
		return 0;
	info = mw_watch(parent->cgroup->kn->id, &worker);
	if (!info)
		return 0;
	id = made->kn->id;
	if (bpf_map_update_elem(&members, &id, &worker, BPF_ANY))
		mw_count(members_full, 1);
	mw_event_init(&event, MW_EVENT_MKDIR, worker);
	event.value = id;
	mw_emit(ctx, &event, info, MW_WAKE_ADAPTIVE);
	return 0;
}

/* rmdir and not release: that one waits for the last page. The worker's own entries are the daemon's to remove. */
SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(worker_rmdir, struct cgroup *gone)
{
	struct mw_event event = {};
	struct mw_worker_info *info;
	__u64 worker, id;

	if (!mw_is_v2(gone))
		return 0;
	id = gone->kn->id;
	info = mw_watch(id, &worker);
	if (!info)
		return 0;
	if (id != worker)
		bpf_map_delete_elem(&members, &id);
	mw_event_init(&event, MW_EVENT_RELEASE, worker);
	event.value = id;
	mw_emit(ctx, &event, info, MW_WAKE_ADAPTIVE);
	return 0;
}

/*
 * The daemon changes a worker's settings here and not by a map update, which
 * would write back counters it read a moment before.
 */
SEC("syscall")
int worker_set(struct mw_worker_set *set)
{
	__u64 id = set->cgroup_id;
	struct mw_worker_info *info = bpf_map_lookup_elem(&workers, &id);

	if (!info)
		return -MW_ENOENT;
	__builtin_memcpy(info->name, set->info.name, sizeof(info->name));
	__builtin_memcpy(info->class_name, set->info.class_name, sizeof(info->class_name));
	info->slot = set->info.slot;
	info->pause_budget_ns = set->info.pause_budget_ns;
	info->near_high_bytes = set->info.near_high_bytes;
	return 0;
}
