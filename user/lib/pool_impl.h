/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The inside of a buffer pool.
 *
 * A buffer is in exactly one place: never lent yet (its number is >= fresh), in warm (idle, with memory), in cold
 * (idle, its memory given back), or owned by a member, a thread that has lent it. One lock is over all lists. Order of
 * locks: registry (pool_threads.c), then the pool's.
 */
#ifndef MW_LIB_POOL_IMPL_H
#define MW_LIB_POOL_IMPL_H

#include <memweir/pool.h>
#include <pthread.h>
#include <stdbool.h>

#include "lib/pool_queue.h"
#include "lib/pool_slots.h"

enum mw_slot_state {
	MW_SLOT_FREE = 0,
	MW_SLOT_LENT = 1,
	MW_SLOT_CACHED = 2, /* given back, and kept at hand for the thread that had it */
	MW_SLOT_STATES = 3, /* the bits of all of them */
};

/* One thread, as one pool sees it. */
struct mw_pool_member {
	struct memweir_pool *pool;
	struct mw_pool_member *next_of_pool, *next_of_thread;
	struct mw_pool_thread *thread;
	struct mw_slot_list owned; /* lent to it, and what is cached for it */
};

struct memweir_pool {
	pthread_mutex_t lock;
	uint64_t id; /* of no other pool, ever: addresses are used again */
	uint64_t generation; /* of the process that made it, see mw_pool_generation() */
	char *memory;
	size_t n, stride;
	struct mw_slot *slots;
	struct mw_slot_list warm; /* first: the one given back last */
	struct mw_slot_list cold;
	uint32_t fresh;
	struct mw_pool_queue queue;
	struct mw_pool_member *members;
	struct memweir_guard *guard;
	uint32_t idle_ms;
	bool exhausted; /* and the guard was told; until an eighth is free again */
	uint64_t waits, timeouts, reclaimed;
};

/* With the lock held: a buffer nobody owns any more goes to who waits, or to warm. */
void mw_pool_put(struct memweir_pool *pool, uint32_t slot);

/* pool_threads.c: the calling thread in this pool; made when it is not there. -ENOMEM, -ECHILD. */
int mw_pool_member_get(struct memweir_pool *pool, struct mw_pool_member **ret_member);
void mw_pool_members_free(struct memweir_pool *pool);
int mw_pool_threads_init(void);

/* A number that is another one in a forked child. */
uint64_t mw_pool_generation(void);
uint64_t mw_pool_next_id(void);

/* pool_tend.c, with the lock held: at most so many buffers that were idle for idle_ms give their memory back; how many
 * did. */
size_t mw_pool_give_back(struct memweir_pool *pool, size_t most);
uint64_t mw_pool_now_ms(void);

static inline struct mw_pool_member *mw_pool_owner(uintptr_t word)
{
	return (struct mw_pool_member *)(word & ~(uintptr_t)MW_SLOT_STATES); /* NOLINT(performance-no-int-to-ptr) */
}

static inline void *mw_pool_at(const struct memweir_pool *pool, uint32_t slot)
{
	return pool->memory + slot * pool->stride;
}

#endif
