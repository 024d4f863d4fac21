/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/verdict.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "util/clock.h"
#include "util/size.h"

static const char *const status_names[] = {
	[MW_STATUS_OK] = "ok",
	[MW_STATUS_WARNING] = "warning",
	[MW_STATUS_ERROR] = "error",
};
_Static_assert(sizeof(status_names) / sizeof(status_names[0]) == MW_STATUS_MAX, "a name for every status");

static const char *const trend_names[] = {
	[MW_STEADY] = "steady",
	[MW_GROWING] = "growing",
	[MW_SUSPECT] = "suspect",
	[MW_LEAK] = "leak",
};
_Static_assert(sizeof(trend_names) / sizeof(trend_names[0]) == MW_TREND_MAX, "a name for every trend");

static const char *const reason_names[] = {
	[MW_REASON_EXIT] = "exit",	 [MW_REASON_HEAP_SIZE] = "heap_size", [MW_REASON_BIN_LIMIT] = "bin_limit",
	[MW_REASON_SQUEEZE] = "squeeze", [MW_REASON_ADMIN] = "admin",	      [MW_REASON_HOST_OOM] = "host_oom",
	[MW_REASON_SIGNAL] = "signal",	 [MW_REASON_HIBERNATE] = "hibernate", [MW_REASON_LIFT] = "lift",
	[MW_REASON_FREEZE] = "freeze",
};
_Static_assert(sizeof(reason_names) / sizeof(reason_names[0]) == MW_REASON_MAX, "a name for every reason");

const char *mw_status_name(enum mw_status status)
{
	return (unsigned int)status < MW_STATUS_MAX ? status_names[status] : "unknown";
}

const char *mw_trend_name(enum mw_trend_verdict verdict)
{
	return (unsigned int)verdict < MW_TREND_MAX ? trend_names[verdict] : "unknown";
}

const char *mw_reason_name(enum mw_reason reason)
{
	return (unsigned int)reason < MW_REASON_MAX ? reason_names[reason] : "unknown";
}

/* a - b, 0 when statistics of different moments would make it negative. */
static __u64 less(__u64 a, __u64 b)
{
	return a > b ? a - b : 0;
}

void mw_usage_from_sample(const struct mw_sample *s, struct mw_usage *ret_usage)
{
	struct mw_usage u = {
		.time_ns = s->time_ns,
		.current = s->usage,
		.heap = s->anon + s->swap_usage,
		.bin = less(s->shmem + s->sock + s->kernel, s->slab_reclaimable),
		.anon = s->anon,
		.swapped = s->swap_usage,
		.file = s->file,
		.shmem = s->shmem,
		.sock = s->sock,
		.kernel = s->kernel,
		.slab_reclaimable = s->slab_reclaimable,
		.max = s->max,
		.high = s->high,
		.low = s->low,
	};

	memcpy(u.events, s->events, sizeof(u.events));
	*ret_usage = u;
}

static bool unlimited(__u64 limit)
{
	return !limit || limit == MW_UNLIMITED;
}

/* Half a byte of grace, so that 0.9 x 0.85 of a round limit is reached at the byte a person computes. */
static bool reaches(__u64 used, __u64 limit, double share)
{
	return (double)used + 0.5 >= (double)limit * share;
}

struct mw_check mw_verdict_check(const struct mw_usage *u, const struct mw_profile *p, const struct mw_monitor *m)
{
	double alert = m->alert_threshold < p->hibernate_threshold ? m->alert_threshold : p->hibernate_threshold;
	struct mw_check c = {.over_bin = p->max_bin_heap != MW_UNLIMITED && u->bin > p->max_bin_heap};
	__u64 used = u->heap + u->bin;

	if (!unlimited(p->max_heap)) {
		c.percent = 100.0 * (double)used / (double)p->max_heap;
		c.high_memory = reaches(used, p->max_heap, alert);
		c.hibernate = reaches(used, p->max_heap, p->hibernate_threshold);
		if (reaches(used, p->max_heap, 0.9 * p->hibernate_threshold))
			c.status = MW_STATUS_WARNING;
	}
	if (c.hibernate || c.over_bin)
		c.status = MW_STATUS_ERROR;
	return c;
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

	mw_size_format(rate, rate_text, sizeof(rate_text));
	mw_duration_format(l->span_ns, span, sizeof(span));
	if (!rate)
		snprintf(t->evidence, sizeof(t->evidence), "flat for %s", span);
	else if (l->line.slope < 0)
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

	if (unlimited(limit) || slope <= 0)
		return -1;
	s = (double)less(limit, newest) / slope;
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

struct mw_trend mw_verdict_trend(const struct mw_series *history, __u64 limit)
{
	__u32 need = history->capacity < TREND_MIN_POINTS ? history->capacity : TREND_MIN_POINTS;
	struct trend_line l = {.points = history->count};
	struct mw_trend t = {.time_to_limit_s = -1};
	struct mw_point first, last;

