// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Whole stalls for memory, and the reclaim and compaction a task runs itself inside them. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "pause.bpf.h"
#include "compat.bpf.h"

const volatile bool mw_memstall_on = true;

/* *flags is the task's memstall state before this section: 0 means outermost. It replaces a depth counter, which never
 * recovers from a run the kernel skipped (preempted inside the same program). */
static __always_inline bool outermost(unsigned long *flags)
{
	unsigned long inside = 1;

	bpf_probe_read_kernel(&inside, sizeof(inside), flags);
	return inside == 0;
}

/* What begins and ends in one task: this member of its struct mw_task. */
#define begin_part(part)       begin_at(offsetof(struct mw_task, part))
#define end_part(part, ret_ns) end_at(offsetof(struct mw_task, part), ret_ns)

static __always_inline int begin_at(__u64 offset)
{
	struct mw_task *task;
	__u64 worker;

	task = mw_guarded_task(&worker);
	if (task)
		mw_begin((void *)task + offset, worker);
	return 0;
}

/* The task it ends in, and how long it was; NULL: there was no begin. */
static __always_inline struct mw_task *end_at(__u64 offset, __u64 *ret_ns)
{
	struct mw_task *task;

	if (!mw_live())
		return NULL;
	task = mw_task_of_current(0);
	if (!task || !((struct mw_begun *)((void *)task + offset))->at_ns) {
		mw_count_unmatched();
		return NULL;
	}
	*ret_ns = mw_end((void *)task + offset);
	return task;
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
	task->pages = 0;
	task->parts_ns = 0;
	task->longest_ns = 0;
	task->rest = task->swap_in.at_ns ? MW_REST_SWAP_IN : MW_REST_OTHER;
	if (!task->high.at_ns)
		task->limit_id = 0;
	mw_begin(&task->memstall, worker);
	return 0;
}

/*
 * Was it a page that had been evicted not long ago? The kernel enters a memstall where it waits for such a page's lock
 * and where it reads such pages. These functions cannot be attached to (inline ones, whatever the compiler made of
 * them), so they are looked for among the callers, when nothing else explains the stall.
 */
const volatile __u64 mw_refault_functions[3] = {}; /* daemon: where they are; 0: not known */

#define FUNCTION_SIZE 0x600 /* of these at the most: 0x3a0 on 6.12 */
#define CALLERS	      6 /* the tracing program's own frames first */

static __always_inline bool is_in(__u64 ip, __u64 function)
{
	return function && ip - function < FUNCTION_SIZE;
}

static __always_inline bool is_refault(void *ctx)
{
	__u64 ips[CALLERS] = {};

	if (bpf_get_stack(ctx, ips, sizeof(ips), 0) <= 0)
		return false;
	for (int i = 0; i < CALLERS; i++) {
		for (int j = 0; j < 3; j++) {
			if (is_in(ips[i], mw_refault_functions[j]))
				return true;
		}
	}
	return false;
}

/* What no part accounts for goes where it belongs; the kind the whole is told as. */
static __always_inline enum mw_pause_kind count_rest(void *ctx, struct mw_task *task, __u64 ns)
{
	__u64 worker = task->memstall.worker, rest = ns > task->parts_ns ? ns - task->parts_ns : 0;
	enum mw_pause_kind kind = MW_PAUSE_OTHER;

	if (task->swap_in.at_ns)
		task->stalls_in_swap_ns += task->rest == MW_REST_SWAP_IN ? ns - rest : ns;
	if (task->rest == MW_REST_THROTTLE) {
		kind = MW_PAUSE_HIGH_THROTTLE; /* counted at the end of the over-high function */
	} else if (task->rest == MW_REST_SWAP_IN) {
		kind = MW_PAUSE_SWAP_IN; /* at the end of that */
	} else {
		kind = rest > task->parts_ns && is_refault(ctx) ? MW_PAUSE_THRASH : MW_PAUSE_OTHER;
		if (rest)
			mw_pause_count(worker, kind, rest);
	}
	return rest > task->longest_ns ? kind : task->longest_kind;
}

