// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Kept buffers lie in stacks by their capacity: class c has those from 2^c bytes to just below 2^(c+1). */
#include <memweir/byte_pool.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/guard_notes.h"
#include "lib/pool_impl.h"
#include "lib/sized.h"

#define CLASSES		   (8 * sizeof(size_t))
#define CAP_BYTES_DEFAULT  ((size_t)1 << 20)
#define KEEP_BYTES_DEFAULT ((size_t)16 << 20)

struct bytes {
	struct memweir_bytes shown; /* first: what the program has is this */
	struct memweir_byte_pool *pool;
	struct bytes *below; /* in its stack */
	size_t capacity; /* as shown, unless somebody wrote there */
	uint64_t grown;
	bool kept;
};

struct memweir_byte_pool {
	pthread_mutex_t lock;
	uint64_t generation; /* mw_pool_generation() */
	size_t initial_bytes, cap_bytes, keep_bytes;
	struct memweir_guard *guard;
	atomic_bool exhausted; /* the guard was told; until there is memory again */
	struct bytes *classes[CLASSES];
	struct memweir_byte_pool_stats stats;
};

static unsigned int class_of(size_t capacity)
{
	return CLASSES - 1 - (unsigned int)__builtin_clzl(capacity);
}

/* The next power of two; 0: there is none. */
static size_t rounded(size_t bytes)
{
	size_t power = (size_t)1 << class_of(bytes);

	return power == bytes ? power : power << 1;
}

static void bytes_free(struct bytes *b)
{
	free(b->shown.data);
	free(b);
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
	if (!rounded(o.initial_bytes ? o.initial_bytes : MEMWEIR_BYTES_INITIAL))
		return -EINVAL;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return -ENOMEM;
	pthread_mutex_init(&pool->lock, NULL);
	pool->generation = mw_pool_generation();
	pool->initial_bytes = rounded(o.initial_bytes ? o.initial_bytes : MEMWEIR_BYTES_INITIAL);
	pool->cap_bytes = o.cap_bytes ? o.cap_bytes : CAP_BYTES_DEFAULT;
	pool->keep_bytes = o.keep_bytes ? o.keep_bytes : KEEP_BYTES_DEFAULT;
	pool->guard = o.guard;
	pool->stats.size = sizeof(pool->stats);
	*ret_pool = pool;
	return 0;
}