	if (l.points < need || mw_series_line(history, l.points, &l.line)) {
		snprintf(t.evidence, sizeof(t.evidence), "%u of %u checks seen", l.points, need < 3 ? 3 : need);
		return t;
	}
	first = mw_series_at(history, 0);
	last = mw_series_at(history, l.points - 1);
	l.span_ns = last.time_ns - first.time_ns;
	l.rise = l.line.slope * (double)l.span_ns / MW_NS_PER_S;
	l.min_rise = unlimited(limit) ? (double)TREND_NO_LIMIT : TREND_MIN_RISE * (double)limit;
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

static __u64 squeeze_margin(__u64 high)
{
	return high / 50 < MW_SQUEEZE_MARGIN_MAX ? high / 50 : MW_SQUEEZE_MARGIN_MAX;
}

__u64 mw_squeeze_room(__u64 high)
{
	return less(high, squeeze_margin(high));
}

/* Under the level it was lifted at; or, once things have settled, under high at all. */
static bool squeeze_over(const struct mw_squeeze_state *s, __u64 usage, __u64 high, __u64 since_lift)
{
	__u64 level = s->usage_at_lift < high ? s->usage_at_lift : high;

	if (since_lift >= MW_SQUEEZE_SETTLE_NS)
		level = high;
	return since_lift >= MW_SQUEEZE_HOLD_NS && usage < less(level, squeeze_margin(high));
}

static bool freed_nothing(const struct mw_squeeze_state *s, __u64 usage, __u64 high)
{
	return usage > high + squeeze_margin(high) &&
	       (usage >= s->usage_at_lift || s->usage_at_lift - usage < (s->usage_at_lift - high) / 10);
}

enum mw_squeeze mw_verdict_squeeze(const struct mw_squeeze_state *s, const struct mw_usage *u, __u64 high,
				   enum mw_policy policy, __u64 now_ns)
{
	__u64 since_lift = less(now_ns, s->lifted_ns);

	if (policy == MW_POLICY_OBSERVE || unlimited(high))
		return MW_SQUEEZE_NONE;
	if (!s->lifted)
		return s->throttled || s->near ? MW_SQUEEZE_LIFT : MW_SQUEEZE_NONE;
	/* What was seen before the lift, or in the moment of it, says nothing about what the lift did. */
	if (less(u->time_ns, s->lifted_ns) < MW_SQUEEZE_KILL_NS || since_lift < MW_SQUEEZE_KILL_NS)
		return MW_SQUEEZE_NONE;
	if (squeeze_over(s, u->current, high, since_lift))
		return MW_SQUEEZE_RESTORE;
	if (policy == MW_POLICY_STRICT && freed_nothing(s, u->current, high))
		return MW_SQUEEZE_KILL;
	return MW_SQUEEZE_NONE;
}

int mw_status_signal(int wait_status)
{
	if (wait_status < 0)
		return 0;
	if (WIFSIGNALED(wait_status))
		return WTERMSIG(wait_status);
	/* A shell passes its child's signal on as 128 + n; only the classic 31 are taken for one. */
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) > 128 && WEXITSTATUS(wait_status) <= 128 + 31)
		return WEXITSTATUS(wait_status) - 128;
	return 0;
}

/* Somebody asked it to stop, or its reader went away: how daemons and tools normally end. */
static bool asked_to_stop(int signo)
{
	return signo == SIGTERM || signo == SIGINT || signo == SIGHUP || signo == SIGPIPE;
}

/*
 * May an OOM kill in the cgroup be why the worker ended? Yes when its main
 * process was killed, failed, or was never waited for. No when it went on and ended in
 * good order or by another signal: then a child had been the victim.
 */
static bool died_of_oom(int wait_status, int signo)
{
	if (signo == SIGKILL || wait_status < 0)
		return true;
	return !signo && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) != 0;
}

enum mw_reason mw_verdict_death(const struct mw_death *d)
{
	int signo = mw_status_signal(d->wait_status);

	if (d->ours == MW_REASON_BIN_LIMIT || d->ours == MW_REASON_SQUEEZE || d->ours == MW_REASON_ADMIN)
		return d->ours;
	if ((d->oom_kills || d->oom_host) && died_of_oom(d->wait_status, signo))
		return d->oom_host ? MW_REASON_HOST_OOM : MW_REASON_HEAP_SIZE;
	if (signo && !asked_to_stop(signo))
		return MW_REASON_SIGNAL;
	return MW_REASON_EXIT;
}

bool mw_reason_is_incident(enum mw_reason reason)
{
	return reason > MW_REASON_EXIT && reason < MW_REASON_MAX;
}
