/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "core/idle.h"
#include "util/clock.h"

#define S     MW_NS_PER_S
#define MIB   (1ULL << 20)
#define AFTER (600 * S)

/* Looks every minute from begin on, until it is idle; cpu per minute in us. Minutes it took, -1: not within an hour. */
static int until_idle(struct mw_idle *idle, __u64 bytes, __u64 growth, __u64 cpu)
{
	for (int minute = 0; minute <= 60; minute++) {
		__u64 now = 1000 * S + (__u64)minute * 60 * S, used = bytes + growth * (__u64)minute;

		if (mw_idle_candidate(idle, used, AFTER) && mw_idle_due(idle, AFTER, now) &&
		    mw_idle_look(idle, 5000000 + cpu * (__u64)minute, used, AFTER, now))
			return minute;
	}
	return -1;
}

static void who_is(void **state)
{
	static const struct {
		__u64 bytes, growth, cpu;
		int minutes;
	} rows[] = {
		{62 * MIB, 0, 0, 10},	      {62 * MIB, 0, 299000, 10}, /* 0.498 % */
		{62 * MIB, 0, 301000, -1},    {62 * MIB, 100 << 10, 0, 10}, /* 1 MiB in ten minutes is none */
		{62 * MIB, 200 << 10, 0, -1}, {8 * MIB, 0, 0, 10},
		{8 * MIB - 1, 0, 0, -1}, /* too small to speak of */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mw_idle idle = {0};

		assert_int_equal(until_idle(&idle, rows[i].bytes, rows[i].growth, rows[i].cpu), rows[i].minutes);
	}
}

static void work_ends_it(void **state)
{
	struct mw_idle idle = {0};

	(void)state;
	assert_int_equal(until_idle(&idle, 62 * MIB, 0, 0), 10);
	idle.told = true;
	assert_true(mw_idle_look(&idle, 5000000 + 2900000, 62 * MIB, AFTER, 1660 * S)); /* a wake-up */
	assert_true(idle.told);
	assert_false(mw_idle_look(&idle, 5000000 + 9000000, 62 * MIB, AFTER, 1720 * S));
	assert_false(idle.told);
	assert_int_equal(idle.since_ns, 1720 * S);
	assert_false(mw_idle_look(&idle, 5000000 + 9000000, 62 * MIB, AFTER, 2319 * S));
	assert_true(mw_idle_look(&idle, 5000000 + 9000000, 62 * MIB, AFTER, 2320 * S));
}

static void growth_and_less_end_it(void **state)
{
	struct mw_idle idle = {0};

	(void)state;
	until_idle(&idle, 62 * MIB, 0, 0);
	assert_true(mw_idle_candidate(&idle, 63 * MIB, AFTER));
	assert_int_not_equal(idle.since_ns, 0);
	assert_true(mw_idle_candidate(&idle, 70 * MIB, AFTER));
	assert_int_equal(idle.since_ns, 0);
	until_idle(&idle, 62 * MIB, 0, 0);
	assert_false(mw_idle_candidate(&idle, 3 * MIB, AFTER)); /* hibernated */
	assert_int_equal(idle.since_ns, 0);
}

static void seldom_asked(void **state)
{
	struct mw_idle idle = {0};

	(void)state;
	assert_true(mw_idle_due(&idle, AFTER, 1000 * S));
	mw_idle_look(&idle, 1, 62 * MIB, AFTER, 1000 * S);
	assert_false(mw_idle_due(&idle, AFTER, 1059 * S));
	assert_true(mw_idle_due(&idle, AFTER, 1060 * S));
	assert_false(mw_idle_candidate(&idle, 62 * MIB, 0)); /* switched off */
}

/* The second window's budget is its own. */
static void windows(void **state)
{
	struct mw_idle idle = {0};
	__u64 cpu = 0;

	(void)state;
	for (__u64 now = 1000 * S; now <= 8000 * S; now += 60 * S, cpu += 250000)
		assert_int_equal(mw_idle_look(&idle, cpu, 62 * MIB, AFTER, now), now >= 1600 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is),
		cmocka_unit_test(work_ends_it),
		cmocka_unit_test(growth_and_less_end_it),
		cmocka_unit_test(seldom_asked),
		cmocka_unit_test(windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
