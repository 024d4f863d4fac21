/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "unit.h"

#include "otlp/queue.h"

static void in_order(void **state)
{
	struct mw_queue q;
	char text[16];

	(void)state;
	assert_int_equal(mw_queue_init(&q, 4, 1000), 0);
	for (int round = 0; round < 10; round++) { /* over the end of the ring */
		for (int i = 0; i < 3; i++) {
			snprintf(text, sizeof(text), "%d", i);
			assert_true(mw_queue_add(&q, text, 1, 2));
		}
		assert_string_equal(mw_queue_at(&q, 0)->text, "0");
		assert_string_equal(mw_queue_at(&q, 2)->text, "2");
		assert_null(mw_queue_at(&q, 3));
		assert_int_equal(q.records, 6);
		mw_queue_remove(&q, 2);
		assert_string_equal(mw_queue_at(&q, 0)->text, "2");
		mw_queue_remove(&q, 5);
		assert_int_equal(q.count + q.bytes + q.records, 0);
	}
	mw_queue_free(&q);
}

static void full_by_number_and_by_bytes(void **state)
{
	struct mw_queue q;

	(void)state;
	assert_int_equal(mw_queue_init(&q, 3, 10), 0);
	assert_true(mw_queue_add(&q, "aaaa", 4, 1));
	assert_false(mw_queue_add(&q, "bbbbbbb", 7, 5)); /* who comes is dropped, who waits stays */
	assert_int_equal(q.dropped, 5);
	assert_true(mw_queue_add(&q, "cccccc", 6, 1));
	assert_int_equal(q.bytes, 10);
	assert_false(mw_queue_add(&q, "d", 1, 1));
	mw_queue_remove(&q, 1);
	assert_true(mw_queue_add(&q, "e", 1, 1));
	assert_true(mw_queue_add(&q, "", 0, 1));
	assert_false(mw_queue_add(&q, "", 0, 1));
	assert_int_equal(q.dropped, 7);
	mw_queue_cut(&q, 1);
	assert_int_equal(q.count, 1);
	assert_int_equal(q.dropped, 9);
	assert_string_equal(mw_queue_at(&q, 0)->text, "cccccc");
	assert_int_equal(q.bytes, 6);
	mw_queue_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(full_by_number_and_by_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
