/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * One buffer at hand for each thread, lent again to it and given back by it without the pool's lock. It counts as idle:
 * who finds the pool empty takes it, and nothing is put at hand while somebody waits.
 */
#ifndef MW_LIB_POOL_CACHE_H
#define MW_LIB_POOL_CACHE_H

#include "lib/pool_impl.h"

/* What is at hand is lent. False: nothing is. */
bool mw_pool_cache_take(struct memweir_pool *pool, struct mw_pool_member *member, uint32_t *ret_slot);

/*
 * A buffer this thread owns is at hand: in two steps. Who finds nothing sets exhausted, and then looks into all hands;
 * here a buffer is laid into one, and then exhausted is looked at, and what is at hand goes to who waits. So at least
 * one of the two sees what the other did, and who takes it out of the hand has it. False: it is not this thread's, or
 * there is no room: nothing changed.
 */
bool mw_pool_cache_lay(struct memweir_pool *pool, struct mw_pool_member *member, uint32_t slot);
void mw_pool_cache_settle(struct memweir_pool *pool, struct mw_pool_member *member);

/* With the lock held: out of one thread's hand, and out of anybody's; nobody owns it then. MW_SLOT_NONE: none. */
uint32_t mw_pool_cache_drain(struct memweir_pool *pool, struct mw_pool_member *member);
uint32_t mw_pool_cache_steal(struct memweir_pool *pool);

/* With the lock held: how many are at hand. */
size_t mw_pool_cached(const struct memweir_pool *pool);

#endif
