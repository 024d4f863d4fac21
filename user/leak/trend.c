/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/trend.h"

#include <stdio.h>

#include "util/amount.h"
#include "util/clock.h"
#include "util/size.h"

static const char *const trend_names[] = {
	[MW_STEADY] = "steady",
	[MW_GROWING] = "growing",
	[MW_SUSPECT] = "suspect",
	[MW_LEAK] = "leak",
};
_Static_assert(sizeof(trend_names) / sizeof(trend_names[0]) == MW_TREND_MAX, "a name for every trend");

const char *mw_trend_name(enum mw_trend_verdict verdict)
{
	return (unsigned int)verdict < MW_TREND_MAX ? trend_names[verdict] : "unknown";
}

#define TREND_MIN_POINTS 5
#define TREND_MIN_R2	 0.8
#define TREND_MIN_RISE	 0.01 /* of the limit */
#define TREND_EARLY_WINDOWS                                                                                            \
	4 /* a window that is not full yet counts when the limit is at most this many windows away */
#define TREND_NO_LIMIT (1ULL << 20) /* the least rise where there is no limit, bytes */

/* The line and what it is measured against. */
struct trend_line {
	struct mw_line line;
	__u32 points;
	__u64 span_ns;
	double rise; /* of the line over the window, bytes */
	double min_rise;
};

/* The sentence for a line that rises too little or too unevenly, with the threshold it missed. */
static void say_near_miss(const struct trend_line *l, struct mw_trend *t)
{
	__u64 rate = (__u64)(l->line.slope < 0 ? -l->line.slope : l->line.slope);
	char rate_text[24], rise[24], least[24], span[24];

	mw_duration_format(l->span_ns, span, sizeof(span));
	if (!rate) { /* nearly all, at each check */
		snprintf(t->evidence, sizeof(t->evidence), "flat for %s", span);
		return;
	}
	mw_size_format(rate, rate_text, sizeof(rate_text));
	if (l->line.slope < 0)
		snprintf(t->evidence, sizeof(t->evidence), "falls %s/s over %s", rate_text, span);
	else if (l->rise < l->min_rise)
		snprintf(t->evidence, sizeof(t->evidence), "rises %s/s but only %s in %s, less than %s", rate_text,
			 mw_size_format((__u64)l->rise, rise, sizeof(rise)), span,
			 mw_size_format((__u64)l->min_rise, least, sizeof(least)));
	else
		snprintf(t->evidence, sizeof(t->evidence), "rises %s/s but r2 %.2f %s %.2f", rate_text, t->r2,
			 t->r2 < TREND_MIN_R2 - 0.005 ? "<" : "is not above", TREND_MIN_R2);
}

static void say_growing(const struct trend_line *l, __u64 limit, struct mw_trend *t)
{
	char rate[24], span[24], limit_text[24], left[32];
	int n;

	mw_size_format((__u64)l->line.slope, rate, sizeof(rate));
	mw_duration_format(l->span_ns, span, sizeof(span));
	n = snprintf(t->evidence, sizeof(t->evidence), "rises %s/s for %s over %u checks, r2 %.2f", rate, span,
		     l->points, t->r2);
	if (t->time_to_limit_s < 0 || n < 0 || (size_t)n >= sizeof(t->evidence))
		return;
	mw_size_format(limit, limit_text, sizeof(limit_text));
	mw_duration_format((__u64)(t->time_to_limit_s * MW_NS_PER_S), left, sizeof(left));
	snprintf(t->evidence + n, sizeof(t->evidence) - (size_t)n, "; meets %s in %s", limit_text, left);
}

/* Seconds until the newest point, moving at the line's slope, meets the limit; beyond 100 years it never does. */
static double time_to_limit(double slope, __u64 newest, __u64 limit)
{
	double s;

	if (mw_unlimited(limit) || slope <= 0)
		return -1;
	s = (double)mw_less(limit, newest) / slope;
	return s < 100 * 365.25 * 86400 ? s : -1;
}

/*
 * Before the window is full only what is urgent counts: in its first seconds a program's warm-up rises as evenly as a
 * leak, but a fast leak must be named before it dies.
 */
static bool too_early(const struct mw_series *history, const struct trend_line *l, double left_s)
{
	double full_s = (double)l->span_ns / MW_NS_PER_S * (history->capacity - 1) / (l->points - 1);

	return l->points < history->capacity && (left_s < 0 || left_s > TREND_EARLY_WINDOWS * full_s);
}

struct mw_trend mw_trend_line(const struct mw_series *history, __u64 limit)
{
	__u32 need = history->capacity < TREND_MIN_POINTS ? history->capacity : TREND_MIN_POINTS;
	struct trend_line l = {.points = history->count};
	struct mw_trend t = {.time_to_limit_s = -1, .soonest_s = -1, .latest_s = -1};
	struct mw_point first, last;

	if (l.points < need || mw_series_line(history, l.points, &l.line)) {
		snprintf(t.evidence, sizeof(t.evidence), "%u of %u checks seen", l.points, need < 3 ? 3 : need);
		return t;
	}
	first = mw_series_at(history, 0);
	last = mw_series_at(history, l.points - 1);
	l.span_ns = last.time_ns - first.time_ns;
	l.rise = l.line.slope * (double)l.span_ns / MW_NS_PER_S;
	l.min_rise = mw_unlimited(limit) ? (double)TREND_NO_LIMIT : TREND_MIN_RISE * (double)limit;
	t.rate_bytes_per_s = l.line.slope;
	t.r2 = l.line.r2;
	/* "Above", with room for rounding: one step in four points has exactly 0.8, and a step is no growth. */
	if (t.r2 < TREND_MIN_R2 + 1e-9 || l.rise + 0.5 < l.min_rise) {
		say_near_miss(&l, &t);
		return t;
	}
	if (too_early(history, &l, time_to_limit(t.rate_bytes_per_s, last.bytes, limit))) {
		snprintf(t.evidence, sizeof(t.evidence),
			 "rises, r2 %.2f, but seen in %u of %u checks only and far from its limit", t.r2, l.points,
			 history->capacity);
		return t;
	}
	t.verdict = MW_GROWING;
	t.onset_ns = first.time_ns;
	t.confidence = t.r2 * (1 - 2.0 / l.points);
	t.time_to_limit_s = time_to_limit(t.rate_bytes_per_s, last.bytes, limit);
	say_growing(&l, limit, &t);
	return t;
}
