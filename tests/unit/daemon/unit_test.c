/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Limits that PID 1 writes: what it is asked for and when, and what becomes of its answers and of its silence. */
#include "fake_pid1.h"

#include "daemon/unit.h"

#define UNIT "memweir-unit-test.service" /* nobody has one of this name, should it ever get to a real PID 1 */

static struct pid1_call last;

/* What was asked is answered, and taken note of. */
static void through(void)
{
	while (w->unit->under_way || w->leaving) {
		struct mw_action_result r;
		struct pollfd p = {.fd = mw_actions_fd(g.actions), .events = POLLIN};

		assert_true(poll(&p, 1, 20000) > 0);
		while (mw_actions_next(g.actions, &r))
			mw_guard_on_done(&g, &r);
	}
}

/* A beat at the time a wish is due, and all of what follows. */
static void beat(void)
{
	mw_unit_tick(&g, w->unit->due_ns);
	through();
}

static __u64 asked_for(enum mw_limit_kind what)
{
	assert_true(pid1_calls(&last) > 0);
	for (size_t i = 0; i < last.n; i++)
		if (strcmp(last.names[i], mw_held_property(what)) == 0)
			return last.values[i];
	fail_msg("%s was not asked for", mw_held_property(what));
	return 0;
}

static int begin(void **state)
{
	if (start(state) || pid1_start())
		return -1;
	w->owner = MW_OWNER_SYSTEMD;
	w->unit = calloc(1, sizeof(*w->unit));
	if (!w->unit)
		return -1;
	snprintf(w->unit->name, sizeof(w->unit->name), UNIT);
	file_is("memory.max", MW_UNLIMITED);
	file_is("memory.high", MW_UNLIMITED);
	file_is("memory.low", 0);
	file_is("memory.swap.max", MW_UNLIMITED);
	return 0;
}

static int end(void **state)
{
	pid1_stop();
	return stop(state);
}

static void asks_for_the_profile(void **state)
{
	(void)state;
	mw_act_limits(&g, w);
	assert_true(w->unit->due);
	assert_int_equal(pid1_calls(NULL), 0); /* not yet: a beat gathers what there is */
	beat();
	assert_int_equal(pid1_calls(&last), 1);
	assert_string_equal(last.unit, UNIT);
	assert_true(last.runtime);
	assert_int_equal(last.n, MW_LIMIT_KIND_MAX);
	assert_int_equal(asked_for(MW_LIMIT_MAX), 50000000);
	assert_int_equal(asked_for(MW_LIMIT_HIGH), 42500000);
	assert_int_equal(asked_for(MW_LIMIT_LOW), 5000000);
	assert_int_equal(asked_for(MW_LIMIT_SWAP_MAX), 50000000);
	assert_int_equal(now_in("memory.max"), MAX);
	assert_true(w->held_known && w->unit->asked_once && !w->unit->due);
	assert_int_equal(w->held.max, 50000000);
	assert_int_equal(w->unmet.since_ns, 0);
	assert_int_equal(access(tree_path("run/workers/web.json"), F_OK), 0); /* for the next daemon */
	mw_unit_tick(&g, later);
	assert_false(g.unit_wishes);
	assert_int_equal(pid1_calls(NULL), 1);
}

static void gathers_wishes(void **state)
{
	__u64 due;

	(void)state;
	mw_unit_wish(&g, w, 5 * MW_NS_PER_S);
	mw_unit_wish(&g, w, 1 * MW_NS_PER_S);
	due = w->unit->due_ns;
	mw_unit_wish(&g, w, 3 * MW_NS_PER_S); /* no later for that */
	assert_int_equal(w->unit->due_ns, due);
	mw_unit_tick(&g, due - 1);
	assert_false(w->unit->under_way);
	mw_unit_tick(&g, due);
	assert_true(w->unit->under_way);
	mw_unit_wish(&g, w, 0); /* while it is asked: another call, after this one */
	mw_unit_wish(&g, w, 0);
	mw_unit_tick(&g, later);
	through();
	assert_int_equal(pid1_calls(NULL), 1);
	assert_true(w->unit->due);
	beat();
	assert_int_equal(pid1_calls(NULL), 2);
	assert_false(w->unit->due);
}

