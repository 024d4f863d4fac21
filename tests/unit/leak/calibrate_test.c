/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "leak/calibrate.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define MB 1000000ULL
#define S  MW_NS_PER_S
#define T0 (100 * S)

static struct mw_usage look(__u64 time_ns, __u64 anon)
{
	struct mw_usage u = {.time_ns = time_ns, .anon = anon, .current = anon};

	mw_record_derive(&u);
	return u;
}

/* 1000 s of 20 MB; each 10 s one of 40 MB; after 500 s, 5 s of 100 MB. */
static __u64 busy(unsigned s)
{
	if (s >= 500 && s < 505)
		return 100 * MB;
	return s % 10 == 9 ? 40 * MB : 20 * MB;
}

static void measure(struct mw_calibration *c, __u64 (*used)(unsigned), unsigned seconds)
{
	struct mw_calibrated w = {0};

	for (unsigned s = 0; s <= seconds; s++) {
		struct mw_usage u = look(T0 + s * S, used(s));

		assert_int_equal(mw_calibrate_sample(c, &w, &u), 0);
	}
	assert_int_equal(mw_calibrate_end(c, &w), 0);
}

static void working_set_p99_and_peak(void **state)
{
	_cleanup_(mw_calibration_free) struct mw_calibration c = {0};
	struct mw_budget b;

	(void)state;
	measure(&c, busy, 1000);
	assert_int_equal(c.n_workers, 1);
	assert_int_equal(c.lived_ns, 1000 * S);
	b = mw_budget_propose(&c, MW_BUDGET_WORKING_SET, 25);
	assert_int_equal(b.bytes, 20 * MB);
	assert_int_equal(b.max_heap, 26 * MB);
	assert_true(b.hibernate_threshold == MW_CALIBRATE_MOST);
	b = mw_budget_propose(&c, MW_BUDGET_P99, 25);
	assert_int_equal(b.bytes, 40 * MB);
	assert_int_equal(b.max_heap, 51 * MB);
	assert_true(b.hibernate_threshold == 0.83); /* 42 of 51, upwards */
	b = mw_budget_propose(&c, MW_BUDGET_PEAK, 50);
	assert_int_equal(b.bytes, 100 * MB);
	assert_int_equal(b.max_heap, 151 * MB);
	assert_true(b.hibernate_threshold == MW_CALIBRATE_LEAST);
}

static __u64 four(unsigned s)
{
	(void)s;
	return 4 * MB;
}

static void workers_are_weighed_by_their_time(void **state)
{
	_cleanup_(mw_calibration_free) struct mw_calibration c = {0};

	(void)state;
	measure(&c, busy, 1000);
	measure(&c, four, 3000);
	assert_int_equal(c.n_workers, 2);
	assert_int_equal(mw_weights_quantile(&c.floors, 0.5), 4 * MB);
	assert_int_equal(mw_weights_quantile(&c.floors, 0.9), 20 * MB);
	assert_int_equal(mw_weights_quantile(&c.used, 1), 100 * MB);
}

static void little_is_enough_to_say_something(void **state)
{
	_cleanup_(mw_calibration_free) struct mw_calibration one = {0};
	struct mw_calibration none = {0};

	(void)state;
	assert_int_equal(mw_budget_propose(&none, MW_BUDGET_PEAK, 25).max_heap, 2 * MW_CALIBRATE_ROUND);
	measure(&one, busy, 0);
	for (enum mw_budget_from from = 0; from < MW_BUDGET_FROM_MAX; from++) {
		struct mw_budget b = mw_budget_propose(&one, from, 25);

		assert_int_equal(b.bytes, 20 * MB);
		assert_int_equal(b.max_heap, 26 * MB);
	}
}

/* The budget of what it mostly needs would have killed it at its burst; that of its peak not. */
static void a_budget_is_tried(void **state)
{
	_cleanup_(mw_calibration_free) struct mw_calibration c = {0};
	const struct mw_replay_rules bare = {.own_rhythm = true,
					     .monitor = {.check_interval_ns = 5 * S,
							 .sample_interval_ns = S,
							 .alert_threshold = 0.85,
							 .max_history = 10}};

	(void)state;
	measure(&c, busy, 1000);
	for (enum mw_budget_from from = 0; from < MW_BUDGET_FROM_MAX; from++) {
		struct mw_budget b = mw_budget_propose(&c, from, 25);
		struct mw_replay_rules rules = bare;
		struct mw_replay r;

		mw_budget_rules(&b, &rules);
		assert_int_equal(mw_replay_begin(&r, &rules, NULL, NULL), 0);
		for (unsigned s = 0; s <= 1000; s++) {
			struct mw_usage u = look(T0 + s * S, busy(s));

			mw_replay_sample(&r, &u);
		}
		mw_budget_cost(&b, &r.result);
		mw_replay_free(&r);
		assert_int_equal(b.workers, 1);
		assert_int_equal(b.killed, from != MW_BUDGET_PEAK);
		if (from == MW_BUDGET_WORKING_SET)
			assert_int_equal(b.lived_ns, 9 * S);
		else if (from == MW_BUDGET_P99)
			assert_int_equal(b.lived_ns, 500 * S);
		else
			assert_int_equal(b.lived_ns, 1000 * S);
		assert_true(b.reserved_byte_s == (double)b.max_heap * (double)(b.lived_ns / S));
		assert_true(b.lost_byte_s > 0 || from == MW_BUDGET_PEAK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(working_set_p99_and_peak),
		cmocka_unit_test(workers_are_weighed_by_their_time),
		cmocka_unit_test(little_is_enough_to_say_something),
		cmocka_unit_test(a_budget_is_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
