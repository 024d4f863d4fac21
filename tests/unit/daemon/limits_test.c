/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Limits that cannot be set now: said once, tried again, in force when they fit. On a folder that stands for a cgroup.
 */
#include "one_worker.h"

#define OVER (MAX + 30000000)

/* Nothing of it can be reclaimed: the folder has no memory.reclaim. */
static void uses(__u64 bytes)
{
	file_is("memory.current", bytes);
	w->usage.current = bytes;
}

static int start_without(void **state)
{
	int r = start(state);

	file_is("memory.max", MW_UNLIMITED);
	file_is("memory.high", MW_UNLIMITED);
	return r;
}

static void again(__u64 now_ns)
{
	mw_limits_again(&g, w, now_ns);
	settle();
}

static void tries_again_and_says_it_once(void **state)
{
	(void)state;
	uses(OVER);
	mw_act_limits(&g, w);
	settle();
	assert_int_equal(w->unmet.status, -EBUSY);
	assert_int_equal(w->unmet.tries, 1);
	assert_int_equal(now_in("memory.max"), MW_UNLIMITED); /* the kernel would kill */
	assert_int_equal(now_in("memory.swap.max"), 50000000); /* as much as can be */
	assert_int_equal(told("limits-failed"), 1);
	again(w->unmet.due_ns - 1);
	assert_int_equal(w->unmet.tries, 1);
	for (unsigned i = 2; i < 6; i++) {
		again(w->unmet.due_ns);
		assert_int_equal(w->unmet.tries, i);
		assert_int_equal(now_in("memory.max"), MW_UNLIMITED);
	}
	assert_int_equal(told("limits-failed"), 1);
	uses(MAX - 5000000);
	again(w->unmet.tried_ns + MW_UNMET_FIRST_NS); /* long before it is due */
	assert_int_equal(w->unmet.since_ns, 0);
	assert_int_equal(w->unmet.total, 5);
	assert_int_equal(now_in("memory.max"), 50000000);
	assert_int_equal(now_in("memory.high"), 42500000);
	assert_int_equal(told("limits-failed"), 1);
	assert_int_equal(told("limits-met"), 1);
	again(later + 1000 * MW_NS_PER_S);
	assert_int_equal(told("limits-met"), 1);
}

/* It takes back what is reclaimed: a second try ends soon, as a kill may wait for it. */
static void does_not_take_long(void **state)
{
	__u64 began;

	(void)state;
	uses(OVER);
	mw_act_limits(&g, w);
	settle();
	tree_file("cg/memory.reclaim", "");
	began = mw_now_ns();
	again(w->unmet.due_ns);
	assert_int_equal(w->unmet.tries, 2);
	assert_true(mw_now_ns() - began >= MW_NS_PER_S);
	assert_true(mw_now_ns() - began < 10 * MW_NS_PER_S);
}

/* A worker whose memory.high was lifted is not squeezed by a second try. */
static void leaves_a_lift_alone(void **state)
{
	(void)state;
	uses(OVER);
	mw_act_limits(&g, w);
	settle();
	w->squeeze.lifted = true;
	uses(MAX - 5000000);
	again(w->unmet.due_ns);
	assert_int_equal(now_in("memory.max"), 50000000);
	assert_int_equal(now_in("memory.high"), MW_UNLIMITED);
	assert_true(w->squeeze.lifted);
	assert_int_equal(w->unmet.since_ns, 0);
	mw_act_restore_high(&g, w);
	settle();
	assert_int_equal(now_in("memory.high"), 42500000);
}

/* That memory.high could be written says nothing of memory.max, and nobody else is blamed for that. */
static void high_alone_is_no_answer(void **state)
{
	(void)state;
	uses(OVER);
	mw_act_limits(&g, w);
	settle();
	mw_act_restore_high(&g, w);
	settle();
	assert_int_equal(now_in("memory.high"), 42500000);
	assert_int_equal(w->unmet.tries, 1);
	mw_hold_look(&g, w, true, later);
	mw_hold_tick(&g, later);
	assert_int_equal(w->hold.conflicts, 0);
	assert_int_equal(told("limits-met"), 0);
}

/* Another limit is another matter: at once, and said. */
static void a_change_begins_anew(void **state)
{
	(void)state;
	uses(OVER);
	mw_act_limits(&g, w);
	settle();
	again(w->unmet.due_ns);
	w->limits.max = MAX + 10000000;
	mw_act_limits(&g, w);
	settle();
	assert_int_equal(w->unmet.tries, 1);
	assert_int_equal(w->unmet.want, MAX + 10000000);
	assert_int_equal(told("limits-failed"), 2);
	w->limits.max = 2 * MAX; /* there is room for this one */
	mw_act_limits(&g, w);
	settle();
	assert_int_equal(w->unmet.since_ns, 0);
	assert_int_equal(now_in("memory.max"), 2 * MAX);
}

/* Nothing is tried for a worker that is not to be limited any more, and nothing is said to be missing. */
static void forgets(void **state)
{
	(void)state;
	uses(OVER);
	mw_act_limits(&g, w);
	settle();
	w->profile.policy = MW_POLICY_OBSERVE;
	again(w->unmet.due_ns);
	assert_int_equal(w->unmet.since_ns, 0);
	assert_int_equal(now_in("memory.max"), MW_UNLIMITED);
	w->profile.policy = MW_POLICY_PROTECT;
	mw_act_limits(&g, w);
	settle();
	assert_true(w->unmet.since_ns);
	mw_act_put_back(&g, w);
	assert_int_equal(w->unmet.since_ns, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start_without, stop)
	const struct CMUnitTest tests[] = {
		TEST(tries_again_and_says_it_once), TEST(leaves_a_lift_alone),	TEST(does_not_take_long),
		TEST(high_alone_is_no_answer),	    TEST(a_change_begins_anew), TEST(forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
