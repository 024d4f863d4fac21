// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What a guard is told of pools. It stands here itself: what it does with that is its own test's. */
#include "unit.h"

#include <memweir/byte_pool.h>
#include <memweir/pool.h>

#include "lib/guard_notes.h"

static struct memweir_guard *const guard = (struct memweir_guard *)&guard; /* never looked into */
static struct memweir_pool *pool;
static void *spare; /* given back when told, as a guard's callback of a program may */
static int told;
static char who[32];

void mw_lib_guard_exhausted(struct memweir_guard *g, const char *what)
{
	struct memweir_pool_stats s = MEMWEIR_INIT(struct memweir_pool_stats);

	assert_ptr_equal(g, guard);
	told++;
	snprintf(who, sizeof(who), "%s", what);
	if (pool) /* which waits for ever if a lock is held */
		assert_int_equal(memweir_pool_stats(pool, &s), 0);
	if (spare)
		assert_int_equal(memweir_pool_checkin(pool, spare), 0);
	spare = NULL;
}

static int of_two(void **state)
{
	struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);

	(void)state;
	o.buffers = 2;
	o.guard = guard;
	assert_int_equal(memweir_pool_new(&o, &pool), 0);
	spare = NULL;
	told = 0;
	return 0;
}

static int gone(void **state)
{
	(void)state;
	memweir_pool_free(pool);
	pool = NULL;
	return 0;
}

static void told_once_until_some_are_free(void **state)
{
	void *a, *b, *c;

	(void)state;
	for (int round = 1; round <= 3; round++) {
		assert_int_equal(memweir_pool_checkout(pool, 0, &a), 0);
		assert_int_equal(memweir_pool_checkout(pool, 0, &b), 0);
		assert_int_equal(told, round - 1); /* the last one is lent, nobody went away without */
		assert_int_equal(memweir_pool_checkout(pool, 0, &c), -EAGAIN);
		assert_int_equal(told, round);
		assert_string_equal(who, "pool");
		assert_int_equal(memweir_pool_checkout(pool, 0, &c), -EAGAIN);
		assert_int_equal(memweir_pool_checkout(pool, 1, &c), -ETIMEDOUT);
		assert_int_equal(told, round);
		assert_int_equal(memweir_pool_checkin(pool, a), 0);
		assert_int_equal(memweir_pool_checkin(pool, b), 0);
	}
}

/* Who will wait is in the queue already when the guard is told, and what is given back then is his. */
static void told_before_it_waits(void **state)
{
	void *a, *b, *c = NULL;

	(void)state;
	assert_int_equal(memweir_pool_checkout(pool, 0, &a), 0);
	assert_int_equal(memweir_pool_checkout(pool, 0, &b), 0);
	spare = b;
	assert_int_equal(memweir_pool_checkout(pool, -1, &c), 0);
	assert_ptr_equal(c, b);
	assert_int_equal(told, 1);
}

static void no_memory_to_grow(void **state)
{
	struct memweir_byte_pool_options o = MEMWEIR_INIT(struct memweir_byte_pool_options);
	struct memweir_byte_pool *bytes;
	struct memweir_bytes *b;

	(void)state;
	told = 0;
	o.guard = guard;
	assert_int_equal(memweir_byte_pool_new(&o, &bytes), 0);
	assert_int_equal(memweir_byte_pool_get(bytes, 0, &b), 0);
	assert_int_equal(memweir_bytes_append(b, "abc", 3), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(memweir_bytes_reserve(b, SIZE_MAX), -ENOMEM);
	assert_int_equal(told, 1);
	assert_string_equal(who, "byte pool");
	assert_memory_equal(b->data, "abc", 3);
	assert_int_equal(memweir_bytes_reserve(b, 100000), 0); /* there is memory again */
	assert_int_equal(memweir_bytes_reserve(b, SIZE_MAX), -ENOMEM);
	assert_int_equal(told, 2);
	assert_int_equal(memweir_byte_pool_put(bytes, b), 0);
	memweir_byte_pool_free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(told_once_until_some_are_free, of_two, gone),
		cmocka_unit_test_setup_teardown(told_before_it_waits, of_two, gone),
		cmocka_unit_test(no_memory_to_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
