/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "leak/replay.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define MB 1000000ULL
#define S  MW_NS_PER_S
#define T0 (1000 * S)

static struct mw_replay_rules rules(__u64 max_heap, enum mw_policy policy)
{
	struct mw_replay_rules r = {.own_rhythm = true};

	r.profile = (struct mw_profile){.max_heap = max_heap,
					.max_bin_heap = MW_UNLIMITED,
					.hibernate_threshold = 0.8,
					.swap_max = MW_AUTO,
					.low = MW_AUTO,
					.policy = policy,
					.budget = MW_UNLIMITED};
	r.monitor = (struct mw_monitor){.check_interval_ns = 5 * S,
					.sample_interval_ns = S / 2,
					.alert_threshold = 0.85,
					.max_history = 10,
					.method = MW_METHOD_WINDOWS};
	return r;
}

static struct mw_usage look(__u64 time_ns, __u64 anon, __u64 cache)
{
	struct mw_usage u = {.time_ns = time_ns, .anon = anon, .file = cache, .current = anon + cache};

	u.max = u.high = MW_UNLIMITED;
	mw_record_derive(&u);
	return u;
}

/* Warms up, rests, leaks fast, frees all of it: each verdict comes up. */
static __u64 life(unsigned i)
{
	double t = i / 2.0, saw = (i * 7919 % 101) * 3e3;

	if (t < 100)
		return (__u64)(20e6 + 1e5 * t + saw);
	if (t < 400)
		return (__u64)(30e6 + saw);
	return t < 700 ? (__u64)(30e6 + 3e5 * (t - 400) + saw) : (__u64)(25e6 + saw);
}

#define LIFE 1600 /* samples */

/* What the daemon does with them (daemon/judge.c), written down as memweir record does. */
static struct mw_trend daemon_watches(struct mw_record_writer *w, enum mw_method method,
				      unsigned ret_said[MW_TREND_MAX])
{
	const struct mw_replay_rules r = rules(128 * MB, MW_POLICY_OBSERVE);
	struct mw_record_head head = {.wall_ns = S, .time_ns = T0, .monitor = r.monitor};
	struct mw_record_item item = {.kind = MW_RECORD_WORKER, .time_ns = T0};
	struct mw_trend line, trend = {0};
	struct mw_series history = {0};
	struct mw_leak leak = {0};

	head.monitor.method = method;
	assert_int_equal(mw_record_begin(w, &head), 0);
	snprintf(item.about.name, sizeof(item.about.name), "w");
	item.about.profile = r.profile;
	assert_int_equal(mw_record_add(w, &item), 0);
	assert_int_equal(mw_series_init(&history, r.monitor.max_history), 0);
	for (unsigned i = 0; i < LIFE; i++) {
		__u64 now = T0 + i * S / 2 + i * 104729 % 1000000;

		item = (struct mw_record_item){.kind = MW_RECORD_SAMPLE, .time_ns = now};
		item.usage = look(now, life(i), 5 * MB);
		assert_int_equal(mw_record_add(w, &item), 0);
		mw_leak_sample(&leak, now, life(i), r.profile.max_heap);
		mw_leak_think(&leak);
		if (i % 10 != 3)
			continue;
		mw_series_push(&history, (struct mw_point){now, life(i)});
		line = mw_trend_line(&history, r.profile.max_heap);
		trend = method == MW_METHOD_REGRESSION ? line : mw_leak_judge(&leak, &line);
		ret_said[trend.verdict]++;
		item = (struct mw_record_item){.kind = MW_RECORD_CHECK,
					       .time_ns = now,
					       .used = life(i),
					       .said = trend.verdict};
		assert_int_equal(mw_record_add(w, &item), 0);
	}
	mw_series_free(&history);
	return trend;
}

struct heard {
	unsigned events[MW_REPLAY_WHAT_MAX], verdicts[MW_TREND_MAX];
	struct mw_replay_event last;
};

static void hear(__u32 worker, const struct mw_replay_event *e, void *arg)
{
	struct heard *h = arg;

	assert_int_equal(worker, 0);
	h->events[e->what]++;
	h->last = *e;
	if (e->what == MW_REPLAY_VERDICT)
		h->verdicts[e->trend->verdict]++;
}

static int as_recorded(const struct mw_record_worker *about, struct mw_replay_rules *r, void *arg, struct mw_error *err)
{
	(void)about, (void)r, (void)arg, (void)err;
	return 0;
}

