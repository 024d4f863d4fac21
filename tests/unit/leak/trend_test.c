/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "core/config.h"
#include "leak/trend.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define KB 1000ULL
#define MB 1000000ULL

/* n checks, five seconds apart. */
static struct mw_series series(const __u64 *bytes, __u32 n, __u32 capacity)
{
	struct mw_series s;

	assert_int_equal(mw_series_init(&s, capacity), 0);
	for (__u32 i = 0; i < n; i++)
		mw_series_push(&s, (struct mw_point){(1000 + 5 * (__u64)i) * MW_NS_PER_S, bytes[i]});
	return s;
}

static struct mw_trend trend(const __u64 *bytes, __u32 n, __u64 limit)
{
	_cleanup_(mw_series_free) struct mw_series s = series(bytes, n, n < 3 ? 3 : n);

	return mw_trend_line(&s, limit);
}

static void a_leak_grows(void **state)
{
	__u64 bytes[10];
	struct mw_trend t;

	(void)state;
	for (__u64 i = 0; i < 10; i++)
		bytes[i] = 10 * MB + i * 6 * MB / 10;
	t = trend(bytes, 10, 50 * MB);
	assert_int_equal(t.verdict, MW_GROWING);
	assert_true(t.rate_bytes_per_s > 119999.99 && t.rate_bytes_per_s < 120000.01);
	assert_true(t.r2 > 0.999999);
	assert_true(t.confidence > 0.7999 && t.confidence < 0.8001);
	assert_int_equal(t.onset_ns, 1000 * MW_NS_PER_S);
	assert_true(t.time_to_limit_s > 288.3 && t.time_to_limit_s < 288.4); /* 34.6 MB at 0.12 MB/s */
	assert_string_equal(t.evidence,
			    "rises 120.0 KB/s for 45 s over 10 checks, r2 1.00; meets 50.0 MB in 4 min 48 s");
	t = trend(bytes, 10, MW_UNLIMITED);
	assert_int_equal(t.verdict, MW_GROWING);
	assert_true(t.time_to_limit_s < 0);
	assert_string_equal(t.evidence, "rises 120.0 KB/s for 45 s over 10 checks, r2 1.00");
	/* Over the limit already. */
	t = trend(bytes, 10, 12 * MB);
	assert_true(t.time_to_limit_s == 0);
}

static void near_misses_explain_themselves(void **state)
{
	static const __u64 flat[] = {MB, MB, MB, MB, MB, MB};
	static const __u64 falling[] = {9 * MB, 8 * MB, 7 * MB, 6 * MB, 5 * MB};
	static const __u64 uneven[] = {10 * MB, 14 * MB, 9 * MB, 16 * MB, 10 * MB, 15 * MB};
	static const __u64 slow[] = {10 * MB, 10010 * KB, 10020 * KB, 10030 * KB, 10040 * KB};
	struct mw_trend t = trend(flat, 2, 50 * MB);

	(void)state;
	assert_string_equal(t.evidence, "2 of 3 checks seen");
	t = trend(flat, 6, 50 * MB);
	assert_string_equal(t.evidence, "flat for 25 s");
	t = trend(falling, 5, 50 * MB);
	assert_string_equal(t.evidence, "falls 200.0 KB/s over 20 s");
	assert_true(t.rate_bytes_per_s < 0 && t.time_to_limit_s < 0 && t.confidence == 0 && !t.onset_ns);
	t = trend(uneven, 6, 50 * MB);
	assert_int_equal(t.verdict, MW_STEADY);
	assert_string_equal(t.evidence, "rises 114.3 KB/s but r2 0.13 < 0.80");
	t = trend(slow, 5, 50 * MB);
	assert_int_equal(t.verdict, MW_STEADY);
	assert_string_equal(t.evidence, "rises 2.0 KB/s but only 40.0 KB in 20 s, less than 500.0 KB");
}

static void thresholds_of_a_trend(void **state)
{
	__u64 bytes[5];
	struct mw_series s;

	(void)state;
	/* 1 % of 50 MB over the window, and one byte less than that a step. */
	for (__u64 i = 0; i < 5; i++)
		bytes[i] = MB + i * 125000;
	assert_int_equal(trend(bytes, 5, 50 * MB).verdict, MW_GROWING);
	for (__u64 i = 0; i < 5; i++)
		bytes[i] = MB + i * 124999;
	assert_int_equal(trend(bytes, 5, 50 * MB).verdict, MW_STEADY);
	/* 1 MiB without a limit. */
	for (__u64 i = 0; i < 5; i++)
		bytes[i] = MB + (i << 18);
	assert_int_equal(trend(bytes, 5, MW_UNLIMITED).verdict, MW_GROWING);
	bytes[4] -= 5;
	bytes[0] += 5;
	assert_int_equal(trend(bytes, 5, 0).verdict, MW_STEADY);
	/* Four of ten are too few, four of four are not. */
	for (__u64 i = 0; i < 5; i++)
		bytes[i] = MB * (1 + i);
	s = series(bytes, 4, 10);
	assert_int_equal(mw_trend_line(&s, 50 * MB).verdict, MW_STEADY);
	assert_string_equal(mw_trend_line(&s, 50 * MB).evidence, "4 of 5 checks seen");
	mw_series_free(&s);
	assert_int_equal(trend(bytes, 4, 50 * MB).verdict, MW_GROWING);
	assert_int_equal(trend(bytes, 3, 50 * MB).verdict, MW_GROWING);
}

