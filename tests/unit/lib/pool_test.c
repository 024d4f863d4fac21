// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "unit.h"

#include <memweir/pool.h>

static void lend_and_return(void **state)
{
	struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);
	struct memweir_pool_stats s = MEMWEIR_INIT(struct memweir_pool_stats);
	struct memweir_pool *pool;
	void *a, *b, *c = NULL;

	(void)state;
	o.buffers = 2;
	assert_int_equal(memweir_pool_new(&o, &pool), 0);
	assert_int_equal(memweir_pool_buffer_bytes(pool), 100 << 10);
	assert_int_equal(memweir_pool_checkout(pool, 0, &a), 0);
	assert_int_equal(memweir_pool_checkout(pool, -1, &b), 0);
	assert_ptr_not_equal(a, b);
	memset(a, 1, 100 << 10);
	memset(b, 2, 100 << 10);
	assert_int_equal(memweir_pool_checkout(pool, 0, &c), -EAGAIN);
	assert_int_equal(memweir_pool_checkout(pool, 1, &c), -ETIMEDOUT);
	assert_null(c);
	assert_int_equal(memweir_pool_stats(pool, &s), 0);
	assert_int_equal(s.in_use, 2);
	assert_int_equal(s.timeouts, 1);
	assert_int_equal(memweir_pool_checkin(pool, (char *)a + 1), -EINVAL);
	assert_int_equal(memweir_pool_checkin(pool, &s), -EINVAL);
	assert_int_equal(memweir_pool_checkin(pool, a), 0);
	assert_int_equal(memweir_pool_checkin(pool, a), -EALREADY);
	assert_int_equal(memweir_pool_checkout(pool, 0, &c), 0);
	assert_ptr_equal(a, c);
	memweir_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lend_and_return),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