static void keeps_a_lift(void **state)
{
	(void)state;
	w->squeeze.lifted = true;
	mw_unit_wish(&g, w, 0);
	beat();
	assert_int_equal(asked_for(MW_LIMIT_HIGH), MW_UNLIMITED);
	assert_int_equal(asked_for(MW_LIMIT_MAX), 50000000);
	w->squeeze.lifted = false;
	w->unit->high = 45000000; /* pacing has raised it */
	mw_unit_wish(&g, w, 0);
	beat();
	assert_int_equal(asked_for(MW_LIMIT_HIGH), 45000000);
	w->unit->high = 1; /* never lower */
	mw_unit_wish(&g, w, 0);
	beat();
	assert_int_equal(asked_for(MW_LIMIT_HIGH), 42500000);
}

static void asks_nothing_for_whom_we_only_watch(void **state)
{
	(void)state;
	mw_unit_wish(&g, w, 0);
	w->profile.policy = MW_POLICY_OBSERVE;
	beat();
	assert_int_equal(pid1_calls(NULL), 0);
	assert_false(w->unit->due);
	w->profile.policy = MW_POLICY_PROTECT;
	w->leaving = true;
	mw_unit_wish(&g, w, 0);
	mw_unit_tick(&g, w->unit->due_ns);
	assert_false(w->unit->under_way);
	w->leaving = false;
}

/* It was there when we looked, and is gone with its cgroup: whose end will tell, nobody is asked again. */
static void unit_is_gone(void **state)
{
	(void)state;
	assert_int_equal(unlink(tree_path("cg/cgroup.events")), 0);
	pid1_is(PID1_KNOWS_NONE);
	mw_unit_wish(&g, w, 0);
	beat();
	assert_int_equal(pid1_calls(NULL), 1);
	assert_int_equal(told("limits-failed"), 0);
	assert_int_equal(w->unmet.since_ns, 0);
	assert_false(w->unit->due);
}

/* Each is said once, and asked again later and later, until it is done. */
static void does_not_do_it(enum pid1_mood mood, int status, const char *words)
{
	__u64 first;

	pid1_is(mood);
	mw_unit_wish(&g, w, 0);
	beat();
	assert_int_equal(w->unmet.status, status);
	assert_int_equal(told("limits-failed"), 1);
	first = w->unmet.due_ns - w->unmet.tried_ns;
	assert_false(w->unit->due);
	mw_limits_again(&g, w, w->unmet.due_ns - 1);
	assert_false(w->unit->due);
	mw_limits_again(&g, w, w->unmet.due_ns);
	assert_true(w->unit->due);
	mw_limits_again(&g, w, later + 1000 * MW_NS_PER_S); /* under way */
	beat();
	assert_int_equal(w->unmet.tries, 2);
	assert_int_equal(w->unmet.due_ns - w->unmet.tried_ns, 2 * first);
	assert_int_equal(told("limits-failed"), 1);
	assert_non_null(strstr(mw_unmet_why(&w->unmet), words));
	pid1_is(PID1_OBEYS);
	mw_limits_again(&g, w, w->unmet.due_ns);
	beat();
	assert_int_equal(w->unmet.since_ns, 0);
	assert_int_equal(told("limits-met"), 1);
	assert_int_equal(now_in("memory.max"), MAX);
}

static void is_refused(void **state)
{
	(void)state;
	does_not_do_it(PID1_REFUSES, -EACCES, "denied");
}

/* The unit is not there, its cgroup is. */
static void is_not_known(void **state)
{
	(void)state;
	does_not_do_it(PID1_KNOWS_NONE, -ENOENT, "systemd does not know its unit");
}

static void gets_no_answer(void **state)
{
	(void)state;
	does_not_do_it(PID1_IS_SILENT, -ETIMEDOUT, "timed out");
}

static void is_hung_up_on(void **state)
{
	(void)state;
	does_not_do_it(PID1_HANGS_UP, -ECONNRESET, "reset");
}

