// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One pass of the cgroup iterator writes every worker's numbers into maps/samples: no file is read. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "maps.bpf.h"
#include "compat.bpf.h"

const volatile __u32 mw_page_shift = 12;

/* seq is odd while the slot is written. The result is used so that the atomic is one with full ordering (arm64). */
static __always_inline void step(__u64 *seq)
{
	__u64 old = __sync_fetch_and_add(seq, 1);

	asm volatile("" : : "r"(old));
}

static __always_inline __u64 bytes(__u64 pages)
{
	return pages << mw_page_shift;
}

/* A limit of "max" is LONG_MAX / PAGE_SIZE pages. */
static __always_inline __u64 limit_bytes(unsigned long pages)
{
	return pages >= (~0UL >> 1) >> mw_page_shift ? MW_UNLIMITED : bytes(pages);
}

/*
 * Where the kernel lets a pointer be given its type (6.2), fields are loaded
 * and not copied by a helper call each: a third of the time (26 fields a cgroup).
 */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;
const volatile bool mw_can_cast = false; /* daemon */

#define mw_typed(type, address)                                                                                        \
	(mw_can_cast ? (type *)bpf_rdonly_cast(address, bpf_core_type_id_kernel(type)) : (type *)(address))
#define mw_field(from, field) (mw_can_cast ? (from)->field : BPF_CORE_READ(from, field))

/* Positions in memcg_vmstats.state[]: the same for every cgroup, looked up at the first of a pass. */
enum { ANON, FILE_PAGES, SHMEM, SOCK, KERNEL, SLAB, ITEMS };
int mw_positions[ITEMS];

static __always_inline void find_positions(void)
{
	mw_positions[ANON] = mw_stat_position(bpf_core_enum_value(enum node_stat_item, NR_ANON_MAPPED));
	mw_positions[FILE_PAGES] = mw_stat_position(bpf_core_enum_value(enum node_stat_item, NR_FILE_PAGES));
	mw_positions[SHMEM] = mw_stat_position(bpf_core_enum_value(enum node_stat_item, NR_SHMEM));
	mw_positions[SOCK] = mw_stat_position(bpf_core_enum_value(enum memcg_stat_item, MEMCG_SOCK));
	mw_positions[KERNEL] = mw_stat_position(bpf_core_enum_value(enum memcg_stat_item, MEMCG_KMEM));
	mw_positions[SLAB] = mw_stat_position(bpf_core_enum_value(enum node_stat_item, NR_SLAB_RECLAIMABLE_B));
}

static __always_inline __u64 stat(__u64 vmstats, int item)
{
	int position = mw_positions[item];
	struct memcg_vmstats *shifted;
	long value;

	if (position < 0)
		return 0;
	shifted = mw_typed(struct memcg_vmstats, (void *)(vmstats + position * sizeof(value)));
	value = mw_field(shifted, state[0]);
	return value < 0 ? 0 : value; /* per-cpu parts not yet added up */
}

static __always_inline void fill_stats(struct mw_sample *sample, struct mem_cgroup *memcg)
{
	__u64 vmstats = (__u64)BPF_CORE_READ(memcg, vmstats); /* as a number: it is shifted */

	if (!vmstats)
		return;
	sample->anon = bytes(stat(vmstats, ANON));
	sample->file = bytes(stat(vmstats, FILE_PAGES));
	sample->shmem = bytes(stat(vmstats, SHMEM));
	sample->sock = bytes(stat(vmstats, SOCK));
	sample->kernel = bytes(stat(vmstats, KERNEL));
	sample->slab_reclaimable = stat(vmstats, SLAB); /* an item counted in bytes */
}

static __always_inline void fill(struct mw_sample *sample, __u64 id, struct mem_cgroup *address)
{
	struct mem_cgroup *memcg = mw_typed(struct mem_cgroup, address);

	step(&sample->seq);
	sample->cgroup_id = id;
	sample->time_ns = bpf_ktime_get_ns();
	sample->usage = bytes(mw_field(memcg, memory.usage.counter));
	sample->high = limit_bytes(mw_field(memcg, memory.high));
	sample->max = limit_bytes(mw_field(memcg, memory.max));
	sample->low = limit_bytes(mw_field(memcg, memory.low));
	sample->swap_usage = bytes(mw_field(memcg, swap.usage.counter));
	sample->peak = bytes(mw_field(memcg, memory.watermark));
	bpf_core_read(sample->events, sizeof(sample->events), &memcg->memory_events);
	bpf_core_read(sample->events_local, sizeof(sample->events_local), &memcg->memory_events_local);
	fill_stats(sample, memcg);
	step(&sample->seq);
}

static __always_inline int visit(struct bpf_iter__cgroup *ctx, struct cgroup *cgroup)
{
	struct mw_worker_info *info;
	struct mw_sample *sample;
	struct mem_cgroup *memcg;
	__u64 id = cgroup->kn->id;

	if (ctx->meta->seq_num == 0) {
		find_positions();
		mw_count(sample_passes, 1);
	}
	mw_count(sample_cgroups, 1);
	info = bpf_map_lookup_elem(&workers, &id);
	if (!info)
		return 0;
	sample = bpf_map_lookup_elem(&samples, &info->slot);
	memcg = mw_memcg_of_cgroup(cgroup);
	if (sample && memcg)
		fill(sample, id, memcg);
	return 0;
}

SEC("iter/cgroup")
int sample(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *cgroup = ctx->cgroup;

	return cgroup ? visit(ctx, cgroup) : 0;
}

/*
 * The same after one flush of the subtree's statistics, at its top: by
 * cgroup_rstat_flush up to 6.15, by bpf_mem_cgroup_flush_stats in 7.x. Between
 * them is css_rstat_flush, but no trusted pointer to a memory css to call it with.
 */
extern void cgroup_rstat_flush(struct cgroup *cgroup) __ksym __weak;
extern struct mem_cgroup *bpf_get_mem_cgroup(struct cgroup_subsys_state *css) __ksym __weak;
extern void bpf_put_mem_cgroup(struct mem_cgroup *memcg) __ksym __weak;
extern void bpf_mem_cgroup_flush_stats(struct mem_cgroup *memcg) __ksym __weak;

SEC("iter.s/cgroup")
int sample_flush_cgroup(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *cgroup = ctx->cgroup;

	if (!cgroup)
		return 0;
	if (ctx->meta->seq_num == 0)
		cgroup_rstat_flush(cgroup);
	return visit(ctx, cgroup);
}

SEC("iter.s/cgroup")
int sample_flush_memcg(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *cgroup = ctx->cgroup;
	struct mem_cgroup *memcg;

	if (!cgroup)
		return 0;
	if (ctx->meta->seq_num == 0) {
		memcg = bpf_get_mem_cgroup(&cgroup->self);
		if (memcg) {
			bpf_mem_cgroup_flush_stats(memcg);
			bpf_put_mem_cgroup(memcg);
		}
	}
	return visit(ctx, cgroup);
}
