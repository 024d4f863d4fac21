/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What does this host have? Looked up in its BTF, or tried; the version is never asked. */
#include <stdarg.h>
#include <string.h>

#include <linux/bpf.h>

#include "daemon/kernel_private.h"

#define CAP(name) MW_CAP_BIT(MW_CAP_##name)

/* choice numbers */
enum { ANY_SAMPLE = 1, ANY_FLUSH, ANY_OOM, ANY_GROWTH };

const struct program_row mw_program_rows[] = {
	{"worker_fork", HOOK_TP_BTF, "sched_process_fork", .caps = CAP(WORKER_EVENTS)},
	{"worker_exec", HOOK_TP_BTF, "sched_process_exec", .caps = CAP(WORKER_EVENTS)},
	{"worker_exit", HOOK_TP_BTF, "sched_process_exit", .caps = CAP(WORKER_EVENTS)},
	{"worker_attach", HOOK_TP_BTF, "cgroup_attach_task", .caps = CAP(WORKER_EVENTS)},
	{"worker_mkdir", HOOK_TP_BTF, "cgroup_mkdir", .caps = CAP(WORKER_EVENTS)},
	{"worker_rmdir", HOOK_TP_BTF, "cgroup_rmdir", .caps = CAP(WORKER_EVENTS)},
	{"worker_set", HOOK_RUN},
	{"newcomer_exec", HOOK_TP_BTF, "sched_process_exec", .caps = CAP(NEWCOMERS)},
	{"newcomer_attach", HOOK_TP_BTF, "cgroup_attach_task", .caps = CAP(NEWCOMERS)},
	{"sample_walk", HOOK_RUN, .needs = "bpf_iter_css_new", .caps = CAP(SAMPLE_ITER), .choice = ANY_SAMPLE},
	{"sample", HOOK_CGROUP_ITER, "bpf_iter_cgroup", .caps = CAP(SAMPLE_ITER), .choice = ANY_SAMPLE,
	 .each_cgroup = true},
	{"flush_memcg", HOOK_CGROUP_ITER, "bpf_iter_cgroup", .needs = "bpf_mem_cgroup_flush_stats",
	 .caps = CAP(SAMPLE_FLUSH), .choice = ANY_FLUSH, .each_cgroup = true},
	{"flush_cgroup", HOOK_CGROUP_ITER, "bpf_iter_cgroup", .needs = "cgroup_rstat_flush", .caps = CAP(SAMPLE_FLUSH),
	 .choice = ANY_FLUSH},
	{"sample_positions", HOOK_RUN, .caps = CAP(STATISTICS)},
	{"memstall_enter", HOOK_FENTRY, "psi_memstall_enter", .caps = CAP(PAUSE_MEMSTALL)},
	{"memstall_leave", HOOK_FENTRY, "psi_memstall_leave", .caps = CAP(PAUSE_MEMSTALL)},
	{"reclaim_for", HOOK_FENTRY, "try_to_free_mem_cgroup_pages", .caps = CAP(PAUSE_LIMIT)},
	{"reclaim_begin", HOOK_TP_BTF, "mm_vmscan_memcg_reclaim_begin", .caps = CAP(PAUSE_RECLAIM)},
	{"reclaim_end", HOOK_TP_BTF, "mm_vmscan_memcg_reclaim_end", .caps = CAP(PAUSE_RECLAIM)},
	{"direct_begin", HOOK_TP_BTF, "mm_vmscan_direct_reclaim_begin", .caps = CAP(PAUSE_HOST_RECLAIM)},
	{"direct_end", HOOK_TP_BTF, "mm_vmscan_direct_reclaim_end", .caps = CAP(PAUSE_HOST_RECLAIM)},
	{"reclaim_throttled", HOOK_TP_BTF, "mm_vmscan_throttled", .caps = CAP(PAUSE_HOST_RECLAIM)},
	{"node_begin", HOOK_TP_BTF, "mm_vmscan_node_reclaim_begin"}, /* with NUMA only, and off by default there */
	{"node_end", HOOK_TP_BTF, "mm_vmscan_node_reclaim_end"},
	{"compaction_begin", HOOK_TP_BTF, "mm_compaction_begin", .caps = CAP(PAUSE_COMPACTION)},
	{"compaction_end", HOOK_TP_BTF, "mm_compaction_end", .caps = CAP(PAUSE_COMPACTION)},
	{"swap_in_enter", HOOK_FENTRY, "do_swap_page", .caps = CAP(PAUSE_SWAP_IN)},
	{"swap_in_leave", HOOK_FENTRY, "do_swap_page", .caps = CAP(PAUSE_SWAP_IN)},
	{"swap_read_enter", HOOK_FENTRY, "swap_read_folio", "swap_readpage"}, /* for shared memory */
	{"swap_read_leave", HOOK_FENTRY, "swap_read_folio", "swap_readpage"},
	{"oom_memcg_enter", HOOK_FENTRY, "mem_cgroup_out_of_memory", .caps = CAP(PAUSE_OOM)},
	{"oom_memcg_leave", HOOK_FENTRY, "mem_cgroup_out_of_memory", .caps = CAP(PAUSE_OOM)},
	{"oom_host_enter", HOOK_FENTRY, "out_of_memory", .caps = CAP(PAUSE_OOM)},
	{"oom_host_leave", HOOK_FENTRY, "out_of_memory", .caps = CAP(PAUSE_OOM)},
	{"high_enter", HOOK_FENTRY, "mem_cgroup_handle_over_high", "__mem_cgroup_handle_over_high",
	 .caps = CAP(PAUSE_THROTTLE) | CAP(THROTTLE_EVENT)},
	{"high_leave", HOOK_FENTRY, "mem_cgroup_handle_over_high", "__mem_cgroup_handle_over_high",
	 .caps = CAP(PAUSE_THROTTLE) | CAP(THROTTLE_EVENT)},
	{"high_sleep", HOOK_FENTRY, "schedule_timeout_killable", .caps = CAP(THROTTLE_EVENT)},
	{"charge", HOOK_FENTRY, "page_counter_try_charge", .caps = CAP(GROWTH) | CAP(NEAR_HIGH_EVENT),
	 .choice = ANY_GROWTH},
	{"fault", HOOK_TP_BTF, "page_fault_user", .caps = CAP(GROWTH), .choice = ANY_GROWTH},
	{"oom_kill", HOOK_FENTRY, "oom_kill_process", .caps = CAP(OOM), .choice = ANY_OOM},
	{"oom_mark_task", HOOK_TP_BTF, "mark_victim", .caps = CAP(OOM), .choice = ANY_OOM},
	{"oom_mark_pid", HOOK_TP_BTF, "mark_victim", .caps = CAP(OOM), .choice = ANY_OOM, .by_pid = true},
	{"limit_max", HOOK_FENTRY, "memory_max_write", .caps = CAP(LIMIT_WRITER)},
	{"limit_high", HOOK_FENTRY, "memory_high_write", .caps = CAP(LIMIT_WRITER)},
	{"limit_low", HOOK_FENTRY, "memory_low_write"},
	{"limit_swap_max", HOOK_FENTRY, "swap_max_write"},
	{"show_workers", HOOK_MAP_ITER, "bpf_iter_bpf_map_elem", .caps = CAP(SHOW), .map = MAP_WORKERS,
	 .show = "workers"},
	{"show_events", HOOK_MAP_ITER, "bpf_iter_bpf_map_elem", .caps = CAP(SHOW), .map = MAP_RECENT, .show = "events"},
	{"show_pauses", HOOK_MAP_ITER, "bpf_iter_bpf_map_elem", .caps = CAP(SHOW), .map = MAP_PAUSES, .show = "pauses"},
};
const size_t mw_program_count = ARRAY_SIZE(mw_program_rows);
_Static_assert(ARRAY_SIZE(mw_program_rows) <= MW_MAX_PROGRAMS, "a state for each program");

