/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/judge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "util/amount.h"
#include "util/clock.h"
#include "util/size.h"

#define SURE	   2.33 /* z: one of a hundred series without a trend */
#define LEAST	   0.02 /* of the limit */
#define LEAST_FREE (1ULL << 20) /* where there is none, bytes */
#define TO_THE_END 0.6
#define LONG	   2 /* windows from there on have seen enough to ask what else it may be */
#define EXACT	   1e-4 /* of the limit: smaller differences are none */
#define LEAST_LEFT 0.04 /* of the limit */
#define FULL	   54 /* of 60 buckets: before that only who meets its limit sooner is judged */
#define STILL_SURE 1.3 /* who was found to rise is not let go for one wide interval */
#define ONE_STEP   0.4
#define MOSTLY	   0.6 /* one step, of all growth */
#define SLOWING	   0.5 /* the last third's pace, from which growth is seen to end */
#define NEW_HIGH   0.97 /* of what was there before: no more than that is nothing new */

/* What each window must have seen, and what it is worth. */
static const struct {
	__u32 least; /* buckets */
	__u64 persist_ns; /* it rises for so long */
	double meets_s; /* the limit: later, and a longer window will judge */
	double from; /* share of the limit in use */
	double prior; /* how sure, at best */
} rules[MW_FLOORS_WINDOWS] = {
	{10, 2 * MW_NS_PER_S, 90, 0.85, 0.7},
	{30, 60 * MW_NS_PER_S, 300, 0.6, 0.8},
	{30, 180 * MW_NS_PER_S, 12 * 3600.0, 0, 0.9},
	{30, 1800 * MW_NS_PER_S, INFINITY, 0, 0.95},
};

enum { RISES, TOO_SHORT, TOO_LITTLE, WAS_HIGHER, ONE_JUMP, NOT_SURE, ENDS, EXPLAINED };

/* What shares are of, bytes. */
static double whole_of(const struct mw_leak *l)
{
	return mw_unlimited(l->limit) ? LEAST_FREE / LEAST : (double)l->limit;
}

static double highest(const double *values, __u32 n)
{
	double most = values[0];

	for (__u32 i = 1; i < n; i++)
		if (values[i] > most)
			most = values[i];
	return most;
}

/* Does it need a closer look? Who does not grow is asked no more than this. */
static __u8 glance(const struct mw_leak *l, unsigned i, bool known)
{
	double values[MW_FLOORS_BUCKETS];
	__u32 n = l->windows[i].n;

	if (n < rules[i].least)
		return TOO_SHORT;
	if (known)
		return RISES;
	if (mw_floors_rise(&l->floors, i) < LEAST / 2 * whole_of(l))
		return TOO_LITTLE;
	mw_floors_values(&l->floors, i, values);
	if (mw_floors_peak_before(&l->floors, i) * NEW_HIGH > highest(values + n - n / 3, n / 3))
		return WAS_HIGHER;
	return RISES;
}

static __u8 look(struct mw_leak *l, unsigned i)
{
	struct mw_slope *s = &l->windows[i].slope;
	double values[MW_FLOORS_BUCKETS];
	__u32 n = mw_floors_values(&l->floors, i, values);

	if (mw_slope(values, n, s) < 0)
		return TOO_SHORT;
	if (s->step > ONE_STEP)
		return ONE_JUMP;
	if (s->z < SURE)
		return NOT_SURE;
	if (s->tail < TO_THE_END)
		return ENDS;
	return s->low * (n - 1) < LEAST * whole_of(l) ? NOT_SURE : RISES;
}

static __u8 look_long(struct mw_leak *l, unsigned i)
{
	struct mw_leak_window *w = &l->windows[i];
	double values[MW_FLOORS_BUCKETS], z = w->convicted ? STILL_SURE : SURE;
	double least = w->convicted ? 0 : LEAST_LEFT * whole_of(l);
	__u32 n = mw_floors_values(&l->floors, i, values);

	if (mw_slope(values, n, &w->slope) < 0 || mw_explain(values, n, EXACT * whole_of(l), &w->left) < 0)
		return TOO_SHORT;
	return w->left.z >= z && w->left.low * n >= least ? RISES : EXPLAINED;
}

static void decide(struct mw_leak_window *w, unsigned i, __u8 why_not, __u64 time_ns)
{
	w->why_not = why_not;
	if (why_not)
		w->rising_since_ns = 0;
	else if (!w->rising_since_ns)
		w->rising_since_ns = time_ns;
	w->convicted = w->rising_since_ns && time_ns - w->rising_since_ns >= rules[i].persist_ns;
}

