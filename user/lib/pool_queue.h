/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Who waits for a buffer, in the order they came. Nothing in here locks or sleeps: the pool holds
 * its lock around each step, and a buffer is either still in the pool, or in the hands of one waiter. So one that is
 * handed over while its waiter's time runs out cannot get lost: who leaves is told what was handed to it.
 */
#ifndef MW_LIB_POOL_QUEUE_H
#define MW_LIB_POOL_QUEUE_H

#include <pthread.h>
#include <stdint.h>

#include "lib/pool_slots.h"

struct mw_pool_member;

struct mw_pool_waiter {
	struct mw_pool_waiter *before, *after;
	struct mw_pool_member *member; /* the thread that waits */
	pthread_cond_t handed;
	uint32_t slot; /* MW_SLOT_NONE: nothing yet */
};

struct mw_pool_queue {
	struct mw_pool_waiter *first, *last;
};

/* To the end. */
void mw_pool_queue_join(struct mw_pool_queue *queue, struct mw_pool_waiter *waiter);

/* Hand it to the first, who is in the queue no more: it has to be woken. NULL: nobody waits, the buffer stays the
 * caller's. */
struct mw_pool_waiter *mw_pool_queue_hand(struct mw_pool_queue *queue, uint32_t slot);

/* Wait no longer, whether handed something (which is returned, and the caller's) or not (MW_SLOT_NONE). */
uint32_t mw_pool_queue_leave(struct mw_pool_queue *queue, struct mw_pool_waiter *waiter);

#endif
