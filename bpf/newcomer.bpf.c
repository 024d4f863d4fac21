// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who is in no worker and may belong into one: programs that are started, cgroups that come to life. Told only while
 * the daemon has rules for such; a container or unit is told of twice in its life (its first process, its first
 * program), and a storm of programs is cut.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "emit.bpf.h"
#include "watch.bpf.h"
#include "compat.bpf.h"

#define MW_NS_PER_S 1000000000ULL

/* What was told of a cgroup. */
enum { TOLD_TASK = 1, TOLD_PROGRAM = 2 };

/* NULL: nobody wants to know this of this cgroup, or it belongs to a worker. */
static __always_inline struct mw_newcomer_map *wanting(__u32 what, __u64 *cgroup_id)
{
	__u32 zero = 0;
	struct mw_newcomer_map *n = bpf_map_lookup_elem(&newcomers, &zero);

	if (!n || !(n->wanted & what) || bpf_map_lookup_elem(&members, cgroup_id) || !mw_live())
		return NULL;
	return n;
}

static __always_inline bool is_first(__u64 cgroup_id, __u64 bit)
{
	__u64 *told = bpf_map_lookup_elem(&newcomer_told, &cgroup_id), bits = bit;

	if (told && *told & bit)
		return false;
	if (told)
		bits |= *told;
	bpf_map_update_elem(&newcomer_told, &cgroup_id, &bits, BPF_ANY);
	return true;
}

/* The ring is the workers' first of all: only so many a second. Two CPUs may begin a second together; that is fine. */
static __always_inline bool is_storm(struct mw_newcomer_map *n)
{
	__u64 now = bpf_ktime_get_ns();

	if (now - n->second_at >= MW_NS_PER_S) {
		n->second_at = now;
		n->in_second = 0;
	}
	return __sync_fetch_and_add(&n->in_second, 1) >= n->per_s;
}

static __always_inline void tell(struct mw_newcomer_map *n, struct mw_event *event)
{
	if (is_storm(n) || bpf_ringbuf_output(&events, event, sizeof(*event), MW_WAKE_ADAPTIVE))
		__sync_fetch_and_add(&n->dropped, 1);
	else
		__sync_fetch_and_add(&n->told, 1);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(newcomer_exec)
{
	__u64 id = bpf_get_current_cgroup_id();
	struct mw_newcomer_map *n = wanting(MW_NEWCOMER_EXEC | MW_NEWCOMER_CGROUP, &id);
	struct mw_event event = {};

	(void)ctx;
	if (!n)
		return 0;
	event.flags = n->wanted & MW_NEWCOMER_EXEC;
	if (n->wanted & MW_NEWCOMER_CGROUP && is_first(id, TOLD_PROGRAM))
		event.flags |= MW_NEWCOMER_CGROUP;
	if (!event.flags)
		return 0;
	mw_event_init(&event, MW_EVENT_NEWCOMER, id);
	tell(n, &event);
	return 0;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(newcomer_attach, struct cgroup *to, const char *path, struct task_struct *task)
{
	struct mw_event event = {};
	struct mw_newcomer_map *n;
	__u64 id;

	(void)ctx;
	(void)path;
	if (!mw_is_v2(to))
		return 0;
	id = to->kn->id;
	n = wanting(MW_NEWCOMER_CGROUP, &id);
	if (!n || !is_first(id, TOLD_TASK))
		return 0;
	mw_event_init(&event, MW_EVENT_NEWCOMER, id);
	event.flags = MW_NEWCOMER_CGROUP;
	mw_event_about(&event, task);
	tell(n, &event);
	return 0;
}
