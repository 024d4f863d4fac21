/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The freeze rung from the decision to its incident, on a fake cgroup, with a keeper's end of the socket that nobody
 * reads. When it is decided is core/freeze_test's, how it is kept breaker_freeze_test's.
 */
#include "../core/fake_tree.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "daemon/guard.h"
#include "report/json.h"
#include "util/clock.h"

#define MB   1000000ULL
#define HIGH (40 * MB)
#define ID   77

static struct mw_guard g;
static struct mw_worker *w;
static int keeper_sock;

static int make_cgroup(void)
{
	tree_dir("proc");
	tree_dir("run/workers");
	tree_dir("state");
	tree_dir("w");
	tree_file("proc/meminfo", "SwapTotal: 0 kB\nSwapFree: 0 kB\n");
	tree_file("w/memory.current", "45000000\n");
	tree_file("w/memory.stat", "anon 44000000\nfile 0\nshmem 0\n");
	tree_file("w/memory.high", "max\n");
	tree_file("w/memory.swap.max", "0\n");
	tree_file("w/memory.reclaim", "");
	tree_file("w/cgroup.freeze", "0\n");
	tree_file("w/cgroup.threads", "");
	tree_file("w/cgroup.procs", "");
	return tree_open("w");
}

/* As a keeper starts the daemon: a socket, a table, its own program. */
static void connect_keeper(void)
{
	char text[64];
	int pair[2], table = memfd_create("table", 0);

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(ftruncate(table, sizeof(struct mw_keeper_table) + 4 * sizeof(struct mw_keeper_slot)), 0);
	snprintf(text, sizeof(text), "%d,%d,%d", pair[0], table, open("/dev/null", O_RDONLY));
	setenv(MW_KEEPER_ENV, text, 1);
	keeper_sock = pair[1];
	assert_int_equal(mw_keeper_connect(4, &g.keeper, NULL), 0);
}

/* A worker of policy strict, lifted and 5 MB over its memory.high. */
static int set_up(void **state)
{
	struct mw_kernel_options kernel = {.pin_dir = "", .max_workers = 4, .disable = ~0ULL};
	struct mw_breaker_options breaker = {.max_workers = 4};

	assert_int_equal(tree_make(state), 0);
	g = (struct mw_guard){.has_memory = true};
	g.cfg.monitor.actions_per_minute = 60;
	assert_int_equal(mw_workers_init(&g.workers, 4), 0);
	assert_int_equal(mw_worker_add(&g.workers, "web.7", "batch", "/x", make_cgroup(), ID, 5, &w), 0);
	g.run_fd = tree_open("run");
	w->owner = MW_OWNER_OWN;
	w->profile = (struct mw_profile){.policy = MW_POLICY_STRICT, .freeze_max_ns = 2 * MW_NS_PER_S};
	w->limits = (struct mw_limits){.max = 50 * MB, .high = HIGH};
	w->usage.current = 45 * MB;
	w->squeeze = (struct mw_squeeze_state){.lifted = true, .usage_at_lift = 41 * MB};
	assert_int_equal(mw_teller_new(&g.tell), 0);
	assert_int_equal(mw_kernel_open(&kernel, &g.kernel, NULL), 0);
	assert_int_equal(mw_incidents_open(tree_path("state"), 10, &g.incidents, NULL), 0);
	connect_keeper();
	assert_int_equal(mw_actions_new(2, tree_path("proc"), &g.actions), 0);
	breaker.proc_root = tree_path("proc");
	breaker.table = mw_keeper_table(g.keeper);
	assert_int_equal(mw_breaker_new(&breaker, &g.breaker, NULL), 0);
	assert_int_equal(mw_breaker_add(g.breaker, w->slot, ID, w->dir_fd, NULL, 0, true), 0);
	assert_int_equal(mw_keeper_add(g.keeper, w->slot, ID, w->dir_fd, true), 0);
	return 0;
}

static int tear_down(void **state)
{
	mw_breaker_free(g.breaker);
	mw_actions_free(g.actions);
	mw_keeper_disconnect(g.keeper);
	mw_incidents_close(g.incidents);
	mw_kernel_close(g.kernel);
	mw_teller_free(g.tell);
	mw_totals_free(&g.totals);
	mw_workers_free(&g.workers);
	close(g.run_fd);
	close(keeper_sock);
	return tree_remove(state);
}

static void hear(void)
{
	struct pollfd p = {mw_breaker_fd(g.breaker), POLLIN, 0};
	struct mw_breaker_report r;

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_true(mw_breaker_next(g.breaker, &r));
	mw_guard_on_report(&g, &r);
}

static bool heard_nothing(void)
{
	struct pollfd p = {mw_breaker_fd(g.breaker), POLLIN, 0};

	return poll(&p, 1, 50) == 0;
}

static struct mw_action_result act_done(void)
{
	struct pollfd p = {mw_actions_fd(g.actions), POLLIN, 0};
	struct mw_action_result r;

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_true(mw_actions_next(g.actions, &r));
	mw_guard_on_done(&g, &r);
	return r;
}

static bool state_says_held(void)
{
	struct mw_worker kept = {0};

	snprintf(kept.name, sizeof(kept.name), "%s", w->name);
	kept.cgroup_id = ID;
	assert_int_equal(mw_state_load(&g, &kept), 0);
	return kept.freeze.under_way;
}

