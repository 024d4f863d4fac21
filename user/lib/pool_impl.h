/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The inside of a buffer pool.
 *
 * A buffer is in exactly one place: never lent yet (its number is >= fresh), in warm (idle, with memory), in cold
 * (idle, its memory given back), or owned by a member: a thread that has it lent, or at hand (pool_cache.h). One lock
 * is over all lists; a buffer goes to and fro between lent and at hand without it, and stays in its member's list.
 * Order of locks: registry (pool_threads.c), then the pool's.
 */
#ifndef MW_LIB_POOL_IMPL_H
#define MW_LIB_POOL_IMPL_H

#include <memweir/pool.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>

#include "lib/pool_queue.h"
#include "lib/pool_slots.h"

#define MW_CACHE_LINE 64

enum mw_slot_state {
	MW_SLOT_FREE = 0,
	MW_SLOT_LENT = 1,
	MW_SLOT_CACHED = 2, /* at hand */
	MW_SLOT_STATES = 3, /* the bits of all of them */
};

/* One thread, as one pool sees it. */
struct mw_pool_member {
	alignas(MW_CACHE_LINE) _Atomic uint32_t
		at_hand; /* a buffer's number + 1; 0: none. Set by its thread, taken by anybody */
	_Atomic uint64_t loans; /* from the hand */
	uint64_t loans_seen; /* when hands were looked into last */
	struct memweir_pool *pool;
	struct mw_pool_member *next_of_pool, *next_of_thread;
	struct mw_pool_thread *thread;
	struct mw_slot_list owned; /* lent to it, and at hand */
};

struct memweir_pool {
	uint64_t id; /* of no other pool, ever: addresses are used again */
	uint64_t generation; /* of the process that made it, see mw_pool_generation() */
	char *memory;
	size_t n, stride;
	struct mw_slot *slots;
	struct memweir_guard *guard;
	bool shown; /* it has a name there */
	uint32_t idle_ms;
	/* Somebody found nothing, and not more than an eighth is free again: told to the guard once, and nothing is put
	 * at hand. Who waits has set it. */
	atomic_bool exhausted;

	alignas(MW_CACHE_LINE) pthread_mutex_t lock;
	uint64_t look_at_ms; /* when hands are looked into next */
	struct mw_slot_list warm; /* first: the one given back last */
	struct mw_slot_list cold;
	uint32_t fresh;
	struct mw_pool_queue queue;
	struct mw_pool_member *members;
	uint64_t loans, waits, timeouts, refused, reclaimed, exhaustions;
};

/* With the lock held: a buffer nobody owns any more goes to who waits, or to warm. */
void mw_pool_put(struct memweir_pool *pool, uint32_t slot);

/*
 * pool_wait.c: wait for one, with the lock held, which is free afterwards; with tell the guard is told first, outside
 * of the lock. The thread cannot be cancelled meanwhile: it would leave a waiter behind that is not there any more.
 */
int mw_pool_wait(struct memweir_pool *pool, struct mw_pool_member *member, int timeout_ms, bool tell,
		 uint32_t *ret_slot);
void mw_pool_tell(struct memweir_pool *pool); /* that it is exhausted; without the lock */

/* pool_threads.c: the calling thread in this pool; made when it is not there. -ENOMEM, -ECHILD. */
int mw_pool_member_get(struct memweir_pool *pool, struct mw_pool_member **ret_member);
struct mw_pool_member *mw_pool_member_known(const struct memweir_pool *pool); /* found without a lock, or NULL */
void mw_pool_members_free(struct memweir_pool *pool);
int mw_pool_threads_init(void);

/* A number that is another one in a forked child. */
uint64_t mw_pool_generation(void);
uint64_t mw_pool_next_id(void);

/* pool_tend.c: with the lock held, at most so many buffers that were idle for idle_ms give their memory back. */
void mw_pool_give_back(struct memweir_pool *pool, size_t most);
void mw_pool_tend_due(struct memweir_pool *pool); /* the same without, when it is time */
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
