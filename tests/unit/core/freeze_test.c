/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The freeze rung as a function: which rung comes next, given what was seen. */
#include "../unit.h"

#include "core/freeze.h"
#include "util/clock.h"

#define MB   1000000ULL
#define MS   MW_NS_PER_MS
#define S    MW_NS_PER_S
#define HIGH (40 * MB)

/* A worker of a class with policy strict, lifted at 100 s. */
static struct mw_freeze h;
static struct mw_squeeze_state s;
static struct mw_profile p;

static int set_up(void **state)
{
	(void)state;
	h = (struct mw_freeze){0};
	s = (struct mw_squeeze_state){.lifted = true, .lifted_ns = 100 * S, .usage_at_lift = 41 * MB};
	p = (struct mw_profile){.policy = MW_POLICY_STRICT, .freeze_max_ns = 2 * S};
	return 0;
}

/* What a sample of that time and size leads to. */
static enum mw_squeeze next(__u64 now_ns, __u64 current)
{
	struct mw_usage u = {.time_ns = now_ns, .current = current};

	return mw_freeze_next(&h, &u, &p, mw_verdict_squeeze(&s, &u, HIGH, p.policy, now_ns), now_ns);
}

static void hold(__u64 from_ns, __u64 to_ns, enum mw_freeze_end end, __u64 before)
{
	mw_freeze_ask(&h, p.freeze_max_ns, from_ns);
	mw_freeze_began(&h);
	assert_true(h.frozen);
	mw_freeze_over(&h, &s, end, before, to_ns);
	assert_false(h.frozen || h.under_way);
}

static void freeze_comes_before_kill(void **state)
{
	(void)state;
	assert_int_equal(next(100 * S + 50 * MS, 43 * MB), MW_SQUEEZE_NONE); /* too early to see what the lift did */
	assert_int_equal(next(101 * S, 43 * MB), MW_SQUEEZE_FREEZE);
	mw_freeze_ask(&h, p.freeze_max_ns, 101 * S);
	assert_int_equal(next(101 * S + 10 * MS, 44 * MB), MW_SQUEEZE_NONE); /* asked for */
	mw_freeze_began(&h);
	assert_int_equal(next(102 * S, 44 * MB), MW_SQUEEZE_NONE);
	assert_int_equal(next(102 * S, 30 * MB), MW_SQUEEZE_NONE); /* memory.high comes back when it runs again */
	mw_freeze_over(&h, &s, MW_FREEZE_TIME, 44 * MB, 103 * S);
	assert_int_equal(next(103 * S + 50 * MS, 44 * MB), MW_SQUEEZE_NONE); /* it hardly ran */
	assert_int_equal(next(103 * S + 100 * MS, 44 * MB), MW_SQUEEZE_KILL);
}

static void what_was_freed_counts(void **state)
{
	(void)state;
	hold(101 * S, 103 * S, MW_FREEZE_TIME, 46 * MB);
	assert_int_equal(next(104 * S, 43 * MB), MW_SQUEEZE_NONE); /* half of the overage is gone, though it is over */
	assert_int_equal(next(132 * S, 43 * MB), MW_SQUEEZE_NONE);
	assert_int_equal(next(133 * S, 43 * MB), MW_SQUEEZE_KILL); /* and no more since it was thawed */
	assert_int_equal(next(105 * S, 46 * MB), MW_SQUEEZE_KILL); /* and it came back */
	assert_int_equal(next(105 * S, 39 * MB), MW_SQUEEZE_RESTORE);
}

static void only_where_it_may(void **state)
{
	const struct mw_usage u = {.time_ns = 101 * S, .current = 43 * MB};

	(void)state;
	p.freeze_max_ns = 0;
	assert_int_equal(next(101 * S, 43 * MB), MW_SQUEEZE_KILL);
	p.freeze_max_ns = 2 * S;
	p.policy = MW_POLICY_PROTECT;
	assert_int_equal(next(101 * S, 43 * MB), MW_SQUEEZE_NONE);
	assert_int_equal(mw_freeze_next(&h, &u, &p, MW_SQUEEZE_KILL, 101 * S), MW_SQUEEZE_KILL);
	s.lifted = false;
	s.near = true;
	assert_int_equal(next(101 * S, 39 * MB), MW_SQUEEZE_LIFT);
}

static void not_again_at_once(void **state)
{
	(void)state;
	hold(101 * S, 103 * S, MW_FREEZE_ENOUGH, 44 * MB);
	assert_int_equal(next(110 * S, 44 * MB), MW_SQUEEZE_KILL);
	assert_int_equal(next(101 * S + MW_FREEZE_AGAIN_NS - 1, 44 * MB), MW_SQUEEZE_KILL);
	assert_int_equal(next(101 * S + MW_FREEZE_AGAIN_NS, 44 * MB), MW_SQUEEZE_FREEZE);
}

static void what_never_began(void **state)
{
	(void)state;
	mw_freeze_ask(&h, p.freeze_max_ns, 101 * S);
	mw_freeze_over(&h, &s, MW_FREEZE_CANNOT, 0, 101 * S);
	assert_int_equal(next(101 * S + 1, 43 * MB), MW_SQUEEZE_KILL); /* no cgroup.freeze: as without this rung */
	mw_freeze_ask(&h, p.freeze_max_ns, 102 * S);
	mw_freeze_over(&h, &s, MW_FREEZE_ELSE, 0, 102 * S);
	assert_int_equal(next(102 * S + 1, 43 * MB), MW_SQUEEZE_FREEZE); /* when it runs again */
	mw_freeze_ask(&h, p.freeze_max_ns, 103 * S);
	mw_freeze_over(&h, &s, MW_FREEZE_RELEASED, 43 * MB, 103 * S);
	assert_int_equal(next(103 * S + 1, 43 * MB), MW_SQUEEZE_FREEZE); /* by its new settings */
	assert_true(s.usage_at_lift == 41 * MB);
}

static void an_end_that_is_not_heard_of(void **state)
{
	(void)state;
	mw_freeze_ask(&h, p.freeze_max_ns, 101 * S);
	mw_freeze_began(&h);
	assert_int_equal(next(103 * S + MW_FREEZE_LATE_NS - 1, 43 * MB), MW_SQUEEZE_NONE);
	assert_false(mw_freeze_late(&h, 103 * S + MW_FREEZE_LATE_NS - 1));
	assert_true(mw_freeze_late(&h, 103 * S + MW_FREEZE_LATE_NS));
	assert_int_equal(next(103 * S + MW_FREEZE_LATE_NS, 43 * MB), MW_SQUEEZE_KILL);
	mw_freeze_over(&h, &s, MW_FREEZE_CANNOT, 0, 105 * S);
	assert_false(mw_freeze_late(&h, 200 * S));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(freeze_comes_before_kill, set_up),
		cmocka_unit_test_setup(what_was_freed_counts, set_up),
		cmocka_unit_test_setup(only_where_it_may, set_up),
		cmocka_unit_test_setup(not_again_at_once, set_up),
		cmocka_unit_test_setup(what_never_began, set_up),
		cmocka_unit_test_setup(an_end_that_is_not_heard_of, set_up),
	};

	return cmocka_run_group_tests_name("core/freeze", tests, NULL, NULL);
}
