// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One pass over the cgroups of a subtree writes every worker's numbers into maps/samples: no file is read. */
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
const volatile __u64 mw_stats_index = 0; /* daemon */

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

/* Run once by the daemon: how many items cannot be found. Their figures would read as 0. */
SEC("syscall")
int sample_positions(const void *unused)
{
	int missing = 0;

	(void)unused;
	find_positions();
	for (int item = 0; item < ITEMS; item++)
		missing += mw_positions[item] < 0;
	return missing;
}

const volatile bool mw_statistics_on = true; /* daemon */

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

/* Set by the daemon before a look, which is one pass a subtree; one look at a time. */
int mw_depth; /* enum mw_sample_depth */
__u32 mw_position; /* of the cgroup in this look; 0 at its begin */
/* Written here. */
__u32 mw_moved; /* workers whose statistics are out of date */
__u64 mw_pass_ns; /* begin of this pass: the time of all its samples */

static __always_inline void load_counters(struct mw_sample *sample, struct mem_cgroup *memcg)
{
	sample->usage = bytes(memcg->memory.usage.counter);
	sample->high = limit_bytes(memcg->memory.high);
	sample->max = limit_bytes(memcg->memory.max);
	sample->peak = bytes(memcg->memory.watermark);
	sample->swap_usage = bytes(memcg->swap.usage.counter);
	for (int i = 0; i < MW_MEMCG_EVENT_MAX; i++)
		sample->events[i] = memcg->memory_events[i].counter;
}

#define COUNTER_BYTES	     192 /* of the page counter that are copied; its fields are in the first 120 on 6.1 */
#define copied(block, field) (*(__u64 *)((void *)(block) + bpf_core_field_offset(struct page_counter, field)))

/* Up to 6.1: as few helper calls as will do. */
static __always_inline void copy_counters(struct mw_sample *sample, struct mem_cgroup *memcg)
{
	__u64 block[COUNTER_BYTES / sizeof(__u64)] = {};

	bpf_probe_read_kernel(block, sizeof(block), (void *)memcg + bpf_core_field_offset(struct mem_cgroup, memory));
	sample->usage = bytes(copied(block, usage));
	sample->high = limit_bytes(copied(block, high));
	sample->max = limit_bytes(copied(block, max));
	sample->peak = bytes(copied(block, watermark));
	sample->swap_usage = bytes(BPF_CORE_READ(memcg, swap.usage.counter));
	bpf_core_read(sample->events, sizeof(sample->events), &memcg->memory_events);
}

/* Reclaim at a limit turns page cache into heap while usage stands still: the limit's events tell. */
static __always_inline __u64 pressed(const struct mw_sample *sample)
{
	return sample->events[MW_MEMCG_HIGH] + sample->events[MW_MEMCG_MAX];
}

static __always_inline void fill_stats(struct mw_sample *sample, struct mem_cgroup *memcg)
{
	__u64 vmstats = (__u64)mw_field(memcg, vmstats); /* as a number: it is shifted */

	if (!vmstats || !mw_statistics_on)
		return;
	sample->low = limit_bytes(mw_field(memcg, memory.low));
	sample->anon = bytes(stat(vmstats, ANON));
	sample->file = bytes(stat(vmstats, FILE_PAGES));
	sample->shmem = bytes(stat(vmstats, SHMEM));
	sample->sock = bytes(stat(vmstats, SOCK));
	sample->kernel = bytes(stat(vmstats, KERNEL));
	sample->slab_reclaimable = stat(vmstats, SLAB); /* an item counted in bytes */
	sample->stat_ns = sample->time_ns;
	sample->stat_usage = sample->usage;
	sample->stat_pressed = pressed(sample);
}

static __always_inline bool has_moved(const struct mw_sample *sample)
{
	return !sample->stat_ns || pressed(sample) != sample->stat_pressed ||
	       sample->usage - sample->stat_usage + MW_MOVED_BYTES > 2 * MW_MOVED_BYTES;
}

static __always_inline void fill(struct mw_sample *sample, __u64 id, struct mem_cgroup *address)
{
	struct mem_cgroup *memcg = mw_typed(struct mem_cgroup, address);

	step(&sample->seq);
	if (sample->cgroup_id != id) { /* the slot was another worker's */
		sample->cgroup_id = id;
		sample->stat_ns = 0;
	}
	sample->time_ns = mw_pass_ns;
	if (mw_can_cast)
		load_counters(sample, memcg);
	else
		copy_counters(sample, memcg);
	if (mw_depth == MW_SAMPLE_ALL || has_moved(sample)) {
		if (mw_depth == MW_SAMPLE_COUNTERS)
			mw_moved++;
		else
			fill_stats(sample, memcg);
	}
	step(&sample->seq);
}

/*
 * The n-th cgroup of a look is mostly the one it was in the last: its slot is remembered by position, and believed when
 * the slot says so. That spares a hash lookup, half of what a cgroup costs.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1024); /* daemon */
	__type(key, __u32);
	__type(value, __u32);
} slots_by_position __weak SEC(".maps");

