// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What is at hand of one thread while others look for it: the steps of both, in each order. */
#include "unit.h"

#include "lib/pool_cache.h"

static struct memweir_pool *pool;
static struct mw_pool_member *mine;
static uint32_t slot; /* the only one there is; lent to this thread */

static int one_lent(void **state)
{
	struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);
	void *p;

	(void)state;
	o.buffers = 1;
	o.idle_ms = 3600000;
	assert_int_equal(memweir_pool_new(&o, &pool), 0);
	assert_int_equal(memweir_pool_checkout(pool, 0, &p), 0);
	assert_int_equal(mw_pool_member_get(pool, &mine), 0);
	slot = (uint32_t)(((char *)p - pool->memory) / (ptrdiff_t)pool->stride);
	return 0;
}

static int gone(void **state)
{
	(void)state;
	memweir_pool_free(pool);
	return 0;
}

/* As checkout does when it finds nothing in the lists. MW_SLOT_NONE: it waits. */
static uint32_t look_or_wait(struct mw_pool_waiter *w)
{
	uint32_t found;

	pthread_mutex_lock(&pool->lock);
	pool->exhausted = true;
	found = mw_pool_cache_steal(pool);
	if (found == MW_SLOT_NONE)
		mw_pool_queue_join(&pool->queue, w);
	pthread_mutex_unlock(&pool->lock);
	return found;
}

static void somebody_waits_before(void **state)
{
	struct mw_pool_waiter w = {.member = mine, .handed = PTHREAD_COND_INITIALIZER};

	(void)state;
	assert_int_equal(look_or_wait(&w), MW_SLOT_NONE);
	assert_false(mw_pool_cache_lay(pool, mine, slot));
	assert_int_equal(memweir_pool_checkin(pool, mw_pool_at(pool, slot)), 0);
	assert_int_equal(mw_pool_queue_leave(&pool->queue, &w), slot);
}

static void found_after_it_is_laid(void **state)
{
	struct mw_pool_waiter w = {.member = mine, .handed = PTHREAD_COND_INITIALIZER};

	(void)state;
	assert_true(mw_pool_cache_lay(pool, mine, slot));
	assert_int_equal(look_or_wait(&w), slot);
	mw_pool_cache_settle(pool, mine);
	assert_int_equal(pool->warm.n, 0); /* it is the other's */
}

/* Between its look at exhausted and the laying of it somebody came, looked, and waits. */
static void waits_in_between(void **state)
{
	struct mw_pool_waiter w = {.member = mine, .handed = PTHREAD_COND_INITIALIZER};

	(void)state;
	assert_int_equal(look_or_wait(&w), MW_SLOT_NONE);
	pool->exhausted = false; /* as it was when it was looked at */
	assert_true(mw_pool_cache_lay(pool, mine, slot));
	pool->exhausted = true;
	mw_pool_cache_settle(pool, mine);
	assert_int_equal(mw_pool_queue_leave(&pool->queue, &w), slot);
	assert_int_equal(mw_pool_cached(pool), 0);
}

static void not_mine(void **state)
{
	struct mw_pool_member other = {.pool = pool};

	(void)state;
	assert_false(mw_pool_cache_lay(pool, &other, slot));
	assert_true(mw_pool_cache_lay(pool, mine, slot));
	assert_false(mw_pool_cache_lay(pool, mine, slot));
	assert_int_equal(mw_pool_cached(pool), 1);
}

/* What a thread uses stays at hand; what it does not is idle like the others. */
static void looked_into_while_in_use(void **state)
{
	uint32_t again = 0;

	(void)state;
	assert_true(mw_pool_cache_lay(pool, mine, slot));
	assert_true(mw_pool_cache_take(pool, mine, &again));
	assert_int_equal(again, slot);
	assert_true(mw_pool_cache_lay(pool, mine, slot));
	pool->look_at_ms = 0;
	assert_int_equal(memweir_pool_tend(pool, 0), 0);
	assert_int_equal(mw_pool_cached(pool), 1);
	pool->look_at_ms = 0;
	assert_int_equal(memweir_pool_tend(pool, 0), 0);
	assert_int_equal(mw_pool_cached(pool), 0);
	assert_int_equal(pool->warm.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(somebody_waits_before, one_lent, gone),
		cmocka_unit_test_setup_teardown(found_after_it_is_laid, one_lent, gone),
		cmocka_unit_test_setup_teardown(waits_in_between, one_lent, gone),
		cmocka_unit_test_setup_teardown(not_mine, one_lent, gone),
		cmocka_unit_test_setup_teardown(looked_into_while_in_use, one_lent, gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
