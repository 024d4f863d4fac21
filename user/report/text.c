/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/text.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "report/phrase.h"
#include "util/clock.h"

/* How every line about a worker begins. */
static struct mw_phrase worker_line(const struct mw_worker *w, char *buf, size_t size)
{
	struct mw_phrase p = mw_phrase_begin(buf, size);

	mw_phrase_add(&p, "worker %s (%s) ", w->name, w->class_name);
	return p;
}

const char *mw_text_bare(const struct mw_worker *w, const char *text)
{
	char head[2 * MW_NAME_SIZE + 16];
	int n = snprintf(head, sizeof(head), "worker %s (%s)", w->name, w->class_name);

	if (strncmp(text, head, (size_t)n) == 0)
		text += n;
	return text + strspn(text, ": ");
}

/* "87.5 % (43.8 of 50.0 MB)", or the bytes alone where there is no limit. */
static void add_percent(struct mw_phrase *p, const struct mw_worker *w)
{
	__u64 used = w->usage.heap + w->usage.bin;

	if (w->profile.max_heap == MW_UNLIMITED) {
		mw_phrase_size(p, used);
		return;
	}
	mw_phrase_add(p, "%.1f %% (", w->check.percent);
	mw_phrase_of(p, used, w->profile.max_heap);
	mw_phrase_add(p, ")");
}

const char *mw_text_started(const struct mw_worker *w, char *buf, size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "started: ");
	if (w->main_pid)
		mw_phrase_add(&p, "pid %d, ", (int)w->main_pid);
	mw_phrase_add(&p, "limit ");
	mw_phrase_size(&p, w->profile.max_heap);
	mw_phrase_add(&p, ", policy %s%s", mw_policy_name(w->profile.policy), w->dry_run ? " (dry run)" : "");
	if (w->command[0]) {
		mw_phrase_add(&p, ": ");
		mw_phrase_foreign(&p, w->command);
	}
	return buf;
}

static void add_status(struct mw_phrase *p, int wait_status)
{
	if (wait_status < 0)
		mw_phrase_add(p, "exit status unknown");
	else if (WIFEXITED(wait_status))
		mw_phrase_add(p, "exit status %d", WEXITSTATUS(wait_status));
	else
		mw_phrase_add(p, "signal %d", mw_status_signal(wait_status));
}

const char *mw_text_ended(const struct mw_worker *w, __u64 now_ns, char *buf, size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "ended: ");
	add_status(&p, w->main_status);
	mw_phrase_add(&p, ", peak ");
	mw_phrase_size(&p, w->peak);
	mw_phrase_add(&p, ", lived ");
	mw_phrase_duration(&p, now_ns > w->started_ns ? now_ns - w->started_ns : 0);
	return buf;
}

const char *mw_text_died(const struct mw_worker *w, const struct mw_incident *inc, char *buf, size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "died: %s: %s", mw_reason_name(inc->reason), inc->why);
	return buf;
}

const char *mw_text_high(const struct mw_worker *w, char *buf, size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "memory high: ");
	add_percent(&p, w);
	return buf;
}

const char *mw_text_normal(const struct mw_worker *w, char *buf, size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "memory normal again: ");
	add_percent(&p, w);
	return buf;
}

/* The length of the line that was drawn through the checks. */
static __u64 trend_span(const struct mw_worker *w)
{
	__u64 newest = w->history.count ? mw_series_at(&w->history, w->history.count - 1).time_ns : 0;

	return newest > w->trend.onset_ns ? newest - w->trend.onset_ns : 0;
}

static __u64 seconds(double s)
{
	return (__u64)(s * MW_NS_PER_S);
}

/* Of what a window saw: how far off the time to the limit may be, and how sure it is. */
static void add_interval(struct mw_phrase *p, const struct mw_trend *t)
{
	if (t->time_to_limit_s > 0 && t->soonest_s >= 0) {
		mw_phrase_add(p, " (");
		mw_phrase_duration(p, seconds(t->soonest_s));
		mw_phrase_add(p, t->latest_s >= 0 ? " to " : " or more");
		if (t->latest_s >= 0)
			mw_phrase_duration(p, seconds(t->latest_s));
		mw_phrase_add(p, ")");
	}
	mw_phrase_add(p, ", %.0f %% sure%s%s", 100 * t->confidence, t->against[0] ? "; but " : "", t->against);
}

const char *mw_text_trend(const struct mw_worker *w, char *buf, size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	const struct mw_trend *t = &w->trend;

	mw_phrase_add(&p, "%s: ", mw_trend_name(t->verdict));
	if (t->verdict == MW_STEADY) {
		mw_phrase_add(&p, "%s", t->evidence);
		return buf;
	}
	mw_phrase_rate(&p, t->rate_bytes_per_s);
	mw_phrase_add(&p, " for ");
	mw_phrase_duration(&p, trend_span(w));
	if (t->time_to_limit_s >= 0) {
		mw_phrase_add(&p, t->time_to_limit_s > 0 ? ", meets its limit of " : ", is over its limit of ");
		mw_phrase_size(&p, w->profile.max_heap);
	}
	if (t->time_to_limit_s > 0) {
		mw_phrase_add(&p, " in ");
		mw_phrase_duration(&p, seconds(t->time_to_limit_s));
	}
	if (t->r2 > 0)
		mw_phrase_add(&p, " (r2 %.2f)", t->r2);
	else
		add_interval(&p, t);
	return buf;
}

