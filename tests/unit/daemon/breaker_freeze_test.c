/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The breaker's holds on a fake cgroup: when one begins, what ends it, and whose hand on cgroup.freeze is obeyed. */
#include "../core/fake_tree.h"

#include <poll.h>

#include "daemon/breaker.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define SLOTS 4
#define ID    77
#define LONG  (60 * MW_NS_PER_S)

static struct fixture {
	int worker;
	struct mw_keeper_table *table;
	struct mw_breaker *b;
} f;

static int set_up(void **state)
{
	struct mw_breaker_options opts = {.max_workers = SLOTS};

	assert_int_equal(tree_make(state), 0);
	tree_dir("proc");
	tree_dir("w");
	tree_file("w/memory.high", "max\n");
	tree_file("w/memory.current", "45000000\n");
	tree_file("w/cgroup.freeze", "0\n");
	tree_file("w/cgroup.threads", "");
	f.worker = tree_open("w");
	f.table = calloc(1, sizeof(*f.table) + SLOTS * sizeof(f.table->slots[0]));
	f.table->slots[1].cgroup_id = ID;
	opts.proc_root = tree_path("proc");
	opts.table = f.table;
	assert_int_equal(mw_breaker_new(&opts, &f.b, NULL), 0);
	assert_int_equal(mw_breaker_add(f.b, 1, ID, f.worker, NULL, 0, true), 0);
	return 0;
}

static int tear_down(void **state)
{
	mw_breaker_free(f.b);
	free(f.table);
	close(f.worker);
	return tree_remove(state);
}

static struct mw_breaker_report report(void)
{
	struct pollfd p = {mw_breaker_fd(f.b), POLLIN, 0};
	struct mw_breaker_report r;

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_true(mw_breaker_next(f.b, &r));
	assert_int_equal(r.slot, 1);
	assert_int_equal(r.cgroup_id, ID);
	return r;
}

static void ask(__u64 enough, __u64 for_ns)
{
	__u64 now = mw_now_ns();

	assert_int_equal(mw_breaker_freeze(f.b, 1, enough, now + for_ns, now), 0);
}

static void begin(__u64 enough, __u64 for_ns)
{
	struct mw_breaker_report r;

	ask(enough, for_ns);
	r = report();
	assert_int_equal(r.freeze, MW_FREEZE_BEGAN);
	assert_true(r.before == 45000000);
	assert_true(tree_begins("w/cgroup.freeze", "1"));
	assert_int_equal(f.table->slots[1].frozen, 1);
	assert_int_not_equal(f.table->thaw_by_ms, 0);
}

static void thawed(void)
{
	assert_true(tree_begins("w/cgroup.freeze", "0"));
	assert_int_equal(f.table->slots[1].frozen, 0);
	assert_int_equal(f.table->thaw_by_ms, 0);
}

/* A write into the file that is there, as a shell's. */
static void by_hand(const char *value)
{
	_cleanup_close_ int fd = open(tree_path("w/cgroup.freeze"), O_WRONLY | O_CLOEXEC);

	assert_int_equal(write(fd, value, 1), 1);
}

static void ends_on_time(void **state)
{
	__u64 began = mw_now_ns();
	struct mw_breaker_report r;

	(void)state;
	begin(1, 3 * MW_NS_PER_S);
	tree_file("w/memory.current", "44000000\n");
	r = report();
	assert_int_equal(r.freeze, MW_FREEZE_TIME);
	assert_true(r.time_ns - began >= 3 * MW_NS_PER_S);
	assert_true(r.before == 45000000 && r.after == 44000000);
	thawed();
}

static void ends_when_enough_is_freed(void **state)
{
	(void)state;
	begin(40000000, LONG);
	tree_file("w/memory.current", "39999999\n");
	assert_int_equal(report().freeze, MW_FREEZE_ENOUGH);
	thawed();
}

static void let_go_and_asked_before(void **state)
{
	__u64 now = mw_now_ns();

	(void)state;
	begin(1, LONG);
	mw_breaker_let_go(f.b, 1);
	thawed(); /* at once */
	assert_int_equal(report().freeze, MW_FREEZE_RELEASED);
	assert_int_equal(mw_breaker_freeze(f.b, 1, 1, now + LONG, now), 0); /* that was before */
	assert_int_equal(report().freeze, MW_FREEZE_RELEASED);
	thawed();
	begin(1, LONG);
	mw_breaker_remove(f.b, 1);
	thawed();
	assert_int_equal(report().freeze, MW_FREEZE_RELEASED);
	assert_int_equal(mw_breaker_freeze(f.b, 1, 1, now + LONG, now), -ENOENT);
	assert_int_equal(mw_breaker_freeze(f.b, SLOTS, 1, now + LONG, now), -EINVAL);
}

static void nothing_stays_frozen_at_the_end(void **state)
{
	struct mw_breaker_options opts = {.proc_root = tree_path("proc"), .table = f.table, .max_workers = SLOTS};

	(void)state;
	begin(1, LONG);
	mw_breaker_free(f.b);
	thawed();
	assert_int_equal(mw_breaker_new(&opts, &f.b, NULL), 0);
}

static void somebody_elses_freeze(void **state)
{
	(void)state;
	by_hand("1");
	ask(1, LONG);
	assert_int_equal(report().freeze, MW_FREEZE_ELSE);
	assert_true(tree_begins("w/cgroup.freeze", "1"));
	assert_int_equal(f.table->slots[1].frozen, 0);
	by_hand("0");
	begin(1, LONG);
	by_hand("1"); /* frozen already: but now it is meant to last */
	assert_int_equal(report().freeze, MW_FREEZE_KEPT);
	assert_true(tree_begins("w/cgroup.freeze", "1"));
	assert_int_equal(f.table->slots[1].frozen, 0);
	assert_int_equal(f.table->thaw_by_ms, 0);
}

static void somebody_elses_thaw(void **state)
{
	(void)state;
	begin(1, LONG);
	by_hand("0");
	assert_int_equal(report().freeze, MW_FREEZE_THAWED);
	thawed();
}

static void nobody_to_thaw_it(void **state)
{
	(void)state;
	f.table->slots[1].cgroup_id = 0; /* the keeper does not hold it */
	ask(1, LONG);
	assert_int_equal(report().freeze, MW_FREEZE_CANNOT);
	thawed();
}

/* Asleep in the throttle while it is held: no pulse, the thaw at the end wakes it. */
static void held_is_not_pulsed(void **state)
{
	struct mw_breaker_report r;

	(void)state;
	tree_dir("proc/4321");
	tree_file("proc/4321/wchan", "mem_cgroup_handle_over_high");
	tree_file("w/memory.high", "40000000\n");
	begin(1, 3 * MW_NS_PER_S);
	mw_breaker_throttle(f.b, 1, 4321, mw_now_ns());
	r = report();
	assert_int_equal(r.freeze, MW_FREEZE_TIME);
	assert_int_equal(r.pulses, 0);
	assert_true(tree_begins("w/memory.high", "max"));
	thawed();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ends_on_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ends_when_enough_is_freed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(let_go_and_asked_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_stays_frozen_at_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(somebody_elses_freeze, set_up, tear_down),
		cmocka_unit_test_setup_teardown(somebody_elses_thaw, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_to_thaw_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(held_is_not_pulsed, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("daemon/breaker_freeze", tests, NULL, NULL);
}