static const char need_btf[] =
	"a kernel with CONFIG_DEBUG_INFO_BTF (Debian, Ubuntu, Fedora have it), and root or CAP_BPF";
static const char need_fentry[] =
	"a kernel that allows fentry programs (CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS, no lockdown)";

static const struct mw_capability_info rows[MW_CAP_MAX] = {
	[MW_CAP_BTF] = {"btf", .lost_without = "everything the kernel side does", .how_to_get = need_btf},
	[MW_CAP_BPFFS] = {"bpffs", .lost_without = "counters and programs end with the daemon; bpftool finds no pins",
			  .how_to_get = "mount -t bpf bpf /sys/fs/bpf"},
	[MW_CAP_RINGBUF] = {"ringbuf", .lost_without = "events; the daemon sees changes at the next check only",
			    .how_to_get = "kernel 5.8 or newer"},
	[MW_CAP_WORKER_EVENTS] = {"worker-events",
				  .lost_without = "forks, executions, exits and new cgroups as they happen",
				  .how_to_get = need_btf},
	[MW_CAP_SAMPLE_ITER] = {"sample-iter", .lost_without = "one pass for all workers; files are read one by one",
				.how_to_get = "kernel 6.1 or newer"},
	[MW_CAP_SAMPLE_FLUSH] = {"sample-flush", .lost_without = "statistics of the moment; they may be 2 s old",
				 .how_to_get = "a kernel from 6.1 to 6.15, or one with bpf_mem_cgroup_flush_stats"},
	[MW_CAP_STATISTICS] = {"statistics",
			       .lost_without =
				       "heap and bin from the pass; memory.stat is read for each worker, thirty "
				       "times the price",
			       .how_to_get = "a kernel with CONFIG_KALLSYMS_ALL, or older than 6.8"},
	[MW_CAP_PAUSE_THROTTLE] = {"pause-throttle", .lost_without = "the time workers sleep over memory.high",
				   .how_to_get = need_fentry},
	[MW_CAP_PAUSE_RECLAIM] = {"pause-reclaim", .lost_without = "the time workers spend in reclaim",
				  .how_to_get = need_btf},
	[MW_CAP_PAUSE_MEMSTALL] = {"pause-memstall", .lost_without = "whole stalls for memory, whatever their kind",
				   .how_to_get = need_fentry},
	[MW_CAP_PAUSE_LIMIT] = {"pause-limit", .lost_without = "whose limit a pause was for",
				.how_to_get = need_fentry},
	[MW_CAP_PAUSE_HOST_RECLAIM] = {"pause-host-reclaim",
				       .lost_without = "the time workers spend in reclaim for the host",
				       .how_to_get = need_btf},
	[MW_CAP_PAUSE_COMPACTION] = {"pause-compaction", .lost_without = "the time workers spend in compaction",
				     .how_to_get = "a kernel with CONFIG_COMPACTION and BTF"},
	[MW_CAP_PAUSE_SWAP_IN] = {"pause-swap-in", .lost_without = "the time workers wait for pages in swap",
				  .how_to_get = need_fentry},
	[MW_CAP_PAUSE_OOM] = {"pause-oom", .lost_without = "the time workers spend in the OOM killer",
			      .how_to_get = need_fentry},
	[MW_CAP_NEWCOMERS] = {"newcomers",
			      .lost_without =
				      "newcomers that fit a rule come under guard at the next look, not at once",
			      .how_to_get = need_btf},
	[MW_CAP_THROTTLE_EVENT] = {"throttle-event",
				   .lost_without = "memory.high is lifted after a poll and not at once",
				   .how_to_get = need_fentry},
	[MW_CAP_NEAR_HIGH_EVENT] = {"near-high-event",
				    .lost_without = "memory.high is lifted after the first sleep, not before",
				    .how_to_get = need_fentry},
	[MW_CAP_GROWTH] = {"growth", .lost_without = "which code a worker grows by",
			   .how_to_get = "a kernel that allows fentry programs, or one with BTF on x86-64"},
	[MW_CAP_GROWTH_COPIES] = {"growth-copies",
				  .lost_without = "callers in programs without frame pointers: their innermost "
						  "function is all that is shown of who grows by what",
				  .how_to_get = "growth, and kernel 5.15 or newer"},
	[MW_CAP_OOM] = {"oom", .lost_without = "the victim's name and size at the moment of the kill",
			.how_to_get = need_btf},
	[MW_CAP_LIMIT_WRITER] = {"limit-writer",
				 .lost_without =
					 "the name of who changes a worker's limit; that one was changed is seen",
				 .how_to_get = need_fentry},
	[MW_CAP_SHOW] = {"show", .lost_without = "tables by cat below show/",
			 .how_to_get = "bpffs, kernel 5.9 or newer"},
	[MW_CAP_TAP] = {"tap", .lost_without = "bpftool map event_pipe", .how_to_get = need_btf},
};

