/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <signal.h>

#include "core/verdict.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define KB 1000ULL
#define MB 1000000ULL

static const struct mw_monitor monitor = {.alert_threshold = 0.85};
static const struct mw_profile tool = {.max_heap = 50 * MB, .max_bin_heap = 25 * MB, .hibernate_threshold = 0.85};
static const struct mw_profile context = {.max_heap = 100 * MB, .max_bin_heap = 50 * MB, .hibernate_threshold = 0.9};

static void usage_of_a_sample(void **state)
{
	struct mw_sample s = {.time_ns = 7,
			      .usage = 1000,
			      .anon = 100,
			      .swap_usage = 20,
			      .file = 300,
			      .shmem = 40,
			      .sock = 5,
			      .kernel = 60,
			      .slab_reclaimable = 10,
			      .max = 1,
			      .high = 2,
			      .low = 3};
	struct mw_usage u;

	(void)state;
	s.events[MW_MEMCG_OOM_KILL] = 9;
	mw_usage_from_sample(&s, &u);
	assert_int_equal(u.heap, 120);
	assert_int_equal(u.bin, 40 + 5 + 60 - 10);
	assert_int_equal(u.current, 1000);
	assert_int_equal(u.events[MW_MEMCG_OOM_KILL], 9);
	assert_int_equal(u.max + 10 * u.high + 100 * u.low, 321);
	/* Statistics are not of one moment: never below zero. */
	s.slab_reclaimable = 1000;
	mw_usage_from_sample(&s, &u);
	assert_int_equal(u.bin, 0);
}

static void check_boundaries(void **state)
{
	static const struct {
		const struct mw_profile *p;
		__u64 heap, bin;
		enum mw_status status;
		bool high_memory, hibernate, over_bin;
	} rows[] = {
		{&tool, 0, 0, MW_STATUS_OK, false, false, false},
		{&tool, 38249999, 0, MW_STATUS_OK, false, false, false},
		{&tool, 38250000, 0, MW_STATUS_WARNING, false, false, false}, /* 0.9 x 0.85 */
		{&tool, 42499999, 0, MW_STATUS_WARNING, false, false, false},
		{&tool, 42500000, 0, MW_STATUS_ERROR, true, true, false},
		{&tool, 30000000, 12500000, MW_STATUS_ERROR, true, true, false}, /* heap + bin */
		{&tool, 0, 25000000, MW_STATUS_OK, false, false, false},
		{&tool, 0, 25000001, MW_STATUS_ERROR, false, false, true},
		{&context, 80999999, 0, MW_STATUS_OK, false, false, false},
		{&context, 81000000, 0, MW_STATUS_WARNING, false, false, false},
		{&context, 84999999, 0, MW_STATUS_WARNING, false, false, false},
		{&context, 85000000, 0, MW_STATUS_WARNING, true, false, false}, /* alert_threshold is lower */
		{&context, 90000000, 0, MW_STATUS_ERROR, true, true, false},
		{&context, 120000000, 0, MW_STATUS_ERROR, true, true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mw_usage u = {.time_ns = 1, .heap = rows[i].heap, .bin = rows[i].bin};
		struct mw_check c = mw_verdict_check(&u, rows[i].p, &monitor);

		assert_int_equal(c.status, rows[i].status);
		assert_int_equal(c.high_memory, rows[i].high_memory);
		assert_int_equal(c.hibernate, rows[i].hibernate);
		assert_int_equal(c.over_bin, rows[i].over_bin);
		assert_true(c.percent == 100.0 * (double)(rows[i].heap + rows[i].bin) / (double)rows[i].p->max_heap);
	}
}

static void check_without_a_limit(void **state)
{
	struct mw_profile p = {.max_heap = MW_UNLIMITED, .max_bin_heap = 10, .hibernate_threshold = 0.8};
	struct mw_usage u = {.heap = 1ULL << 50, .bin = 11};
	struct mw_check c = mw_verdict_check(&u, &p, &monitor);

	(void)state;
	assert_int_equal(c.status, MW_STATUS_ERROR);
	assert_true(c.over_bin && !c.high_memory && !c.hibernate && c.percent == 0);
	p.max_bin_heap = MW_UNLIMITED;
	u.bin = 1ULL << 50;
	assert_int_equal(mw_verdict_check(&u, &p, &monitor).status, MW_STATUS_OK);
}

#define HIGH (40 * MB) /* margin: 800 KB */
#define T0   (100 * MW_NS_PER_S)
#define MS   MW_NS_PER_MS

struct squeeze_row {
	enum mw_policy policy;
	__u64 high;
	struct mw_squeeze_state s;
	__u64 current, seen_after_ms, now_after_ms; /* after the lift */
	enum mw_squeeze expected;
};

#define LIFTED(at)                                                                                                     \
	{                                                                                                              \
		.lifted = true, .throttled = true, .lifted_ns = T0, .usage_at_lift = (at)                              \
	}

static void run_squeeze(const struct squeeze_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct squeeze_row *r = &rows[i];
		struct mw_usage u = {.time_ns = T0 + r->seen_after_ms * MS, .current = r->current};
		enum mw_squeeze got = mw_verdict_squeeze(&r->s, &u, r->high, r->policy, T0 + r->now_after_ms * MS);

		if (got != r->expected)
			print_error("row %zu\n", i);
		assert_int_equal(got, r->expected);
	}
}