void mw_leak_sample(struct mw_leak *l, __u64 time_ns, __u64 used, __u64 limit)
{
	unsigned changed = mw_floors_push(&l->floors, time_ns, used);

	l->time_ns = time_ns;
	l->used = used;
	l->limit = limit;
	for (unsigned i = 0; changed >> i; i++) { /* mostly none */
		struct mw_leak_window *w = &l->windows[i];
		__u8 why_not;

		if (!(changed & 1U << i))
			continue;
		w->n = mw_floors_count(&l->floors, i);
		if (!w->n) { /* it began anew: what was seen before is over */
			*w = (struct mw_leak_window){0};
			continue;
		}
		w->first_ns = time_ns - w->n * mw_floors_bucket_ns(i);
		why_not = glance(l, i, i >= LONG && w->convicted);
		if (!w->due)
			w->waits_ns = time_ns;
		w->due = i >= LONG && !why_not;
		w->due_ns = time_ns;
		if (w->due)
			continue;
		w->slope = (struct mw_slope){0};
		decide(w, i, why_not ? why_not : look(l, i), time_ns);
	}
}

__u64 mw_leak_due(const struct mw_leak *l)
{
	__u64 since = 0;

	for (unsigned i = LONG; i < MW_FLOORS_WINDOWS; i++)
		if (l->windows[i].due && (!since || l->windows[i].waits_ns < since))
			since = l->windows[i].waits_ns;
	return since;
}

void mw_leak_think(struct mw_leak *l)
{
	for (unsigned i = LONG; i < MW_FLOORS_WINDOWS; i++) {
		struct mw_leak_window *w = &l->windows[i];

		if (!w->due)
			continue;
		w->due = false;
		decide(w, i, look_long(l, i), w->due_ns);
	}
}

static double per_second(unsigned window, double per_bucket)
{
	return per_bucket * (double)MW_NS_PER_S / (double)mw_floors_bucket_ns(window);
}

/* By how much it rises a bucket, and the interval of it. */
static void rise_of(const struct mw_leak_window *w, unsigned i, double *ret_rise, double *ret_low, double *ret_high)
{
	*ret_rise = i < LONG ? w->slope.rise : w->left.rise;
	*ret_low = i < LONG ? w->slope.low : w->left.low;
	*ret_high = i < LONG ? w->slope.high : w->left.high;
}

/* Seconds to the limit at a rate in bytes a second; < 0: never. */
static double meets_in(const struct mw_leak *l, double rate)
{
	double limit = mw_unlimited(l->limit) ? 2.0 * (double)l->used : (double)l->limit, s;

	if (rate <= 0)
		return -1;
	s = limit > (double)l->used ? (limit - (double)l->used) / rate : 0;
	return s < 100 * 365.25 * 86400 ? s : -1;
}

/* The window will have seen all it can before the limit is met. */
static bool could_wait(const struct mw_leak_window *w, unsigned i, double meets_s)
{
	return w->n < FULL &&
	       meets_s * (double)MW_NS_PER_S > (double)((MW_FLOORS_BUCKETS - w->n) * mw_floors_bucket_ns(i));
}

static enum mw_trend_verdict verdict_of(const struct mw_leak *l, unsigned i)
{
	const struct mw_leak_window *w = &l->windows[i];
	__u64 rising_ns = w->rising_since_ns ? l->time_ns - w->rising_since_ns : 0;
	double rise, low, high, s;

	if (!w->rising_since_ns)
		return MW_STEADY;
	rise_of(w, i, &rise, &low, &high);
	s = meets_in(l, per_second(i, rise));
	if (s < 0 || s > rules[i].meets_s)
		return MW_GROWING;
	if (rising_ns < rules[i].persist_ns)
		return rising_ns < rules[i].persist_ns / 2 ? MW_GROWING : MW_SUSPECT;
	if (!mw_unlimited(l->limit) && (double)l->used < rules[i].from * (double)l->limit)
		return MW_SUSPECT;
	return could_wait(w, i, s) ? MW_SUSPECT : MW_LEAK;
}

