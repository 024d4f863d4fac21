/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The inside of a byte pool. Its lock is over what is kept and counted; a buffer that is lent is one thread's. */
#ifndef MW_LIB_BYTE_POOL_IMPL_H
#define MW_LIB_BYTE_POOL_IMPL_H

#include <memweir/byte_pool.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define MW_BYTE_CLASSES (8 * sizeof(size_t))

struct mw_bytes {
	struct memweir_bytes shown; /* first: what the program has is this */
	struct memweir_byte_pool *pool;
	struct mw_bytes *below; /* in its stack */
	size_t capacity; /* as shown, unless somebody wrote there; a power of two */
	uint64_t grown;
	bool kept;
};

struct memweir_byte_pool {
	pthread_mutex_t lock;
	uint64_t generation; /* mw_pool_generation() */
	size_t initial_bytes, cap_bytes, keep_bytes;
	struct memweir_guard *guard;
	bool shown; /* it has a name there */
	atomic_bool exhausted; /* the guard was told; until there is memory again */
	struct mw_bytes *classes[MW_BYTE_CLASSES]; /* stacks of what is kept: class c has those of 2^c bytes */
	struct memweir_byte_pool_stats stats;
};

/* byte_kept.c: what is kept. With the lock held, all but the first and the last. */
size_t mw_bytes_rounded(size_t bytes); /* up to a power of two, bytes not 0; 0: there is none */
struct mw_bytes *mw_byte_pool_find(struct memweir_byte_pool *pool, size_t least); /* not kept any more; NULL: none */
bool mw_byte_pool_keep(struct memweir_byte_pool *pool,
		       struct mw_bytes *b); /* false: counted why not, still the caller's */
struct mw_bytes *mw_byte_pool_next_to_go(struct memweir_byte_pool *pool,
					 size_t keep_bytes); /* NULL: no more is to go */
void mw_bytes_free(struct mw_bytes *b);

/* There was no memory. */
void mw_byte_pool_tell(struct memweir_byte_pool *pool);

#endif
