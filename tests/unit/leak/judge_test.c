/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <string.h>

#include "core/config.h"
#include "leak/judge.h"
#include "synthetic.h"
#include "util/clock.h"

#define MB    1000000ULL
#define S     MW_NS_PER_S
#define T0    (1000 * S)
#define LIMIT (100 * MB)

static const struct mw_trend no_line = {.time_to_limit_s = -1, .soonest_s = -1, .latest_s = -1};

/* What a second of it uses. */
typedef double (*worker_fn)(double t);

/* Two samples a second from .. to; the verdict then. */
static struct mw_trend watch(struct mw_leak *l, worker_fn used, __u64 from_s, __u64 to_s, __u64 limit)
{
	for (__u64 i = 2 * from_s; i < 2 * to_s; i++) {
		mw_leak_sample(l, T0 + i * S / 2, (__u64)used((double)i / 2), limit);
		mw_leak_think(l);
	}
	return mw_leak_judge(l, &no_line);
}

static struct mw_trend after(worker_fn used, __u64 seconds)
{
	struct mw_leak l = {0};

	return watch(&l, used, 0, seconds, LIMIT);
}

/* The first second at which it is called a leak; 0: never in that time. */
static __u64 named_at(worker_fn used, __u64 seconds)
{
	struct mw_leak l = {0};

	for (__u64 s = 0; s < seconds; s++)
		if (watch(&l, used, s, s + 1, LIMIT).verdict == MW_LEAK)
			return s + 1;
	return 0;
}

static double fast(double t)
{
	return 20e6 + 2e6 * t; /* at its limit after 40 s */
}

static double minutes(double t)
{
	return 20e6 + 2e5 * t; /* after 400 s */
}

static double slow(double t)
{
	return 30e6 + 20e6 / 3600 * t; /* after three and a half hours */
}

static double steady(double t)
{
	return 40e6 + 1e5 * fmod(t, 3);
}

static double warming_up(double t)
{
	return 20e6 + 40e6 * (1 - exp(-t / 15));
}

static double stepping(double t)
{
	return t < 60 ? 20e6 : 60e6;
}

static double saw(double t)
{
	return 30e6 + 1e6 * fmod(t, 20);
}

static double leak_below_a_saw(double t)
{
	return slow(t) + 1e6 * fmod(t, 20);
}

static double cache(double t)
{
	return 20e6 + fmin(5e5 * t, 40e6); /* full after 80 s */
}

/* Two hours of it: a load that comes each forty minutes. */
static double load(double t)
{
	return 40e6 + 15e6 * sin(t / 2400 * 2 * M_PI);
}

static void a_fast_leak_is_named_before_it_dies(void **state)
{
	struct mw_trend t;
	__u64 s;

	(void)state;
	s = named_at(fast, 40);
	assert_in_range(s, 20, 38);
	t = after(fast, s);
	assert_true(fabs(t.rate_bytes_per_s - 2e6) < 1e5);
	assert_true(fabs(t.time_to_limit_s - (40 - (double)s)) < 3);
	assert_true(t.soonest_s <= t.time_to_limit_s && t.time_to_limit_s <= t.latest_s);
	assert_true(t.onset_ns < T0 + 3 * S && t.confidence > 0.5 && t.confidence < 0.8);
	assert_non_null(strstr(t.evidence, "2.0 MB/s"));
	assert_non_null(strstr(t.against, "a cache looks the same"));
	s = named_at(minutes, 400);
	assert_in_range(s, 150, 330);
}

static void a_slow_leak_takes_the_hour_window(void **state)
{
	struct mw_trend t;
	__u64 s = named_at(slow, 7200);

	(void)state;
	assert_in_range(s, 50 * 60, 60 * 60); /* a cache that fills up looks the same before */
	t = after(slow, 40 * 60);
	assert_int_equal(t.verdict, MW_SUSPECT);
	assert_non_null(strstr(t.against, "seen for 39 min only"));
	t = after(slow, 3600);
	assert_int_equal(t.verdict, MW_LEAK);
	assert_true(fabs(t.rate_bytes_per_s * 3600 - 20e6) < 1e6 && t.confidence > 0.85);
	assert_true(fabs(t.time_to_limit_s / 3600 - 2.5) < 0.2);
	assert_string_equal(t.against, "");
	assert_in_range(named_at(leak_below_a_saw, 7200), 30 * 60, 60 * 60);
	assert_int_equal(after(slow, 20 * 60).verdict, MW_STEADY); /* not enough was seen, and there is time */
}

static void innocents_are_not_named(void **state)
{
	(void)state;
	assert_int_equal(named_at(steady, 3700), 0);
	assert_int_equal(named_at(warming_up, 3600), 0);
	assert_int_equal(named_at(stepping, 3600), 0);
	assert_int_equal(named_at(saw, 3700), 0);
	assert_int_equal(named_at(cache, 3600), 0);
}

static void a_load_that_comes_again_is_none(void **state)
{
	struct mw_leak l = {0};

	(void)state;
	watch(&l, load, 0, 2 * 2400, LIMIT); /* what it was the first time is not known yet */
	for (__u64 s = 2 * 2400; s < 6 * 2400; s += 60)
		assert_int_not_equal(watch(&l, load, s, s + 60, LIMIT).verdict, MW_LEAK);
}

