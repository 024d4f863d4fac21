/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* When a suspect is watched: windows and pauses, within a share of a processor, and an end where it calls too often. */
#include "unit.h"

#include "leak/watch.h"

#define S  1000000000ULL
#define MS 1000000ULL

static const struct mw_watch_budget usual = {.calls_per_s = 4000, .share = 0.01, .call_ns = 2000};

struct life {
	struct mw_watch w;
	__u64 now, calls, own, open_ns;
	unsigned windows;
};

/* Beat by beat, at so many calls a second; attached and detached as soon as it is said. */
static void live(struct life *l, const struct mw_watch_budget *b, __u64 for_ns, __u64 calls_per_s)
{
	for (__u64 until = l->now + for_ns; l->now < until; l->now += 200 * MS) {
		switch (mw_watch_step(&l->w, b, l->now, l->calls, l->own)) {
		case MW_WATCH_ATTACH:
			mw_watch_opened(&l->w, l->now, l->calls, l->own);
			l->windows++;
			break;
		case MW_WATCH_DETACH:
			mw_watch_closed(&l->w, b, l->now, l->calls, l->own);
			break;
		default:
			break;
		}
		if (l->w.phase == MW_WATCH_OPEN) { /* only what is probed is counted */
			l->calls += calls_per_s / 5;
			l->open_ns += 200 * MS;
		}
	}
}

static void who_calls_little_is_watched_all_the_time(void **state)
{
	struct life l = {.now = 1000 * S};

	(void)state;
	live(&l, &usual, 600 * S, 1000); /* 0.2 % */
	assert_int_equal(l.windows, 1);
	assert_int_equal(l.w.phase, MW_WATCH_OPEN);
	assert_int_equal(mw_watch_watched(&l.w, l.now), 600 * S);
	assert_int_equal(mw_watch_of(&l.w, l.now), 600 * S);
	assert_false(l.w.shed);
}

static void the_average_stays_within_the_share(void **state)
{
	static const struct mw_watch_budget dear = {.calls_per_s = 4000, .share = 0.01, .call_ns = 20000};
	struct life l = {.now = 1000 * S};

	(void)state;
	live(&l, &dear, 600 * S, 2000); /* 4 % while it lasts */
	assert_true(l.windows > 20 && !l.w.shed);
	assert_true(l.open_ns > 120 * S && l.open_ns < 170 * S); /* a quarter */
	assert_true((double)l.calls * 20000 < 0.0105 * 600 * S);
	assert_true(mw_watch_watched(&l.w, l.now) <= l.open_ns + 200 * MS);
	assert_true(mw_watch_of(&l.w, l.now) == 600 * S);
}

static void a_window_lasts_a_while(void **state)
{
	static const struct mw_watch_budget dear = {.calls_per_s = 4000, .share = 0.01, .call_ns = 1000000};
	struct life l = {.now = 1000 * S};

	(void)state;
	live(&l, &dear, 10 * S, 1000); /* all of a processor: its windows are as short as they may be */
	assert_int_equal(l.windows, 1);
	assert_true(l.open_ns >= 3 * S && l.open_ns <= 3400 * MS);
	assert_true(l.w.due_ns > 1250 * S);
}

static void who_calls_too_often_is_let_go_at_once(void **state)
{
	struct life l = {.now = 1000 * S};
	__u64 first;

	(void)state;
	live(&l, &usual, 10 * S, 100000);
	assert_int_equal(l.windows, 1);
	assert_int_equal(l.open_ns, 200 * MS);
	assert_true(l.w.shed && l.w.phase == MW_WATCH_PAUSED);
	assert_int_equal(l.w.rate, 100000);
	first = l.w.due_ns;
	assert_true(first >= 1060 * S && first < 1061 * S);
	live(&l, &usual, 3600 * S, 100000); /* then less and less often */
	assert_true(l.windows >= 5 && l.windows <= 7);
	live(&l, &usual, 20 * 3600 * S, 100000);
	assert_true(l.windows > 20); /* each half hour at the least */
	/* Calm again: from the start. */
	live(&l, &usual, 3600 * S, 100);
	assert_true(!l.w.shed && l.w.phase == MW_WATCH_OPEN);
	l.calls += 1000000;
	live(&l, &usual, 1 * S, 100);
	assert_true(l.w.shed && l.w.due_ns < l.now + 61 * S);
}

static void a_rate_just_over_is_seen_within_seconds(void **state)
{
	struct life l = {.now = 1000 * S};

	(void)state;
	live(&l, &usual, 60 * S, 4000);
	assert_false(l.w.shed);
	live(&l, &usual, 3 * S, 5500);
	assert_true(l.w.shed);
}

static void a_quiet_hour_allows_no_storm(void **state)
{
	struct life l = {.now = 1000 * S};

	(void)state;
	live(&l, &usual, 3600 * S, 0);
	live(&l, &usual, 1 * S, 50000);
	assert_true(l.w.shed);
}

static void a_burst_before_it_was_open(void **state)
{
	struct mw_watch w = {0};

	(void)state;
	assert_int_equal(mw_watch_step(&w, &usual, 5 * S, 0, 0), MW_WATCH_ATTACH);
	assert_int_equal(mw_watch_step(&w, &usual, 6 * S, 0, 0), MW_WATCH_NOTHING); /* it is under way */
	assert_true(mw_watch_over(&usual, 50 * MS, 5000));
	assert_false(mw_watch_over(&usual, 50 * MS, 1200)); /* so many may come at once */
	mw_watch_burst(&w, &usual, 6 * S, 6 * S + 50 * MS, 5000);
	assert_int_equal(w.rate, 100000);
	assert_int_equal(mw_watch_watched(&w, 10 * S), 50 * MS);
	assert_true(w.shed && w.sheds == 1 && w.due_ns == 66 * S + 50 * MS);
	assert_int_equal(mw_watch_step(&w, &usual, 66 * S, 0, 0), MW_WATCH_NOTHING);
	assert_int_equal(mw_watch_step(&w, &usual, 67 * S, 0, 0), MW_WATCH_ATTACH);
	mw_watch_refused(&w, 90 * S);
	assert_int_equal(mw_watch_step(&w, &usual, 89 * S, 0, 0), MW_WATCH_NOTHING);
	assert_int_equal(mw_watch_step(&w, &usual, 90 * S, 0, 0), MW_WATCH_ATTACH);
}

/* Stacks are not in what a quiet child had measured. */
static void time_of_our_own_counts(void **state)
{
	struct life l = {.now = 1000 * S};

	(void)state;
	live(&l, &usual, 4 * S, 10);
	assert_int_equal(l.w.phase, MW_WATCH_OPEN);
	l.own += 1 * S;
	live(&l, &usual, 1 * S, 10);
	assert_int_equal(l.w.phase, MW_WATCH_PAUSED);
	assert_true(!l.w.shed && l.w.due_ns >= 1100 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_calls_little_is_watched_all_the_time),
		cmocka_unit_test(the_average_stays_within_the_share),
		cmocka_unit_test(a_window_lasts_a_while),
		cmocka_unit_test(who_calls_too_often_is_let_go_at_once),
		cmocka_unit_test(a_rate_just_over_is_seen_within_seconds),
		cmocka_unit_test(a_quiet_hour_allows_no_storm),
		cmocka_unit_test(a_burst_before_it_was_open),
		cmocka_unit_test(time_of_our_own_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
