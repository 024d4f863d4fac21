/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The arithmetic of samples, against figures computed elsewhere and against its own law. */
#include "unit.h"

#include <stdbool.h>

#include "heap/chance.h"
#include "memweir/heap.h"
#include "util/cleanup.h"

static bool near(double got, double expected, double part)
{
	double off = got - expected, most = part * (expected < 0 ? -expected : expected);

	return off <= most && off >= -most;
}

static void logarithm(void **state)
{
	static const struct {
		double x, ln;
	} known[] = {{0x1p-53, -36.7368005696771013991}, {1e-9, -20.7232658369464111562},
		     {0.1, -2.30258509299404568402},	 {0.5, -0.693147180559945309417},
		     {0.75, -0.287682072451780927439},	 {0.999, -0.00100050033358353350014},
		     {1.9999, 0.693097179308879097},	 {3, 1.09861228866810969140}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		assert_true(near(mw_heap_ln(known[i].x), known[i].ln, 1e-6));
	assert_true(mw_heap_ln(1) == 0);
}

static void chance(void **state)
{
	static const struct {
		double x, p;
	} known[] = {{1e-9, 9.999999995e-10},
		     {0.001, 0.000999500166625008332},
		     {0.1, 0.0951625819640404268},
		     {0.5, 0.393469340287366576},
		     {1, 0.632120558828557678},
		     {5, 0.993262053000914532},
		     {39, 1},
		     {1e6, 1}};

	(void)state;
	assert_true(mw_heap_one_less_exp(0) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		assert_true(near(mw_heap_one_less_exp(known[i].x), known[i].p, 1e-6));
}

static void weight(void **state)
{
	(void)state;
	assert_int_equal(mw_heap_weight(0, 524288), 0);
	assert_in_range(mw_heap_weight(1, 524288), 524288, 524289);
	assert_in_range(mw_heap_weight(524288, 524288), 829410, 829412);
	assert_int_equal(mw_heap_weight(1ULL << 40, 524288), 1ULL << 40);
	assert_in_range(mw_heap_weight(1, MW_HEAP_MEAN_MAX), MW_HEAP_MEAN_MAX - 1, MW_HEAP_MEAN_MAX + 1);
}

/* 400,000 gaps: their mean, and the share of those over one mean (1/e), over three (1/e^3). */
static void gaps(void **state)
{
	const __u64 mean = 524288;
	double sum = 0, over1 = 0, over3 = 0;
	const int n = 400000;
	__u64 seed = 7;

	(void)state;
	for (int i = 0; i < n; i++) {
		__u64 gap = mw_heap_gap(&seed, mean);

		assert_true(gap >= 1 && gap <= 37 * mean);
		sum += (double)gap;
		over1 += gap > mean;
		over3 += gap > 3 * mean;
	}
	assert_true(near(sum / n, (double)mean, 0.01));
	assert_true(near(over1 / n, 0.36787944, 0.01));
	assert_true(near(over3 / n, 0.04978707, 0.04));
}

/* Objects of one size, taken as the sampler takes them: what the samples stand for is what there was. */
static void estimate(void **state)
{
	static const __u64 sizes[] = {16, 700, 65536, 524288, 3000000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		__u64 seed = i + 1, size = sizes[i], left = mw_heap_gap(&seed, 524288);
		double said = 0, was = 0;

		while (was < 524288.0 * 100000) { /* a hundred thousand gaps: 0.3 % deviation */
			was += (double)size;
			if (size < left) {
				left -= size;
				continue;
			}
			said += (double)mw_heap_weight(size, 524288);
			left = mw_heap_gap(&seed, 524288);
		}
		assert_true(near(said, was, 0.015));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logarithm), cmocka_unit_test(chance),	 cmocka_unit_test(weight),
		cmocka_unit_test(gaps),	     cmocka_unit_test(estimate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