const char *mw_kernel_capability_name(enum mw_capability cap)
{
	return rows[cap].name;
}

void mw_capabilities_init(struct mw_kernel *k)
{
	memcpy(k->caps, rows, sizeof(rows));
	for (int cap = 0; cap < MW_CAP_MAX; cap++)
		k->caps[cap].have = true;
	for (int cap = 0; cap < MW_CAP_MAX; cap++) {
		if (k->opts.disable & MW_CAP_BIT(cap))
			mw_capability_refuse(k, cap, "switched off");
	}
}

/* The first reason stands: later ones mostly follow from it. */
__attribute__((format(printf, 3, 0))) static void refuse(struct mw_kernel *k, enum mw_capability cap, const char *fmt,
							 va_list args)
{
	struct mw_capability_info *info = &k->caps[cap];

	if (info->have)
		vsnprintf(info->why, sizeof(info->why), fmt, args);
	info->have = false;
	if (cap == MW_CAP_GROWTH)
		mw_capability_refuse(k, MW_CAP_GROWTH_COPIES, "needs growth");
}

void mw_capability_refuse(struct mw_kernel *k, enum mw_capability cap, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	refuse(k, cap, fmt, args);
	va_end(args);
}

/* Is there another row for the same thing that may still work, and has that capability too? */
static bool has_alternative(const struct mw_kernel *k, size_t row, enum mw_capability cap)
{
	for (size_t i = 0; i < mw_program_count; i++) {
		if (mw_program_rows[row].choice && mw_program_rows[i].choice == mw_program_rows[row].choice &&
		    mw_program_rows[i].caps & MW_CAP_BIT(cap) && !k->programs[i].refused)
			return true;
	}
	return false;
}

