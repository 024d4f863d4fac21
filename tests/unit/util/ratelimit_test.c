/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Floods: who is cut, who is not, what is told of it afterwards; the clock is the test's. */
#include "../unit.h"

#include "util/ratelimit.h"

#define SECOND 1000000000ULL

static const char a_kind[] = "a", another[] = "b";

static int start(void **state)
{
	return mw_ratelimit_new((struct mw_ratelimit **)state);
}

static int stop(void **state)
{
	mw_ratelimit_free(*state);
	return 0;
}

/* How many of n at once go out. */
static unsigned take(struct mw_ratelimit *r, const void *kind, __u64 id, const char *name, unsigned n, __u64 now)
{
	const struct mw_flood_key key = {.kind = kind, .id = id, .name = name};
	unsigned out = 0;

	while (n--)
		out += mw_ratelimit_take(r, &key, now);
	return out;
}

static void test_one_is_cut_and_others_are_not(void **state)
{
	struct mw_ratelimit *r = *state;

	assert_int_equal(take(r, a_kind, 1, "web-7", 100, SECOND), MW_FLOOD_BURST);
	assert_int_equal(take(r, another, 1, "web-7", 5, SECOND), 5);
	assert_int_equal(take(r, a_kind, 2, "web-8", 5, SECOND), 5);
	assert_int_equal(mw_ratelimit_suppressed(r), 100 - MW_FLOOD_BURST);
}

static void test_it_comes_back_with_time(void **state)
{
	struct mw_ratelimit *r = *state;

	assert_int_equal(take(r, a_kind, 1, "web-7", 30, SECOND), MW_FLOOD_BURST);
	assert_int_equal(take(r, a_kind, 1, "web-7", 30, SECOND + MW_FLOOD_WINDOW_NS / 2), MW_FLOOD_BURST / 2);
	/* A clock that goes back gives nothing. */
	assert_int_equal(take(r, a_kind, 1, "web-7", 1, 0), 0);
	assert_int_equal(take(r, a_kind, 1, "web-7", 30, 1000 * SECOND), MW_FLOOD_BURST);
}

static void test_what_was_cut_is_told_once(void **state)
{
	struct mw_ratelimit *r = *state;
	struct mw_flood_over o;

	take(r, a_kind, 1, "web-7", MW_FLOOD_BURST + 3, SECOND);
	take(r, a_kind, 1, "web-7", 4, 2 * SECOND);
	assert_false(mw_ratelimit_over(r, 2 * SECOND, &o));
	assert_true(mw_ratelimit_over(r, SECOND + MW_FLOOD_WINDOW_NS, &o));
	assert_ptr_equal(o.kind, a_kind);
	assert_int_equal(o.id, 1);
	assert_string_equal(o.name, "web-7");
	/* After a second 2/3 of a line had come back: none. */
	assert_int_equal(o.suppressed, 7);
	assert_false(mw_ratelimit_over(r, 1000 * SECOND, &o));
	/* The next flood is told anew. */
	take(r, a_kind, 1, "web-7", MW_FLOOD_BURST + 1, 1000 * SECOND);
	assert_true(mw_ratelimit_over(r, 1000 * SECOND + MW_FLOOD_WINDOW_NS, &o));
	assert_int_equal(o.suppressed, 1);
	assert_int_equal(mw_ratelimit_suppressed(r), 8);
}

static void test_over_all(void **state)
{
	struct mw_ratelimit *r = *state;
	struct mw_flood_over o;
	unsigned out = 0;

	for (unsigned id = 1; id <= 2000; id++)
		out += take(r, a_kind, id, "w", 1, SECOND);
	assert_int_equal(out, MW_FLOOD_BURST_ALL);
	assert_true(mw_ratelimit_over(r, SECOND + MW_FLOOD_WINDOW_NS, &o));
	assert_null(o.kind);
	assert_int_equal(o.suppressed, 2000 - MW_FLOOD_BURST_ALL);
}

/* More who are cut than there are buckets: the rest share one, nothing is lost of the count. */
static void test_full(void **state)
{
	struct mw_ratelimit *r = *state;
	struct mw_flood_over o;
	unsigned out = 0, told = 0;
	__u64 now = SECOND;

	for (unsigned id = 1; id <= MW_FLOOD_BUCKETS; id++, now += SECOND)
		out += take(r, a_kind, id, "w", MW_FLOOD_BURST + 1, now);
	now += MW_FLOOD_WINDOW_NS;
	while (mw_ratelimit_over(r, now, &o))
		told += o.suppressed;
	assert_int_equal(told, MW_FLOOD_BUCKETS * (MW_FLOOD_BURST + 1) - out);
	assert_int_equal(mw_ratelimit_suppressed(r), told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_is_cut_and_others_are_not, start, stop),
		cmocka_unit_test_setup_teardown(test_it_comes_back_with_time, start, stop),
		cmocka_unit_test_setup_teardown(test_what_was_cut_is_told_once, start, stop),
		cmocka_unit_test_setup_teardown(test_over_all, start, stop),
		cmocka_unit_test_setup_teardown(test_full, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
