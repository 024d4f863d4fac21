/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <signal.h>

#include "report/phrase.h"
#include "report/text.h"
#include "util/clock.h"

#define MB 1000000ULL
#define S  MW_NS_PER_S

static struct mw_point points[10];
static char buf[512];

/* A tool of 50 MB that has grown for 45 s. */
static struct mw_worker leaky(void)
{
	struct mw_worker w = {
		.name = "leaky",
		.class_name = "tool",
		.main_pid = 4711,
		.main_status = -1,
		.command = "npx some-server",
		.started_ns = 100 * S,
		.peak = 49900000,
		.profile = {.max_heap = 50 * MB,
			    .max_bin_heap = 25 * MB,
			    .hibernate_threshold = 0.85,
			    .policy = MW_POLICY_PROTECT},
		.limits = {.max = 50 * MB, .high = 42500000},
		.usage = {.time_ns = 1, .current = 49500000, .heap = 48900000, .bin = 301200, .max = 50 * MB},
		.check = {.percent = 87.5},
		.trend = {.verdict = MW_GROWING,
			  .rate_bytes_per_s = 1.2e6,
			  .r2 = 0.99,
			  .onset_ns = 10 * S,
			  .time_to_limit_s = 33,
			  .evidence = "rises"},
		.history = {.points = points, .capacity = 10, .head = 1, .count = 1},
		.squeeze = {.lifted_ns = 100 * S, .usage_at_lift = 42900000},
	};

	points[0] = (struct mw_point){55 * S, 0};
	return w;
}

#define assert_line(call, expected) assert_string_equal(call, "worker leaky (tool) " expected)

static void usage_lines(void **state)
{
	struct mw_worker w = leaky();

	(void)state;
	w.usage.heap = 43750000 - w.usage.bin;
	assert_line(mw_text_high(&w, buf, sizeof(buf)), "memory high: 87.5 % (43.8 of 50.0 MB)");
	w.check.percent = 1.8;
	w.usage.heap = 900000 - w.usage.bin;
	assert_line(mw_text_normal(&w, buf, sizeof(buf)), "memory normal again: 1.8 % (900.0 KB of 50.0 MB)");
	w.profile.max_heap = MW_UNLIMITED;
	assert_line(mw_text_high(&w, buf, sizeof(buf)), "memory high: 900.0 KB");
	w.usage = (struct mw_usage){
		.bin = 27100000, .shmem = 20 * MB, .sock = 5 * MB, .kernel = 3100000, .slab_reclaimable = 1 * MB};
	assert_line(mw_text_bin(&w, buf, sizeof(buf)),
		    "bin over its limit: 27.1 of 25.0 MB (shmem 20.0 MB, sockets 5.0 MB, kernel 2.1 MB)");
}

static void idle_line(void **state)
{
	struct mw_worker w = leaky();

	(void)state;
	w.usage.anon = 62 * MB;
	w.idle.since_ns = 100 * S;
	assert_line(mw_text_idle(&w, 700 * S, buf, sizeof(buf)), "should hibernate: 62.0 MB idle for 10 min");
}

static void step_before(void **state)
{
	struct mw_worker w = leaky();
	struct mw_ladder ladder = {0};

	(void)state;
	assert_string_equal(mw_text_step_before(&w, MW_RUNG_KILL, buf, sizeof(buf)), "");
	w.ladder = &ladder;
	assert_string_equal(mw_text_step_before(&w, MW_RUNG_KILL, buf, sizeof(buf)), "");
	mw_ladder_begin(w.ladder, (struct mw_step){.rung = MW_RUNG_NOTIFY, .began_ns = 100 * S, .before = 45 * MB});
	mw_ladder_end(w.ladder, MW_RUNG_NOTIFY, 46 * MB, MW_LEVEL_CRITICAL, 102 * S);
	mw_ladder_begin(w.ladder, (struct mw_step){.rung = MW_RUNG_RECLAIM, .began_ns = 102 * S, .before = 46 * MB});
	assert_string_equal(mw_text_step_before(&w, MW_RUNG_RECLAIM, buf, sizeof(buf)),
			    "; before it: notify freed nothing in 2 s");
	mw_ladder_end(w.ladder, MW_RUNG_RECLAIM, 40 * MB, MW_LEVEL_WARNING, 103 * S);
	mw_ladder_begin(w.ladder, (struct mw_step){.rung = MW_RUNG_KILL, .began_ns = 104 * S});
	assert_string_equal(mw_text_step_before(&w, MW_RUNG_KILL, buf, sizeof(buf)),
			    "; before it: reclaim freed 6.0 MB in 1 s");
}