static const char *last_event(void)
{
	static char type[32];
	struct json_object *all = mw_teller_recent(g.tell, 0), *type_of;
	size_t n = json_object_array_length(all);

	assert_true(n > 0);
	json_object_object_get_ex(json_object_array_get_idx(all, n - 1), "type", &type_of);
	snprintf(type, sizeof(type), "%s", json_object_get_string(type_of));
	json_object_put(all);
	return type;
}

static const struct mw_step *newest_step(void)
{
	return mw_ladder_at(w->ladder, w->ladder->count - 1);
}

static void from_the_freeze_to_the_incident(void **state)
{
	struct json_object *list, *incident, *why;

	(void)state;
	mw_freeze_start(&g, w, mw_now_ns());
	assert_true(w->freeze.under_way && !w->freeze.frozen);
	assert_true(state_says_held()); /* before it is frozen */
	hear();
	assert_true(w->freeze.frozen && tree_begins("w/cgroup.freeze", "1"));
	assert_string_equal(last_event(), "frozen");
	assert_int_equal(newest_step()->rung, MW_RUNG_FREEZE);
	assert_false(newest_step()->ended);
	assert_int_equal(act_done().status, -ENOSPC); /* its reclaim says why nothing can be freed */
	tree_file("w/memory.current", "43000000\n");
	hear();
	assert_false(w->freeze.frozen || w->freeze.under_way || state_says_held());
	assert_true(tree_begins("w/cgroup.freeze", "0"));
	assert_string_equal(last_event(), "thawed");
	assert_true(newest_step()->ended && newest_step()->before == 45 * MB && newest_step()->after == 43 * MB);
	assert_true(w->usage.current == 43 * MB);
	assert_true(w->squeeze.usage_at_lift == 45 * MB); /* what it freed is counted from there */
	assert_int_equal(act_done().kind, MW_ACTION_CALL);
	list = mw_incidents_list(g.incidents, "web.7", 0);
	assert_int_equal(json_object_array_length(list), 1);
	incident = json_object_array_get_idx(list, 0);
	assert_string_equal(json_object_get_string(json_object_object_get(incident, "reason")), "freeze");
	assert_int_equal(json_object_get_int(json_object_object_get(incident, "saved_bytes")), 2000000);
	why = json_object_object_get(incident, "why");
	assert_non_null(strstr(json_object_get_string(why), "with 45.0 MB, so memweir froze it for 2"));
	assert_non_null(strstr(json_object_get_string(why), " (strict); 2.0 MB was freed meanwhile"));
	json_object_put(list);
}

static void what_forbids_it(void **state)
{
	(void)state;
	w->busy = true;
	mw_freeze_start(&g, w, mw_now_ns());
	w->busy = false;
	w->frozen_by_admin = true;
	mw_freeze_start(&g, w, mw_now_ns());
	assert_true(mw_freeze_others(w));
	w->frozen_by_admin = false;
	tree_file("w/cgroup.freeze", "1\n"); /* by somebody's hand */
	mw_freeze_start(&g, w, mw_now_ns());
	assert_true(mw_freeze_others(w));
	tree_file("w/cgroup.freeze", "0\n");
	assert_false(mw_freeze_others(w));
	g.cfg.monitor.actions_per_minute = 0;
	mw_freeze_start(&g, w, mw_now_ns());
	assert_int_equal(w->freeze.asked_ns, 0); /* none of these used it up */
	assert_true(heard_nothing());
	w->dry_run = true;
	mw_freeze_start(&g, w, mw_now_ns());
	assert_string_equal(last_event(), "frozen"); /* would be */
	assert_true(w->freeze.asked_ns && !w->freeze.under_way && heard_nothing());
	assert_true(tree_begins("w/cgroup.freeze", "0"));
}

/* Nobody would thaw it if we died. */
static void not_without_a_keeper(void **state)
{
	(void)state;
	mw_keeper_disconnect(g.keeper);
	assert_int_equal(mw_keeper_connect(4, &g.keeper, NULL), 0);
	mw_freeze_start(&g, w, mw_now_ns());
	assert_true(w->freeze.asked_ns && !w->freeze.under_way); /* the next rung, then */
	assert_true(heard_nothing());
	mw_breaker_free(g.breaker); /* it has the other table */
	g.breaker = NULL;
}

static void somebody_was_faster(void **state)
{
	(void)state;
	mw_keeper_table(g.keeper)->slots[w->slot].cgroup_id = 0; /* the keeper does not hold it yet */
	mw_freeze_start(&g, w, mw_now_ns());
	hear();
	assert_string_equal(last_event(), "not-frozen");
	assert_false(w->freeze.under_way || state_says_held());
	assert_null(w->ladder); /* that was no step */
	assert_true(tree_begins("w/cgroup.freeze", "0"));
}

static void an_end_that_was_lost(void **state)
{
	__u64 now = mw_now_ns();

	(void)state;
	mw_freeze_start(&g, w, now);
	hear();
	act_done();
	mw_freeze_look(&g, w, now + MW_NS_PER_MS);
	assert_true(w->freeze.frozen);
	mw_freeze_look(&g, w, now + 10 * MW_NS_PER_S);
	assert_false(w->freeze.frozen || w->freeze.under_way || state_says_held());
	assert_true(newest_step()->ended);
	hear(); /* it comes after all, and is not told twice */
	assert_string_not_equal(last_event(), "thawed");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(from_the_freeze_to_the_incident, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_forbids_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(not_without_a_keeper, set_up, tear_down),
		cmocka_unit_test_setup_teardown(somebody_was_faster, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_end_that_was_lost, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("daemon/freeze", tests, NULL, NULL);
}