static void is_answered_and_nothing_done(void **state)
{
	(void)state;
	does_not_do_it(PID1_FORGETS, -ETIMEDOUT, "timed out");
}

static void nobody_is_there(void **state)
{
	struct mw_error err = {0};
	const struct mw_unit_value v = {"MemoryMax", 1};

	(void)state;
	assert_int_equal(unlink(tree_path("run/systemd/private")), 0);
	assert_int_equal(mw_systemd_set(UNIT, &v, 1, &err), -ENOENT);
	assert_non_null(strstr(err.text, "systemd cannot be reached"));
}

/* More is in use than memory.max is to be: PID 1 is not asked to have it killed, and memory.high waits too. */
static void does_not_ask_for_a_kill(void **state)
{
	(void)state;
	file_is("memory.current", MAX + 30000000);
	w->usage.current = MAX + 30000000;
	mw_act_limits(&g, w);
	beat();
	assert_int_equal(asked_for(MW_LIMIT_MAX), MW_UNLIMITED);
	assert_int_equal(asked_for(MW_LIMIT_HIGH), MW_UNLIMITED);
	assert_int_equal(asked_for(MW_LIMIT_SWAP_MAX), 50000000);
	assert_int_equal(w->unmet.status, -EBUSY);
	assert_true(w->squeeze.lifted);
	assert_int_equal(told("limits-failed"), 1);
	mw_limits_again(&g, w, w->unmet.due_ns);
	beat();
	assert_int_equal(w->unmet.tries, 2);
	assert_int_equal(told("limits-failed"), 1);
	file_is("memory.current", 30000000);
	w->usage.current = 30000000;
	mw_limits_again(&g, w, w->unmet.tried_ns + MW_UNMET_FIRST_NS); /* it fits: at once */
	beat();
	assert_int_equal(asked_for(MW_LIMIT_MAX), 50000000);
	assert_int_equal(w->unmet.since_ns, 0);
	assert_true(w->squeeze.lifted); /* that comes back as any lift */
	assert_int_equal(asked_for(MW_LIMIT_HIGH), MW_UNLIMITED);
	mw_act_restore_high(&g, w);
	beat();
	assert_int_equal(asked_for(MW_LIMIT_HIGH), 42500000);
}

static void reads_what_was_there(void **state)
{
	const __u64 there[MW_LIMIT_KIND_MAX] = {70000000, MW_UNLIMITED, 4096, 0};
	struct mw_error err = {0};
	struct mw_limits l;
	__u32 dropins = 0;

	(void)state;
	memcpy(pid1.properties, there, sizeof(there));
	tree_file("run/systemd/system.control/" UNIT ".d/50-MemoryMax.conf", "");
	tree_file("run/systemd/transient/" UNIT ".d/50-MemoryLow.conf", "");
	tree_file("run/systemd/transient/other.service.d/50-MemoryHigh.conf", "");
	assert_int_equal(mw_unit_limits(UNIT, &l, &dropins, &err), 0);
	for (enum mw_limit_kind i = 0; i < MW_LIMIT_KIND_MAX; i++)
		assert_int_equal(mw_held_get(&l, i), there[i]);
	assert_int_equal(dropins, 1U << MW_LIMIT_MAX | 1U << MW_LIMIT_LOW);
	assert_int_equal(mw_unit_limits("x.timer", &l, &dropins, &err), -EINVAL);
	assert_int_equal(mw_unit_limits("x.slice", &l, &dropins, &err), -EBADR); /* it has no such property */
	assert_non_null(strstr(err.text, "systemd does not tell MemoryMax of x.slice"));
}

static bool dropin(const char *dir, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "run/systemd/%s/" UNIT ".d%s%s", dir, *name ? "/" : "", name);
	return access(tree_path(path), F_OK) == 0;
}

