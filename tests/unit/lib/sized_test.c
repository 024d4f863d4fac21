// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* A caller's structure may be of an older or a newer header. */
#include "unit.h"

#include "lib/sized.h"

struct old {
	size_t size;
	unsigned int a;
	unsigned int b;
};

struct now {
	size_t size;
	unsigned int a;
	unsigned int b;
	unsigned long c;
};

static void older_caller(void **state)
{
	struct old theirs = {sizeof(theirs), 1, 2};
	struct now ours;

	(void)state;
	memset(&ours, 0xff, sizeof(ours));
	assert_int_equal(mw_sized_in(&ours, sizeof(ours), &theirs), 0);
	assert_int_equal(ours.size, sizeof(ours));
	assert_int_equal(ours.b, 2);
	assert_int_equal(ours.c, 0);
	ours.a = 9;
	ours.c = 7;
	assert_int_equal(mw_sized_out(&theirs, &ours, sizeof(ours)), 0);
	assert_int_equal(theirs.size, sizeof(theirs));
	assert_int_equal(theirs.a, 9);
}

static void newer_caller(void **state)
{
	struct now theirs = {sizeof(theirs), 1, 2, 0};
	struct old ours;

	(void)state;
	assert_int_equal(mw_sized_in(&ours, sizeof(ours), &theirs), 0);
	assert_int_equal(ours.a, 1);
	theirs.c = 5;
	ours.a = 77;
	assert_int_equal(mw_sized_in(&ours, sizeof(ours), &theirs), -E2BIG);
	assert_int_equal(ours.a, 77);
	assert_int_equal(mw_sized_out(&theirs, &ours, sizeof(ours)), 0);
	assert_int_equal(theirs.size, sizeof(theirs));
	assert_int_equal(theirs.a, 77);
	assert_int_equal(theirs.c, 0);
}

static void forgotten_size(void **state)
{
	struct now ours, theirs = {0, 1, 2, 3};

	(void)state;
	assert_int_equal(mw_sized_in(&ours, sizeof(ours), &theirs), -EINVAL);
	assert_int_equal(mw_sized_out(&theirs, &ours, sizeof(ours)), -EINVAL);
	theirs.size = 1UL << 40;
	assert_int_equal(mw_sized_in(&ours, sizeof(ours), &theirs), -EINVAL);
	assert_int_equal(mw_sized_in(&ours, sizeof(ours), NULL), 0);
	assert_int_equal(ours.a, 0);
	assert_int_equal(ours.size, sizeof(ours));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(older_caller),
		cmocka_unit_test(newer_caller),
		cmocka_unit_test(forgotten_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
