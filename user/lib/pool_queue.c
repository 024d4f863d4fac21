// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/pool_queue.h"

void mw_pool_queue_join(struct mw_pool_queue *queue, struct mw_pool_waiter *waiter)
{
	waiter->slot = MW_SLOT_NONE;
	waiter->before = queue->last;
	waiter->after = NULL;
	if (queue->last)
		queue->last->after = waiter;
	else
		queue->first = waiter;
	queue->last = waiter;
}

static void unlink_waiter(struct mw_pool_queue *queue, struct mw_pool_waiter *waiter)
{
	if (waiter->before)
		waiter->before->after = waiter->after;
	else
		queue->first = waiter->after;
	if (waiter->after)
		waiter->after->before = waiter->before;
	else
		queue->last = waiter->before;
}

struct mw_pool_waiter *mw_pool_queue_hand(struct mw_pool_queue *queue, uint32_t slot)
{
	struct mw_pool_waiter *w = queue->first;

	if (!w)
		return NULL;
	unlink_waiter(queue, w);
	w->slot = slot;
	return w;
}

uint32_t mw_pool_queue_leave(struct mw_pool_queue *queue, struct mw_pool_waiter *waiter)
{
	if (waiter->slot == MW_SLOT_NONE)
		unlink_waiter(queue, waiter);
	return waiter->slot;
}
