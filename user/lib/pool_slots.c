// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/pool_slots.h"

void mw_slots_push(struct mw_slot *slots, struct mw_slot_list *list, uint32_t i)
{
	slots[i].before = MW_SLOT_NONE;
	slots[i].after = list->first;
	if (list->first != MW_SLOT_NONE)
		slots[list->first].before = i;
	else
		list->last = i;
	list->first = i;
	list->n++;
}

void mw_slots_remove(struct mw_slot *slots, struct mw_slot_list *list, uint32_t i)
{
	struct mw_slot *s = &slots[i];

	if (s->before != MW_SLOT_NONE)
		slots[s->before].after = s->after;
	else
		list->first = s->after;
	if (s->after != MW_SLOT_NONE)
		slots[s->after].before = s->before;
	else
		list->last = s->before;
	list->n--;
}

uint32_t mw_slots_pop(struct mw_slot *slots, struct mw_slot_list *list)
{
	uint32_t i = list->first;

	if (i != MW_SLOT_NONE)
		mw_slots_remove(slots, list, i);
	return i;
}
