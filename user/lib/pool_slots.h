/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Lists of a pool's buffers, by their numbers: a buffer is in one list at a time. No locks in here. */
#ifndef MW_LIB_POOL_SLOTS_H
#define MW_LIB_POOL_SLOTS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define MW_SLOT_NONE UINT32_MAX

/* What is known of one buffer. */
struct mw_slot {
	_Atomic uintptr_t word; /* who has it (a struct mw_pool_member) and enum mw_slot_state: changed as one */
	uint32_t before, after; /* in its list */
	uint64_t idle_ms; /* since when, of CLOCK_MONOTONIC_COARSE; while it is idle with memory */
};

struct mw_slot_list {
	uint32_t first, last; /* MW_SLOT_NONE: empty */
	size_t n;
};

#define MW_SLOT_LIST_EMPTY ((struct mw_slot_list){MW_SLOT_NONE, MW_SLOT_NONE, 0})

void mw_slots_push(struct mw_slot *slots, struct mw_slot_list *list, uint32_t i); /* to the front */
void mw_slots_remove(struct mw_slot *slots, struct mw_slot_list *list, uint32_t i);
uint32_t mw_slots_pop(struct mw_slot *slots, struct mw_slot_list *list); /* from the front; MW_SLOT_NONE: empty */

#endif