static double sureness(enum mw_trend_verdict verdict, unsigned i, const struct mw_leak_window *w)
{
	static const double share[MW_TREND_MAX] = {[MW_GROWING] = 0.4, [MW_SUSPECT] = 0.7, [MW_LEAK] = 1};
	double tail = w->slope.tail, pace = i >= LONG || tail >= 1 ? 1 : (tail - TO_THE_END) / (1 - TO_THE_END);
	double z = i < LONG ? w->slope.z : w->left.z;

	return rules[i].prior * share[verdict] * (0.8 + 0.2 * pace) * (1 - erfc(z / sqrt(2)) / 2);
}

/* What a rise stands beside, or what explains it. */
static const struct {
	const char *beside, *instead;
} explanations[MW_EXPLAINED_MAX] = {
	[MW_EXPLAINED_LINE] = {"", "what is sure of it is too little"},
	[MW_EXPLAINED_STEP] = {", steps apart", "steps explain it"},
	[MW_EXPLAINED_WARM_UP] = {", a warm-up apart", "a warm-up explains it"},
	[MW_EXPLAINED_FILLING] = {", what filled up apart", "a cache that fills up explains it"},
	[MW_EXPLAINED_CYCLE] = {", a load that comes and goes apart", "a load that comes and goes explains it"},
	[MW_EXPLAINED_WALK] = {", beside what wanders", "it wanders without aim"},
};

static void say_for(const struct mw_leak *l, unsigned i, struct mw_trend *t)
{
	const struct mw_leak_window *w = &l->windows[i];
	char rise[24], span[24], rate[32], low[32], high[32], between[80] = "", how[96];
	double r, from, to;

	rise_of(w, i, &r, &from, &to);
	mw_rate_format(t->rate_bytes_per_s, rate, sizeof(rate));
	mw_rate_format(per_second(i, from), low, sizeof(low));
	mw_rate_format(per_second(i, to), high, sizeof(high));
	if (strcmp(low, high) != 0)
		snprintf(between, sizeof(between), " (%s to %s)", low, high);
	if (i < LONG)
		snprintf(how, sizeof(how), ", z %.1f, the last third at %.0f %% of the pace", w->slope.z,
			 100 * fmin(w->slope.tail, 9.99));
	else
		snprintf(how, sizeof(how), " at one pace%s, z %.1f", explanations[w->left.by].beside, w->left.z);
	snprintf(t->evidence, sizeof(t->evidence), "what it never falls below rose %s in %s: %s%s%s",
		 mw_size_format((__u64)(r * (w->n - 1)), rise, sizeof(rise)),
		 mw_duration_format(w->n * mw_floors_bucket_ns(i), span, sizeof(span)), rate, between, how);
}

static void say_against(const struct mw_leak *l, unsigned i, struct mw_trend *t)
{
	const struct mw_leak_window *w = &l->windows[i];
	char seen[24], want[24];

	if (t->verdict == MW_LEAK && i < 2)
		snprintf(t->against, sizeof(t->against), "seen for %s only: a cache looks the same until it is full",
			 mw_duration_format(w->n * mw_floors_bucket_ns(i), seen, sizeof(seen)));
	else if (t->verdict == MW_LEAK)
		t->against[0] = '\0';
	else if (t->time_to_limit_s < 0 || t->time_to_limit_s > rules[i].meets_s)
		snprintf(t->against, sizeof(t->against), "its limit is far: there is time to see more");
	else if (l->time_ns - w->rising_since_ns < rules[i].persist_ns)
		snprintf(t->against, sizeof(t->against), "rises so for %s of %s that a verdict takes",
			 mw_duration_format(l->time_ns - w->rising_since_ns, seen, sizeof(seen)),
			 mw_duration_format(rules[i].persist_ns, want, sizeof(want)));
	else if (could_wait(w, i, t->time_to_limit_s))
		snprintf(t->against, sizeof(t->against), "seen for %s only, and there is time to see more",
			 mw_duration_format(w->n * mw_floors_bucket_ns(i), seen, sizeof(seen)));
	else
		snprintf(t->against, sizeof(t->against), "seen for %s only, and less than %.0f %% of its limit in use",
			 mw_duration_format(w->n * mw_floors_bucket_ns(i), seen, sizeof(seen)), 100 * rules[i].from);
}

/* Where the rise began, in the longest window that rises: the end of the last bucket that is as low as the first. */
static __u64 onset_of(const struct mw_leak *l, unsigned i)
{
	const struct mw_leak_window *w = &l->windows[i];
	double values[MW_FLOORS_BUCKETS], foot;
	__u32 n = mw_floors_values(&l->floors, i, values), at = 0;

	if (!n)
		return l->time_ns;
	foot = values[0] + 0.05 * (values[n - 1] - values[0]);
	for (__u32 j = 0; j < n; j++)
		if (values[j] <= foot)
			at = j;
	return w->first_ns + at * mw_floors_bucket_ns(i);
}

