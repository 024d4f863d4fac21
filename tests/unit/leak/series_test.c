/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "leak/series.h"
#include "util/clock.h"

static struct mw_point at(double seconds, __u64 bytes)
{
	return (struct mw_point){(__u64)(seconds * MW_NS_PER_S), bytes};
}

static void a_ring_keeps_the_newest(void **state)
{
	struct mw_series s;

	(void)state;
	assert_int_equal(mw_series_init(&s, 0), -EINVAL);
	assert_int_equal(mw_series_init(&s, 3), 0);
	for (__u64 i = 1; i <= 5; i++)
		assert_true(mw_series_push(&s, at(i, i * 10)));
	assert_int_equal(s.count, 3);
	for (__u32 i = 0; i < 3; i++)
		assert_int_equal(mw_series_at(&s, i).bytes, (i + 3) * 10);
	mw_series_free(&s);
	assert_int_equal(s.count, 0);
	assert_false(mw_series_push(&s, at(9, 9)));
	mw_series_free(&s);
}

static void time_does_not_go_back(void **state)
{
	struct mw_series s;

	(void)state;
	assert_int_equal(mw_series_init(&s, 4), 0);
	assert_true(mw_series_push(&s, at(5, 1)));
	assert_true(mw_series_push(&s, at(5, 2)));
	assert_false(mw_series_push(&s, at(4.999, 3)));
	assert_int_equal(s.count, 2);
	assert_int_equal(mw_series_at(&s, 1).bytes, 2);
	mw_series_free(&s);
}

static void resizing_keeps_the_newest(void **state)
{
	struct mw_series s;

	(void)state;
	assert_int_equal(mw_series_init(&s, 4), 0);
	for (__u64 i = 0; i < 7; i++)
		mw_series_push(&s, at(i, i));
	assert_int_equal(mw_series_resize(&s, 0), -EINVAL);
	assert_int_equal(s.count, 4);
	assert_int_equal(mw_series_resize(&s, 2), 0);
	assert_int_equal(s.count, 2);
	assert_int_equal(mw_series_at(&s, 0).bytes, 5);
	assert_int_equal(mw_series_at(&s, 1).bytes, 6);
	assert_int_equal(mw_series_resize(&s, 5), 0);
	mw_series_push(&s, at(7, 7));
	assert_int_equal(s.count, 3);
	assert_int_equal(mw_series_at(&s, 2).bytes, 7);
	mw_series_free(&s);
}

/* A full ring whose oldest point is not its first. */
static void a_larger_ring_keeps_all(void **state)
{
	struct mw_line line = {0};
	struct mw_series s;

	(void)state;
	assert_int_equal(mw_series_init(&s, 3), 0);
	for (__u64 i = 0; i < 5; i++)
		mw_series_push(&s, at(i, 10 * i));
	assert_int_equal(mw_series_resize(&s, 3), 0);
	assert_int_equal(mw_series_resize(&s, 1000), 0);
	assert_int_equal(s.capacity, 1000);
	assert_int_equal(s.count, 3);
	for (__u32 i = 0; i < 3; i++)
		assert_int_equal(mw_series_at(&s, i).bytes, 10 * (i + 2));
	assert_false(mw_series_push(&s, at(3, 0))); /* times still do not go back */
	assert_true(mw_series_push(&s, at(5, 50)));
	assert_int_equal(mw_series_line(&s, 1000, &line), 0);
	assert_true(line.slope == 10 && line.intercept == 20);
	mw_series_free(&s);
}

static void an_exact_line(void **state)
{
	struct mw_line line = {.slope = -1};
	struct mw_series s;

	(void)state;
	assert_int_equal(mw_series_init(&s, 10), 0);
	mw_series_push(&s, at(0, 1));
	mw_series_push(&s, at(1, 1));
	assert_int_equal(mw_series_line(&s, 10, &line), -ENODATA);
	assert_true(line.slope == -1); /* untouched */
	for (int i = 0; i < 10; i++)
		mw_series_push(&s, at(100 + 5 * i, 1000000 + 500u * (__u64)i));
	assert_int_equal(mw_series_line(&s, 10, &line), 0);
	assert_true(line.slope == 100 && line.intercept == 1000000 && line.r2 == 1);
	/* the last three alone start higher up */
	assert_int_equal(mw_series_line(&s, 3, &line), 0);
	assert_true(line.slope == 100 && line.intercept == 1003500);
	assert_int_equal(mw_series_line(&s, 2, &line), -ENODATA);
	mw_series_free(&s);
}

