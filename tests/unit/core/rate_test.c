/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "core/rate.h"
#include "util/clock.h"

#define S  MW_NS_PER_S
#define MS MW_NS_PER_MS

static struct mw_reading reading(__u64 time_ns, __u64 stalled_ns, __u64 at_high, __u64 at_max)
{
	return (struct mw_reading){.time_ns = time_ns, .stalled_ns = stalled_ns, .passes = {at_high, at_max}};
}

static void push(struct mw_rate *r, __u64 time_ns, __u64 stalled_ns, __u64 at_high, __u64 at_max)
{
	struct mw_reading at = reading(time_ns, stalled_ns, at_high, at_max);

	mw_rate_push(r, &at);
}

#define assert_near(a, b) assert_true((a) - (b) < 1e-9 && (b) - (a) < 1e-9)

static void nothing_yet(void **state)
{
	struct mw_rate r = {0};
	struct mw_rates rates = mw_rate_now(&r);

	(void)state;
	assert_int_equal(rates.span_ns, 0);
	push(&r, 5 * S, 100 * S, 1000, 1000); /* what an earlier daemon had counted is not this minute's */
	rates = mw_rate_now(&r);
	assert_int_equal(rates.span_ns, 0);
	assert_near(rates.reclaims_per_min, 0);
	assert_near(rates.stalled_share, 0);
	assert_int_equal(mw_rate_cause(&rates), MW_PASSES);
}

static void young_is_not_extrapolated(void **state)
{
	struct mw_rate r = {0};
	struct mw_rates rates;

	(void)state;
	push(&r, 100 * S, 0, 0, 0);
	push(&r, 105 * S, 500 * MS, 10, 4);
	rates = mw_rate_now(&r);
	assert_near(rates.reclaims_per_min, 14);
	assert_near(rates.stalled_share, 0.1);
	assert_int_equal(mw_rate_cause(&rates), MW_PASS_AT_HIGH);
}

static void the_last_minute(void **state)
{
	struct mw_rate r = {0};
	struct mw_rates rates;

	(void)state;
	for (__u64 i = 0; i <= 200; i++) /* a pass and 50 ms a second */
		push(&r, (1000 + i) * S, i * 50 * MS, i, 0);
	rates = mw_rate_now(&r);
	assert_in_range(rates.span_ns, 60 * S, 64 * S);
	assert_true(rates.reclaims_per_min > 59.99 && rates.reclaims_per_min < 60.01);
	assert_near(rates.stalled_share, 0.05);
	for (__u64 i = 201; i <= 270; i++) /* then quiet: it is forgotten within a window */
		push(&r, (1000 + i) * S, 200 * 50 * MS, 200, 0);
	rates = mw_rate_now(&r);
	assert_near(rates.reclaims_per_min, 0);
	assert_near(rates.stalled_share, 0);
}

/* Whatever the check interval, the window is a minute, or one interval where that is longer. */
static void any_interval(void **state)
{
	static const __u64 intervals[] = {100 * MS, 500 * MS, 3900 * MS, 5 * S, 7 * S, 59 * S, 61 * S, 3600 * S};

	(void)state;
	for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
		struct mw_rate r = {0};
		struct mw_rates rates;
		__u64 t = 10 * S, least = intervals[i] > 60 * S ? intervals[i] : 60 * S;

		for (; t < 10 * S + 10 * least; t += intervals[i])
			push(&r, t, t / 10, t / (100 * MS), 0); /* ten passes a second */
		rates = mw_rate_now(&r);
		assert_in_range(rates.span_ns, least, least + 2 * intervals[i] + MW_RATE_SPACING_NS);
		assert_true(rates.reclaims_per_min > 590 && rates.reclaims_per_min < 610);
		assert_near(rates.stalled_share, 0.1);
	}
}

static void time_and_counters_that_go_back(void **state)
{
	struct mw_rate r = {0};
	struct mw_rates rates;

	(void)state;
	push(&r, 10 * S, 9 * S, 50, 0);
	push(&r, 9 * S, 10 * S, 70, 0);
	assert_int_equal(mw_rate_now(&r).span_ns, 0);
	push(&r, 20 * S, 1 * S, 3, 0); /* counted anew */
	rates = mw_rate_now(&r);
	assert_near(rates.reclaims_per_min, 3);
	assert_near(rates.stalled_share, 0.1);
}

static void often_until_it_is_over(void **state)
{
	struct mw_rates rates = {.reclaims_per_min = 60};

	(void)state;
	assert_true(mw_rate_often(&rates, 60, false));
	assert_false(mw_rate_often(&rates, 0, false));
	assert_false(mw_rate_often(&rates, 0, true));
	rates.reclaims_per_min = 59;
	assert_false(mw_rate_often(&rates, 60, false));
	assert_true(mw_rate_often(&rates, 60, true));
	rates.reclaims_per_min = 29;
	assert_false(mw_rate_often(&rates, 60, true));
}

static void passes_between_readings(void **state)
{
	const struct mw_reading from = {.passes = {100, 7, 3}}, to = {.passes = {150, 7, 1}};

	(void)state;
	assert_int_equal(mw_rate_passes(&from, &to), 51); /* the last ones were counted anew */
	assert_int_equal(mw_rate_passes(&to, &to), 0);
}

static void tallied(void **state)
{
	struct mw_tally t = {0};
	struct mw_pause_stat s = {.count = 2, .total_ns = 100, .max_ns = 70};
	struct mw_reading at;

	(void)state;
	for (int kind = 0; kind < MW_PAUSE_MAX; kind++)
		mw_tally_add(&t, kind, &s);
	mw_tally_add(&t, MW_PAUSE_MAX, &s); /* of a newer kernel side */
	assert_int_equal(t.whole_ns, 100);
	assert_int_equal(t.kinds_ns, 1000); /* not reclaim-throttle, which lies inside a reclaim */
	assert_int_equal(t.worst_ns, 70);
	assert_int_equal(mw_tally_stalled(&t), 1000); /* some lie outside of any memstall */
	t.whole_ns = 1200; /* kinds that are not measured here */
	at = mw_tally_reading(&t, 5);
	assert_int_equal(at.stalled_ns, 1200);
	assert_int_equal(at.passes[MW_PASS_AT_HIGH], 2);
	assert_int_equal(at.passes[MW_PASS_AT_MAX], 2);
	assert_int_equal(at.passes[MW_PASS_OF_HOST], 4);
	assert_int_equal(at.time_ns, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_yet),
		cmocka_unit_test(young_is_not_extrapolated),
		cmocka_unit_test(the_last_minute),
		cmocka_unit_test(any_interval),
		cmocka_unit_test(time_and_counters_that_go_back),
		cmocka_unit_test(often_until_it_is_over),
		cmocka_unit_test(passes_between_readings),
		cmocka_unit_test(tallied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