static __always_inline struct mw_sample *sample_of(__u64 id)
{
	__u32 position = mw_position++, slot;
	__u32 *remembered = bpf_map_lookup_elem(&slots_by_position, &position);
	struct mw_worker_info *info;
	struct mw_sample *sample;

	if (remembered) {
		slot = *remembered;
		sample = bpf_map_lookup_elem(&samples, &slot);
		if (sample && sample->cgroup_id == id)
			return sample;
	}
	info = bpf_map_lookup_elem(&workers, &id);
	if (!info)
		return NULL;
	slot = info->slot;
	if (remembered)
		*remembered = slot;
	return bpf_map_lookup_elem(&samples, &slot);
}

static __always_inline void visit(struct cgroup *cgroup)
{
	__u64 id = cgroup->kn->id;
	struct mw_sample *sample = sample_of(id);
	struct mem_cgroup *memcg;

	if (!sample)
		return;
	memcg = mw_memcg_of_known(cgroup);
	if (memcg)
		fill(sample, id, memcg);
}

static __always_inline void begin_pass(void)
{
	find_positions();
	mw_pass_ns = bpf_ktime_get_ns();
}

static __always_inline void end_pass(__u32 cgroups)
{
	mw_count(sample_passes, 1);
	mw_count(sample_cgroups, cgroups);
}

/* Up to 6.9: the cgroup iterator, which holds cgroup_mutex all the way and costs twice as much. */
__u32 mw_pass_began; /* position */

SEC("iter/cgroup")
int sample(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *cgroup = ctx->cgroup;

	if (ctx->meta->seq_num == 0) {
		mw_pass_began = mw_position;
		begin_pass();
	}
	if (cgroup)
		visit(cgroup);
	else
		end_pass(mw_position - mw_pass_began);
	return 0;
}

/*
 * From 6.10 (a8e03b6bbb2c: kfuncs in syscall programs) a loop of our own, under RCU alone: whoever makes and removes
 * cgroups does not wait for us.
 */
extern struct cgroup *bpf_cgroup_from_id(u64 id) __ksym __weak;
extern void bpf_cgroup_release(struct cgroup *cgroup) __ksym __weak;
extern void bpf_rcu_read_lock(void) __ksym __weak;
extern void bpf_rcu_read_unlock(void) __ksym __weak;
extern int bpf_iter_css_new(struct bpf_iter_css *it, struct cgroup_subsys_state *start,
			    unsigned int flags) __ksym __weak;
extern struct cgroup_subsys_state *bpf_iter_css_next(struct bpf_iter_css *it) __ksym __weak;
extern void bpf_iter_css_destroy(struct bpf_iter_css *it) __ksym __weak;

SEC("syscall")
int sample_walk(struct mw_walk *walk)
{
	struct cgroup *top = bpf_cgroup_from_id(walk->cgroup_id);
	struct cgroup_subsys_state *css;
	struct bpf_iter_css it;
	__u32 began = mw_position;

	if (!top)
		return -MW_ENOENT;
	begin_pass();
	if (walk->self_only) {
		visit(top);
	} else {
		bpf_rcu_read_lock();
		bpf_iter_css_new(&it, &top->self, BPF_CGROUP_ITER_DESCENDANTS_PRE);
		while ((css = bpf_iter_css_next(&it)))
			visit(css->cgroup);
		bpf_iter_css_destroy(&it);
		bpf_rcu_read_unlock();
	}
	bpf_cgroup_release(top);
	end_pass(mw_position - began);
	return 0;
}

/*
 * Statistics lag behind by up to 2 s and by a batch a CPU. A flush brings those of a subtree up to date: by
 * cgroup_rstat_flush up to 6.15, by bpf_mem_cgroup_flush_stats in 7.x. Between them is css_rstat_flush, but no trusted
 * pointer to a memory css to call it with. Run on the top of the subtree alone.
 */
extern void cgroup_rstat_flush(struct cgroup *cgroup) __ksym __weak;
extern struct mem_cgroup *bpf_get_mem_cgroup(struct cgroup_subsys_state *css) __ksym __weak;
extern void bpf_put_mem_cgroup(struct mem_cgroup *memcg) __ksym __weak;
extern void bpf_mem_cgroup_flush_stats(struct mem_cgroup *memcg) __ksym __weak;

SEC("iter.s/cgroup")
int flush_cgroup(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *cgroup = ctx->cgroup;

	if (cgroup)
		cgroup_rstat_flush(cgroup);
	return 0;
}

/*
 * This one leaves a cgroup alone that counts few updates, and one that counted enough no longer tells its ancestors of
 * more. An ancestor whose count a flush resets while its child goes on charging is then held for current until the
 * kernel's own flush, up to 2 s later: so each cgroup is asked. After the top's that is a comparison each.
 */
SEC("iter.s/cgroup")
int flush_memcg(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *cgroup = ctx->cgroup;
	struct mem_cgroup *memcg;

	if (!cgroup)
		return 0;
	memcg = bpf_get_mem_cgroup(&cgroup->self);
	if (memcg) {
		bpf_mem_cgroup_flush_stats(memcg);
		bpf_put_mem_cgroup(memcg);
	}
	return 0;
}
