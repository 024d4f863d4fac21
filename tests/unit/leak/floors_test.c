/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "leak/floors.h"
#include "util/clock.h"

#define S   MW_NS_PER_S
#define KIB 1024ULL
#define T0  (1000 * S)

static void the_least_of_each_bucket(void **state)
{
	double x[MW_FLOORS_BUCKETS];
	struct mw_floors f = {0};

	(void)state;
	for (__u64 ms = 0; ms <= 11000; ms += 500) /* a saw of five seconds between 10 and 20 KiB */
		mw_floors_push(&f, T0 + ms * MW_NS_PER_MS, (10 + ms % 5000 / 500) * KIB);
	assert_int_equal(mw_floors_values(&f, 0, x), 11);
	assert_true(x[0] == 10 * KIB && x[1] == 12 * KIB && x[4] == 18 * KIB && x[5] == 10 * KIB);
	assert_int_equal(mw_floors_values(&f, 1, x), 2);
	assert_true(x[0] == 10 * KIB && x[1] == 10 * KIB);
	assert_int_equal(mw_floors_values(&f, 2, x), 0);
	assert_int_equal(mw_floors_bucket_ns(1), 5 * S);
	assert_int_equal(mw_floors_bucket_ns(MW_FLOORS_WINDOWS), 0);
}

static void which_windows_closed_one(void **state)
{
	struct mw_floors f = {0};

	(void)state;
	assert_int_equal(mw_floors_push(&f, T0, KIB), 0);
	assert_int_equal(mw_floors_push(&f, T0 + S - 1, KIB), 0);
	assert_int_equal(mw_floors_push(&f, T0 + S, KIB), 1);
	assert_int_equal(mw_floors_push(&f, T0 + 5 * S, KIB), 1 | 2);
	assert_int_equal(mw_floors_push(&f, T0 + 20 * S, KIB), 1 | 2);
	assert_int_equal(mw_floors_push(&f, T0 + 10 * S, KIB), 0); /* back in time */
}

static void a_ring_of_sixty(void **state)
{
	double x[MW_FLOORS_BUCKETS];
	struct mw_floors f = {0};

	(void)state;
	for (__u64 i = 0; i <= 100; i++)
		mw_floors_push(&f, T0 + i * S, i * KIB);
	assert_int_equal(mw_floors_values(&f, 0, x), MW_FLOORS_BUCKETS);
	assert_true(x[0] == 40 * KIB && x[MW_FLOORS_BUCKETS - 1] == 99 * KIB);
}

/* Nobody looked for a while: the value before stands for it. Half a window of that, and the window begins anew. */
static void time_nobody_looked(void **state)
{
	double x[MW_FLOORS_BUCKETS];
	struct mw_floors f = {0};

	(void)state;
	mw_floors_push(&f, T0, 3 * KIB);
	mw_floors_push(&f, T0 + 10 * S, 9 * KIB);
	assert_int_equal(mw_floors_values(&f, 0, x), 10);
	assert_true(x[0] == 3 * KIB && x[9] == 3 * KIB);
	mw_floors_push(&f, T0 + 50 * S, 9 * KIB);
	assert_int_equal(mw_floors_values(&f, 0, x), 0);
	assert_int_equal(mw_floors_values(&f, 1, x), 10);
}

static void by_how_much_it_rises(void **state)
{
	struct mw_floors f = {0};

	(void)state;
	assert_true(mw_floors_rise(&f, 0) == 0);
	for (__u64 i = 0; i <= 2; i++)
		mw_floors_push(&f, T0 + i * S, i * KIB);
	assert_true(mw_floors_rise(&f, 0) == 0); /* of two nothing is said */
	for (__u64 i = 3; i <= 100; i++) /* 40 to 99 are left: 80 less 40 */
		mw_floors_push(&f, T0 + i * S, i * KIB);
	assert_true(mw_floors_rise(&f, 0) == 40 * KIB);
	assert_int_equal(mw_floors_count(&f, 0), MW_FLOORS_BUCKETS);
	for (__u64 i = 101; i <= 130; i++)
		mw_floors_push(&f, T0 + i * S, 3 * KIB);
	assert_true(mw_floors_rise(&f, 0) < 0);
}

static void peaks_of_the_time_before(void **state)
{
	struct mw_floors f = {0};

	(void)state;
	for (__u64 s = 0; s < 1200; s++) /* high for its second minute, a burst of a second in its fourth */
		mw_floors_push(&f, T0 + s * S, (s >= 60 && s < 120 ? 50 : s == 200 ? 90 : 10) * KIB);
	assert_true(mw_floors_peak_before(&f, 1) == 50 * KIB); /* more than five minutes ago */
	assert_true(mw_floors_peak_before(&f, 2) == 0); /* nothing is known of what was an hour ago */
	assert_true(mw_floors_peak_before(&f, MW_FLOORS_WINDOWS - 1) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_of_each_bucket), cmocka_unit_test(which_windows_closed_one),
		cmocka_unit_test(a_ring_of_sixty),	    cmocka_unit_test(time_nobody_looked),
		cmocka_unit_test(by_how_much_it_rises),	    cmocka_unit_test(peaks_of_the_time_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