/* Why no window says more, in the words of the shortest that could look. */
static void say_why_not(const struct mw_leak *l, struct mw_trend *t)
{
	char a[24], b[24];

	for (unsigned i = 0; i < MW_FLOORS_WINDOWS; i++) {
		const struct mw_leak_window *w = &l->windows[i];

		if (w->why_not == ONE_JUMP)
			snprintf(t->against, sizeof(t->against), "one step makes %.0f %% of what it rose by in %s",
				 100 * fmin(w->slope.step, 1),
				 mw_duration_format(w->n * mw_floors_bucket_ns(i), a, sizeof(a)));
		else if (w->why_not == ENDS)
			snprintf(t->against, sizeof(t->against),
				 "slows down: the last third of %s at %.0f %% of the pace",
				 mw_duration_format(w->n * mw_floors_bucket_ns(i), a, sizeof(a)),
				 100 * fmax(w->slope.tail, 0));
		else if (w->why_not == EXPLAINED)
			snprintf(t->against, sizeof(t->against), "%s", explanations[w->left.by].instead);
		else if (w->why_not == WAS_HIGHER)
			snprintf(t->against, sizeof(t->against), "was as high before");
		else if (w->why_not == NOT_SURE)
			snprintf(t->against, sizeof(t->against), "rises unevenly: z %.1f, less than %.2f", w->slope.z,
				 SURE);
		else if (w->why_not == TOO_SHORT && i == 0)
			snprintf(t->against, sizeof(t->against), "seen for %s, less than %s",
				 mw_duration_format(w->n * mw_floors_bucket_ns(i), a, sizeof(a)),
				 mw_duration_format(rules[i].least * mw_floors_bucket_ns(i), b, sizeof(b)));
		else
			continue;
		return;
	}
}

static struct mw_trend say_window(const struct mw_leak *l, unsigned i, enum mw_trend_verdict verdict)
{
	struct mw_trend t = {.verdict = verdict};
	double rise, low, high;

	rise_of(&l->windows[i], i, &rise, &low, &high);
	t.rate_bytes_per_s = per_second(i, rise);
	t.window_ns = l->windows[i].n * mw_floors_bucket_ns(i);
	t.time_to_limit_s = meets_in(l, t.rate_bytes_per_s);
	t.soonest_s = meets_in(l, per_second(i, high));
	t.latest_s = meets_in(l, per_second(i, low));
	if (mw_unlimited(l->limit))
		t.time_to_limit_s = t.soonest_s = t.latest_s = -1;
	t.onset_ns = onset_of(l, i);
	t.confidence = sureness(verdict, i, &l->windows[i]);
	say_for(l, i, &t);
	say_against(l, i, &t);
	return t;
}

/* What the line sees as growth is known to end, or to have been one step. */
static bool is_over(const struct mw_leak_window *shortest)
{
	return (shortest->why_not == ENDS && shortest->slope.tail < SLOWING) ||
	       (shortest->why_not == ONE_JUMP && shortest->slope.step > MOSTLY);
}

static void call_steady(struct mw_trend *t)
{
	char rate[32];

	t->verdict = MW_STEADY;
	t->time_to_limit_s = -1;
	t->onset_ns = 0;
	t->confidence = 0;
	snprintf(t->evidence, sizeof(t->evidence), "rose %s, r2 %.2f",
		 mw_rate_format(t->rate_bytes_per_s, rate, sizeof(rate)), t->r2);
}

struct mw_trend mw_leak_judge(const struct mw_leak *l, const struct mw_trend *line)
{
	enum mw_trend_verdict most = MW_STEADY;
	struct mw_trend t = *line;
	unsigned speaker = 0;

	for (unsigned i = 0; i < MW_FLOORS_WINDOWS; i++) {
		enum mw_trend_verdict v = verdict_of(l, i);

		if (v && v >= most) {
			most = v;
			speaker = i;
		}
	}
	if (most > MW_GROWING || (most && !line->verdict))
		return say_window(l, speaker, most);
	say_why_not(l, &t);
	if (t.verdict && is_over(&l->windows[0]))
		call_steady(&t);
	return t;
}