SEC("fentry/psi_memstall_leave")
int BPF_PROG(memstall_leave, unsigned long *flags)
{
	enum mw_pause_kind kind;
	struct mw_task *task;
	__u64 ns, worker;

	task = outermost(flags) ? end_part(memstall, &ns) : NULL;
	if (!task)
		return 0;
	worker = task->memstall.worker;
	if (!bpf_map_lookup_elem(&workers, &worker))
		return 0;
	mw_pause_count(worker, MW_PAUSE_MEMSTALL, ns);
	kind = count_rest(ctx, task, ns);
	task->high_told |= mw_pause_tell(ctx, task, worker, kind, ns, task->pages);
	return 0;
}

/* ---- reclaim for a memcg's limit ---- */

/* Whose: the tracepoint tells from 7.2 on only. */
SEC("fentry/try_to_free_mem_cgroup_pages")
int BPF_PROG(reclaim_for, struct mem_cgroup *memcg)
{
	struct mw_task *task;
	__u64 worker;

	(void)ctx;
	task = mw_guarded_task(&worker);
	if (task)
		task->limit_id = BPF_CORE_READ(memcg, css.cgroup, kn, id);
	return 0;
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_begin")
int BPF_PROG(reclaim_begin)
{
	(void)ctx;
	return begin_part(reclaim);
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_end")
int BPF_PROG(reclaim_end, unsigned long pages)
{
	struct mw_task *task;
	__u64 ns;

	task = end_part(reclaim, &ns);
	if (!task)
		return 0;
	if (task->high.at_ns) {
		task->high_reclaim_ns += ns;
		task->high_pages += pages;
		mw_part_end(ctx, task, task->reclaim.worker, MW_PAUSE_HIGH_RECLAIM, ns, pages);
	} else {
		mw_part_end(ctx, task, task->reclaim.worker, MW_PAUSE_MAX_RECLAIM, ns, pages);
	}
	return 0;
}

/* ---- reclaim for the host, direct or for one node: never one inside the other ---- */

static __always_inline int end_host_reclaim(void *ctx, enum mw_pause_kind kind, unsigned long pages)
{
	struct mw_task *task;
	__u64 ns;

	task = end_part(host_reclaim, &ns);
	if (!task)
		return 0;
	task->limit_id = 0;
	mw_part_end(ctx, task, task->host_reclaim.worker, kind, ns, pages);
	return 0;
}

SEC("tp_btf/mm_vmscan_direct_reclaim_begin")
int BPF_PROG(direct_begin)
{
	(void)ctx;
	return begin_part(host_reclaim);
}

SEC("tp_btf/mm_vmscan_direct_reclaim_end")
int BPF_PROG(direct_end, unsigned long pages)
{
	return end_host_reclaim(ctx, MW_PAUSE_GLOBAL_RECLAIM, pages);
}

SEC("tp_btf/mm_vmscan_node_reclaim_begin")
int BPF_PROG(node_begin)
{
	(void)ctx;
	return begin_part(host_reclaim);
}

SEC("tp_btf/mm_vmscan_node_reclaim_end")
int BPF_PROG(node_end, unsigned long pages)
{
	return end_host_reclaim(ctx, MW_PAUSE_NODE_RECLAIM, pages);
}

/* Told after the sleep, with its length; it is inside one of the reclaims above, whose time has it already. */
SEC("tp_btf/mm_vmscan_throttled")
int BPF_PROG(reclaim_throttled, int node, int planned_us, int slept_us)
{
	struct mw_task *task;
	__u64 worker;

	(void)ctx, (void)node, (void)planned_us;
	task = mw_guarded_task(&worker);
	if (task && (task->reclaim.at_ns || task->host_reclaim.at_ns) && slept_us > 0)
		mw_pause_count(worker, MW_PAUSE_RECLAIM_THROTTLE, (__u64)slept_us * 1000);
	return 0;
}

/* ---- compaction ---- */

SEC("tp_btf/mm_compaction_begin")
int BPF_PROG(compaction_begin)
{
	(void)ctx;
	return begin_part(compaction);
}

SEC("tp_btf/mm_compaction_end")
int BPF_PROG(compaction_end)
{
	struct mw_task *task;
	__u64 ns;

	task = end_part(compaction, &ns);
	if (task)
		mw_part_end(ctx, task, task->compaction.worker, MW_PAUSE_COMPACTION, ns, 0);
	return 0;
}
