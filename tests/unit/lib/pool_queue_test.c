// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Each order in which a hand-over and the end of a waiter's time can meet, one step at a time. */
#include "unit.h"

#include "lib/pool_queue.h"

static struct mw_pool_queue q;
static struct mw_pool_waiter a, b, c;

static int three_wait(void **state)
{
	(void)state;
	q = (struct mw_pool_queue){NULL, NULL};
	mw_pool_queue_join(&q, &a);
	mw_pool_queue_join(&q, &b);
	mw_pool_queue_join(&q, &c);
	return 0;
}

static void in_order(void **state)
{
	(void)state;
	assert_ptr_equal(mw_pool_queue_hand(&q, 7), &a);
	assert_ptr_equal(mw_pool_queue_hand(&q, 8), &b);
	assert_ptr_equal(mw_pool_queue_hand(&q, 9), &c);
	assert_null(mw_pool_queue_hand(&q, 10));
	assert_int_equal(mw_pool_queue_leave(&q, &c), 9);
	assert_int_equal(mw_pool_queue_leave(&q, &a), 7);
	assert_int_equal(mw_pool_queue_leave(&q, &b), 8);
}

static void handed_and_out_of_time(void **state)
{
	(void)state;
	assert_ptr_equal(mw_pool_queue_hand(&q, 0), &a);
	assert_int_equal(mw_pool_queue_leave(&q, &a), 0); /* number 0 is a buffer, too */
	assert_ptr_equal(mw_pool_queue_hand(&q, 1), &b);
}

static void out_of_time_first(void **state)
{
	(void)state;
	assert_int_equal(mw_pool_queue_leave(&q, &a), MW_SLOT_NONE);
	assert_ptr_equal(mw_pool_queue_hand(&q, 3), &b);
	assert_ptr_equal(mw_pool_queue_hand(&q, 4), &c);
	assert_null(q.first);
	assert_null(q.last);
}

static void one_in_the_middle_leaves(void **state)
{
	(void)state;
	assert_int_equal(mw_pool_queue_leave(&q, &b), MW_SLOT_NONE);
	assert_ptr_equal(mw_pool_queue_hand(&q, 3), &a);
	assert_ptr_equal(mw_pool_queue_hand(&q, 4), &c);
	assert_null(mw_pool_queue_hand(&q, 5));
}

static void the_last_leaves_and_comes_again(void **state)
{
	(void)state;
	assert_int_equal(mw_pool_queue_leave(&q, &c), MW_SLOT_NONE);
	assert_ptr_equal(mw_pool_queue_hand(&q, 1), &a);
	mw_pool_queue_join(&q, &c);
	mw_pool_queue_join(&q, &a);
	assert_ptr_equal(mw_pool_queue_hand(&q, 2), &b);
	assert_ptr_equal(mw_pool_queue_hand(&q, 3), &c);
	assert_ptr_equal(mw_pool_queue_hand(&q, 4), &a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(in_order, three_wait),
		cmocka_unit_test_setup(handed_and_out_of_time, three_wait),
		cmocka_unit_test_setup(out_of_time_first, three_wait),
		cmocka_unit_test_setup(one_in_the_middle_leaves, three_wait),
		cmocka_unit_test_setup(the_last_leaves_and_comes_again, three_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