static void told_lines(void **state)
{
	struct mw_worker w = leaky();

	(void)state;
	w.usage.heap = 43750000 - w.usage.bin;
	w.level = MW_LEVEL_HIBERNATE;
	assert_line(mw_text_told(&w, buf, sizeof(buf)),
		    "told to free memory: level hibernate-now, 87.5 % (43.8 of 50.0 MB)");
	w.dry_run = true;
	w.level = MW_LEVEL_CRITICAL;
	assert_line(mw_text_told(&w, buf, sizeof(buf)),
		    "would be told to free memory: level critical, 87.5 % (43.8 of 50.0 MB)");
}

static void trend_lines(void **state)
{
	struct mw_worker w = leaky();

	(void)state;
	assert_line(mw_text_trend(&w, buf, sizeof(buf)),
		    "growing: 1.2 MB/s for 45 s, meets its limit of 50.0 MB in 33 s (r2 0.99)");
	w.trend.time_to_limit_s = -1;
	assert_line(mw_text_trend(&w, buf, sizeof(buf)), "growing: 1.2 MB/s for 45 s (r2 0.99)");
	w.trend.verdict = MW_LEAK;
	w.trend.r2 = 0;
	w.trend.confidence = 0.871;
	w.trend.rate_bytes_per_s = 20e6 / 3600;
	w.trend.time_to_limit_s = 9000;
	w.trend.soonest_s = 8000;
	w.trend.latest_s = 10000;
	assert_line(mw_text_trend(&w, buf, sizeof(buf)),
		    "leak: 333.3 KB/min for 45 s, meets its limit of 50.0 MB in 2 h 30 min (2 h 13 min to 2 h 47 min), "
		    "87 % sure");
	w.trend.soonest_s = -1;
	snprintf(w.trend.against, sizeof(w.trend.against), "it is young");
	assert_line(
		mw_text_trend(&w, buf, sizeof(buf)),
		"leak: 333.3 KB/min for 45 s, meets its limit of 50.0 MB in 2 h 30 min, 87 % sure; but it is young");
	w.trend.time_to_limit_s = 0;
	w.trend.soonest_s = w.trend.latest_s = 0;
	assert_line(mw_text_trend(&w, buf, sizeof(buf)),
		    "leak: 333.3 KB/min for 45 s, is over its limit of 50.0 MB, 87 % sure; but it is young");
	w.trend = (struct mw_trend){.evidence = "flat for 45 s"};
	assert_line(mw_text_trend(&w, buf, sizeof(buf)), "steady: flat for 45 s");
}

static void action_lines(void **state)
{
	struct mw_worker w = leaky();

	(void)state;
	assert_line(mw_text_lift(&w, 0, 0, false, buf, sizeof(buf)),
		    "memory.high of 42.5 MB lifted at 42.9 MB: nothing to reclaim, before a task slept");
	assert_line(mw_text_lift(&w, 12 * MW_NS_PER_MS, 1, false, buf, sizeof(buf)),
		    "memory.high of 42.5 MB lifted at 42.9 MB: a task slept 12 ms, woken by 1 freeze pulse");
	assert_line(mw_text_lift(&w, 12 * MW_NS_PER_MS, 2, true, buf, sizeof(buf)),
		    "memory.high of 42.5 MB would be lifted at 42.9 MB: a task slept 12 ms, "
		    "woken by 2 freeze pulses");
	w.usage.current = 39 * MB;
	assert_line(mw_text_restore(&w, 103 * S + S / 5, buf, sizeof(buf)),
		    "memory.high restored to 42.5 MB after 3.2 s, usage 39.0 MB");
	assert_line(mw_text_hibernated(&w, 91400000, 31200000, NULL, buf, sizeof(buf)),
		    "hibernated: 31.2 MB saved (34.1 %), 60.2 MB left");
	assert_line(mw_text_hibernated(&w, 0, 0, "no swap and no page cache", buf, sizeof(buf)),
		    "not hibernated: no swap and no page cache");
	w.usage.heap = 43750000 - w.usage.bin;
	assert_line(mw_text_recommend(&w, buf, sizeof(buf)),
		    "should hibernate: 87.5 % (43.8 of 50.0 MB); enable_hibernation is off");
	w.profile.policy = MW_POLICY_OBSERVE;
	assert_line(mw_text_recommend(&w, buf, sizeof(buf)),
		    "should hibernate: 87.5 % (43.8 of 50.0 MB); its policy is observe");
}

