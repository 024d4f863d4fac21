/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Who is paced and how what is decided is carried out, on a fake cgroup. What is decided, and when, is
 * core/pace_test's; what it does to a real worker is the VM's.
 */
#include "../core/fake_tree.h"

#include <poll.h>

#include "core/pace.h"
#include "daemon/guard.h"
#include "util/clock.h"

#define MB   1000000ULL
#define HIGH (40 * MB)
#define MAX  (50 * MB)
#define ID   77

static struct mw_guard g;
static struct mw_worker *w;

static void current(__u64 bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu\n", bytes);
	tree_file("w/memory.current", text);
}

static void cache(__u64 bytes)
{
	char text[96];

	snprintf(text, sizeof(text), "anon 20000000\nfile %llu\nshmem 0\nslab_reclaimable 0\n", bytes);
	tree_file("w/memory.stat", text);
}

static int make_files(void)
{
	tree_dir("proc");
	tree_dir("w");
	current(36 * MB);
	cache(12 * MB);
	tree_file("w/memory.high", "40000000");
	tree_file("w/memory.max", "50000000");
	tree_file("w/memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
	tree_file("w/memory.reclaim", "");
	tree_file("w/cgroup.freeze", "0\n");
	tree_file("w/cgroup.threads", "");
	return tree_open("w");
}

/* A worker of policy protect at 90 % of its memory.high, with page cache to reclaim. */
static int set_up(void **state)
{
	struct mw_breaker_options breaker = {.max_workers = 4};
	struct mw_kernel_options kernel = {.pin_dir = "", .max_workers = 4, .disable = ~0ULL};

	assert_int_equal(tree_make(state), 0);
	g = (struct mw_guard){.has_memory = true, .run_fd = -1};
	g.cfg.monitor.near_high = 4 << 20;
	assert_int_equal(mw_workers_init(&g.workers, MW_PACER_MAX + 2), 0);
	assert_int_equal(mw_worker_add(&g.workers, "web.7", "tool", "/x", make_files(), ID, 5, &w), 0);
	w->owner = MW_OWNER_OWN;
	w->profile = (struct mw_profile){.policy = MW_POLICY_PROTECT, .pace = true, .pause_budget_ns = 10000000};
	w->limits = (struct mw_limits){.max = MAX, .high = HIGH};
	w->usage.current = 36 * MB;
	assert_int_equal(mw_teller_new(&g.tell), 0);
	assert_int_equal(mw_kernel_open(&kernel, &g.kernel, NULL), 0);
	assert_int_equal(mw_keeper_connect(4, &g.keeper, NULL), 0);
	assert_int_equal(mw_actions_new(2, tree, &g.actions), 0);
	breaker.proc_root = tree_path("proc");
	breaker.table = mw_keeper_table(g.keeper);
	assert_int_equal(mw_breaker_new(&breaker, &g.breaker, NULL), 0);
	assert_int_equal(mw_breaker_add(g.breaker, w->slot, ID, w->dir_fd, NULL, 0, true), 0);
	assert_true(sd_event_new(&g.event) >= 0);
	return 0;
}

static int tear_down(void **state)
{
	mw_pacer_close(&g);
	sd_event_unref(g.event);
	mw_breaker_free(g.breaker);
	mw_actions_free(g.actions);
	mw_keeper_disconnect(g.keeper);
	mw_kernel_close(g.kernel);
	mw_teller_free(g.tell);
	mw_workers_free(&g.workers);
	return tree_remove(state);
}

/* As if it had grown by so many bytes a second until a moment ago. */
static void growing(double rate)
{
	/* Too close to the next look for that one to say anything else, however late it comes. */
	w->pace.state = (struct mw_pace_state){.time_ns = mw_now_ns() + 60 * MW_NS_PER_S, .rate = rate};
	w->pace.state.current = w->usage.current;
}

/* The loop turns until the pacer has looked at everybody once more, or for a second. */
static void turn(void)
{
	assert_true(sd_event_run(g.event, 1000000) >= 0);
}

static struct mw_action_result result(void)
{
	struct pollfd p = {mw_actions_fd(g.actions), POLLIN, 0};
	struct mw_action_result r;

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_true(mw_actions_next(g.actions, &r));
	return r;
}

static bool no_action(void)
{
	struct pollfd p = {mw_actions_fd(g.actions), POLLIN, 0};

	return poll(&p, 1, 50) == 0;
}

static void who_is_looked_at(void **state)
{
	(void)state;
	w->usage.current = 10 * MB;
	mw_pacer_consider(&g, w, mw_now_ns());
	assert_false(w->pace.candidate); /* far from it */
	assert_null(g.pacer.timer); /* and nothing runs */
	w->usage.current = 36 * MB;
	mw_pacer_consider(&g, w, mw_now_ns());
	assert_true(w->pace.candidate);
	assert_int_equal(g.pacer.n, 1);
	mw_pacer_consider(&g, w, mw_now_ns());
	assert_int_equal(g.pacer.n, 1);
}

static void who_is_not(void **state)
{
	const struct mw_worker was = *w;

	(void)state;
	for (int i = 0; i < 9; i++) {
		*w = was;
		g.pacer.unable = i == 0;
		w->profile.pace = i != 1;
		w->profile.pause_budget_ns = i == 2 ? 0 : 10000000;
		w->profile.policy = i == 3 ? MW_POLICY_OBSERVE : MW_POLICY_PROTECT;
		w->frozen_by_admin = i == 4;
		w->freeze.frozen = i == 5;
		w->busy = i == 6;
		w->empty_since_ns = i == 7;
		w->limits.high = i == 8 ? MW_UNLIMITED : HIGH;
		mw_pacer_consider(&g, w, mw_now_ns());
		assert_false(w->pace.candidate);
		assert_false(mw_pacer_near(&g, w, mw_now_ns()));
	}
	*w = was;
}

/* It stands where it stood at the last look of the monitor: near, but it does not come nearer. */
static void standing_still(void **state)
{
	(void)state;
	w->pace.seen_ns = mw_now_ns() - MW_NS_PER_S;
	w->pace.seen_current = w->usage.current;
	mw_pacer_consider(&g, w, mw_now_ns());
	assert_false(w->pace.candidate);
	w->squeeze.raised = 45 * MB; /* memory.high is to come back */
	mw_pacer_consider(&g, w, mw_now_ns());
	assert_true(w->pace.candidate);
}

static void room_for_so_many(void **state)
{
	struct mw_worker *other;

	(void)state;
	g.pacer.n = MW_PACER_MAX;
	mw_pacer_consider(&g, w, mw_now_ns());
	assert_false(w->pace.candidate);
	assert_false(mw_pacer_near(&g, w, mw_now_ns()));
	g.pacer.n = 0;
	assert_int_equal(mw_worker_add(&g.workers, "other", "tool", "/y", -1, 78, 5, &other), 0);
}

static void reclaims_ahead(void **state)
{
	struct mw_action_result r;

	(void)state;
	mw_pacer_consider(&g, w, mw_now_ns());
	current(38 * MB);
	w->usage.current = 38 * MB;
	growing(10e6); /* over memory.high in a fifth of a second */
	turn();
	r = result();
	assert_int_equal(r.kind, MW_ACTION_RECLAIM);
	assert_int_equal(r.cookie, ID);
	assert_true(w->pace.state.under_way && w->pace.told);
	assert_true(w->pace.batch_bytes >= MW_PACE_BATCH_MIN);
	assert_true(strtoull(tree_text("w/memory.reclaim"), NULL, 10) > 0);
	assert_true(mw_pacer_done(&g, &r));
	assert_int_equal(w->pace.reclaims, 1);
	assert_true(w->pace.bytes == r.freed && w->pace.took_ns == r.took_ns);
	assert_true(g.pacer.known_stalled == r.took_ns); /* not held against the host */
}

/* Protect gives way to what outruns its batches; strict has promised memory.high. */
static void raises_where_it_may(void **state)
{
	(void)state;
	for (int strict = 0; strict < 2; strict++) {
		tree_file("w/memory.high", "40000000");
		w->profile.policy = strict ? MW_POLICY_STRICT : MW_POLICY_PROTECT;
		w->squeeze.raised = w->pace.raises = 0;
		current(39 * MB);
		w->usage.current = 39 * MB;
		growing(30e6);
		assert_true(mw_pacer_near(&g, w, mw_now_ns()));
		assert_int_equal(w->pace.raises, !strict);
		assert_int_equal(strtoull(tree_text("w/memory.high"), NULL, 10) > HIGH, !strict);
		assert_int_equal(w->squeeze.raised > HIGH, !strict);
		if (!no_action()) /* the rest of it is left to a batch */
			result();
	}
}

/* And it comes back by an action thread, since lowering can block. */
static void lowers_again(void **state)
{
	struct mw_action_result r;

	(void)state;
	tree_file("w/memory.high", "48000000");
	current(20 * MB);
	w->usage.current = 20 * MB;
	w->squeeze.raised = 48 * MB;
	mw_pacer_consider(&g, w, mw_now_ns());
	assert_true(w->pace.candidate);
	growing(0);
	turn();
	r = result();
	assert_int_equal(r.kind, MW_ACTION_LIMIT);
	assert_int_equal(r.status, 0);
	assert_true(tree_begins("w/memory.high", "40000000"));
	assert_int_equal(mw_keeper_table(g.keeper)->slots[w->slot].high_set, 1);
	assert_true(mw_pacer_done(&g, &r));
	assert_true(w->squeeze.raised == 0);
}

static void nothing_to_reclaim_is_lifted(void **state)
{
	__u64 until = mw_now_ns() + 10 * MW_NS_PER_S;

	(void)state;
	cache(MW_PACE_KEEP_CACHE);
	assert_true(mw_pacer_near(&g, w, mw_now_ns()));
	assert_true(w->pace.lift_ns > 0);
	while (!tree_begins("w/memory.high", "max") && mw_now_ns() < until)
		poll(NULL, 0, 1);
	assert_true(tree_begins("w/memory.high", "max"));
	assert_true(no_action());
}

static void with_cache_it_is_not_lifted(void **state)
{
	(void)state;
	assert_true(mw_pacer_near(&g, w, mw_now_ns()));
	assert_int_equal(w->pace.lift_ns, 0);
	poll(NULL, 0, 50);
	assert_true(tree_begins("w/memory.high", "40000000"));
}

static void who_leaves(void **state)
{
	(void)state;
	mw_pacer_consider(&g, w, mw_now_ns());
	w->pace.told = true;
	w->profile.pace = false;
	turn();
	assert_int_equal(g.pacer.n, 0);
	assert_false(w->pace.candidate || w->pace.told);
	w->profile.pace = true; /* its cgroup goes while it is looked at */
	w->pace.seen_current = 0;
	mw_pacer_consider(&g, w, mw_now_ns());
	assert_int_equal(unlink(tree_path("w/memory.current")), 0);
	turn();
	assert_int_equal(g.pacer.n, 0);
	g.pacer.ids[g.pacer.n++] = 4711; /* ended in between */
	current(36 * MB);
	w->pace.seen_current = 0;
	mw_pacer_consider(&g, w, mw_now_ns());
	turn();
	assert_int_equal(g.pacer.n, 1);
	assert_true(g.pacer.ids[0] == ID);
}

static void results_of_others_and_of_the_ended(void **state)
{
	struct mw_action_result r = {.kind = MW_ACTION_RECLAIM, .cookie = ID};

	(void)state;
	assert_false(mw_pacer_done(&g, &r));
	r.arg = &g.pacer;
	r.cookie = 4711;
	assert_true(mw_pacer_done(&g, &r));
	assert_int_equal(w->pace.reclaims, 0);
	r.cookie = ID;
	r.status = -EOPNOTSUPP;
	assert_true(mw_pacer_done(&g, &r));
	assert_true(g.pacer.unable); /* this kernel has no memory.reclaim */
	mw_pacer_consider(&g, w, mw_now_ns());
	assert_false(w->pace.candidate);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_is_looked_at, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_is_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(standing_still, set_up, tear_down),
		cmocka_unit_test_setup_teardown(room_for_so_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reclaims_ahead, set_up, tear_down),
		cmocka_unit_test_setup_teardown(raises_where_it_may, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lowers_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_to_reclaim_is_lifted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(with_cache_it_is_not_lifted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_leaves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(results_of_others_and_of_the_ended, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("daemon/pacer", tests, NULL, NULL);
}
