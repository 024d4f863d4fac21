// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Charges: what a worker grows by, and from where. memcg takes memory in
 * batches of 64 pages a CPU, so one hook on the batch samples by bytes without
 * a sampler of our own, whatever the language. The same hook sees usage come
 * near memory.high, before the kernel puts the task to sleep. Where it cannot be
 * had, page faults stand in for charges.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "emit.bpf.h"
#include "watch.bpf.h"
#include "compat.bpf.h"
#include "growth_copy.bpf.h"

extern const volatile __u32 mw_page_shift;
const volatile bool mw_growth_on = true;
const volatile bool mw_near_high_on = true;
const volatile bool mw_copies_on = true;
__u32 mw_copy_busy;

#define MW_NEAR_HIGH_EVERY_NS 20000000 /* one event per worker in that time */
#define MW_STACK_BURST_NS     100000000 /* stacks of an idle tenth of a second may be taken at once */
#define MW_MAX_DEPTH	      8 /* cgroups between a member and its worker */
#define MW_UNLIMITED_PAGES    (1ULL << 44)
#define MW_TICK_NS	      10000000 /* of a start in /proc: USER_HZ is 100 on what we run on */
#define MW_EEXIST	      17
#define MW_ASIDE_PAGES	      16 /* so much is charged in small pieces before anybody looks */

/* The limit is the worker's own, also when a cgroup below it is charged. */
static __always_inline struct page_counter *worker_counter(struct page_counter *counter, __u64 id, __u64 worker)
{
	for (int i = 0; i < MW_MAX_DEPTH && counter && id != worker; i++) {
		counter = counter->parent;
		id = counter ? mw_cgroup_id_of_counter(counter) : 0;
	}
	return id == worker ? counter : NULL;
}

static __always_inline void near_high(void *ctx, struct page_counter *counter, __u64 worker,
				      struct mw_worker_info *info)
{
	struct mw_event event = {};
	__u64 high, usage, now, last;

	if (!counter || !info->near_high_bytes)
		return;
	high = counter->high;
	usage = (__u64)counter->usage.counter << mw_page_shift;
	if (high >= MW_UNLIMITED_PAGES || usage + info->near_high_bytes < high << mw_page_shift)
		return;
	now = bpf_ktime_get_ns();
	last = info->near_high_at;
	if (now - last < MW_NEAR_HIGH_EVERY_NS || __sync_val_compare_and_swap(&info->near_high_at, last, now) != last)
		return;
	mw_event_init(&event, MW_EVENT_NEAR_HIGH, worker);
	event.value = usage;
	mw_emit(ctx, &event, info, MW_WAKE_NOW);
}

/* May a stack be taken now? One timestamp is the whole token bucket (GCRA); who loses the race on it waits. */
static __always_inline bool take_token(struct mw_worker_info *info)
{
	__u32 zero = 0;
	struct mw_config_map *set = bpf_map_lookup_elem(&config, &zero);
	__u64 now = bpf_ktime_get_ns(), next = info->stack_next_at, from;

	if (!set || !set->growth_stacks_per_s || now < next)
		return false;
	from = next + MW_STACK_BURST_NS > now ? next : now - MW_STACK_BURST_NS;
	return __sync_val_compare_and_swap(&info->stack_next_at, next, from + 1000000000 / set->growth_stacks_per_s) ==
	       next;
}

/* Both at once: a pid is given again, and shall not be seen with the start of who had it before. */
static __always_inline void put_process(struct mw_site *site)
{
	__u64 started = bpf_get_current_task_btf()->group_leader->start_boottime / MW_TICK_NS;
	union {
		struct {
			__u32 pid, started;
		} of;
		__u64 both;
	} who = {.of = {bpf_get_current_pid_tgid() >> 32, (__u32)started}};

	*(volatile __u64 *)&site->pid = who.both;
}

static __always_inline void add_site(struct mw_site_key *key, __u64 charges, __u64 pages)
{
	struct mw_site *site = bpf_map_lookup_elem(&growth_sites, key), none = {};

	if (!site) {
		bpf_map_update_elem(&growth_sites, key, &none, BPF_NOEXIST);
		site = bpf_map_lookup_elem(&growth_sites, key);
	}
	if (!site) {
		mw_count(site_map_full, 1);
		return;
	}
	__sync_fetch_and_add(&site->charges, charges);
	__sync_fetch_and_add(&site->pages, pages);
	put_process(site);
	bpf_get_current_comm(site->comm, sizeof(site->comm));
}

static __always_inline void put_off(struct mw_worker_info *info, __u64 charges, __u64 pages)
{
	__sync_fetch_and_add(&info->pending_charges, charges);
	__sync_fetch_and_add(&info->pending_pages, pages);
}

/*
 * What a packet takes is charged to who has the socket, by whomever it interrupts, or over loopback by who sends it: a
 * stack that is not the worker's is none of its sites, and nobody's to look at.
 */
static __always_inline bool is_own(__u64 worker)
{
	__u64 id = bpf_get_current_cgroup_id(), of = 0;

	return mw_watch(id, &of) && of == worker;
}

