/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "unit.h"

#include "core/hold.h"
#include "util/clock.h"

#define MB 1000000ULL

static void never_loosens(void **state)
{
	const struct mw_limits theirs = {.max = 40 * MB, .high = MW_UNLIMITED, .low = 8 * MB, .swap_max = 0};
	struct mw_limits ours = {
		.max = 50 * MB, .high = 42 * MB, .low = 5 * MB, .swap_max = 50 * MB, .oom_group = true};

	(void)state;
	mw_hold_limits(&ours, &theirs);
	assert_int_equal(ours.max, 40 * MB);
	assert_int_equal(ours.high, 42 * MB);
	assert_int_equal(ours.low, 8 * MB); /* protection: the larger */
	assert_int_equal(ours.swap_max, 0);
	assert_true(ours.oom_group);
}

static void judges_by_what_is_in_force(void **state)
{
	struct mw_profile p = {.max_heap = 50 * MB, .max_bin_heap = 25 * MB, .bin_follows = true};
	struct mw_limits theirs = {.max = 40 * MB};

	(void)state;
	mw_hold_profile(&p, &theirs);
	assert_int_equal(p.max_heap, 40 * MB);
	assert_int_equal(p.max_bin_heap, 20 * MB);
	theirs.max = MW_UNLIMITED;
	mw_hold_profile(&p, &theirs);
	assert_int_equal(p.max_heap, 40 * MB);
	p = (struct mw_profile){.max_heap = 50 * MB, .max_bin_heap = 7 * MB};
	theirs.max = 30 * MB;
	mw_hold_profile(&p, &theirs);
	assert_int_equal(p.max_bin_heap, 7 * MB); /* given, not derived */
}

static void has_names(void **state)
{
	struct mw_limits l = {0};

	(void)state;
	for (enum mw_limit_kind i = 0; i < MW_LIMIT_KIND_MAX; i++) {
		mw_held_set(&l, i, 100 + i);
		assert_int_equal(mw_held_get(&l, i), 100 + i);
		assert_int_equal(strncmp(mw_held_file(i), "memory.", 7), 0);
		assert_int_equal(strncmp(mw_held_property(i), "Memory", 6), 0);
	}
	assert_int_equal(l.max, 100);
	assert_int_equal(l.swap_max, 103);
	assert_string_equal(mw_held_file(MW_LIMIT_KIND_MAX), "?");
}

/* At once, then later and later; as at the beginning after a quiet time. */
static void backs_off(void **state)
{
	struct mw_hold h = {0};
	__u64 now = 5 * MW_NS_PER_S, last = 0;

	(void)state;
	assert_int_equal(mw_hold_conflict(&h, now), now);
	assert_int_equal(mw_hold_conflict(&h, now + 1), now + 1 + MW_HOLD_FIRST_NS);
	assert_int_equal(mw_hold_conflict(&h, now + 2), now + 2 + 2 * MW_HOLD_FIRST_NS);
	for (int i = 0; i < 20; i++)
		last = mw_hold_conflict(&h, now + 3);
	assert_int_equal(last, now + 3 + MW_HOLD_LAST_NS);
	assert_int_equal(h.conflicts, 23);
	now += MW_HOLD_QUIET_NS + MW_NS_PER_S;
	assert_int_equal(mw_hold_conflict(&h, now), now);
	assert_int_equal(mw_hold_conflict(&h, now), now + MW_HOLD_FIRST_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_loosens),
		cmocka_unit_test(judges_by_what_is_in_force),
		cmocka_unit_test(has_names),
		cmocka_unit_test(backs_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