const char *mw_text_site(const struct mw_worker *w, char *buf, size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "%s: ", mw_trend_name(w->trend.verdict));
	mw_phrase_foreign(&p, w->sites->top);
	return buf;
}

const char *mw_text_bin(const struct mw_worker *w, char *buf, size_t size)
{
	const struct mw_usage *u = &w->usage;
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "bin over its limit: ");
	mw_phrase_of(&p, u->bin, w->profile.max_bin_heap);
	mw_phrase_add(&p, " (shmem ");
	mw_phrase_size(&p, u->shmem);
	mw_phrase_add(&p, ", sockets ");
	mw_phrase_size(&p, u->sock);
	mw_phrase_add(&p, ", kernel ");
	mw_phrase_size(&p, u->kernel > u->slab_reclaimable ? u->kernel - u->slab_reclaimable : 0);
	mw_phrase_add(&p, ")");
	return buf;
}

const char *mw_text_lift(const struct mw_worker *w, __u64 slept_ns, __u64 pulses, bool dry_run, char *buf, size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "memory.high of ");
	mw_phrase_size(&p, w->limits.high);
	mw_phrase_add(&p, " %s at ", dry_run ? "would be lifted" : "lifted");
	mw_phrase_size(&p, w->squeeze.usage_at_lift);
	mw_phrase_add(&p, ": ");
	if (!slept_ns) {
		mw_phrase_add(&p, "nothing to reclaim, before a task slept");
		return buf;
	}
	mw_phrase_add(&p, "a task slept ");
	mw_phrase_duration(&p, slept_ns);
	if (pulses)
		mw_phrase_add(&p, ", woken by %llu freeze %s", pulses, pulses == 1 ? "pulse" : "pulses");
	return buf;
}

const char *mw_text_restore(const struct mw_worker *w, __u64 now_ns, char *buf, size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "memory.high restored to ");
	mw_phrase_size(&p, w->limits.high);
	mw_phrase_add(&p, " after ");
	mw_phrase_duration(&p, now_ns > w->squeeze.lifted_ns ? now_ns - w->squeeze.lifted_ns : 0);
	mw_phrase_add(&p, ", usage ");
	mw_phrase_size(&p, w->usage.current);
	return buf;
}

const char *mw_text_recommend(const struct mw_worker *w, char *buf, size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "should hibernate: ");
	add_percent(&p, w);
	mw_phrase_add(&p, w->profile.policy == MW_POLICY_OBSERVE ? "; its policy is observe"
								 : "; enable_hibernation is off");
	return buf;
}

const char *mw_text_hibernated(const struct mw_worker *w, __u64 before, __u64 saved, const char *why_not, char *buf,
			       size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	if (why_not) {
		mw_phrase_add(&p, "not hibernated: %s", why_not);
		return buf;
	}
	mw_phrase_add(&p, "hibernated: ");
	mw_phrase_size(&p, saved);
	mw_phrase_add(&p, " saved (%.1f %%), ", before ? 100.0 * (double)saved / (double)before : 0);
	mw_phrase_size(&p, before > saved ? before - saved : 0);
	mw_phrase_add(&p, " left");
	return buf;
}

const char *mw_text_idle(const struct mw_worker *w, __u64 now_ns, char *buf, size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "should hibernate: ");
	mw_phrase_size(&p, w->usage.anon);
	mw_phrase_add(&p, " idle for ");
	mw_phrase_duration(&p, now_ns - w->idle.since_ns);
	return buf;
}

const char *mw_text_step_before(const struct mw_worker *w, enum mw_rung rung, char *buf, size_t size)
{
	const struct mw_step *s = mw_ladder_before(w->ladder, rung);
	struct mw_phrase p = mw_phrase_begin(buf, size);

	if (!s)
		return buf;
	mw_phrase_add(&p, "; before it: %s freed ", mw_rung_name(s->rung));
	if (s->before > s->after)
		mw_phrase_size(&p, s->before - s->after);
	else
		mw_phrase_add(&p, "nothing");
	mw_phrase_add(&p, " in ");
	mw_phrase_duration(&p, s->took_ns);
	return buf;
}

const char *mw_text_told(const struct mw_worker *w, char *buf, size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "%s to free memory: level %s, ", w->dry_run ? "would be told" : "told",
		      mw_level_name(w->level));
	add_percent(&p, w);
	return buf;
}