void mw_program_refuse(struct mw_kernel *k, size_t row, const char *fmt, ...)
{
	va_list args;

	k->programs[row].refused = true;
	for (int cap = 0; cap < MW_CAP_MAX; cap++) {
		if (!(mw_program_rows[row].caps & MW_CAP_BIT(cap)) || has_alternative(k, row, cap))
			continue;
		va_start(args, fmt);
		refuse(k, cap, fmt, args);
		va_end(args);
	}
}

void mw_refuse_all(struct mw_kernel *k, const char *why)
{
	for (size_t i = 0; i < mw_program_count; i++)
		k->programs[i].refused = true;
	for (int cap = 0; cap < MW_CAP_MAX; cap++) {
		if (cap != MW_CAP_BTF && cap != MW_CAP_BPFFS)
			mw_capability_refuse(k, cap, "%s", why);
	}
	mw_choose(k);
}

/* Does the tracepoint's first argument fit the program? (void *, first, …) */
static bool tracepoint_fits(const struct btf *btf, const struct mw_btf_names *names, const struct program_row *row)
{
	char name[80];
	const struct btf_type *type;

	snprintf(name, sizeof(name), "btf_trace_%s", row->hook);
	type = mw_btf_names_find(names, name, BTF_KIND_TYPEDEF, NULL);
	if (!type)
		return false;
	if (row->choice != ANY_OOM)
		return true;
	type = btf__type_by_id(btf, type->type); /* pointer */
	type = btf__type_by_id(btf, type->type); /* prototype */
	if (!btf_is_func_proto(type) || btf_vlen(type) < 2)
		return false;
	return btf_is_ptr(btf__type_by_id(btf, btf_params(type)[1].type)) != row->by_pid;
}

static bool has_function(const struct mw_btf_names *names, const char *name)
{
	return name && mw_btf_names_find(names, name, BTF_KIND_FUNC, NULL);
}

/* Of an enum's member; -1: there is none. */
static int value_of(const struct btf *btf, const struct mw_btf_names *names, const char *of, const char *member)
{
	const struct btf_type *all = mw_btf_names_find(names, of, BTF_KIND_ENUM, NULL);

	for (int i = 0; all && i < btf_vlen(all); i++) {
		if (!strcmp(btf__name_by_offset(btf, btf_enum(all)[i].name_off), member))
			return btf_enum(all)[i].val;
	}
	return -1;
}

/* A program that calls one the kernel has not does not load: asked before. */
static bool has_helper(const struct btf *btf, const struct mw_btf_names *names, const char *name)
{
	return value_of(btf, names, "bpf_func_id", name) >= 0;
}

/*
 * Statistics of a memcg are packed since ff48c71c26aa (6.8), and where each stands is in a table of the kernel's own.
 * An older one is not asked for it: all of its symbols would be read.
 */
static bool statistics_packed(const struct btf *btf, const struct mw_btf_names *names)
{
	const struct btf_type *stats = mw_btf_names_find(names, "memcg_vmstats", BTF_KIND_STRUCT, NULL), *type;
	int items = value_of(btf, names, "memcg_stat_item", "MEMCG_NR_STAT");

	for (int i = 0; stats && i < btf_vlen(stats); i++) {
		if (strcmp(btf__name_by_offset(btf, btf_members(stats)[i].name_off), "state") != 0)
			continue;
		type = btf__type_by_id(btf, btf_members(stats)[i].type);
		return btf_is_array(type) && (int)btf_array(type)->nelems < items;
	}
	return false;
}

/* Refusals come at the load on some hosts (EPERM) and at the attach on others: do both, with a program that does
 * nothing. */