static void life_lines(void **state)
{
	struct mw_incident inc = {.reason = MW_REASON_HEAP_SIZE, .why = "it was too big"};
	struct mw_worker w = leaky();

	(void)state;
	assert_line(mw_text_started(&w, buf, sizeof(buf)),
		    "started: pid 4711, limit 50.0 MB, policy protect: npx some-server");
	w.main_pid = 0;
	w.dry_run = true;
	strcpy(w.command, "evil\nworker x\x1b[2J");
	assert_line(mw_text_started(&w, buf, sizeof(buf)),
		    "started: limit 50.0 MB, policy protect (dry run): evil worker x [2J");
	w.main_status = 3 << 8;
	assert_line(mw_text_ended(&w, (100 + 11100) * S, buf, sizeof(buf)),
		    "ended: exit status 3, peak 49.9 MB, lived 3 h 5 min");
	w.main_status = SIGTERM;
	assert_line(mw_text_ended(&w, 100 * S, buf, sizeof(buf)), "ended: signal 15, peak 49.9 MB, lived 0 ns");
	w.main_status = -1;
	assert_line(mw_text_ended(&w, 105 * S, buf, sizeof(buf)),
		    "ended: exit status unknown, peak 49.9 MB, lived 5 s");
	assert_line(mw_text_died(&w, &inc, buf, sizeof(buf)), "died: heap_size: it was too big");
}

static const struct mw_worker *grower(void)
{
	static struct mw_worker w = {.name = "b", .class_name = "context"};

	return &w;
}

static void pause_lines(void **state)
{
	struct mw_event e = {.kind = MW_PAUSE_HIGH_THROTTLE,
			     .duration_ns = 312 * MW_NS_PER_MS,
			     .tid = 7,
			     .comm = "node\n"};
	struct mw_cause cause = {.limit = MW_LIMIT_NONE, .bytes = MW_UNLIMITED};
	struct mw_worker w = leaky();

	(void)state;
	assert_line(mw_text_pause(&w, &e, &cause, buf, sizeof(buf)), "paused 312 ms: high-throttle (node , thread 7)");
	e.value = 128;
	e.kind = MW_PAUSE_MAX_RECLAIM;
	cause = (struct mw_cause){
		.limit = MW_LIMIT_TREE, .bytes = 300 * MB, .culprit = grower(), .grown = 41200000, .span_ns = 10 * S};
	assert_line(mw_text_pause(&w, &e, &cause, buf, sizeof(buf)),
		    "paused 312 ms: max-reclaim, 128 pages freed (node , thread 7): the tree budget of 300.0 MB is "
		    "full; b (context) filled it: +41.2 MB in 10 s");
	cause.limit = MW_LIMIT_CLASS;
	cause.culprit = &w;
	assert_line(mw_text_pause(&w, &e, &cause, buf, sizeof(buf)),
		    "paused 312 ms: max-reclaim, 128 pages freed (node , thread 7): the budget of class tool of "
		    "300.0 MB is full; it grew most itself: +41.2 MB in 10 s");
	cause = (struct mw_cause){.limit = MW_LIMIT_WORKER, .file = "memory.max", .bytes = 50 * MB};
	e.value = 0;
	assert_line(
		mw_text_pause(&w, &e, &cause, buf, sizeof(buf)),
		"paused 312 ms: max-reclaim, nothing freed (node , thread 7): its own memory.max of 50.0 MB is full");
	cause = (struct mw_cause){.limit = MW_LIMIT_ANCESTOR,
				  .bytes = MW_UNLIMITED,
				  .path = "/system.slice/x",
				  .length = 13};
	e.value = 1;
	assert_line(mw_text_pause(&w, &e, &cause, buf, sizeof(buf)),
		    "paused 312 ms: max-reclaim, 1 page freed (node , thread 7): a limit of /system.slice above is "
		    "full; no worker grew lately");
	e.kind = MW_PAUSE_GLOBAL_RECLAIM;
	cause = (struct mw_cause){.limit = MW_LIMIT_HOST, .culprit = grower(), .grown = 2 * MB, .span_ns = 3 * S};
	assert_line(mw_text_pause(&w, &e, &cause, buf, sizeof(buf)),
		    "paused 312 ms: global-reclaim, 1 page freed (node , thread 7): the host is short of memory; b "
		    "(context) grew most: +2.0 MB in 3 s");
}

