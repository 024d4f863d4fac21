// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/pool_cache.h"

#define TEND_EVERY 64 /* loans from the hand: the clock is looked at then */

static uintptr_t word_of(const struct mw_pool_member *member, enum mw_slot_state state)
{
	return (uintptr_t)member | state;
}

bool mw_pool_cache_take(struct memweir_pool *pool, struct mw_pool_member *member, uint32_t *ret_slot)
{
	uint32_t at_hand = atomic_load_explicit(&member->at_hand, memory_order_relaxed);
	uint64_t n;

	if (at_hand)
		at_hand = atomic_exchange(&member->at_hand, 0); /* somebody else may take it at the same time */
	if (!at_hand)
		return false;
	atomic_store_explicit(&pool->slots[at_hand - 1].word, word_of(member, MW_SLOT_LENT), memory_order_release);
	n = atomic_load_explicit(&member->loans, memory_order_relaxed) + 1; /* only this thread writes it */
	atomic_store_explicit(&member->loans, n, memory_order_relaxed);
	if (n % TEND_EVERY == 0)
		mw_pool_tend_due(pool);
	*ret_slot = at_hand - 1;
	return true;
}

bool mw_pool_cache_lay(struct memweir_pool *pool, struct mw_pool_member *member, uint32_t slot)
{
	uintptr_t lent = word_of(member, MW_SLOT_LENT);

	if (atomic_load_explicit(&pool->exhausted, memory_order_relaxed) ||
	    atomic_load_explicit(&member->at_hand, memory_order_relaxed))
		return false;
	if (!atomic_compare_exchange_strong(&pool->slots[slot].word, &lent, word_of(member, MW_SLOT_CACHED)))
		return false;
	atomic_store(&member->at_hand, slot + 1);
	return true;
}

void mw_pool_cache_settle(struct memweir_pool *pool, struct mw_pool_member *member)
{
	uint32_t slot;

	if (!atomic_load(&pool->exhausted))
		return;
	pthread_mutex_lock(&pool->lock);
	slot = mw_pool_cache_drain(pool, member);
	if (slot != MW_SLOT_NONE)
		mw_pool_put(pool, slot);
	pthread_mutex_unlock(&pool->lock);
}

uint32_t mw_pool_cache_drain(struct memweir_pool *pool, struct mw_pool_member *member)
{
	uint32_t at_hand = atomic_exchange(&member->at_hand, 0);

	if (!at_hand)
		return MW_SLOT_NONE;
	mw_slots_remove(pool->slots, &member->owned, at_hand - 1);
	atomic_store(&pool->slots[at_hand - 1].word, MW_SLOT_FREE);
	return at_hand - 1;
}

uint32_t mw_pool_cache_steal(struct memweir_pool *pool)
{
	uint32_t slot = MW_SLOT_NONE;

	for (struct mw_pool_member *m = pool->members; m && slot == MW_SLOT_NONE; m = m->next_of_pool)
		slot = mw_pool_cache_drain(pool, m);
	return slot;
}

size_t mw_pool_cached(const struct memweir_pool *pool)
{
	size_t n = 0;

	for (const struct mw_pool_member *m = pool->members; m; m = m->next_of_pool)
		n += atomic_load(&m->at_hand) != 0;
	return n;
}
