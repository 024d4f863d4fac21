// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Idle buffers give their memory back. */
#include <errno.h>
#include <sys/mman.h>

#include "lib/pool_cache.h"
#include "util/clock.h"

#define AT_ONCE 8 /* under one lock: some nine microseconds each */

uint64_t mw_pool_now_ms(void)
{
	return mw_now_coarse_ns() / MW_NS_PER_MS;
}

/* MADV_FREE would leave the memory charged until the limit is met, which is what a pool is to avoid. */
static bool give_back_last(struct memweir_pool *pool)
{
	uint32_t slot = pool->warm.last;

	if (madvise(mw_pool_at(pool, slot), pool->stride, MADV_DONTNEED) < 0)
		return false; /* locked in memory: it stays */
	mw_slots_remove(pool->slots, &pool->warm, slot);
	mw_slots_push(pool->slots, &pool->cold, slot);
	return true;
}

static bool last_is_idle(const struct memweir_pool *pool, uint64_t now_ms)
{
	return pool->warm.n && pool->slots[pool->warm.last].idle_ms + pool->idle_ms <= now_ms;
}

static size_t give_back(struct memweir_pool *pool, uint64_t now_ms, size_t most)
{
	size_t n = 0;

	while (n < most && last_is_idle(pool, now_ms) && give_back_last(pool))
		n++;
	return n;
}

/* What is at hand of a thread that lent nothing since the last look, or of any, is idle from now on. */
static void look_into_hands(struct memweir_pool *pool, bool all)
{
	for (struct mw_pool_member *m = pool->members; m; m = m->next_of_pool) {
		uint64_t loans = atomic_load_explicit(&m->loans, memory_order_relaxed);
		uint32_t slot = all || loans == m->loans_seen ? mw_pool_cache_drain(pool, m) : MW_SLOT_NONE;

		if (slot != MW_SLOT_NONE)
			mw_pool_put(pool, slot);
		m->loans_seen = loans;
	}
}

static void look_when_due(struct memweir_pool *pool, uint64_t now_ms)
{
	if (now_ms < pool->look_at_ms)
		return;
	pool->look_at_ms = now_ms + pool->idle_ms;
	look_into_hands(pool, false);
}

void mw_pool_give_back(struct memweir_pool *pool, size_t most)
{
	uint64_t now_ms = mw_pool_now_ms();

	look_when_due(pool, now_ms);
	give_back(pool, now_ms, most);
}

void mw_pool_tend_due(struct memweir_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	mw_pool_give_back(pool, AT_ONCE);
	pthread_mutex_unlock(&pool->lock);
}

/* Others lend and give back meanwhile: what is idle now is all that is given back. */
int64_t memweir_pool_tend(struct memweir_pool *pool, int all)
{
	uint64_t now_ms = all ? UINT64_MAX : mw_pool_now_ms();
	size_t most, n = AT_ONCE;
	int64_t bytes = 0;

	if (pool->generation != mw_pool_generation())
		return -ECHILD;
	pthread_mutex_lock(&pool->lock);
	look_when_due(pool, mw_pool_now_ms());
	if (all)
		look_into_hands(pool, true);
	most = pool->warm.n;
	pthread_mutex_unlock(&pool->lock);
	for (; n == AT_ONCE && most; most -= n < most ? n : most) {
		pthread_mutex_lock(&pool->lock);
		n = give_back(pool, now_ms, AT_ONCE);
		pthread_mutex_unlock(&pool->lock);
		bytes += (int64_t)(n * pool->stride);
	}
	return bytes;
}
