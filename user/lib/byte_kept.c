// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What a byte pool keeps, by capacity. No locks in here. */
#include <stdlib.h>

#include "lib/byte_pool_impl.h"

static unsigned int class_of(size_t capacity)
{
	return MW_BYTE_CLASSES - 1 - (unsigned int)__builtin_clzl(capacity);
}

/* The next power of two; 0: there is none. */
size_t mw_bytes_rounded(size_t bytes)
{
	size_t power = (size_t)1 << class_of(bytes);

	return power == bytes ? power : power << 1;
}

void mw_bytes_free(struct mw_bytes *b)
{
	free(b->shown.data);
	free(b);
}

static struct mw_bytes *pop(struct memweir_byte_pool *pool, size_t c)
{
	struct mw_bytes *b = pool->classes[c];

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
struct mw_bytes *mw_byte_pool_find(struct memweir_byte_pool *pool, size_t least)
{
	unsigned int c = class_of(least);

	for (unsigned int i = c; i < MW_BYTE_CLASSES && i < c + 2; i++)
		if (pool->classes[i])
			return pop(pool, i);
	return NULL;
}

/* With the lock held: whether it is kept; counted where not. */
bool mw_byte_pool_keep(struct memweir_byte_pool *pool, struct mw_bytes *b)
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

/* With the lock held: out of the largest class there is; NULL: no more is to go. */
struct mw_bytes *mw_byte_pool_next_to_go(struct memweir_byte_pool *pool, size_t keep_bytes)
{
	if (pool->stats.kept_bytes <= keep_bytes)
		return NULL;
	for (size_t c = MW_BYTE_CLASSES; c-- > 0;)
		if (pool->classes[c]) {
			pool->stats.trimmed++;
			return pop(pool, c);
		}
	return NULL;
}
