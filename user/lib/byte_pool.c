// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Buffers that grow, lent and given back; bytes.c makes them grow, byte_kept.c keeps them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/byte_pool_impl.h"
#include "lib/guard_figures.h"
#include "lib/guard_notes.h"
#include "lib/pool_impl.h"
#include "lib/sized.h"

#define CAP_BYTES_DEFAULT  ((size_t)1 << 20)
#define KEEP_BYTES_DEFAULT ((size_t)16 << 20)

void mw_byte_pool_tell(struct memweir_byte_pool *pool)
{
	if (pool->guard && !atomic_exchange(&pool->exhausted, true))
		mw_lib_guard_exhausted(pool->guard, "byte pool");
}

int memweir_byte_pool_new(const struct memweir_byte_pool_options *options, struct memweir_byte_pool **ret_pool)
{
	struct memweir_byte_pool_options o;
	struct memweir_byte_pool *pool;
	int r = mw_sized_in(&o, sizeof(o), options);

	if (r == 0)
		r = mw_pool_threads_init();
	if (r < 0)
		return r;
	if (!mw_bytes_rounded(o.initial_bytes ? o.initial_bytes : MEMWEIR_BYTES_INITIAL))
		return -EINVAL;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return -ENOMEM;
	pthread_mutex_init(&pool->lock, NULL);
	pool->generation = mw_pool_generation();
	pool->initial_bytes = mw_bytes_rounded(o.initial_bytes ? o.initial_bytes : MEMWEIR_BYTES_INITIAL);
	pool->cap_bytes = o.cap_bytes ? o.cap_bytes : CAP_BYTES_DEFAULT;
	pool->keep_bytes = o.keep_bytes ? o.keep_bytes : KEEP_BYTES_DEFAULT;
	pool->guard = o.guard;
	pool->stats.size = sizeof(pool->stats);
	r = mw_lib_guard_show(o.guard, MW_FIGURE_OF_BYTES, o.name, pool);
	if (r < 0) {
		memweir_byte_pool_free(pool);
		return r;
	}
	pool->shown = r;
	*ret_pool = pool;
	return 0;
}

void memweir_byte_pool_free(struct memweir_byte_pool *pool)
{
	if (!pool)
		return;
	if (pool->shown)
		mw_lib_guard_hide(pool->guard, pool);
	for (size_t c = 0; c < MW_BYTE_CLASSES; c++)
		for (struct mw_bytes *b = pool->classes[c], *below; b; b = below) {
			below = b->below;
			mw_bytes_free(b);
		}
	if (pool->generation == mw_pool_generation())
		pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static struct mw_bytes *made(struct memweir_byte_pool *pool, size_t capacity)
{
	struct mw_bytes *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->shown.data = malloc(capacity);
	if (!b->shown.data) {
		free(b);
		return NULL;
	}
	b->shown.capacity = b->capacity = capacity;
	b->pool = pool;
	return b;
}

static void count_loan(struct memweir_byte_pool *pool, bool hit)
{
	pool->stats.in_use++;
	if (hit)
		pool->stats.hits++;
	else
		pool->stats.misses++;
}

int memweir_byte_pool_get(struct memweir_byte_pool *pool, size_t min_bytes, struct memweir_bytes **ret_bytes)
{
	size_t least = min_bytes > pool->initial_bytes ? mw_bytes_rounded(min_bytes) : pool->initial_bytes;
	struct mw_bytes *b;

	if (pool->generation != mw_pool_generation())
		return -ECHILD;
	if (!least) {
		mw_byte_pool_tell(pool);
		return -ENOMEM;
	}
	pthread_mutex_lock(&pool->lock);
	b = mw_byte_pool_find(pool, least);
	if (b)
		count_loan(pool, true);
	pthread_mutex_unlock(&pool->lock);
	if (b) {
		*ret_bytes = &b->shown;
		return 0;
	}
	b = made(pool, least);
	if (!b) {
		mw_byte_pool_tell(pool);
		return -ENOMEM;
	}
	atomic_store_explicit(&pool->exhausted, false, memory_order_relaxed);
	pthread_mutex_lock(&pool->lock);
	count_loan(pool, false);
	pthread_mutex_unlock(&pool->lock);
	*ret_bytes = &b->shown;
	return 0;
}

int memweir_byte_pool_put(struct memweir_byte_pool *pool, struct memweir_bytes *bytes)
{
	struct mw_bytes *b = (struct mw_bytes *)bytes;
	bool kept = false;

	if (!b)
		return 0;
	if (b->pool != pool)
		return -EINVAL;
	if (pool->generation == mw_pool_generation()) {
		pthread_mutex_lock(&pool->lock);
		if (b->kept) {
			pthread_mutex_unlock(&pool->lock);
			return -EALREADY;
		}
		pool->stats.in_use--;
		kept = mw_byte_pool_keep(pool, b);
		pthread_mutex_unlock(&pool->lock);
	}
	if (!kept)
		mw_bytes_free(b);
	return 0;
}

int64_t memweir_byte_pool_trim(struct memweir_byte_pool *pool, size_t keep_bytes)
{
	int64_t bytes = 0;

	if (pool->generation != mw_pool_generation())
		return -ECHILD;
	for (;;) {
		struct mw_bytes *b;

		pthread_mutex_lock(&pool->lock);
		b = mw_byte_pool_next_to_go(pool, keep_bytes);
		pthread_mutex_unlock(&pool->lock);
		if (!b)
			return bytes;
		bytes += (int64_t)b->capacity;
		mw_bytes_free(b);
	}
}

int memweir_byte_pool_stats(struct memweir_byte_pool *pool, struct memweir_byte_pool_stats *ret_stats)
{
	struct memweir_byte_pool_stats s;

	if (pool->generation != mw_pool_generation())
		return -ECHILD;
	pthread_mutex_lock(&pool->lock);
	s = pool->stats;
	pthread_mutex_unlock(&pool->lock);
	return mw_sized_out(ret_stats, &s, sizeof(s));
}