/*
 * Such a map has one place for each hash, and a second stack of that hash is refused: with one map of n places every
 * next stack is lost by chance of how full it is. It goes to the second map, where only such stacks are.
 */
static __always_inline __s64 take_stack(void *ctx)
{
	__s64 id = bpf_get_stackid(ctx, &growth_stacks, BPF_F_USER_STACK);

	if (id != -MW_EEXIST)
		return id;
	id = bpf_get_stackid(ctx, &growth_stacks2, BPF_F_USER_STACK);
	return id < 0 ? id : id + MW_SECOND_STACK;
}

/* What goes without a stack is kept and added to the next site that gets one: weights stay whole. */
static __always_inline void grow(void *ctx, __u64 worker, struct mw_worker_info *info, __u64 charges, __u64 pages)
{
	struct mw_site_key key = {.cgroup_id = worker};

	__sync_fetch_and_add(&info->charges, charges);
	__sync_fetch_and_add(&info->charged_pages, pages);
	if (!take_token(info) || !is_own(worker)) {
		put_off(info, charges, pages);
		mw_count(stack_throttled, 1);
		return;
	}
	key.stack_id = take_stack(ctx);
	if (key.stack_id < 0)
		mw_count(stack_failed, 1);
	else
		__sync_fetch_and_add(&info->growth_stacks, 1);
	pages += __sync_lock_test_and_set(&info->pending_pages, 0);
	add_site(&key, charges + __sync_lock_test_and_set(&info->pending_charges, 0), pages);
	mw_copy_charge(worker, pages);
}

/*
 * At its limit a worker is charged page by page, and whose charge it is costs more to find out than the rest: pages of
 * the counter that was charged last are put aside. No lock: a program is not run again on a processor it has not left.
 * A counter freed and allotted again meanwhile is found out at the next look, MW_ASIDE_PAGES away at most.
 */
static __always_inline bool set_aside(struct mw_aside *aside, __u64 counter, __u64 pages)
{
	if (aside->counter != counter || aside->pages + pages >= MW_ASIDE_PAGES || !mw_live())
		return false;
	aside->charges++;
	aside->pages += pages;
	return true;
}

/* The worker it was put aside for is not the one that is charged now. */
static __always_inline void settle(struct mw_aside *aside)
{
	struct mw_worker_info *info = NULL;

	if (aside->worker && aside->pages)
		info = bpf_map_lookup_elem(&workers, &aside->worker);
	if (!info || !mw_growth_on)
		return;
	__sync_fetch_and_add(&info->charges, aside->charges);
	__sync_fetch_and_add(&info->charged_pages, aside->pages);
	put_off(info, aside->charges, aside->pages);
}

static __always_inline void look(void *ctx, struct mw_aside *aside, struct page_counter *counter, __u64 pages)
{
	struct mw_worker_info *info;
	__u64 worker = 0, charges = 1, id;

	id = mw_cgroup_id_of_counter(counter);
	if (!id || !mw_live()) /* of swap, say: charged in between, while memory is reclaimed */
		return;
	info = mw_watch(id, &worker);
	if (aside->worker == worker) {
		charges += aside->charges;
		pages += aside->pages;
	} else {
		settle(aside);
	}
	*aside = (struct mw_aside){.counter = (__u64)counter, .worker = worker};
	if (!info)
		return;
	if (mw_near_high_on)
		near_high(ctx, worker_counter(counter, id, worker), worker, info);
	if (mw_growth_on)
		grow(ctx, worker, info, charges, pages);
}

/* At the exit and only when it returned true: a charge tries 64 pages, then fewer, then reclaims and tries again. */
SEC("fexit/page_counter_try_charge")
int BPF_PROG(charge, struct page_counter *counter, unsigned long pages, struct page_counter **fail, __u8 charged)
{
	__u32 zero = 0;
	struct mw_aside *aside;

	(void)fail;
	if (!charged)
		return 0;
	aside = bpf_map_lookup_elem(&growth_aside, &zero);
	if (aside && !set_aside(aside, (__u64)counter, pages))
		look(ctx, aside, counter, pages);
	return 0;
}

#define MW_FAULT_WRITE 2 /* X86_PF_WRITE: what is only read is the page cache's, or the zero page */
#define MW_FAULT_EVERY 64 /* faults, by chance: a power of two */

/*
 * Where the kernel refuses fexit programs: one in so many of those who write to memory that is not there yet, and
 * stands for all of them. Estimated: a huge page counts as a small one, and what the kernel touches itself not at all.
 */
SEC("tp_btf/page_fault_user")
int BPF_PROG(fault, unsigned long address, struct pt_regs *regs, unsigned long error_code)
{
	struct mw_worker_info *info;
	__u64 worker = 0;

	(void)address;
	(void)regs;
	if (!(error_code & MW_FAULT_WRITE) || bpf_get_prandom_u32() & (MW_FAULT_EVERY - 1))
		return 0;
	info = mw_watch(bpf_get_current_cgroup_id(), &worker);
	if (info)
		grow(ctx, worker, info, 1, MW_FAULT_EVERY);
	return 0;
}
