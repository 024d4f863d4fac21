/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "leak/explain.h"

#define N     60
#define EXACT 0.01

/* The same numbers in each run: what explains, and a little that nothing does. */
struct noise {
	unsigned seed;
};

static double next(struct noise *n)
{
	return (double)rand_r(&n->seed) / RAND_MAX - 0.5;
}

static struct mw_explained explain(const double *values, __u32 n)
{
	struct mw_explained e = {0};

	assert_int_equal(mw_explain(values, n, EXACT, &e), 0);
	return e;
}

/* With and without a rise of 0.3 a step on top: found, and not found. */
static void two_of(const double *shape, enum mw_explanation by)
{
	struct noise noise = {7};
	double with[N], without[N];
	struct mw_explained e;

	for (int i = 0; i < N; i++) {
		without[i] = 40 + shape[i] + next(&noise);
		with[i] = without[i] + 0.3 * i;
	}
	e = explain(without, N);
	if (e.z >= 2.33 && e.low * N > 4)
		fail_msg("%.2f a step (%.2f to %.2f, z %.1f) that is not there", e.rise, e.low, e.high, e.z);
	e = explain(with, N);
	if (fabs(e.rise - 0.3) > 0.1 || e.z < 2.33 || e.low * N < 4)
		fail_msg("%.2f a step (%.2f to %.2f, z %.1f) for 0.3", e.rise, e.low, e.high, e.z);
	if (by < MW_EXPLAINED_MAX)
		assert_int_equal(e.by, by);
}

static void what_is_explained_is_no_rise(void **state)
{
	double line[N], step[N], warm[N], full[N], cycle[N], both[N];

	(void)state;
	for (int i = 0; i < N; i++) {
		line[i] = 0;
		step[i] = (i >= 13 ? 9 : 0) - (i >= 40 ? 4 : 0);
		warm[i] = 20 * (1 - exp(-i / 8.0));
		full[i] = 20 * fmin(1, i / 36.0);
		cycle[i] = 10 * sin(i / 4.0 + 1);
		both[i] = warm[i] + step[i];
	}
	two_of(line, MW_EXPLAINED_LINE);
	two_of(step, MW_EXPLAINED_STEP);
	two_of(warm, MW_EXPLAINED_WARM_UP);
	two_of(full, MW_EXPLAINED_FILLING);
	two_of(cycle, MW_EXPLAINED_CYCLE);
	two_of(both, MW_EXPLAINED_MAX);
}

/* Without aim it ends somewhere; that it went up means nothing. */
static void a_walk_is_no_rise(void **state)
{
	int sure = 0;

	(void)state;
	for (unsigned seed = 1; seed <= 40; seed++) {
		struct noise noise = {seed};
		double x[N], at = 0;
		struct mw_explained e;

		for (int i = 0; i < N; i++)
			x[i] = at += 2 * next(&noise);
		e = explain(x, N);
		sure += e.z >= 2.33 && e.low * N > 4;
	}
	print_message("  %d of 40 walks that rise surely\n", sure);
	assert_in_range(sure, 0, 4);
}

static void a_bare_line_is_found_exactly(void **state)
{
	double x[N];
	struct mw_explained e;

	(void)state;
	for (int i = 0; i < N; i++)
		x[i] = 5 + 2.0 * i;
	e = explain(x, N);
	assert_int_equal(e.by, MW_EXPLAINED_LINE);
	assert_true(fabs(e.rise - 2) < 1e-6 && e.low > 1.999 && e.high < 2.001);
	for (int i = 0; i < N; i++)
		x[i] = 5;
	e = explain(x, N);
	assert_true(fabs(e.rise) < 1e-6 && e.z < 2.33);
}

static void any_length_in_range(void **state)
{
	struct mw_explained e;
	double x[MW_SLOPE_MAX + 1];

	(void)state;
	for (int i = 0; i <= MW_SLOPE_MAX; i++)
		x[i] = 3.0 * i + i % 3;
	assert_int_equal(mw_explain(x, MW_SLOPE_MIN - 1, EXACT, &e), -ENODATA);
	assert_int_equal(mw_explain(x, MW_SLOPE_MAX + 1, EXACT, &e), -E2BIG);
	for (__u32 n = MW_SLOPE_MIN; n <= MW_SLOPE_MAX; n++) {
		e = explain(x, n);
		if (!isfinite(e.rise) || !isfinite(e.low) || (n >= 30 && fabs(e.rise - 3) > 0.1))
			fail_msg("%u values: %.2f a step", n, e.rise);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_explained_is_no_rise),
		cmocka_unit_test(a_walk_is_no_rise),
		cmocka_unit_test(a_bare_line_is_found_exactly),
		cmocka_unit_test(any_length_in_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