/* One step is no growth, wherever it is in a window of any length. */
/* A history that is not full: a warm-up far from the limit is not said yet, what meets it soon is. */
static void early_only_when_urgent(void **state)
{
	struct mw_point points[10];
	struct mw_series s = {.points = points, .capacity = 10};

	(void)state;
	for (__u32 i = 0; i < 6; i++)
		mw_series_push(&s, (struct mw_point){(i + 1) * 5 * MW_NS_PER_S, i * MB});
	/* 0.2 MB/s: 200 MB are 975 s away, four windows are 180 s; 40 MB are 175 s away */
	assert_int_equal(mw_trend_line(&s, 200 * MB).verdict, MW_STEADY);
	assert_non_null(strstr(mw_trend_line(&s, 200 * MB).evidence, "6 of 10 checks only"));
	assert_int_equal(mw_trend_line(&s, 40 * MB).verdict, MW_GROWING);
	for (__u32 i = 6; i < 10; i++)
		mw_series_push(&s, (struct mw_point){(i + 1) * 5 * MW_NS_PER_S, i * MB});
	assert_int_equal(mw_trend_line(&s, 200 * MB).verdict, MW_GROWING);
}

static void a_step_is_steady(void **state)
{
	__u64 bytes[30];

	(void)state;
	for (__u32 n = 3; n <= 30; n++) {
		for (__u32 step = 0; step < n; step++) {
			for (__u32 i = 0; i < n; i++)
				bytes[i] = i < step ? 10 * MB : 30 * MB;
			assert_int_equal(trend(bytes, n, 50 * MB).verdict, MW_STEADY);
		}
	}
}

/* Ten checks of a worker; t counts them, noise is -1..1. */
static __u64 flat(double t, double noise)
{
	(void)t;
	return (__u64)(20e6 + 3e5 * noise);
}

static __u64 sawtooth(double t, double noise)
{
	int phase = (int)t % 4; /* collected every 20 s */

	return (__u64)(20e6 + phase * 3e6 + 1e5 * noise);
}

static __u64 warmed_up(double t, double noise)
{
	return (__u64)(20e6 + (t < 3 ? t * 5e6 : 15e6) + 3e5 * noise);
}

static __u64 shrinking(double t, double noise)
{
	return (__u64)(30e6 - t * 5e5 + 3e5 * noise);
}

static __u64 leak(double t, double noise)
{
	return (__u64)(20e6 + t * 1e6 + 3e5 * noise);
}

static __u64 leak_under_sawtooth(double t, double noise)
{
	return (__u64)(15e6 + t * 2e6 + (int)t % 3 * 1e6 + 3e5 * noise);
}

static int times_growing(__u64 (*worker)(double t, double noise))
{
	unsigned int seed = 1;
	int growing = 0;

	for (int round = 0; round < 200; round++) {
		__u64 bytes[10];

		for (int i = 0; i < 10; i++)
			bytes[i] = worker(i, (double)rand_r(&seed) / RAND_MAX * 2 - 1);
		growing += trend(bytes, 10, 50 * MB).verdict == MW_GROWING;
	}
	return growing;
}

static void guilty_beside_innocent(void **state)
{
	(void)state;
	assert_int_equal(times_growing(flat), 0);
	assert_int_equal(times_growing(sawtooth), 0);
	assert_int_equal(times_growing(warmed_up), 0);
	assert_int_equal(times_growing(shrinking), 0);
	assert_int_equal(times_growing(leak), 200);
	assert_int_equal(times_growing(leak_under_sawtooth), 200);
}

static void replay_gives_the_same_verdicts(void **state)
{
	unsigned int seed = 3;
	__u64 bytes[40];

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct mw_trend a, b;

		for (int i = 0; i < 40; i++)
			bytes[i] = (__u64)rand_r(&seed) + (__u64)i * (__u64)round * MB;
		a = trend(bytes, 40, 50 * MB);
		b = trend(bytes, 40, 50 * MB);
		assert_int_equal(a.verdict, b.verdict);
		assert_true(a.rate_bytes_per_s == b.rate_bytes_per_s && a.r2 == b.r2);
		assert_true(a.time_to_limit_s == b.time_to_limit_s && a.confidence == b.confidence);
		assert_string_equal(a.evidence, b.evidence);
	}
}

static void names_are_the_interface(void **state)
{
	(void)state;
	assert_string_equal(mw_trend_name(MW_STEADY), "steady");
	assert_string_equal(mw_trend_name(MW_GROWING), "growing");
	assert_string_equal(mw_trend_name(MW_SUSPECT), "suspect");
	assert_string_equal(mw_trend_name(MW_LEAK), "leak");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leak_grows),
		cmocka_unit_test(near_misses_explain_themselves),
		cmocka_unit_test(thresholds_of_a_trend),
		cmocka_unit_test(early_only_when_urgent),
		cmocka_unit_test(a_step_is_steady),
		cmocka_unit_test(guilty_beside_innocent),
		cmocka_unit_test(replay_gives_the_same_verdicts),
		cmocka_unit_test(names_are_the_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