static void flat_and_timeless(void **state)
{
	struct mw_line line;
	struct mw_series s;

	(void)state;
	assert_int_equal(mw_series_init(&s, 5), 0);
	for (int i = 0; i < 5; i++)
		mw_series_push(&s, at(i, 7));
	assert_int_equal(mw_series_line(&s, 5, &line), 0);
	assert_true(line.slope == 0 && line.r2 == 0 && line.intercept == 7);
	for (__u64 i = 0; i < 5; i++)
		mw_series_push(&s, at(9, i));
	assert_int_equal(mw_series_line(&s, 5, &line), -ENODATA);
	mw_series_free(&s);
}

/* A year of uptime and a terabyte, growing one byte a second: nothing is lost in a double. */
static void slow_growth_of_large_numbers(void **state)
{
	struct mw_line line;
	struct mw_series s;

	(void)state;
	assert_int_equal(mw_series_init(&s, 10), 0);
	for (__u64 i = 0; i < 10; i++)
		mw_series_push(&s, (struct mw_point){(31536000 + i) * MW_NS_PER_S, (1ULL << 40) + i});
	assert_int_equal(mw_series_line(&s, 10, &line), 0);
	assert_true(line.slope > 0.999999 && line.slope < 1.000001 && line.r2 > 0.999999);
	mw_series_free(&s);
}

static bool near(double a, long double b, double scale)
{
	double d = a - (double)b;

	return (d < 0 ? -d : d) <= 1e-7 * scale + 1e-9;
}

/* The textbook formula, in a wider type. */
static void naive(const struct mw_series *s, long double *slope, long double *icpt, long double *r2)
{
	long double n = s->count, x = 0, y = 0, xx = 0, xy = 0, yy = 0, sxy;

	for (__u32 i = 0; i < s->count; i++) {
		struct mw_point p = mw_series_at(s, i);
		long double t = (long double)(p.time_ns - mw_series_at(s, 0).time_ns) / 1e9L, b = p.bytes;

		x += t, y += b, xx += t * t, xy += t * b, yy += b * b;
	}
	sxy = n * xy - x * y;
	*slope = sxy / (n * xx - x * x);
	*icpt = (y - *slope * x) / n;
	*r2 = sxy * sxy / ((n * xx - x * x) * (n * yy - y * y));
}

static void random_series_match_the_textbook(void **state)
{
	unsigned int seed = 20261121;

	(void)state;
	for (int round = 0; round < 1000; round++) {
		__u32 n = 3 + (__u32)rand_r(&seed) % 60;
		__u64 time_ns = (__u64)rand_r(&seed) * 1000;
		long double slope, icpt, r2;
		struct mw_line line;
		struct mw_series s;

		assert_int_equal(mw_series_init(&s, n), 0);
		for (__u32 i = 0; i < n + (__u32)round % 7; i++) {
			time_ns += 1 + (__u64)rand_r(&seed);
			mw_series_push(&s, (struct mw_point){time_ns, (__u64)rand_r(&seed) % 100000000});
		}
		assert_int_equal(mw_series_line(&s, n, &line), 0);
		naive(&s, &slope, &icpt, &r2);
		assert_true(near(line.slope, slope, 1e8));
		assert_true(near(line.intercept, icpt, 1e8));
		assert_true(near(line.r2, r2, 1));
		assert_true(line.r2 >= 0 && line.r2 <= 1);
		mw_series_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ring_keeps_the_newest),
		cmocka_unit_test(time_does_not_go_back),
		cmocka_unit_test(resizing_keeps_the_newest),
		cmocka_unit_test(a_larger_ring_keeps_all),
		cmocka_unit_test(an_exact_line),
		cmocka_unit_test(flat_and_timeless),
		cmocka_unit_test(slow_growth_of_large_numbers),
		cmocka_unit_test(random_series_match_the_textbook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