static void lets_go(void **state)
{
	struct mw_error err = {0};

	(void)state;
	w->before.limits.max = 70000000;
	w->unit->dropins = 1U << MW_LIMIT_MAX; /* an administrator's */
	tree_file("run/systemd/system.control/" UNIT ".d/50-MemoryMax.conf", "");
	tree_file("run/systemd/system.control/" UNIT ".d/50-MemoryHigh.conf", "");
	tree_file("run/systemd/transient/" UNIT ".d/50-MemoryLow.conf", "");
	mw_act_limits(&g, w);
	assert_int_equal(mw_unit_release(&g, w, false, NULL, &err), 0);
	assert_true(w->leaving && !w->unit->due); /* nothing more is asked for */
	assert_int_equal(mw_unit_release(&g, w, false, NULL, &err), -EBUSY);
	assert_non_null(strstr(err.text, "is being detached already"));
	through();
	assert_int_equal(pid1_calls(NULL), 1);
	assert_int_equal(asked_for(MW_LIMIT_MAX), 70000000);
	assert_int_equal(asked_for(MW_LIMIT_HIGH), MW_UNLIMITED);
	assert_int_equal(asked_for(MW_LIMIT_LOW), 0);
	assert_true(dropin("system.control", "50-MemoryMax.conf"));
	assert_false(dropin("system.control", "50-MemoryHigh.conf"));
	assert_false(dropin("transient", "")); /* empty, and ours */
	assert_false(w->leaving);
}

static void lets_go_of_what_is_gone(void **state)
{
	struct mw_error err = {0};

	(void)state;
	tree_file("run/systemd/transient/" UNIT ".d/50-MemoryLow.conf", "");
	pid1_is(PID1_KNOWS_NONE);
	assert_int_equal(mw_unit_put_back(w->unit, &mw_no_limits, &err), 0);
	assert_false(dropin("transient", ""));
	pid1_is(PID1_REFUSES); /* then ours stay, as the limits do */
	tree_file("run/systemd/transient/" UNIT ".d/50-MemoryLow.conf", "");
	assert_int_equal(mw_unit_put_back(w->unit, &mw_no_limits, &err), -EACCES);
	assert_true(dropin("transient", "50-MemoryLow.conf"));
}

/* Its last process ends while PID 1 is asked. */
static void worker_ends_meanwhile(void **state)
{
	struct mw_action_result r;
	struct pollfd p = {.fd = mw_actions_fd(g.actions), .events = POLLIN};
	bool done = false;

	(void)state;
	mw_unit_wish(&g, w, 0);
	mw_unit_tick(&g, w->unit->due_ns);
	mw_worker_remove(&g.workers, w);
	while (!done) {
		assert_true(poll(&p, 1, 20000) > 0);
		while (mw_actions_next(g.actions, &r))
			done |= mw_unit_done(&g, &r);
	}
	mw_unit_tick(&g, later);
	assert_false(g.unit_wishes);
}

/* The daemon ends: a lift outlives it, and PID 1 must not bring memory.high back at its next reload. */
static void tells_of_lifts_at_the_end(void **state)
{
	(void)state;
	mw_unit_close(&g);
	assert_int_equal(pid1_calls(NULL), 0); /* it was never asked for anything */
	w->unit->asked_once = true;
	mw_unit_close(&g);
	assert_int_equal(pid1_calls(&last), 1);
	assert_int_equal(last.n, 1);
	assert_int_equal(asked_for(MW_LIMIT_HIGH), MW_UNLIMITED);
	pid1_is(PID1_IS_SILENT); /* it does not hold us */
	later = mw_now_ns();
	mw_unit_close(&g);
	assert_true(mw_now_ns() - later < 15 * MW_NS_PER_S);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(asks_for_the_profile),
		TEST(gathers_wishes),
		TEST(keeps_a_lift),
		TEST(asks_nothing_for_whom_we_only_watch),
		TEST(unit_is_gone),
		TEST(is_refused),
		TEST(is_not_known),
		TEST(gets_no_answer),
		TEST(is_hung_up_on),
		TEST(is_answered_and_nothing_done),
		TEST(nobody_is_there),
		TEST(does_not_ask_for_a_kill),
		TEST(reads_what_was_there),
		TEST(lets_go),
		TEST(lets_go_of_what_is_gone),
		TEST(worker_ends_meanwhile),
		TEST(tells_of_lifts_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
