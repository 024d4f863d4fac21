/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The breaker on a fake cgroup (plain files) and a fake /proc whose wchan says
 * who sleeps. What a pulse wakes is tested in the VM; here: when there is one, and when not.
 */
#include "../core/fake_tree.h"

#include <poll.h>
#include <sys/inotify.h>

#include "daemon/breaker.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define SLOTS 4
#define ID    77
#define TID   4321

struct fixture {
	int worker, above;
	struct mw_keeper_table *table;
	struct mw_breaker *b;
};

static void sleeping(bool asleep)
{
	tree_file("proc/4321/wchan", asleep ? "mem_cgroup_handle_over_high" : "do_epoll_wait");
}

static void start(struct fixture *f, bool dry_run, bool may_lift)
{
	struct mw_breaker_options opts = {.proc_root = tree_path("proc"),
					  .table = f->table,
					  .max_workers = SLOTS,
					  .dry_run = dry_run};

	assert_int_equal(mw_breaker_new(&opts, &f->b, NULL), 0);
	f->table->slots[1].cgroup_id = ID;
	assert_int_equal(mw_breaker_add(f->b, 1, ID, f->worker, &f->above, 1, may_lift), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(tree_make(state), 0);
	tree_dir("above/w");
	f->above = tree_open("above");
	f->worker = tree_open("above/w");
	tree_file("above/memory.high", "50000000\n");
	tree_file("above/memory.current", "40000000\n");
	tree_file("above/w/memory.high", "24000000\n");
	tree_file("above/w/memory.current", "25000000\n");
	tree_file("above/w/cgroup.freeze", "0\n");
	tree_file("above/w/cgroup.threads", "4321\n");
	sleeping(true);
	f->table = calloc(1, sizeof(*f->table) + SLOTS * sizeof(f->table->slots[0]));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	mw_breaker_free(f->b);
	close(f->worker);
	close(f->above);
	free(f->table);
	tree_remove(state);
	free(f);
	return 0;
}

static struct mw_breaker_report wait_report(struct fixture *f)
{
	struct pollfd p = {mw_breaker_fd(f->b), POLLIN, 0};
	struct mw_breaker_report r;

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_true(mw_breaker_next(f->b, &r));
	return r;
}

static void wait_lifted(void)
{
	__u64 until = mw_now_ns() + 10 * MW_NS_PER_S;

	while (!tree_begins("above/w/memory.high", "max") && mw_now_ns() < until)
		poll(NULL, 0, 1);
	assert_true(tree_begins("above/w/memory.high", "max"));
}

/* It has looked at the sleeper n times from now on (a look closes what it has read), or has told already. */
static void wait_looks(struct fixture *f, int n)
{
	int fd = inotify_init1(IN_CLOEXEC);
	struct pollfd p[2] = {{fd, POLLIN, 0}, {mw_breaker_fd(f->b), POLLIN, 0}};
	char buf[4096];

	assert_true(inotify_add_watch(fd, tree_path("proc/4321/wchan"), IN_CLOSE_NOWRITE) >= 0);
	for (; n > 0 && !(p[1].revents & POLLIN); n--) {
		assert_true(poll(p, 2, 20000) > 0);
		if (p[0].revents)
			assert_true(read(fd, buf, sizeof(buf)) > 0);
	}
	close(fd);
}

static void sleeper_is_lifted_and_pulsed(void **state)
{
	struct fixture *f = *state;
	struct mw_breaker_report r;
	__u64 begin = mw_now_ns();

	start(f, false, true);
	mw_breaker_throttle(f->b, 1, TID, begin);
	wait_lifted();
	wait_looks(f, 3); /* before the third there were two pulses */
	sleeping(false);
	r = wait_report(f);
	assert_int_equal(r.slot, 1);
	assert_int_equal(r.cgroup_id, ID);
	assert_true(r.lifted);
	assert_false(r.dry_run);
	assert_true(r.pulses > 1); /* again and again as long as it sleeps */
	assert_true(r.slept_ns > 0 && r.slept_ns < mw_now_ns() - begin);
	assert_int_equal(r.tid, TID);
	assert_int_equal(r.time_ns, begin);
	assert_true(r.lifted_above == 0);
	assert_true(tree_begins("above/w/cgroup.freeze", "0"));
	assert_true(tree_begins("above/memory.high", "50000000"));
	assert_int_equal(f->table->slots[1].frozen, 0);
	assert_false(mw_breaker_next(f->b, &r));
}

static void exceeded_ancestor_is_lifted(void **state)
{
	struct fixture *f = *state;
	struct mw_breaker_report r;

	tree_file("above/memory.current", "50000001\n");
	start(f, false, true);
	mw_breaker_near(f->b, 1, 5);
	r = wait_report(f);
	assert_true(r.lifted && r.lifted_above);
	assert_int_equal(r.slept_ns, 0);
	assert_int_equal(r.pulses, 0);
	assert_int_equal(r.time_ns, 5);
	assert_true(tree_begins("above/memory.high", "max"));
	assert_true(tree_begins("above/w/memory.high", "max"));
}

static void awake_is_not_pulsed(void **state)
{
	struct fixture *f = *state;
	struct mw_breaker_report r;

	sleeping(false);
	start(f, false, true);
	mw_breaker_throttle(f->b, 1, TID, mw_now_ns());
	r = wait_report(f);
	assert_true(r.lifted); /* the kernel said it would sleep */
	assert_int_equal(r.pulses, 0);
	assert_int_equal(r.slept_ns, 0);
}

static void pulses_have_a_bound(void **state)
{
	struct fixture *f = *state;
	unsigned pulses = 0;

	start(f, false, true);
	for (int i = 0; i < 10 && pulses < 100;
	     i++) { /* a sleeper is followed for 3 s: a machine may stand still for these */
		mw_breaker_throttle(f->b, 1, TID, mw_now_ns()); /* and it never wakes: not our limit */
		pulses = wait_report(f).pulses;
		assert_in_range(pulses, 0, 100);
	}
	assert_int_equal(pulses, 100);
}

static void others_freeze_stays(void **state)
{
	struct fixture *f = *state;
	struct mw_breaker_report r;

	tree_file("above/w/cgroup.freeze", "1\n");
	start(f, false, true);
	mw_breaker_throttle(f->b, 1, TID, mw_now_ns());
	wait_lifted();
	wait_looks(f, 2);
	sleeping(false);
	r = wait_report(f);
	assert_int_equal(r.pulses, 0);
	assert_true(r.slept_ns > 0);
	assert_true(tree_begins("above/w/cgroup.freeze", "1"));
}

static void unheld_is_not_pulsed(void **state)
{
	struct fixture *f = *state;
	struct mw_breaker_report r;

	start(f, false, true);
	f->table->slots[1].cgroup_id = 0; /* its descriptor is not with the keeper yet */
	mw_breaker_throttle(f->b, 1, TID, mw_now_ns());
	wait_lifted();
	sleeping(false);
	r = wait_report(f);
	assert_true(r.lifted);
	assert_int_equal(r.pulses, 0);
}

static void policy_and_dry_run_only_tell(void **state)
{
	struct fixture *f = *state;
	struct mw_breaker_report r;

	for (int dry = 0; dry < 2; dry++) {
		sleeping(true);
		start(f, dry, dry);
		mw_breaker_throttle(f->b, 1, TID, mw_now_ns());
		wait_looks(f, 1);
		sleeping(false);
		r = wait_report(f);
		assert_int_equal(r.lifted, dry); /* would have been */
		assert_int_equal(r.dry_run, dry);
		assert_int_equal(r.pulses, 0);
		assert_true(r.slept_ns > 0);
		assert_true(tree_begins("above/w/memory.high", "24000000"));
		mw_breaker_free(f->b);
		f->b = NULL;
	}
}

static void sleeper_among_threads_is_found(void **state)
{
	struct fixture *f = *state;
	struct mw_breaker_report r;

	tree_file("above/w/cgroup.threads", ""); /* a container: its processes are in a cgroup below */
	tree_dir("above/w/inner");
	tree_file("above/w/inner/cgroup.threads", "11\n4321\n");
	start(f, false, true);
	mw_breaker_throttle(f->b, 1, 999999, mw_now_ns()); /* gone by now; another one sleeps */
	wait_lifted();
	wait_looks(f, 2);
	sleeping(false);
	r = wait_report(f);
	assert_true(r.pulses > 0);
	assert_int_equal(r.tid, TID);
}

static void removing_ends_it(void **state)
{
	struct fixture *f = *state;
	struct mw_breaker_report r;

	start(f, false, true);
	assert_int_equal(mw_breaker_add(f->b, 1, 78, f->worker, NULL, 0, true), -EEXIST);
	assert_int_equal(mw_breaker_add(f->b, SLOTS, 78, f->worker, NULL, 0, true), -EINVAL);
	mw_breaker_throttle(f->b, 1, TID, mw_now_ns());
	wait_lifted();
	mw_breaker_remove(f->b, 1);
	assert_true(tree_begins("above/w/cgroup.freeze", "0"));
	r = wait_report(f);
	assert_true(r.lifted);
	mw_breaker_throttle(f->b, 1, TID, mw_now_ns()); /* nobody's slot now */
	mw_breaker_remove(f->b, 1);
	assert_int_equal(mw_breaker_add(f->b, 1, ID, f->worker, NULL, 0, true), 0);
}

static void flood_is_counted(void **state)
{
	struct fixture *f = *state;
	struct mw_breaker_report r;

	start(f, false, true);
	for (int i = 0; i < 200000 && !mw_breaker_lost(f->b); i++)
		mw_breaker_near(f->b, 1, 1);
	assert_true(mw_breaker_lost(f->b) > 0);
	r = wait_report(f);
	assert_true(r.lifted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sleeper_is_lifted_and_pulsed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(exceeded_ancestor_is_lifted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(awake_is_not_pulsed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pulses_have_a_bound, set_up, tear_down),
		cmocka_unit_test_setup_teardown(others_freeze_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unheld_is_not_pulsed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(policy_and_dry_run_only_tell, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sleeper_among_threads_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(removing_ends_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(flood_is_counted, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("daemon/breaker", tests, NULL, NULL);
}