static int try_fentry(const struct mw_btf_names *names, const char *function)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);
	_cleanup_close_ int program = -1, link = -1;

	mw_btf_names_find(names, function, BTF_KIND_FUNC, &opts.attach_btf_id);
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "mw_probe", "Dual BSD/GPL", nothing, ARRAY_SIZE(nothing), &opts);
	if (program < 0)
		return -errno;
	link = bpf_raw_tracepoint_open(NULL, program);
	return link < 0 ? -errno : 0;
}

static void look_up(struct mw_kernel *k, const struct btf *btf, const struct mw_btf_names *names, size_t i)
{
	const struct program_row *row = &mw_program_rows[i];
	struct program_state *state = &k->programs[i];

	state->hook = row->hook;
	switch (row->kind) {
	case HOOK_FENTRY:
		if (!has_function(names, row->hook) && has_function(names, row->other_hook))
			state->hook = row->other_hook;
		/* fallthrough */
	case HOOK_CGROUP_ITER:
	case HOOK_MAP_ITER:
		if (!has_function(names, state->hook))
			mw_program_refuse(k, i, "the kernel's BTF has no function %s", row->hook);
		else if (row->needs && !has_function(names, row->needs))
			mw_program_refuse(k, i, "the kernel's BTF has no function %s", row->needs);
		break;
	case HOOK_TP_BTF:
		if (!tracepoint_fits(btf, names, row))
			mw_program_refuse(k, i, "the kernel has no tracepoint %s that fits", row->hook);
		break;
	case HOOK_RUN:
		if (row->needs && !has_function(names, row->needs))
			mw_program_refuse(k, i, "the kernel's BTF has no function %s", row->needs);
		break;
	}
}

static void probe_fentry(struct mw_kernel *k, const struct mw_btf_names *names)
{
	int result = 0;
	bool tried = false;

	for (size_t i = 0; i < mw_program_count; i++) {
		if (mw_program_rows[i].kind != HOOK_FENTRY || k->programs[i].refused)
			continue;
		if (!tried)
			result = try_fentry(names, k->programs[i].hook);
		tried = true;
		if (result)
			mw_program_refuse(k, i, "the kernel refuses fentry programs: %s", strerror(-result));
	}
}

void mw_choose(struct mw_kernel *k)
{
	unsigned int taken = 0;

	for (size_t i = 0; i < mw_program_count; i++) {
		const struct program_row *row = &mw_program_rows[i];
		bool wanted = !row->caps || (row->caps & ~k->opts.disable);

		k->programs[i].chosen = wanted && !k->programs[i].refused && !(taken & 1U << row->choice);
		if (k->programs[i].chosen && row->choice)
			taken |= 1U << row->choice;
	}
}

void mw_say_ways(struct mw_kernel *k)
{
	struct mw_capability_info *growth = &k->caps[MW_CAP_GROWTH];

	for (size_t i = 0; growth->have && i < mw_program_count; i++) {
		if (k->programs[i].chosen && !strcmp(mw_program_rows[i].program, "fault"))
			snprintf(growth->way, sizeof(growth->way),
				 "by one page fault in 64: estimated, since the kernel refuses fexit programs");
	}
}

void mw_probe(struct mw_kernel *k)
{
	struct mw_btf_names *names = NULL;
	struct btf *btf = NULL;
	__u32 symbols = 0;

	if (mw_kernel_has(k, MW_CAP_BTF)) {
		btf = btf__load_vmlinux_btf();
		names = btf ? mw_btf_names_new(btf) : NULL;
		if (!names)
			mw_capability_refuse(k, MW_CAP_BTF, "no BTF of the running kernel: %s", strerror(errno));
	}
	if (!names) {
		btf__free(btf);
		mw_refuse_all(k, "needs btf");
		return;
	}
	for (size_t i = 0; i < mw_program_count; i++)
		look_up(k, btf, names, i);
	probe_fentry(k, names);
	k->can_cast = has_function(names, "bpf_rdonly_cast");
	if (!has_helper(btf, names, "BPF_FUNC_task_pt_regs"))
		mw_capability_refuse(k, MW_CAP_GROWTH_COPIES, "the kernel has no helper bpf_task_pt_regs");
	if (mw_kernel_has(k, MW_CAP_STATISTICS) && statistics_packed(btf, names))
		symbols |= 1U << MW_SYMBOL_STATS_INDEX;
	if (mw_kernel_has(k, MW_CAP_PAUSE_MEMSTALL))
		symbols |= 1U << MW_SYMBOL_WAIT_BIT | 1U << MW_SYMBOL_READ_PAGES | 1U << MW_SYMBOL_SUBMIT_BIO;
	mw_kernel_symbols("/proc", symbols, k->symbols);
	mw_btf_names_free(names);
	btf__free(btf);
	mw_choose(k);
}
