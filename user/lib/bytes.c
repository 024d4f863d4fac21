// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* One buffer that grows, by what its pool keeps or by an allocation. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/byte_pool_impl.h"
#include "lib/pool_impl.h"

static void swap_data(struct mw_bytes *a, struct mw_bytes *b)
{
	struct memweir_bytes shown = a->shown;
	size_t capacity = a->capacity;

	a->shown = b->shown;
	a->capacity = b->capacity;
	b->shown = shown;
	b->capacity = capacity;
}

/* Grow by way of what is kept: the larger one's memory against this one's. False: none is. */
static bool exchange(struct mw_bytes *b, size_t capacity)
{
	struct memweir_byte_pool *pool = b->pool;
	size_t length = b->shown.length < b->capacity ? b->shown.length : b->capacity;
	struct mw_bytes *larger;
	bool kept;

	if (pool->generation != mw_pool_generation())
		return false;
	pthread_mutex_lock(&pool->lock);
	larger = mw_byte_pool_find(pool, capacity);
	pthread_mutex_unlock(&pool->lock);
	if (!larger)
		return false;
	memcpy(larger->shown.data, b->shown.data, length);
	swap_data(b, larger);
	b->shown.length = length;
	pthread_mutex_lock(&pool->lock);
	pool->stats.exchanged++;
	kept = mw_byte_pool_keep(pool, larger);
	pthread_mutex_unlock(&pool->lock);
	if (!kept)
		mw_bytes_free(larger);
	return true;
}

int memweir_bytes_reserve(struct memweir_bytes *bytes, size_t capacity)
{
	struct mw_bytes *b = (struct mw_bytes *)bytes;
	size_t more = capacity <= b->capacity ? b->capacity : mw_bytes_rounded(capacity);
	unsigned char *data;

	if (more == b->capacity || (more && exchange(b, more)))
		return 0;
	data = more ? realloc(b->shown.data, more) : NULL;
	if (!data) {
		mw_byte_pool_tell(b->pool);
		return -ENOMEM;
	}
	b->shown.data = data;
	b->shown.capacity = b->capacity = more;
	b->grown++;
	atomic_store_explicit(&b->pool->exhausted, false, memory_order_relaxed);
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
