/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Limits that somebody else changes, on a folder that stands for a cgroup. */
#include "one_worker.h"

/* A look, and the beat after it. */
static void look(void)
{
	mw_hold_look(&g, w, true, later);
	mw_hold_tick(&g, later);
}

static void leaves_its_own_alone(void **state)
{
	(void)state;
	look();
	assert_int_equal(w->hold.conflicts, 0);
	file_is("memory.high", MW_UNLIMITED); /* a lift, whoever made it: it comes back another way */
	look();
	w->hold.raised = HIGH + 4096;
	file_is("memory.high", HIGH + 4096); /* pacing */
	look();
	assert_int_equal(w->hold.conflicts, 0);
	w->limits_under_way = 1;
	file_is("memory.max", 4096);
	look();
	assert_int_equal(w->hold.conflicts, 0);
	w->limits_under_way = 0;
}

static void puts_a_looser_one_back(void **state)
{
	const struct mw_event e = {
		.type = MW_EVENT_LIMIT, .flags = MW_LIMIT_MAX, .pid = 4711, .time_ns = later, .comm = "runc"};

	(void)state;
	file_is("memory.max", 2 * MAX);
	mw_hold_written(&g, w, &e);
	mw_hold_tick(&g, later);
	settle();
	assert_int_equal(now_in("memory.max"), 50000000); /* as asked; the kernel would round it */
	assert_int_equal(w->hold.conflicts, 1);
	assert_int_equal(w->hold.repairs, 1);
	assert_string_equal(w->hold.by, "runc");
	assert_int_equal(w->hold.by_pid, 4711);
	assert_int_equal(w->hold.found, 2 * MAX);
	assert_int_equal(w->before.limits.max, 2 * MAX); /* their newest word, for the day we let go */
	look();
	assert_int_equal(w->hold.conflicts, 1);
	/* Again: later, and without a name where none was told. */
	file_is("memory.swap.max", MW_UNLIMITED);
	look();
	assert_int_equal(w->hold.conflicts, 2);
	assert_string_equal(w->hold.by, "");
	mw_hold_tick(&g, later);
	assert_int_equal(w->hold.repairs, 1);
	mw_hold_tick(&g, later + MW_HOLD_FIRST_NS);
	settle();
	assert_int_equal(w->hold.repairs, 2);
	assert_int_equal(now_in("memory.swap.max"), 50000000);
}

static void respects_a_tighter_one(void **state)
{
	(void)state;
	file_is("memory.max", 40960000);
	look();
	assert_int_equal(w->hold.conflicts, 1);
	assert_int_equal(w->profile.max_heap, 40960000);
	assert_int_equal(w->limits.max, 40960000);
	assert_int_equal(w->limits.high, (__u64)(40960000 * 0.85 + 0.5)); /* follows */
	mw_hold_tick(&g, later);
	settle();
	assert_int_equal(now_in("memory.max"), 40960000);
	assert_int_equal(now_in("memory.high"), (__u64)(40960000 * 0.85 + 0.5));
	look();
	assert_int_equal(w->hold.conflicts, 1);
}

/* While a repair waits, and while no daemon looked. */
static void hears_before_it_writes(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) { /* the second time the repair waits */
		file_is("memory.max", 2 * MAX);
		look();
		settle();
	}
	assert_int_equal(w->hold.repairs, 1);
	file_is("memory.max", 20480000); /* tighter, before the repair */
	mw_hold_tick(&g, later + MW_HOLD_FIRST_NS);
	settle();
	assert_int_equal(now_in("memory.max"), 20480000);
	assert_int_equal(w->before.limits.max, 20480000);
	assert_int_equal(w->profile.max_heap, 20480000);
	assert_true(w->held_known);
	file_is("memory.max", 12288000);
	file_is("memory.high", MW_UNLIMITED);
	mw_hold_adopt(w);
	assert_int_equal(w->before.limits.max, 12288000);
	assert_int_equal(w->before.limits.high, MW_UNLIMITED);
}

static void does_not_hear_itself(void **state)
{
	struct mw_event e = {.type = MW_EVENT_LIMIT, .flags = MW_LIMIT_MAX, .value = MAX, .time_ns = 1};
	struct mw_unit unit = {.name = "x.service", .asked = w->limits, .asked_once = true};

	(void)state;
	e.pid = (__u32)getpid();
	mw_hold_written(&g, w, &e);
	assert_false(w->hold.look);
	e.pid = 1; /* PID 1 for us; and for somebody else */
	w->unit = &unit;
	mw_hold_written(&g, w, &e);
	assert_false(w->hold.look);
	e.value = 2 * MAX;
	mw_hold_written(&g, w, &e);
	assert_true(w->hold.look);
	w->unit = NULL;
}

static void is_not_for_whom_we_only_watch(void **state)
{
	(void)state;
	w->owner = MW_OWNER_FOREIGN;
	file_is("memory.max", 4096);
	look();
	assert_int_equal(w->hold.conflicts, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(leaves_its_own_alone),   TEST(puts_a_looser_one_back), TEST(respects_a_tighter_one),
		TEST(hears_before_it_writes), TEST(does_not_hear_itself),   TEST(is_not_for_whom_we_only_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