static void often_lines(void **state)
{
	struct mw_stalls s = {.rates = {.reclaims_per_min = 84, .stalled_share = 0.0312, .passes = {80, 4}}};
	struct mw_worker w = leaky();

	(void)state;
	w.stalls = &s;
	w.usage.file = 12 * MB;
	assert_line(
		mw_text_often(&w, buf, sizeof(buf)),
		"reclaims often: 84 passes in a minute, stalled 3.1 % of the time; 80 of them at a memory.high, its "
		"own is 42.5 MB; it uses 49.5 MB, 12.0 MB of it page cache");
	s.rates.passes[MW_PASS_OF_HOST] = 100;
	assert_line(mw_text_often(&w, buf, sizeof(buf)), "reclaims often: 84 passes in a minute, stalled 3.1 % of the "
							 "time; 100 of them because the host is short of memory");
	s.rates = (struct mw_rates){.reclaims_per_min = 60};
	assert_line(mw_text_often(&w, buf, sizeof(buf)),
		    "reclaims often: 60 passes in a minute, stalled 0.0 % of the time");
	s.rates.reclaims_per_min = 25;
	s.often_since = (struct mw_reading){.time_ns = 10 * S, .passes = {100, 7, 3}};
	s.rate.newest = (struct mw_reading){.time_ns = 313 * S, .passes = {500, 19, 3}};
	assert_line(mw_text_often_over(&w, buf, sizeof(buf)),
		    "reclaims often no more: 412 passes in 5 min 3 s, 25 in the last minute");
	w.stalls = NULL;
	assert_line(mw_text_often_over(&w, buf, sizeof(buf)),
		    "reclaims often no more: 0 passes in 0 ns, 0 in the last minute");
}

static const char *why(enum mw_reason reason, int wait_status, const struct mw_worker *w)
{
	struct mw_incident inc = {.reason = reason, .wait_status = wait_status, .saved_bytes = 2 * MB};

	if (reason == MW_REASON_BIN_LIMIT)
		inc.saved_bytes = 0;
	mw_text_killed_by(&inc, w, inc.killed_by, sizeof(inc.killed_by));
	return mw_text_why(&inc, w, buf, 256);
}

static void why_it_died(void **state)
{
	struct mw_worker w = leaky();

	(void)state;
	assert_string_equal(why(MW_REASON_HEAP_SIZE, SIGKILL, &w),
			    "leaky grew to its hard limit of 50.0 MB (memory.max) and the kernel killed it: "
			    "48.9 MB heap, 301.2 KB bin; it had been growing 1.2 MB/s for 45 s");
	w.trend.verdict = MW_STEADY;
	assert_string_equal(why(MW_REASON_HEAP_SIZE, 1 << 8, &w),
			    "leaky grew to its hard limit of 50.0 MB (memory.max) and the kernel killed a process "
			    "of it, and it exited with status 1: 48.9 MB heap, 301.2 KB bin");
	assert_string_equal(why(MW_REASON_HOST_OOM, SIGKILL, &w),
			    "memory ran out above leaky, on the host or in a cgroup that contains it, and the kernel "
			    "killed it: 48.9 MB heap, 301.2 KB bin, its own limit is 50.0 MB");
	assert_string_equal(why(MW_REASON_SQUEEZE, SIGKILL, &w),
			    "leaky stayed over its soft limit of 42.5 MB (memory.high) with 49.5 MB and nothing could "
			    "be freed; memweir killed it (strict)");
	w.squeeze.usage_at_lift = 50300000; /* a tenth of what it was over is gone */
	assert_string_equal(why(MW_REASON_SQUEEZE, SIGKILL, &w),
			    "leaky stayed over its soft limit of 42.5 MB (memory.high) with 49.5 MB and nothing more "
			    "could be freed; memweir killed it (strict)");
	w.usage.bin = 27100000, w.usage.shmem = 20 * MB, w.usage.sock = 5 * MB;
	assert_string_equal(why(MW_REASON_BIN_LIMIT, SIGKILL, &w),
			    "leaky held 27.1 MB of bin (shmem 20.0 MB, sockets 5.0 MB), over its limit of 25.0 MB; "
			    "memweir killed it (strict)");
	w.usage = (struct mw_usage){0}; /* never looked at */
	assert_string_equal(why(MW_REASON_ADMIN, SIGKILL, &w), "leaky was killed on request (admin)");
	assert_string_equal(why(MW_REASON_SIGNAL, SIGSEGV, &w), "leaky was killed by signal 11 (SIGSEGV)");
	assert_string_equal(why(MW_REASON_SIGNAL, 139 << 8, &w),
			    "leaky exited with status 139, what a shell makes of signal 11 (SIGSEGV)");
	assert_string_equal(
		why(MW_REASON_SIGNAL, SIGKILL, &w),
		"leaky was killed by signal 9 (SIGKILL), sent by neither memweir nor the kernel's OOM killer");
	assert_string_equal(why(MW_REASON_EXIT, 0, &w), "leaky exited with status 0");
	assert_string_equal(why(MW_REASON_EXIT, SIGTERM, &w), "leaky was asked to stop with signal 15");
	assert_string_equal(why(MW_REASON_EXIT, -1, &w), "leaky ended");
}