static void squeeze_lifts(void **state)
{
	static const struct squeeze_row rows[] = {
		{MW_POLICY_PROTECT, HIGH, {0}, 50 * MB, 0, 0, MW_SQUEEZE_NONE},
		{MW_POLICY_PROTECT, HIGH, {.throttled = true}, 41 * MB, 0, 0, MW_SQUEEZE_LIFT},
		{MW_POLICY_PROTECT, HIGH, {.near = true}, 38 * MB, 0, 0, MW_SQUEEZE_LIFT},
		{MW_POLICY_STRICT, HIGH, {.throttled = true}, 41 * MB, 0, 0, MW_SQUEEZE_LIFT},
		{MW_POLICY_STRICT, HIGH, {.near = true}, 38 * MB, 0, 0, MW_SQUEEZE_LIFT},
		{MW_POLICY_OBSERVE, HIGH, {.throttled = true, .near = true}, 41 * MB, 0, 0, MW_SQUEEZE_NONE},
		{MW_POLICY_OBSERVE, HIGH, LIFTED(41 * MB), 1 * MB, 5000, 5000, MW_SQUEEZE_NONE},
		{MW_POLICY_PROTECT, MW_UNLIMITED, {.throttled = true}, 41 * MB, 0, 0, MW_SQUEEZE_NONE},
	};

	(void)state;
	run_squeeze(rows, ARRAY_SIZE(rows));
}

static void squeeze_restores(void **state)
{
	static const struct squeeze_row rows[] = {
		{MW_POLICY_PROTECT, HIGH, LIFTED(41 * MB), 39199999, 1000, 1000, MW_SQUEEZE_RESTORE},
		{MW_POLICY_PROTECT, HIGH, LIFTED(41 * MB), 39199999, 999, 999, MW_SQUEEZE_NONE}, /* held 1 s */
		{MW_POLICY_PROTECT, HIGH, LIFTED(41 * MB), 39200000, 1000, 1000, MW_SQUEEZE_NONE}, /* margin */
		{MW_POLICY_PROTECT, HIGH, LIFTED(41 * MB), 30 * MB, 0, 5000, MW_SQUEEZE_NONE}, /* old figures */
		{MW_POLICY_PROTECT, HIGH, LIFTED(41 * MB), 41 * MB, 60000, 60000, MW_SQUEEZE_NONE},
		/* Lifted on the way up: where it stands still it is not restored and lifted by turns. */
		{MW_POLICY_PROTECT, HIGH, LIFTED(37 * MB), 37 * MB, 1000, 1000, MW_SQUEEZE_NONE},
		{MW_POLICY_PROTECT, HIGH, LIFTED(37 * MB), 36199999, 1000, 1000, MW_SQUEEZE_RESTORE},
		{MW_POLICY_PROTECT, HIGH, LIFTED(37 * MB), 37 * MB, 29999, 29999, MW_SQUEEZE_NONE},
		{MW_POLICY_PROTECT, HIGH, LIFTED(37 * MB), 37 * MB, 30000, 30000, MW_SQUEEZE_RESTORE},
		{MW_POLICY_PROTECT, HIGH, LIFTED(37 * MB), 39200000, 30000, 30000, MW_SQUEEZE_NONE},
		/* Of a large limit the margin is 4 MiB. */
		{MW_POLICY_PROTECT, 1000 * MB, LIFTED(1001 * MB), 1000 * MB - (4 << 20) - 1, 1000, 1000,
		 MW_SQUEEZE_RESTORE},
		{MW_POLICY_PROTECT, 1000 * MB, LIFTED(1001 * MB), 1000 * MB - (4 << 20), 1000, 1000, MW_SQUEEZE_NONE},
		{MW_POLICY_STRICT, HIGH, LIFTED(41 * MB), 39199999, 1000, 1000, MW_SQUEEZE_RESTORE},
	};

	(void)state;
	run_squeeze(rows, ARRAY_SIZE(rows));
}

