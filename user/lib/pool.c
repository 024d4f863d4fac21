// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Buffers lent and given back: pool_impl.h says where a buffer can be. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/guard_figures.h"
#include "lib/pool_cache.h"
#include "lib/sized.h"
#include "util/cleanup.h"

#define BUFFERS_DEFAULT 1000
#define BYTES_DEFAULT	((size_t)100 << 10)
#define IDLE_MS_DEFAULT 1000
#define PAGE_BYTES	((size_t)sysconf(_SC_PAGESIZE))

static int reserve(struct memweir_pool *pool)
{
	size_t bytes;

	if (__builtin_mul_overflow(pool->n, pool->stride, &bytes))
		return -EINVAL;
	pool->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pool->memory == MAP_FAILED)
		return -ENOMEM;
	/* a huge page would charge twenty buffers for the first byte of one; without THP this fails, and need not work
	 */
	madvise(pool->memory, bytes, MADV_NOHUGEPAGE);
	pool->slots = calloc(pool->n, sizeof(*pool->slots));
	if (pool->slots)
		return 0;
	munmap(pool->memory, bytes);
	return -ENOMEM;
}

static void unreserve(struct memweir_pool *pool)
{
	munmap(pool->memory, pool->n * pool->stride);
	free(pool->slots);
	if (pool->generation == mw_pool_generation())
		pthread_mutex_destroy(&pool->lock);
}

