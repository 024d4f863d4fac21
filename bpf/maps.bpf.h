/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps every program shares. Weak, so that each object carries the same
 * definition and the linker keeps one. Sizes marked "daemon" are set before
 * the load. Hashes allocate on use: a host pays for the workers it has.
 */
#ifndef MW_MAPS_BPF_H
#define MW_MAPS_BPF_H

#include "memweir/abi.h"

#define MW_ENOENT 2

/* What is remembered about a task between a pause's begin and end. */
struct mw_begun {
	__u64 at_ns; /* 0: not in this pause */
	__u64 worker;
};

/* What the rest of a memstall is, when no part of it says so. */
enum mw_rest { MW_REST_OTHER, MW_REST_THROTTLE, MW_REST_SWAP_IN };

struct mw_task {
	struct mw_begun memstall, high, reclaim, host_reclaim, compaction, swap_in, oom;
	__u64 parts_ns; /* of this memstall, already in a kind of their own */
	__u64 longest_ns; /* of these parts */
	__u32 longest_kind; /* its kind: what the whole stall is told as */
	__u32 rest; /* enum mw_rest */
	__u64 pages; /* reclaimed within this memstall */
	__u64 limit_id; /* of the last reclaim: whose limit it was for */
	__u64 high_pages; /* reclaimed within this over-high call */
	__u64 high_reclaim_ns; /* time of that reclaim */
	__u64 stalls_in_swap_ns; /* memstalls within this swap-in, which have kinds of their own */
	__u32 high_sleeps;
	__u32 high_told; /* an event was sent for a stall of this over-high call */
	__u32 oom_nested; /* the host's OOM killer called by a memcg's */
	__u32 exit_told;
	__u32 swap_is_read; /* this swap-in is a read outside of do_swap_page */
	__u32 reserved;
};

/* Small charges of one counter on this processor, not counted yet. */
struct mw_aside {
	__u64 counter; /* the kernel's address of it; 0: none */
	__u64 worker; /* 0: not guarded */
	__u64 charges, pages;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20); /* daemon */
} events __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MW_RECENT_SLOTS);
	__type(key, __u32);
	__type(value, struct mw_event);
} recent __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} tap __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024); /* daemon */
	__type(key, __u64);
	__type(value, struct mw_worker_info);
} workers __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096); /* daemon */
	__type(key, __u64);
	__type(value, __u64);
} members __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096); /* daemon */
	__type(key, struct mw_pause_key);
	__type(value, struct mw_pause_stat);
} pauses __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1024); /* daemon */
	__type(key, __u32);
	__type(value, struct mw_sample);
} samples __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384); /* daemon */
	__type(key, struct mw_site_key);
	__type(value, struct mw_site);
} growth_sites __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, MW_STACK_DEPTH * sizeof(__u64));
	__uint(max_entries, 4096); /* daemon */
} growth_stacks __weak SEC(".maps");

/* Of the same size, for stacks whose place in growth_stacks another one has. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, MW_STACK_DEPTH * sizeof(__u64));
	__uint(max_entries, 4096); /* daemon */
} growth_stacks2 __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mw_aside);
} growth_aside __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 19);
} growth_copies __weak SEC(".maps");

/* So many workers at once; of one for whom there is no place the kernel's own walk is all there is. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, struct mw_copy_want);
} growth_wanted __weak SEC(".maps");

/* Where a copy is put together: too large for the stack of a program, and the ring is to hold what there is of it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mw_copy);
} growth_scratch __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct mw_task);
} tasks __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mw_stats);
} stats __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mw_config_map);
} config __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mw_newcomer_map);
} newcomers __weak SEC(".maps");

/* Cgroups of no worker that were told of: id -> bits of newcomer.bpf.c. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u64);
} newcomer_told __weak SEC(".maps");

/* Add to a counter of maps/stats. */
#define mw_count(field, n)                                                                                             \
	do {                                                                                                           \
		__u32 _zero = 0;                                                                                       \
		struct mw_stats *_stats = bpf_map_lookup_elem(&stats, &_zero);                                         \
		if (_stats)                                                                                            \
			__sync_fetch_and_add(&_stats->field, (n));                                                     \
	} while (0)

#endif
