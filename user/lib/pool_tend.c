// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Idle buffers give their memory back. */
#include <errno.h>
#include <sys/mman.h>

#include "lib/pool_impl.h"
#include "util/clock.h"

#define AT_ONCE 8 /* under one lock: some ten microseconds each */

uint64_t mw_pool_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / MW_NS_PER_MS;
}

/* MADV_FREE would leave the memory charged until the limit is met, which is what the pool is to avoid. */
static bool give_back_last(struct memweir_pool *pool)
{
	uint32_t slot = pool->warm.last;

	if (madvise(mw_pool_at(pool, slot), pool->stride, MADV_DONTNEED) < 0)
		return false; /* locked in memory: it stays */
	mw_slots_remove(pool->slots, &pool->warm, slot);
	mw_slots_push(pool->slots, &pool->cold, slot);
	return true;
}

static size_t give_back(struct memweir_pool *pool, uint64_t until_ms, size_t most)
{
	size_t n = 0;

	while (n < most && pool->warm.n && pool->slots[pool->warm.last].idle_ms <= until_ms && give_back_last(pool))
		n++;
	return n;
}

size_t mw_pool_give_back(struct memweir_pool *pool, size_t most)
{
	return give_back(pool, mw_pool_now_ms() - pool->idle_ms, most);
}

int64_t memweir_pool_tend(struct memweir_pool *pool, int all)
{
	uint64_t until_ms = mw_pool_now_ms() - (all ? 0 : pool->idle_ms);
	int64_t bytes = 0;
	size_t n = AT_ONCE;

	if (pool->generation != mw_pool_generation())
		return -ECHILD;
	while (n == AT_ONCE) {
		pthread_mutex_lock(&pool->lock);
		n = give_back(pool, until_ms, AT_ONCE);
		pthread_mutex_unlock(&pool->lock);
		bytes += (int64_t)(n * pool->stride);
	}
	return bytes;
}
