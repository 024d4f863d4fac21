// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* A thread waits for a buffer of a pool that has none. */
#include <errno.h>

#include "lib/guard_notes.h"
#include "lib/pool_impl.h"
#include "util/clock.h"

static void deadline_in(int timeout_ms, struct timespec *ret)
{
	uint64_t at_ns = mw_now_ns() + (uint64_t)timeout_ms * MW_NS_PER_MS;

	*ret = (struct timespec){.tv_sec = (time_t)(at_ns / MW_NS_PER_S), .tv_nsec = (long)(at_ns % MW_NS_PER_S)};
}

void mw_pool_tell(struct memweir_pool *pool)
{
	if (pool->guard)
		mw_lib_guard_exhausted(pool->guard, "pool");
}

/* Until handed a buffer or the time is over; the lock is held, but for as long as that takes. */
static uint32_t wait_in_queue(struct memweir_pool *pool, struct mw_pool_waiter *w, const struct timespec *deadline)
{
	int r = 0;

	while (w->slot == MW_SLOT_NONE && r == 0)
		r = deadline ? pthread_cond_timedwait(&w->handed, &pool->lock, deadline)
			     : pthread_cond_wait(&w->handed, &pool->lock);
	return mw_pool_queue_leave(&pool->queue, w);
}

int mw_pool_wait(struct memweir_pool *pool, struct mw_pool_member *member, int timeout_ms, bool tell,
		 uint32_t *ret_slot)
{
	struct mw_pool_waiter w = {.member = member};
	pthread_condattr_t clock;
	struct timespec deadline;
	uint32_t slot;
	int cancel;

	deadline_in(timeout_ms < 0 ? 0 : timeout_ms, &deadline);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&w.handed, &clock);
	pthread_condattr_destroy(&clock);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	mw_pool_queue_join(&pool->queue, &w);
	pool->waits++;
	if (tell) { /* its place in the queue is kept meanwhile */
		pthread_mutex_unlock(&pool->lock);
		mw_pool_tell(pool);
		pthread_mutex_lock(&pool->lock);
	}
	slot = wait_in_queue(pool, &w, timeout_ms < 0 ? NULL : &deadline);
	if (slot == MW_SLOT_NONE)
		pool->timeouts++;
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_destroy(&w.handed);
	pthread_setcancelstate(cancel, NULL);
	if (slot == MW_SLOT_NONE)
		return -ETIMEDOUT;
	*ret_slot = slot;
	return 0;
}