static void same_trend(const struct mw_trend *a, const struct mw_trend *b)
{
	assert_int_equal(a->verdict, b->verdict);
	assert_memory_equal(&a->rate_bytes_per_s, &b->rate_bytes_per_s, sizeof(double));
	assert_memory_equal(&a->r2, &b->r2, sizeof(double));
	assert_memory_equal(&a->time_to_limit_s, &b->time_to_limit_s, sizeof(double));
	assert_memory_equal(&a->soonest_s, &b->soonest_s, sizeof(double));
	assert_memory_equal(&a->latest_s, &b->latest_s, sizeof(double));
	assert_memory_equal(&a->confidence, &b->confidence, sizeof(double));
	assert_int_equal(a->window_ns, b->window_ns);
	assert_int_equal(a->onset_ns, b->onset_ns);
	assert_string_equal(a->evidence, b->evidence);
	assert_string_equal(a->against, b->against);
}

static void the_daemons_verdicts_come_again_bit_by_bit(void **state)
{
	const enum mw_method methods[] = {MW_METHOD_WINDOWS, MW_METHOD_REGRESSION};

	(void)state;
	for (size_t m = 0; m < ARRAY_SIZE(methods); m++) {
		_cleanup_(mw_record_writer_free) struct mw_record_writer w = {0};
		_cleanup_(mw_replay_run_free) struct mw_replay_run run = {0};
		unsigned said[MW_TREND_MAX] = {0};
		struct mw_trend end = daemon_watches(&w, methods[m], said);
		struct heard h = {0};
		const struct mw_replay_asks asks = {.rules = as_recorded, .event = hear, .arg = &h};
		struct mw_error err = {""};
		const struct mw_replay_result *r;

		assert_int_equal(mw_replay_run("f", w.bytes, w.size, &asks, &run, &err), 0);
		assert_int_equal(run.n_workers, 1);
		r = &run.workers[0].replay.result;
		assert_int_equal(r->samples, LIFE);
		assert_int_equal(r->as_said, LIFE / 10);
		assert_int_equal(r->not_as_said, 0);
		same_trend(&r->trend, &end);
		assert_true(said[MW_GROWING] && said[MW_STEADY]);
		if (methods[m] == MW_METHOD_WINDOWS) {
			assert_true(said[MW_LEAK] && h.verdicts[MW_LEAK]);
			assert_int_equal(r->most, MW_LEAK);
			assert_in_range(r->leak_ns, T0 + 400 * S, T0 + 700 * S);
		}
	}
}

static int by_regression(const struct mw_record_worker *about, struct mw_replay_rules *r, void *arg,
			 struct mw_error *err)
{
	(void)about, (void)arg, (void)err;
	r->monitor.method = MW_METHOD_REGRESSION;
	return 0;
}

static void another_method_judges_the_same_recording(void **state)
{
	_cleanup_(mw_record_writer_free) struct mw_record_writer w = {0};
	_cleanup_(mw_replay_run_free) struct mw_replay_run run = {0};
	unsigned said[MW_TREND_MAX] = {0};
	struct heard h = {0};
	const struct mw_replay_asks asks = {.rules = by_regression, .event = hear, .arg = &h};
	struct mw_error err = {""};

	(void)state;
	daemon_watches(&w, MW_METHOD_WINDOWS, said);
	assert_int_equal(mw_replay_run("f", w.bytes, w.size, &asks, &run, &err), 0);
	assert_int_equal(h.verdicts[MW_LEAK], 0); /* a line never says so */
	assert_true(run.workers[0].replay.result.not_as_said > 0);
}

/* Ten minutes of 30 MB, then a MB a second up to 90 MB at the end, in looks of half a second. */
static struct mw_replay_result grown(const struct mw_replay_rules *r, __u64 cache)
{
	struct mw_replay_result result;
	struct mw_replay replay;

	assert_int_equal(mw_replay_begin(&replay, r, NULL, NULL), 0);
	for (unsigned i = 0; i <= 1320; i++) {
		__u64 anon = 30 * MB + (i > 1200 ? (i - 1200) * MB / 2 : 0);
		struct mw_usage u = look(T0 + i * S / 2, anon, cache);

		mw_replay_sample(&replay, &u);
	}
	result = replay.result;
	mw_replay_free(&replay);
	return result;
}

