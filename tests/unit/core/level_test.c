/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "core/level.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define MB 1000000ULL

static const struct mw_profile tool = {.max_heap = 50 * MB, .max_bin_heap = 25 * MB, .hibernate_threshold = 0.85};
static const struct mw_squeeze_state calm, lifted = {.lifted = true};
static const struct mw_trend steady = {.time_to_limit_s = -1};

static enum mw_level level(__u64 heap, __u64 bin, enum mw_level previous)
{
	struct mw_usage u = {.time_ns = 1, .heap = heap, .bin = bin};

	return mw_verdict_level(&u, &tool, &calm, &steady, previous);
}

static void boundaries(void **state)
{
	static const struct {
		__u64 heap, bin;
		enum mw_level level;
	} rows[] = {
		{0, 0, MW_LEVEL_OK},
		{38249999, 0, MW_LEVEL_OK},
		{38250000, 0, MW_LEVEL_WARNING}, /* 0.9 x 0.85 */
		{42499999, 0, MW_LEVEL_WARNING},
		{30000000, 12500000, MW_LEVEL_HIBERNATE}, /* heap + bin */
		{47499999, 0, MW_LEVEL_HIBERNATE},
		{47500000, 0, MW_LEVEL_CRITICAL},
		{90000000, 0, MW_LEVEL_CRITICAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(level(rows[i].heap, rows[i].bin, MW_LEVEL_OK), rows[i].level);
}

/* A level that is there ends 5 % below where it begins, and only that level. */
static void hysteresis(void **state)
{
	(void)state;
	assert_int_equal(level(36337500, 0, MW_LEVEL_WARNING), MW_LEVEL_WARNING);
	assert_int_equal(level(36337499, 0, MW_LEVEL_WARNING), MW_LEVEL_OK);
	assert_int_equal(level(36337500, 0, MW_LEVEL_OK), MW_LEVEL_OK);
	assert_int_equal(level(40375000, 0, MW_LEVEL_HIBERNATE), MW_LEVEL_HIBERNATE);
	assert_int_equal(level(40374999, 0, MW_LEVEL_HIBERNATE), MW_LEVEL_WARNING);
	assert_int_equal(level(40375000, 0, MW_LEVEL_WARNING), MW_LEVEL_WARNING);
	assert_int_equal(level(45125000, 0, MW_LEVEL_CRITICAL), MW_LEVEL_CRITICAL);
	assert_int_equal(level(45124999, 0, MW_LEVEL_CRITICAL), MW_LEVEL_HIBERNATE);
	assert_int_equal(level(1000, 0, MW_LEVEL_CRITICAL), MW_LEVEL_OK); /* all of it freed at once */
}

static void lift_and_trend(void **state)
{
	struct mw_usage u = {.time_ns = 1, .heap = 10 * MB};
	struct mw_trend t = {.verdict = MW_GROWING, .time_to_limit_s = 10};

	(void)state;
	assert_int_equal(mw_verdict_level(&u, &tool, &lifted, &steady, MW_LEVEL_OK), MW_LEVEL_HIBERNATE);
	assert_int_equal(mw_verdict_level(&u, &tool, &lifted, &steady, MW_LEVEL_CRITICAL), MW_LEVEL_HIBERNATE);
	assert_int_equal(mw_verdict_level(&u, &tool, &calm, &t, MW_LEVEL_OK), MW_LEVEL_CRITICAL);
	t.time_to_limit_s = 10.1;
	assert_int_equal(mw_verdict_level(&u, &tool, &calm, &t, MW_LEVEL_OK), MW_LEVEL_OK);
	assert_int_equal(mw_verdict_level(&u, &tool, &calm, &t, MW_LEVEL_CRITICAL), MW_LEVEL_CRITICAL);
	t.time_to_limit_s = 15.1;
	assert_int_equal(mw_verdict_level(&u, &tool, &calm, &t, MW_LEVEL_CRITICAL), MW_LEVEL_OK);
	t = (struct mw_trend){.verdict = MW_STEADY, .time_to_limit_s = 1};
	assert_int_equal(mw_verdict_level(&u, &tool, &calm, &t, MW_LEVEL_OK), MW_LEVEL_OK);
}

static void unlimited(void **state)
{
	struct mw_profile p = {.max_heap = MW_UNLIMITED, .hibernate_threshold = 0.8};
	struct mw_usage u = {.heap = 1ULL << 60};

	(void)state;
	assert_int_equal(mw_verdict_level(&u, &p, &calm, &steady, MW_LEVEL_OK), MW_LEVEL_OK);
	p.max_heap = 0;
	assert_int_equal(mw_verdict_level(&u, &p, &calm, &steady, MW_LEVEL_OK), MW_LEVEL_OK);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(mw_level_name(MW_LEVEL_OK), "ok");
	assert_string_equal(mw_level_name(MW_LEVEL_HIBERNATE), "hibernate-now");
	assert_string_equal(mw_level_name(MW_LEVEL_MAX), "unknown");
}

static void when_to_tell(void **state)
{
	const __u64 now = 100 * MW_NS_PER_S;

	(void)state;
	assert_true(mw_level_due(MW_LEVEL_WARNING, MW_LEVEL_OK, now - 1, 9, now)); /* a rise never waits */
	assert_true(mw_level_due(MW_LEVEL_CRITICAL, MW_LEVEL_WARNING, now, 1, now));
	assert_false(mw_level_due(MW_LEVEL_OK, MW_LEVEL_CRITICAL, 0, 0, now));
	assert_false(mw_level_due(MW_LEVEL_WARNING, MW_LEVEL_CRITICAL, 0, 0, now)); /* it frees already */
	assert_false(mw_level_due(MW_LEVEL_WARNING, MW_LEVEL_WARNING, now - MW_TELL_AGAIN_NS + 1, 1, now));
	assert_true(mw_level_due(MW_LEVEL_WARNING, MW_LEVEL_WARNING, now - MW_TELL_AGAIN_NS, 1, now));
	assert_false(mw_level_due(MW_LEVEL_WARNING, MW_LEVEL_WARNING, now - 2 * MW_TELL_AGAIN_NS + 1, 2, now));
	assert_true(mw_level_due(MW_LEVEL_WARNING, MW_LEVEL_WARNING, now - 2 * MW_TELL_AGAIN_NS, 2, now));
	assert_false(mw_level_due(MW_LEVEL_WARNING, MW_LEVEL_WARNING, 1, 7, 64 * MW_TELL_AGAIN_NS));
	assert_true(mw_level_due(MW_LEVEL_WARNING, MW_LEVEL_WARNING, 1, 7, 64 * MW_TELL_AGAIN_NS + 1));
	assert_true(mw_level_due(MW_LEVEL_WARNING, MW_LEVEL_WARNING, 1, 1000000, 64 * MW_TELL_AGAIN_NS + 1));
	assert_true(mw_level_due(MW_LEVEL_WARNING, MW_LEVEL_WARNING, 0, 0, now)); /* a new daemon has told nobody */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boundaries), cmocka_unit_test(hysteresis), cmocka_unit_test(lift_and_trend),
		cmocka_unit_test(unlimited),  cmocka_unit_test(names),	    cmocka_unit_test(when_to_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