void memweir_byte_pool_free(struct memweir_byte_pool *pool)
{
	if (!pool)
		return;
	for (size_t c = 0; c < CLASSES; c++)
		for (struct bytes *b = pool->classes[c], *below; b; b = below) {
			below = b->below;
			bytes_free(b);
		}
	if (pool->generation == mw_pool_generation())
		pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static struct bytes *pop(struct memweir_byte_pool *pool, size_t c)
{
	struct bytes *b = pool->classes[c];

	pool->classes[c] = b->below;
	b->kept = false;
	pool->stats.kept--;
	pool->stats.kept_bytes -= b->capacity;
	return b;
}

/*
 * One that is large enough, or the next size up. Not any: then each small request would get what a large one has left,
 * large ones would make the next small one large, and in the end all of them were.
 */
static struct bytes *find(struct memweir_byte_pool *pool, size_t least)
{
	unsigned int c = class_of(least);

	for (unsigned int i = c; i < CLASSES && i < c + 2; i++)
		if (pool->classes[i])
			return pop(pool, i);
	return NULL;
}

static struct bytes *made(struct memweir_byte_pool *pool, size_t capacity)
{
	struct bytes *b = calloc(1, sizeof(*b));

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

static void tell(struct memweir_byte_pool *pool)
{
	if (pool->guard && !atomic_exchange(&pool->exhausted, true))
		mw_lib_guard_exhausted(pool->guard, "byte pool");
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
	size_t least = min_bytes > pool->initial_bytes ? rounded(min_bytes) : pool->initial_bytes;
	struct bytes *b;

	if (pool->generation != mw_pool_generation())
		return -ECHILD;
	if (!least)
		return -ENOMEM;
	pthread_mutex_lock(&pool->lock);
	b = find(pool, least);
	if (b)
		count_loan(pool, true);
	pthread_mutex_unlock(&pool->lock);
	if (b) {
		*ret_bytes = &b->shown;
		return 0;
	}
	b = made(pool, least);
	if (!b) {
		tell(pool);
		return -ENOMEM;
	}
	atomic_store_explicit(&pool->exhausted, false, memory_order_relaxed);
	pthread_mutex_lock(&pool->lock);
	count_loan(pool, false);
	pthread_mutex_unlock(&pool->lock);
	*ret_bytes = &b->shown;
	return 0;
}

/* With the lock held: whether it is kept; counted where not. */
static bool keep(struct memweir_byte_pool *pool, struct bytes *b)
{
	struct memweir_byte_pool_stats *s = &pool->stats;

	s->grown += b->grown;
	b->grown = 0;
	if (b->capacity < MEMWEIR_BYTES_LEAST)
		s->dropped_small++;
	else if (b->capacity > pool->cap_bytes)
		s->dropped_large++;
	else if (b->capacity > pool->keep_bytes || s->kept_bytes > pool->keep_bytes - b->capacity)
		s->dropped_full++;
	else {
		size_t c = class_of(b->capacity);

		b->below = pool->classes[c];
		pool->classes[c] = b;
		b->kept = true;
		b->shown = (struct memweir_bytes){.data = b->shown.data, .capacity = b->capacity};
		s->kept++;
		s->kept_bytes += b->capacity;
		return true;
	}
	return false;
}

int memweir_byte_pool_put(struct memweir_byte_pool *pool, struct memweir_bytes *bytes)
{
	struct bytes *b = (struct bytes *)bytes;
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
		kept = keep(pool, b);
		pthread_mutex_unlock(&pool->lock);
	}
	if (!kept)
		bytes_free(b);
	return 0;
}

static void swap_data(struct bytes *a, struct bytes *b)
{
	struct memweir_bytes shown = a->shown;
	size_t capacity = a->capacity;

	a->shown = b->shown;
	a->capacity = b->capacity;
	b->shown = shown;
	b->capacity = capacity;
}

/* Grow by way of what is kept: the larger one's memory against this one's. False: none is. */
static bool exchange(struct bytes *b, size_t capacity)
{
	struct memweir_byte_pool *pool = b->pool;
	size_t length = b->shown.length < b->capacity ? b->shown.length : b->capacity;
	struct bytes *larger;
	bool kept;

	if (pool->generation != mw_pool_generation())
		return false;
	pthread_mutex_lock(&pool->lock);
	larger = find(pool, capacity);
	pthread_mutex_unlock(&pool->lock);
	if (!larger)
		return false;
	memcpy(larger->shown.data, b->shown.data, length);
	swap_data(b, larger);
	b->shown.length = length;
	pthread_mutex_lock(&pool->lock);
	pool->stats.exchanged++;
	kept = keep(pool, larger);
	pthread_mutex_unlock(&pool->lock);
	if (!kept)
		bytes_free(larger);
	return true;
}

int memweir_bytes_reserve(struct memweir_bytes *bytes, size_t capacity)
{
	struct bytes *b = (struct bytes *)bytes;
	size_t more = capacity <= b->capacity ? b->capacity : rounded(capacity);
	unsigned char *data;

	if (more == b->capacity || (more && exchange(b, more)))
		return 0;
	data = more ? realloc(b->shown.data, more) : NULL;
	if (!data) {
		tell(b->pool);
		return -ENOMEM;
	}
	b->shown.data = data;
	b->shown.capacity = b->capacity = more;
	b->grown++;
	return 0;
}

int memweir_bytes_append(struct memweir_bytes *bytes, const void *data, size_t n)
{
	size_t at = (uintptr_t)data - (uintptr_t)bytes->data; /* of data in the buffer, which may move; or far away */
	bool inside = at < bytes->length;
	int r;

	if (n == 0)
		return 0;
	if (n > SIZE_MAX - bytes->length)
		return -ENOMEM;
	r = memweir_bytes_reserve(bytes, bytes->length + n);
	if (r < 0)
		return r;
	memmove(bytes->data + bytes->length, inside ? bytes->data + at : data, n);
	bytes->length += n;
	return 0;
}

/* With the lock held: out of the largest class there is; NULL: no more is to go. */
static struct bytes *next_to_go(struct memweir_byte_pool *pool, size_t keep_bytes)
{
	if (pool->stats.kept_bytes <= keep_bytes)
		return NULL;
	for (size_t c = CLASSES; c-- > 0;)
		if (pool->classes[c]) {
			pool->stats.trimmed++;
			return pop(pool, c);
		}
	return NULL;
}

int64_t memweir_byte_pool_trim(struct memweir_byte_pool *pool, size_t keep_bytes)
{
	int64_t bytes = 0;

	if (pool->generation != mw_pool_generation())
		return -ECHILD;
	for (;;) {
		struct bytes *b;

		pthread_mutex_lock(&pool->lock);
		b = next_to_go(pool, keep_bytes);
		pthread_mutex_unlock(&pool->lock);
		if (!b)
			return bytes;
		bytes += (int64_t)b->capacity;
		bytes_free(b);
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
