/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "core/stalls.h"
#include "core/worker.h"
#include "util/clock.h"

static void made_on_the_first_pause(void **state)
{
	struct mw_reading reading = {.time_ns = 12 * MW_NS_PER_S, .passes = {7}};
	struct mw_worker w = {.quiet_ns = 10 * MW_NS_PER_S};

	(void)state;
	assert_true(mw_stalls_rates(&w).reclaims_per_min == 0);
	assert_non_null(mw_stalls_of(&w));
	assert_ptr_equal(mw_stalls_of(&w), w.stalls);
	mw_rate_push(&w.stalls->rate, &reading);
	assert_true(mw_rate_now(&w.stalls->rate).reclaims_per_min == 7); /* since it was quiet */
	free(w.stalls);
	w = (struct mw_worker){0}; /* taken up from an earlier daemon: its counters are old */
	mw_rate_push(&mw_stalls_of(&w)->rate, &reading);
	assert_true(mw_rate_now(&w.stalls->rate).reclaims_per_min == 0);
	free(w.stalls);
}

static void the_last_are_kept(void **state)
{
	struct mw_event e = {.kind = MW_PAUSE_THRASH, .duration_ns = 5, .value = 3, .tid = 9};
	struct mw_stalls s = {0};

	(void)state;
	memset(e.comm, 'x', sizeof(e.comm)); /* no NUL */
	for (__u64 i = 1; i <= MW_PAUSES_KEPT + 5; i++) {
		e.time_ns = i;
		mw_stalls_note(&s, &e, MW_LIMIT_CLASS);
		assert_int_equal(s.count, i < MW_PAUSES_KEPT ? i : MW_PAUSES_KEPT);
		assert_int_equal(mw_stalls_at(&s, s.count - 1)->time_ns, i);
	}
	assert_int_equal(mw_stalls_at(&s, 0)->time_ns, 6);
	assert_int_equal(mw_stalls_at(&s, 0)->pages, 3);
	assert_int_equal(mw_stalls_at(&s, 0)->limit, MW_LIMIT_CLASS);
	assert_int_equal(strlen(mw_stalls_at(&s, 0)->comm), MW_COMM_SIZE - 1);
}

static void named(void **state)
{
	(void)state;
	assert_null(mw_limit_of_name(MW_LIMIT_NONE));
	assert_string_equal(mw_limit_of_name(MW_LIMIT_HOST), "host");
	assert_string_equal(mw_limit_of_name(MW_LIMIT_ANCESTOR), "ancestor");
	assert_null(mw_limit_of_name(MW_LIMIT_OF_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_on_the_first_pause),
		cmocka_unit_test(the_last_are_kept),
		cmocka_unit_test(named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