static void a_limit_below_what_it_used_kills(void **state)
{
	struct mw_replay_rules r = rules(60 * MB, MW_POLICY_PROTECT);
	struct mw_replay_result res = grown(&r, 0);

	(void)state;
	assert_int_equal(res.killed_by, MW_REASON_HEAP_SIZE);
	assert_int_equal(res.killed_ns, T0 + 600 * S + 61 * S / 2); /* the first look over 60 MB */
	assert_int_equal(res.killed_bytes, 60 * MB + MB / 2);
	assert_int_equal(res.high_ns, T0 + 600 * S + 37 * S / 2); /* over 48 MB */
	assert_int_equal(res.hibernate_ns, T0 + 600 * S + 18 * S); /* from 48 MB */
	assert_int_equal(res.over_high_ns, 12 * S);
	assert_int_equal(res.lifts, 1);
	/* From then on 60.5 MB to 89.5 MB in steps of half a second. */
	assert_true(res.saved_byte_s > 2212e6 && res.saved_byte_s < 2214e6);
	assert_true(res.reserved_byte_s > 630 * 60e6 && res.reserved_byte_s < 631 * 60e6);
	assert_int_equal(res.last_ns, T0 + 660 * S);
	assert_int_equal(res.peak_used, 90 * MB);
}

static void who_fits_costs_nothing(void **state)
{
	struct mw_replay_rules r = rules(120 * MB, MW_POLICY_STRICT);
	struct mw_replay_result res = grown(&r, 0);

	(void)state;
	assert_int_equal(res.killed_ns, 0);
	assert_int_equal(res.over_high_ns, 0);
	assert_true(res.saved_byte_s == 0);
}

static void observe_sets_no_limit(void **state)
{
	struct mw_replay_rules r = rules(60 * MB, MW_POLICY_OBSERVE);
	struct mw_replay_result res = grown(&r, 0);

	(void)state;
	assert_int_equal(res.killed_ns, 0);
	assert_int_equal(res.high_ns, 0);
	assert_true(res.hibernate_ns != 0); /* that is a verdict, not a limit */
}

static void page_cache_goes_before_anything_dies(void **state)
{
	struct mw_replay_rules r = rules(100 * MB, MW_POLICY_PROTECT);
	struct mw_replay_result res = grown(&r, 200 * MB);

	(void)state;
	assert_int_equal(res.killed_ns, 0);
	assert_int_equal(res.squeezed_ns + res.over_high_ns, 660 * S);
	assert_in_range(res.over_high_ns, 9 * S, 11 * S); /* from 80 MB of it */
	assert_true(res.saved_byte_s > 600 * 150e6);
}

static void strict_kills_over_memory_high(void **state)
{
	struct mw_replay_rules r = rules(100 * MB, MW_POLICY_STRICT);
	struct mw_replay_result res = grown(&r, 0);

	(void)state;
	assert_int_equal(res.killed_by, MW_REASON_SQUEEZE);
	assert_in_range(res.killed_bytes, 81 * MB, 83 * MB);
}

static void strict_kills_for_bin_at_the_second_check(void **state)
{
	struct mw_replay_rules r = rules(100 * MB, MW_POLICY_STRICT);
	struct mw_replay replay;

	(void)state;
	r.profile.max_bin_heap = 10 * MB;
	assert_int_equal(mw_replay_begin(&replay, &r, NULL, NULL), 0);
	for (unsigned i = 0; i <= 40; i++) {
		struct mw_usage u = look(T0 + i * S, 20 * MB, 0);

		u.shmem = i > 12 ? 11 * MB : 0;
		mw_record_derive(&u);
		mw_replay_sample(&replay, &u);
	}
	assert_int_equal(replay.result.bin_ns, T0 + 13 * S);
	assert_int_equal(replay.result.killed_ns, T0 + 20 * S);
	assert_int_equal(replay.result.killed_by, MW_REASON_BIN_LIMIT);
	mw_replay_free(&replay);
}

static void a_broken_recording_is_refused(void **state)
{
	static const char csv[] = "seconds,memory_bytes\n1,2\nx\n";
	const struct mw_replay_asks asks = {.rules = as_recorded};
	struct mw_replay_run run = {0};
	struct mw_error err = {""};

	(void)state;
	assert_int_equal(mw_replay_run("f.csv", csv, strlen(csv), &asks, &run, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "f.csv:3: found \"x\""));
	assert_null(run.workers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_daemons_verdicts_come_again_bit_by_bit),
		cmocka_unit_test(another_method_judges_the_same_recording),
		cmocka_unit_test(a_limit_below_what_it_used_kills),
		cmocka_unit_test(who_fits_costs_nothing),
		cmocka_unit_test(observe_sets_no_limit),
		cmocka_unit_test(page_cache_goes_before_anything_dies),
		cmocka_unit_test(strict_kills_over_memory_high),
		cmocka_unit_test(strict_kills_for_bin_at_the_second_check),
		cmocka_unit_test(a_broken_recording_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
