/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "leak/slope.h"

static struct mw_slope slope(const double *values, __u32 n)
{
	struct mw_slope s = {0};

	assert_int_equal(mw_slope(values, n, &s), 0);
	return s;
}

static bool near(double a, double b, double by)
{
	return fabs(a - b) <= by;
}

static void an_even_rise(void **state)
{
	double x[20];
	struct mw_slope s;

	(void)state;
	for (int i = 0; i < 20; i++)
		x[i] = 100 + 3.0 * i;
	s = slope(x, 20);
	assert_true(near(s.rise, 3, 1e-9) && near(s.low, 3, 1e-9) && near(s.high, 3, 1e-9));
	assert_true(near(s.tail, 1, 1e-9) && near(s.step, 1 / 19.0, 1e-9));
	/* S = 190 pairs, variance n(n-1)(2n+5)/18 = 950: (190 - 1) / sqrt(950) */
	assert_true(near(s.z, 189 / sqrt(950), 1e-9));
}

/* Worked by hand: 45 pairs of ten values, ties and a fall among them. */
static void ties_and_falls(void **state)
{
	static const double x[10] = {1, 1, 2, 2, 2, 3, 2, 4, 4, 5};
	struct mw_slope s = slope(x, 10);

	(void)state;
	/* 35 pairs rise, 2 fall (3 before a later 2; none else): S = 35 - 1. */
	int rises = 0, falls = 0;

	for (int i = 0; i < 10; i++)
		for (int j = i + 1; j < 10; j++) {
			rises += x[j] > x[i];
			falls += x[j] < x[i];
		}
	/* Ties: one of 2, one of 4, one of 2: (10*9*25 - 2*1*9 - 4*3*13 - 2*1*9) / 18 */
	assert_true(s.z <= (rises - falls - 1) / sqrt((2250 - 18 - 156 - 18) / 18.0) + 1e-9);
	assert_true(s.z > 2);
	assert_true(s.low <= s.rise && s.rise <= s.high);
}

static int ascending(const void *a, const void *b)
{
	return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* Of any values, many of them equal: rise is the median of all slopes between two of them, as sorting finds it. */
static void the_median_of_all_slopes(void **state)
{
	unsigned seed = 5;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		__u32 n = MW_SLOPE_MIN + (__u32)rand_r(&seed) % (MW_SLOPE_MAX - MW_SLOPE_MIN + 1), pairs = 0;
		double x[MW_SLOPE_MAX], slopes[MW_SLOPE_MAX * MW_SLOPE_MAX];
		struct mw_slope s;

		for (__u32 i = 0; i < n; i++)
			x[i] = rand_r(&seed) % (round % 3 ? 5 : 100000);
		for (__u32 i = 0; i < n; i++)
			for (__u32 j = i + 1; j < n; j++)
				slopes[pairs++] = (x[j] - x[i]) / (j - i);
		qsort(slopes, pairs, sizeof(*slopes), ascending);
		s = slope(x, n);
		assert_true(s.rise ==
			    (pairs % 2 ? slopes[pairs / 2] : (slopes[pairs / 2 - 1] + slopes[pairs / 2]) / 2));
		assert_true(s.low <= s.rise && s.rise <= s.high);
	}
}

static void nothing_rises(void **state)
{
	double flat[30], falls[30];
	struct mw_slope s;

	(void)state;
	for (int i = 0; i < 30; i++) {
		flat[i] = 7;
		falls[i] = 100 - i;
	}
	s = slope(flat, 30);
	assert_true(s.rise == 0 && s.z == 0 && s.tail == 0 && s.step == 0);
	s = slope(falls, 30);
	assert_true(near(s.rise, -1, 1e-9) && s.z < -5 && s.tail == 0);
}

static void one_wild_value_changes_little(void **state)
{
	double x[30];
	struct mw_slope s;

	(void)state;
	for (int i = 0; i < 30; i++)
		x[i] = 2.0 * i;
	x[17] = 1e6;
	s = slope(x, 30);
	assert_true(near(s.rise, 2, 0.1));
	assert_true(s.step > 100); /* and it is seen for what it is */
}

static void a_step_and_an_end_show(void **state)
{
	double step[30], ends[30];

	(void)state;
	for (int i = 0; i < 30; i++) {
		step[i] = i < 15 ? 10 + i * 0.01 : 110 + i * 0.01;
		ends[i] = i < 15 ? 10.0 * i : 150 + 0.1 * i;
	}
	assert_true(slope(step, 30).step > 0.4);
	assert_true(slope(ends, 30).tail < 0.3);
}

/* As if no value depended on the one before; without ties. */
static double plain_z(const double *x, int n)
{
	int s = 0;

	for (int i = 0; i < n; i++)
		for (int j = i + 1; j < n; j++)
			s += (x[j] > x[i]) - (x[j] < x[i]);
	return s / sqrt(n * (n - 1) * (2 * n + 5) / 18.0);
}

/* Of series in which each value keeps most of the one before, Mann-Kendall alone is often sure. */
static void dependent_values_are_not_sure(void **state)
{
	unsigned seed = 1;
	int sure = 0, plain = 0;

	(void)state;
	for (int round = 0; round < 300; round++) {
		double x[60], at = 0;

		for (int i = 0; i < 60; i++)
			x[i] = at = 0.9 * at + (double)rand_r(&seed) / RAND_MAX - 0.5;
		sure += fabs(slope(x, 60).z) > 2.33;
		plain += fabs(plain_z(x, 60)) > 2.33;
	}
	print_message("  sure of a trend where there is none: %d of 300, plain Mann-Kendall of %d\n", sure, plain);
	assert_true(plain > 100 && sure * 10 < plain * 6);
}

static void too_few_and_too_many(void **state)
{
	double x[MW_SLOPE_MAX + 1] = {0};
	struct mw_slope s;

	(void)state;
	assert_int_equal(mw_slope(x, MW_SLOPE_MIN - 1, &s), -ENODATA);
	assert_int_equal(mw_slope(x, MW_SLOPE_MAX + 1, &s), -E2BIG);
	assert_int_equal(mw_slope(x, MW_SLOPE_MAX, &s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_even_rise),
		cmocka_unit_test(ties_and_falls),
		cmocka_unit_test(the_median_of_all_slopes),
		cmocka_unit_test(nothing_rises),
		cmocka_unit_test(one_wild_value_changes_little),
		cmocka_unit_test(a_step_and_an_end_show),
		cmocka_unit_test(dependent_values_are_not_sure),
		cmocka_unit_test(too_few_and_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