static void a_leak_that_ends_is_let_go(void **state)
{
	struct mw_leak l = {0};

	(void)state;
	assert_int_equal(watch(&l, slow, 0, 3600, LIMIT).verdict, MW_LEAK);
	assert_int_equal(watch(&l, steady, 3600, 2 * 3600, LIMIT).verdict, MW_STEADY);
}

static void without_a_limit_it_is_judged_by_its_doubling(void **state)
{
	struct mw_leak l = {0};
	struct mw_trend t = watch(&l, slow, 0, 3600, MW_UNLIMITED);

	(void)state;
	assert_int_equal(t.verdict, MW_LEAK);
	assert_true(t.time_to_limit_s < 0 && t.soonest_s < 0 && t.latest_s < 0);
}

/* The quick rule's word is passed on, but not where growth is seen to end. */
static void the_line_is_asked_too(void **state)
{
	struct mw_trend line = {.verdict = MW_GROWING, .rate_bytes_per_s = 1e6, .r2 = 0.9, .time_to_limit_s = 30};
	struct mw_leak l = {0};
	struct mw_trend t;

	(void)state;
	t = mw_leak_judge(&l, &line);
	assert_int_equal(t.verdict, MW_GROWING);
	assert_true(t.r2 == 0.9 && t.time_to_limit_s == 30);
	watch(&l, warming_up, 0, 45, LIMIT);
	t = mw_leak_judge(&l, &line);
	assert_int_equal(t.verdict, MW_STEADY);
	assert_true(t.time_to_limit_s < 0);
	assert_non_null(strstr(t.against, "slows down"));
}

static void why_not_is_said(void **state)
{
	struct mw_leak l = {0};

	(void)state;
	assert_string_equal(watch(&l, steady, 0, 8, LIMIT).against, "seen for 7 s, less than 10 s");
	assert_int_equal(strncmp(after(stepping, 90).against, "one step makes ", 15), 0);
}

static enum mw_trend_verdict of_series(const double *values, bool *ret_ever)
{
	struct mw_leak l = {0};
	struct mw_trend t = {0};

	for (int i = 0; i < SYNTHETIC_SAMPLES; i++) {
		mw_leak_sample(&l, T0 + (__u64)i * SYNTHETIC_STEP_S * S, (__u64)values[i], (__u64)SYNTHETIC_LIMIT);
		mw_leak_think(&l);
		t = mw_leak_judge(&l, &no_line);
		*ret_ever |= t.verdict == MW_LEAK;
	}
	return t.verdict;
}

/* A sample of what the benchmark counts more of: the verdict at the end of an hour. */
static void synthetic_hours(void **state)
{
	int wrong = 0, found = 0, rounds = 8;
	double values[SYNTHETIC_SAMPLES];
	bool ever = false;

	(void)state;
	for (int kind = 0; kind < SYNTHETIC_STRANGE; kind++) {
		for (unsigned seed = 1; seed <= (unsigned)rounds; seed++) {
			synthetic_series(kind, seed, values);
			wrong += of_series(values, &ever) == MW_LEAK;
			synthetic_leak(values, 0.2 * SYNTHETIC_LIMIT);
			found += of_series(values, &ever) == MW_LEAK;
		}
	}
	print_message("  called leak at the end: %d of %d without one, %d of %d with 20 %% of the limit an hour\n",
		      wrong, rounds * SYNTHETIC_STRANGE, found, rounds * SYNTHETIC_STRANGE);
	assert_true(wrong <= rounds * SYNTHETIC_STRANGE / 32);
	assert_true(found >= rounds * SYNTHETIC_STRANGE * 85 / 100);
}

static void the_same_samples_the_same_verdicts(void **state)
{
	double values[SYNTHETIC_SAMPLES];
	struct mw_leak a = {0}, b = {0};

	(void)state;
	synthetic_series(LOAD_CYCLE, 7, values);
	synthetic_leak(values, 0.4 * SYNTHETIC_LIMIT);
	for (int i = 0; i < SYNTHETIC_SAMPLES; i++) {
		__u64 at = T0 + (__u64)i * SYNTHETIC_STEP_S * S;
		struct mw_trend x, y;

		mw_leak_sample(&a, at, (__u64)values[i], LIMIT);
		mw_leak_think(&a);
		mw_leak_sample(&b, at, (__u64)values[i], LIMIT);
		mw_leak_think(&b);
		x = mw_leak_judge(&a, &no_line);
		y = mw_leak_judge(&b, &no_line);
		assert_int_equal(x.verdict, y.verdict);
		assert_true(x.rate_bytes_per_s == y.rate_bytes_per_s && x.confidence == y.confidence);
		assert_string_equal(x.evidence, y.evidence);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fast_leak_is_named_before_it_dies),
		cmocka_unit_test(a_slow_leak_takes_the_hour_window),
		cmocka_unit_test(innocents_are_not_named),
		cmocka_unit_test(a_load_that_comes_again_is_none),
		cmocka_unit_test(a_leak_that_ends_is_let_go),
		cmocka_unit_test(without_a_limit_it_is_judged_by_its_doubling),
		cmocka_unit_test(the_line_is_asked_too),
		cmocka_unit_test(why_not_is_said),
		cmocka_unit_test(synthetic_hours),
		cmocka_unit_test(the_same_samples_the_same_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