static void why_we_acted(void **state)
{
	struct mw_worker w = leaky();

	(void)state;
	w.trend.verdict = MW_STEADY;
	assert_string_equal(
		why(MW_REASON_LIFT, -1, &w),
		"leaky reached 42.9 MB with nothing to reclaim, so memweir lifted its soft limit of 42.5 MB "
		"(memory.high) instead of letting the kernel stall it; its hard limit stays");
	w.usage.time_ns = 0;
	assert_string_equal(why(MW_REASON_HIBERNATE, -1, &w),
			    "leaky was idle over its hibernate threshold of 85 % and memweir reclaimed 2.0 MB");
	assert_string_equal(why(MW_REASON_FREEZE, -1, &w),
			    "leaky was frozen on request and stands still until it is thawed");
	assert_string_equal(why(MW_REASON_MAX, -1, &w), "");
}

static void who_killed_it(void **state)
{
	static const struct {
		enum mw_reason reason;
		int wait_status;
		const char *by;
	} rows[] = {
		{MW_REASON_HEAP_SIZE, SIGKILL, "kernel (memory.max)"},
		{MW_REASON_HOST_OOM, SIGKILL, "kernel (host memory)"},
		{MW_REASON_SQUEEZE, SIGKILL, "memweir (strict)"},
		{MW_REASON_BIN_LIMIT, SIGKILL, "memweir (strict)"},
		{MW_REASON_ADMIN, SIGKILL, "admin"},
		{MW_REASON_SIGNAL, SIGSEGV, "signal 11"},
		{MW_REASON_SIGNAL, 134 << 8, "signal 6"},
		{MW_REASON_EXIT, 0, ""},
		{MW_REASON_LIFT, -1, ""},
	};
	struct mw_incident inc = {.reason = MW_REASON_ADMIN, .killed_by = "admin uid 0"};
	struct mw_worker w = leaky();

	(void)state;
	assert_string_equal(mw_text_killed_by(&inc, &w, inc.killed_by, sizeof(inc.killed_by)), "admin uid 0");
	w.profile.policy = MW_POLICY_STRICT;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		inc = (struct mw_incident){.reason = rows[i].reason, .wait_status = rows[i].wait_status};
		assert_string_equal(mw_text_killed_by(&inc, &w, buf, sizeof(buf)), rows[i].by);
	}
}

/* Every sentence about the longest name fits where it is kept, or is cut and ended. */
static void cut_not_overrun(void **state)
{
	struct mw_worker w = leaky();
	char small[8];

	(void)state;
	memset(w.name, 'n', sizeof(w.name) - 1);
	for (int r = 0; r < MW_REASON_MAX; r++)
		assert_true(strlen(why((enum mw_reason)r, SIGKILL, &w)) < 256);
	for (size_t size = 1; size <= sizeof(small); size++) {
		memset(small, 'x', sizeof(small));
		mw_text_high(&w, small, size);
		assert_int_equal(strlen(small), size - 1);
	}
}

static void cut_between_characters(void **state)
{
	char small[6];
	struct mw_phrase p = mw_phrase_begin(small, sizeof(small));

	(void)state;
	mw_phrase_add(&p, "abcd\xc3\xa4");
	assert_string_equal(small, "abcd");
	mw_phrase_add(&p, "ef");
	assert_string_equal(small, "abcde");
	mw_phrase_add(&p, "f");
	assert_string_equal(small, "abcde");
	p = mw_phrase_begin(small, sizeof(small));
	mw_phrase_add(&p, "abc\xc3\xa4z");
	assert_string_equal(small, "abc\xc3\xa4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usage_lines),	   cmocka_unit_test(idle_line),
		cmocka_unit_test(told_lines),	   cmocka_unit_test(step_before),
		cmocka_unit_test(trend_lines),	   cmocka_unit_test(action_lines),
		cmocka_unit_test(life_lines),	   cmocka_unit_test(pause_lines),
		cmocka_unit_test(often_lines),	   cmocka_unit_test(why_it_died),
		cmocka_unit_test(why_we_acted),	   cmocka_unit_test(who_killed_it),
		cmocka_unit_test(cut_not_overrun), cmocka_unit_test(cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