int memweir_pool_new(const struct memweir_pool_options *options, struct memweir_pool **ret_pool)
{
	_cleanup_free_ struct memweir_pool *pool = NULL;
	struct memweir_pool_options o;
	int r = mw_sized_in(&o, sizeof(o), options);

	if (r < 0)
		return r;
	if (o.buffers >= MW_SLOT_NONE || o.buffer_bytes > SIZE_MAX / 2)
		return -EINVAL;
	r = mw_pool_threads_init();
	if (r < 0)
		return r;
	pool = aligned_alloc(MW_CACHE_LINE, sizeof(*pool));
	if (!pool)
		return -ENOMEM;
	memset(pool, 0, sizeof(*pool));
	pool->n = o.buffers ? o.buffers : BUFFERS_DEFAULT;
	pool->stride = o.buffer_bytes ? o.buffer_bytes : BYTES_DEFAULT;
	pool->stride = (pool->stride + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	pool->idle_ms = o.idle_ms ? o.idle_ms : IDLE_MS_DEFAULT;
	pool->guard = o.guard;
	pool->warm = pool->cold = MW_SLOT_LIST_EMPTY;
	pool->id = mw_pool_next_id();
	pool->generation = mw_pool_generation();
	pthread_mutex_init(&pool->lock, NULL);
	r = reserve(pool);
	if (r < 0)
		return r;
	r = mw_lib_guard_show(o.guard, MW_FIGURE_OF_POOL, o.name, pool);
	if (r < 0) {
		unreserve(pool);
		return r;
	}
	pool->shown = r;
	*ret_pool = TAKE_PTR(pool);
	return 0;
}

void memweir_pool_free(struct memweir_pool *pool)
{
	if (!pool)
		return;
	if (pool->shown)
		mw_lib_guard_hide(pool->guard, pool);
	mw_pool_members_free(pool);
	unreserve(pool);
	free(pool);
}

size_t memweir_pool_buffer_bytes(const struct memweir_pool *pool)
{
	return pool->stride;
}

static void lend(struct memweir_pool *pool, struct mw_pool_member *member, uint32_t slot)
{
	atomic_store(&pool->slots[slot].word, (uintptr_t)member | MW_SLOT_LENT);
	mw_slots_push(pool->slots, &member->owned, slot);
	pool->loans++;
}

static size_t n_free(const struct memweir_pool *pool)
{
	return pool->warm.n + pool->cold.n + (pool->n - pool->fresh);
}

/* Warm pages first: they are in the processor's caches, and cost no fault. */
static uint32_t take(struct memweir_pool *pool)
{
	bool exhausted = pool->exhausted;
	uint32_t slot = mw_slots_pop(pool->slots, &pool->warm);

	if (slot == MW_SLOT_NONE)
		slot = mw_slots_pop(pool->slots, &pool->cold);
	if (slot == MW_SLOT_NONE && pool->fresh < pool->n)
		slot = pool->fresh++;
	if (slot != MW_SLOT_NONE)
		return slot;
	pool->exhausted = true; /* before looking: pool_cache.c */
	slot = mw_pool_cache_steal(pool);
	if (slot != MW_SLOT_NONE)
		pool->exhausted = exhausted;
	return slot;
}

void mw_pool_put(struct memweir_pool *pool, uint32_t slot)
{
	struct mw_pool_waiter *w = mw_pool_queue_hand(&pool->queue, slot);

	if (w) {
		lend(pool, w->member, slot);
		pthread_cond_signal(&w->handed);
		return;
	}
	atomic_store(&pool->slots[slot].word, MW_SLOT_FREE);
	pool->slots[slot].idle_ms = mw_pool_now_ms();
	mw_slots_push(pool->slots, &pool->warm, slot);
	if (n_free(pool) > pool->n / 8)
		pool->exhausted = false;
}

static int checkout(struct memweir_pool *pool, struct mw_pool_member *member, int timeout_ms, uint32_t *ret_slot)
{
	uint32_t slot = MW_SLOT_NONE;
	bool told;

	pthread_mutex_lock(&pool->lock);
	told = pool->exhausted;
	if (!pool->queue.first)
		slot = take(pool);
	if (slot != MW_SLOT_NONE) {
		lend(pool, member, slot);
		mw_pool_give_back(pool, 1);
		pthread_mutex_unlock(&pool->lock);
		*ret_slot = slot;
		return 0;
	}
	pool->exhaustions += !told;
	if (timeout_ms)
		return mw_pool_wait(pool, member, timeout_ms, !told, ret_slot);
	pool->refused++;
	pthread_mutex_unlock(&pool->lock);
	if (!told)
		mw_pool_tell(pool);
	return -EAGAIN;
}

int memweir_pool_checkout(struct memweir_pool *pool, int timeout_ms, void **ret_buffer)
{
	struct mw_pool_member *member;
	uint32_t slot;
	int r = mw_pool_member_get(pool, &member);

	if (r == 0 && !mw_pool_cache_take(pool, member, &slot))
		r = checkout(pool, member, timeout_ms, &slot);
	if (r == 0)
		*ret_buffer = mw_pool_at(pool, slot);
	return r;
}

static int slot_of(const struct memweir_pool *pool, const void *buffer, uint32_t *ret_slot)
{
	size_t at = (uintptr_t)buffer - (uintptr_t)pool->memory;

	if (pool->generation != mw_pool_generation())
		return -ECHILD;
	if (at >= pool->n * pool->stride || at % pool->stride)
		return -EINVAL;
	*ret_slot = (uint32_t)(at / pool->stride);
	return 0;
}

/* With the lock held: from its owner's list, if it is lent and nobody else is just giving it back. */
static int take_from_owner(struct memweir_pool *pool, uint32_t slot, uintptr_t new_word)
{
	uintptr_t word = atomic_load(&pool->slots[slot].word);
	struct mw_pool_member *owner;

	do {
		if ((word & MW_SLOT_STATES) != MW_SLOT_LENT)
			return -EALREADY;
	} while (!atomic_compare_exchange_weak(&pool->slots[slot].word, &word, new_word));
	owner = mw_pool_owner(word);
	mw_slots_remove(pool->slots, &owner->owned, slot);
	return 0;
}

int memweir_pool_checkin(struct memweir_pool *pool, void *buffer)
{
	struct mw_pool_member *member;
	uint32_t slot;
	int r = slot_of(pool, buffer, &slot);

	if (r < 0)
		return r;
	member = mw_pool_member_known(pool);
	if (member && mw_pool_cache_lay(pool, member, slot)) {
		mw_pool_cache_settle(pool, member);
		return 0;
	}
	pthread_mutex_lock(&pool->lock);
	r = take_from_owner(pool, slot, MW_SLOT_FREE);
	if (r == 0)
		mw_pool_put(pool, slot);
	mw_pool_give_back(pool, 1);
	pthread_mutex_unlock(&pool->lock);
	return r;
}

int memweir_pool_own(struct memweir_pool *pool, void *buffer)
{
	struct mw_pool_member *member;
	uint32_t slot;
	int r = slot_of(pool, buffer, &slot);

	if (r == 0)
		r = mw_pool_member_get(pool, &member);
	if (r < 0)
		return r;
	pthread_mutex_lock(&pool->lock);
	r = take_from_owner(pool, slot, (uintptr_t)member | MW_SLOT_LENT);
	if (r == 0)
		mw_slots_push(pool->slots, &member->owned, slot);
	pthread_mutex_unlock(&pool->lock);
	return r;
}

int memweir_pool_stats(struct memweir_pool *pool, struct memweir_pool_stats *ret_stats)
{
	struct memweir_pool_stats s = {.size = sizeof(s)};

	if (pool->generation != mw_pool_generation())
		return -ECHILD;
	pthread_mutex_lock(&pool->lock);
	s.pool_size = pool->n;
	s.available = n_free(pool) + mw_pool_cached(pool);
	s.in_use = s.pool_size - s.available;
	s.total_created = pool->fresh;
	s.memory_usage = (pool->fresh - pool->cold.n) * pool->stride;
	s.utilization = (double)s.in_use / (double)s.pool_size;
	s.waits = pool->waits;
	s.timeouts = pool->timeouts;
	s.reclaimed = pool->reclaimed;
	s.refused = pool->refused;
	s.exhaustions = pool->exhaustions;
	s.checkouts = pool->loans;
	for (const struct mw_pool_member *m = pool->members; m; m = m->next_of_pool)
		s.checkouts += atomic_load_explicit(&m->loans, memory_order_relaxed);
	pthread_mutex_unlock(&pool->lock);
	return mw_sized_out(ret_stats, &s, sizeof(s));
}