static void strict_kills(void **state)
{
	static const struct squeeze_row rows[] = {
		{MW_POLICY_STRICT, HIGH, LIFTED(42 * MB), 42 * MB, 100, 100, MW_SQUEEZE_KILL},
		{MW_POLICY_PROTECT, HIGH, LIFTED(42 * MB), 49 * MB, 100, 100, MW_SQUEEZE_NONE},
		{MW_POLICY_STRICT, HIGH, LIFTED(42 * MB), 42 * MB, 99, 99, MW_SQUEEZE_NONE},
		{MW_POLICY_STRICT, HIGH, LIFTED(42 * MB), 42 * MB, 99, 500, MW_SQUEEZE_NONE}, /* seen too early */
		/* A tenth of 2 MB over. */
		{MW_POLICY_STRICT, HIGH, LIFTED(42 * MB), 41800001, 100, 100, MW_SQUEEZE_KILL},
		{MW_POLICY_STRICT, HIGH, LIFTED(42 * MB), 41800000, 100, 100, MW_SQUEEZE_NONE},
		{MW_POLICY_STRICT, HIGH, LIFTED(42 * MB), 45 * MB, 5000, 5000, MW_SQUEEZE_KILL},
		/* Who brushes against it lives. */
		{MW_POLICY_STRICT, HIGH, LIFTED(40100 * KB), 40800000, 100, 100, MW_SQUEEZE_NONE},
		{MW_POLICY_STRICT, HIGH, LIFTED(40100 * KB), 40800001, 100, 100, MW_SQUEEZE_KILL},
		/* Lifted before it crossed. */
		{MW_POLICY_STRICT, HIGH, LIFTED(37 * MB), 39 * MB, 100, 100, MW_SQUEEZE_NONE},
		{MW_POLICY_STRICT, HIGH, LIFTED(37 * MB), 41 * MB, 100, 100, MW_SQUEEZE_KILL},
	};

	(void)state;
	run_squeeze(rows, ARRAY_SIZE(rows));
}

/* Down by steps: each is worth MW_SQUEEZE_STALL_NS, and what is less than a tenth is none. */
static void strict_kills_who_stops_freeing(void **state)
{
	static const struct {
		__u64 after_s, current;
		enum mw_squeeze expected;
	} looks[] = {
		{1, 44 * MB, MW_SQUEEZE_KILL}, /* nothing freed */
		{2, 43 * MB, MW_SQUEEZE_NONE}, /* a quarter of 4 MB over */
		{31, 43 * MB, MW_SQUEEZE_NONE},	    {31, 42900 * KB, MW_SQUEEZE_NONE}, /* not a tenth of 3 MB */
		{32, 42900 * KB, MW_SQUEEZE_KILL},  {32, 42 * MB, MW_SQUEEZE_NONE}, /* a third of them */
		{40, 43500 * KB, MW_SQUEEZE_NONE}, /* up and down between two steps */
		{61, 43 * MB, MW_SQUEEZE_NONE},	    {62, 42 * MB, MW_SQUEEZE_KILL},
		{62, 40700 * KB, MW_SQUEEZE_NONE}, /* it brushes against it */
		{200, 40700 * KB, MW_SQUEEZE_NONE}, {200, 39 * MB, MW_SQUEEZE_RESTORE},
	};
	struct mw_squeeze_state s = LIFTED(44 * MB);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		__u64 now = T0 + looks[i].after_s * MW_NS_PER_S;
		struct mw_usage u = {.time_ns = now, .current = looks[i].current};

		mw_squeeze_note(&s, u.current, HIGH, now);
		assert_int_equal(mw_verdict_squeeze(&s, &u, HIGH, MW_POLICY_STRICT, now), looks[i].expected);
		assert_int_not_equal(mw_verdict_squeeze(&s, &u, HIGH, MW_POLICY_PROTECT, now), MW_SQUEEZE_KILL);
	}
	/* The next lift begins anew. */
	s.lifted_ns = T0 + 300 * MW_NS_PER_S;
	mw_squeeze_note(&s, 43 * MB, HIGH, T0 + 301 * MW_NS_PER_S);
	assert_true(s.least == 43 * MB && s.least_ns == T0 + 301 * MW_NS_PER_S);
}

/* As wait(2) has them. */
#define EXITED(n) ((n) << 8)
#define KILLED(n) (n)

