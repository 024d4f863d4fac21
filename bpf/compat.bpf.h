/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every difference between kernels, one inline each. Names and arguments that
 * differ only in where a program attaches are chosen in user space (see the
 * rows of kernel_load.c):
 *   mem_cgroup_handle_over_high (to 6.12) / __mem_cgroup_handle_over_high (6.17)
 *   swap_readpage (6.1) / swap_read_folio (6.12)
 *   mm_vmscan_memcg_reclaim_begin(order, gfp) / (gfp, order, memcg) in 7.2: no argument is used
 *   mark_victim(pid) / (task, uid) since 72ba14deb40a (6.10): two programs
 *   the walks and flushes of sample.bpf.c: two programs each
 */
#ifndef MW_COMPAT_BPF_H
#define MW_COMPAT_BPF_H

#include <bpf/bpf_core_read.h>

/* Opaque to us; 7251d0905e75 (6.7). */
struct bpf_iter_css {
	__u64 opaque[3];
};

/* cgroup_subsys[] has an index that depends on the configuration. */
#define mw_memory_css_at(cgroup)                                                                                       \
	((void *)(cgroup) + bpf_core_field_offset(struct cgroup, subsys) +                                             \
	 bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id) * sizeof(void *))

/* A memcg's css is its first member. cgroup may be any address. */
static __always_inline struct mem_cgroup *mw_memcg_of_cgroup(struct cgroup *cgroup)
{
	struct mem_cgroup *memcg = NULL;

	bpf_probe_read_kernel(&memcg, sizeof(memcg), mw_memory_css_at(cgroup));
	return memcg;
}

/* The same without a helper's call: cgroup is a pointer the verifier knows. */
static __always_inline struct mem_cgroup *mw_memcg_of_known(struct cgroup *cgroup)
{
	return *(struct mem_cgroup **)mw_memory_css_at(cgroup);
}

/*
 * The cgroup id of the memcg whose memory counter this is; 0 for every other
 * counter (swap, hugetlb, the v1 ones).
 */
static __always_inline __u64 mw_cgroup_id_of_counter(struct page_counter *counter)
{
	struct mem_cgroup *memcg = (void *)counter - bpf_core_field_offset(struct mem_cgroup, memory);
	struct cgroup *cgroup = BPF_CORE_READ(memcg, css.cgroup);

	if (!cgroup || mw_memcg_of_cgroup(cgroup) != memcg)
		return 0;
	return BPF_CORE_READ(cgroup, kn, id);
}

/*
 * Position of an item in memcg_vmstats.state[], or -1. ff48c71c26aa (6.8)
 * packed the array and put positions into a table of bytes; a kernel without
 * its symbol (no KALLSYMS_ALL) is told by an array shorter than the enum.
 */
extern const volatile __u64 mw_stats_index; /* sample.bpf.c; daemon: where that table is, 0 without one */

static __always_inline int mw_stat_position(int item)
{
	signed char position = -1;

	if (mw_stats_index) {
		bpf_probe_read_kernel(&position, sizeof(position), (void *)mw_stats_index + item);
		return position;
	}
	if (bpf_core_field_size(struct memcg_vmstats, state) / sizeof(long) <
	    bpf_core_enum_value(enum memcg_stat_item, MEMCG_NR_STAT))
		return -1;
	return item;
}

/* f1a7941243c1 (6.2) made rss_stat an array of per-cpu counters; before it was a struct with an array. */
struct mm_rss_stat___v6_1 {
	atomic_long_t count[4];
} __attribute__((preserve_access_index));

struct mm_struct___v6_1 {
	struct mm_rss_stat___v6_1 rss_stat;
} __attribute__((preserve_access_index));

static __always_inline __u64 mw_rss_pages(struct mm_struct *mm)
{
	struct mm_struct___v6_1 *old = (void *)mm;
	__s64 file, anon, shmem;

	if (!mm)
		return 0;
	if (bpf_core_field_exists(old->rss_stat.count)) {
		file = BPF_CORE_READ(old, rss_stat.count[0].counter);
		anon = BPF_CORE_READ(old, rss_stat.count[1].counter);
		shmem = BPF_CORE_READ(old, rss_stat.count[3].counter);
	} else {
		file = BPF_CORE_READ(mm, rss_stat[0].count);
		anon = BPF_CORE_READ(mm, rss_stat[1].count);
		shmem = BPF_CORE_READ(mm, rss_stat[3].count);
	}
	return (file > 0 ? file : 0) + (anon > 0 ? anon : 0) + (shmem > 0 ? shmem : 0);
}

/* 633488947ef6 (6.15) renamed the field that leads from a file to its directory. */
struct kernfs_node___parent {
	struct kernfs_node *parent;
	void *priv;
} __attribute__((preserve_access_index));

struct kernfs_node___rcu_parent {
	struct kernfs_node *__parent;
} __attribute__((preserve_access_index));

static __always_inline struct kernfs_node *mw_kernfs_parent(struct kernfs_node *node)
{
	struct kernfs_node___rcu_parent *now = (void *)node;
	struct kernfs_node___parent *before = (void *)node;

	if (bpf_core_field_exists(now->__parent))
		return BPF_CORE_READ(now, __parent);
	return BPF_CORE_READ(before, parent);
}

/* The cgroup whose directory it is. */
static __always_inline struct cgroup *mw_kernfs_cgroup(struct kernfs_node *directory)
{
	return BPF_CORE_READ((struct kernfs_node___parent *)directory, priv);
}

/* Every hierarchy numbers its cgroups from 1: only ids of the unified one (number 0) are ours. */
static __always_inline bool mw_is_v2(struct cgroup *cgroup)
{
	return cgroup->root->hierarchy_id == 0;
}

#endif
