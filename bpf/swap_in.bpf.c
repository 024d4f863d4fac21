// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Pages that have to come back from swap. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "pause.bpf.h"

/* Charging the page may reclaim, and reading it may stall: those memstalls have kinds of their own. */
static __always_inline int begin_swap_in(bool is_read)
{
	struct mw_task *task;
	__u64 worker;

	task = mw_guarded_task(&worker);
	if (!task)
		return 0;
	task->stalls_in_swap_ns = 0;
	task->swap_is_read = is_read;
	mw_begin(&task->swap_in, worker);
	return 0;
}

static __always_inline int end_swap_in(void *ctx, bool is_read)
{
	struct mw_task *task = mw_task_of_current(0);
	__u64 ns, worker;

	if (!task || !task->swap_in.at_ns || task->swap_is_read != is_read || !mw_live())
		return 0;
	worker = task->swap_in.worker;
	ns = mw_end(&task->swap_in);
	ns = ns > task->stalls_in_swap_ns ? ns - task->stalls_in_swap_ns : 0;
	if (!bpf_map_lookup_elem(&workers, &worker))
		return 0;
	mw_pause_count(worker, MW_PAUSE_SWAP_IN, ns);
	mw_pause_tell(ctx, task, worker, MW_PAUSE_SWAP_IN, ns, 0);
	return 0;
}

SEC("fentry/do_swap_page")
int BPF_PROG(swap_in_enter)
{
	(void)ctx;
	return begin_swap_in(false);
}

SEC("fexit/do_swap_page")
int BPF_PROG(swap_in_leave)
{
	return end_swap_in(ctx, false);
}

/* Shared memory (tmpfs, memfd) comes back without the function above: there the read of each page is what is seen. */
SEC("fentry/swap_read_folio")
int BPF_PROG(swap_read_enter)
{
	struct mw_task *task = mw_task_of_current(0);

	(void)ctx;
	return task && task->swap_in.at_ns && !task->swap_is_read ? 0 : begin_swap_in(true);
}

SEC("fexit/swap_read_folio")
int BPF_PROG(swap_read_leave)
{
	return end_swap_in(ctx, true);
}