static void deaths(void **state)
{
	static const struct {
		struct mw_death d;
		enum mw_reason reason;
	} rows[] = {
		/* plain ends */
		{{EXITED(0)}, MW_REASON_EXIT},
		{{EXITED(1)}, MW_REASON_EXIT},
		{{EXITED(127)}, MW_REASON_EXIT},
		{{EXITED(128)}, MW_REASON_EXIT},
		{{EXITED(255)}, MW_REASON_EXIT},
		{{EXITED(128 + 32)}, MW_REASON_EXIT},
		{{-1}, MW_REASON_EXIT},
		/* asked to stop, or the reader left */
		{{KILLED(SIGTERM)}, MW_REASON_EXIT},
		{{KILLED(SIGINT)}, MW_REASON_EXIT},
		{{KILLED(SIGHUP)}, MW_REASON_EXIT},
		{{KILLED(SIGPIPE)}, MW_REASON_EXIT},
		{{EXITED(128 + SIGTERM)}, MW_REASON_EXIT},
		/* crashes, and kills by somebody else */
		{{KILLED(SIGSEGV)}, MW_REASON_SIGNAL},
		{{KILLED(SIGABRT) | 0x80}, MW_REASON_SIGNAL}, /* with a core */
		{{KILLED(SIGBUS)}, MW_REASON_SIGNAL},
		{{KILLED(SIGQUIT)}, MW_REASON_SIGNAL},
		{{KILLED(SIGKILL)}, MW_REASON_SIGNAL},
		{{EXITED(128 + SIGKILL)}, MW_REASON_SIGNAL},
		{{EXITED(128 + SIGSEGV)}, MW_REASON_SIGNAL},
		/* the kernel's OOM killer */
		{{KILLED(SIGKILL), .oom_kills = 1}, MW_REASON_HEAP_SIZE},
		{{EXITED(137), .oom_kills = 1}, MW_REASON_HEAP_SIZE}, /* a shell was the main process */
		{{EXITED(1), .oom_kills = 3}, MW_REASON_HEAP_SIZE}, /* a child was the victim, main gave up */
		{{-1, .oom_kills = 1}, MW_REASON_HEAP_SIZE}, /* attached, nobody waited for it */
		{{EXITED(0), .oom_kills = 1}, MW_REASON_EXIT}, /* main went on and ended well */
		{{KILLED(SIGTERM), .oom_kills = 1}, MW_REASON_EXIT},
		{{EXITED(143), .oom_kills = 1}, MW_REASON_EXIT},
		{{KILLED(SIGSEGV), .oom_kills = 1}, MW_REASON_SIGNAL},
		{{KILLED(SIGKILL), .oom_kills = 1, .oom_host = true}, MW_REASON_HOST_OOM},
		{{KILLED(SIGKILL), .oom_host = true}, MW_REASON_HOST_OOM}, /* counters not read in time */
		{{EXITED(1), .oom_kills = 1, .oom_host = true}, MW_REASON_HOST_OOM},
		{{EXITED(0), .oom_host = true}, MW_REASON_EXIT},
		/* ours */
		{{KILLED(SIGKILL), .ours = MW_REASON_SQUEEZE}, MW_REASON_SQUEEZE},
		{{KILLED(SIGKILL), .ours = MW_REASON_BIN_LIMIT, .oom_kills = 2}, MW_REASON_BIN_LIMIT},
		{{KILLED(SIGKILL), .ours = MW_REASON_ADMIN, .oom_host = true}, MW_REASON_ADMIN},
		{{-1, .ours = MW_REASON_ADMIN}, MW_REASON_ADMIN},
		{{KILLED(SIGKILL), .ours = MW_REASON_LIFT}, MW_REASON_SIGNAL}, /* no killing reason */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (mw_verdict_death(&rows[i].d) != rows[i].reason)
			print_error("row %zu\n", i);
		assert_int_equal(mw_verdict_death(&rows[i].d), rows[i].reason);
	}
}

static void names_are_the_interface(void **state)
{
	static const char *const reasons[] = {"exit",	"heap_size", "bin_limit", "squeeze", "admin", "host_oom",
					      "signal", "hibernate", "lift",	  "freeze",  "unseen"};

	(void)state;
	assert_int_equal(ARRAY_SIZE(reasons), MW_REASON_MAX);
	for (int i = 0; i < MW_REASON_MAX; i++) {
		assert_string_equal(mw_reason_name((enum mw_reason)i), reasons[i]);
		assert_int_equal(mw_reason_is_incident((enum mw_reason)i), i != MW_REASON_EXIT);
	}
	assert_string_equal(mw_reason_name(MW_REASON_MAX), "unknown");
	assert_false(mw_reason_is_incident(MW_REASON_MAX));
	assert_string_equal(mw_status_name(MW_STATUS_OK), "ok");
	assert_string_equal(mw_status_name(MW_STATUS_WARNING), "warning");
	assert_string_equal(mw_status_name(MW_STATUS_ERROR), "error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usage_of_a_sample),
		cmocka_unit_test(check_boundaries),
		cmocka_unit_test(check_without_a_limit),
		cmocka_unit_test(squeeze_lifts),
		cmocka_unit_test(squeeze_restores),
		cmocka_unit_test(strict_kills),
		cmocka_unit_test(strict_kills_who_stops_freeing),
		cmocka_unit_test(deaths),
		cmocka_unit_test(names_are_the_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
