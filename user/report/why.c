/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The sentences of incidents: what happened, who did it, and the numbers of the moment. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "report/phrase.h"
#include "report/text.h"
#include "util/clock.h"

/* What a sentence is made from. */
struct why {
	const struct mw_worker *w;
	const struct mw_incident *inc;
	const struct mw_usage *last;
	__u64 max; /* hard limit in force */
};

/* ": 48.9 MB heap, 301.2 KB bin" */
static void add_usage(struct mw_phrase *p, const struct why *y)
{
	if (!y->last->time_ns)
		return;
	mw_phrase_add(p, ": ");
	mw_phrase_size(p, y->last->heap);
	mw_phrase_add(p, " heap, ");
	mw_phrase_size(p, y->last->bin);
	mw_phrase_add(p, " bin");
}

static void add_growth(struct mw_phrase *p, const struct why *y)
{
	const struct mw_trend *t = &y->w->trend;
	const struct mw_series *h = &y->w->history;
	__u64 newest = h->count ? mw_series_at(h, h->count - 1).time_ns : 0;

	if (t->verdict == MW_STEADY || t->rate_bytes_per_s <= 0)
		return;
	mw_phrase_add(p, "; it had been growing ");
	mw_phrase_size(p, (__u64)t->rate_bytes_per_s);
	mw_phrase_add(p, "/s for ");
	mw_phrase_duration(p, newest > t->onset_ns ? newest - t->onset_ns : 0);
}

/* How the main process ended where it is not the kernel's victim itself. */
static void add_end(struct mw_phrase *p, int wait_status)
{
	if (wait_status >= 0 && WIFEXITED(wait_status))
		mw_phrase_add(p, " a process of it, and it exited with status %d", WEXITSTATUS(wait_status));
	else
		mw_phrase_add(p, " it");
}

static void why_heap_size(struct mw_phrase *p, const struct why *y)
{
	mw_phrase_add(p, "%s grew to its hard limit", y->w->name);
	if (y->max != MW_UNLIMITED) {
		mw_phrase_add(p, " of ");
		mw_phrase_size(p, y->max);
	}
	mw_phrase_add(p, " (memory.max) and the kernel killed");
	add_end(p, y->inc->wait_status);
	add_usage(p, y);
	add_growth(p, y);
}

static void why_host_oom(struct mw_phrase *p, const struct why *y)
{
	mw_phrase_add(p, "memory ran out above %s, on the host or in a cgroup that contains it, and the kernel killed",
		      y->w->name);
	add_end(p, y->inc->wait_status);
	add_usage(p, y);
	if (y->max == MW_UNLIMITED || !y->last->time_ns)
		return;
	mw_phrase_add(p, ", its own limit is ");
	mw_phrase_size(p, y->max);
}

static void why_bin_limit(struct mw_phrase *p, const struct why *y)
{
	mw_phrase_add(p, "%s held ", y->w->name);
	mw_phrase_size(p, y->last->bin);
	mw_phrase_add(p, " of bin (shmem ");
	mw_phrase_size(p, y->last->shmem);
	mw_phrase_add(p, ", sockets ");
	mw_phrase_size(p, y->last->sock);
	mw_phrase_add(p, "), over its limit of ");
	mw_phrase_size(p, y->w->profile.max_bin_heap);
	mw_phrase_add(p, "; memweir %s", y->inc->saved_bytes ? "reclaimed " : "killed it (strict)");
	if (y->inc->saved_bytes)
		mw_phrase_size(p, y->inc->saved_bytes);
}

static void why_squeeze(struct mw_phrase *p, const struct why *y)
{
	mw_phrase_add(p, "%s stayed over its soft limit of ", y->w->name);
	mw_phrase_size(p, y->w->limits.high);
	mw_phrase_add(p, " (memory.high) with ");
	mw_phrase_size(p, y->last->current);
	mw_phrase_add(p, " and nothing %scould be freed; memweir killed it (strict)",
		      mw_squeeze_freed(&y->w->squeeze, y->last->current, y->w->limits.high) ? "more " : "");
	add_growth(p, y);
}

static void why_admin(struct mw_phrase *p, const struct why *y)
{
	mw_phrase_add(p, "%s was killed on request", y->w->name);
	if (y->inc->killed_by[0])
		mw_phrase_add(p, " (%s)", y->inc->killed_by);
	add_usage(p, y);
}

static void why_signal(struct mw_phrase *p, const struct why *y)
{
	int signo = y->inc->signal ? y->inc->signal : mw_status_signal(y->inc->wait_status);
	const char *name = sigabbrev_np(signo);

	mw_phrase_add(p, "%s ", y->w->name);
	if (y->inc->wait_status >= 0 && WIFEXITED(y->inc->wait_status))
		mw_phrase_add(p, "exited with status %d, what a shell makes of", WEXITSTATUS(y->inc->wait_status));
	else
		mw_phrase_add(p, "was killed by");
	mw_phrase_add(p, " signal %d", signo);
	if (name)
		mw_phrase_add(p, " (SIG%s)", name);
	if (signo == SIGKILL)
		mw_phrase_add(p, ", sent by neither memweir nor the kernel's OOM killer");
	add_usage(p, y);
}

static void why_exit(struct mw_phrase *p, const struct why *y)
{
	int signo = mw_status_signal(y->inc->wait_status);

	if (y->inc->wait_status >= 0 && WIFEXITED(y->inc->wait_status))
		mw_phrase_add(p, "%s exited with status %d", y->w->name, WEXITSTATUS(y->inc->wait_status));
	else if (signo)
		mw_phrase_add(p, "%s was asked to stop with signal %d", y->w->name, signo);
	else
		mw_phrase_add(p, "%s ended", y->w->name);
}

static void why_hibernate(struct mw_phrase *p, const struct why *y)
{
	mw_phrase_add(p, "%s was idle over its hibernate threshold of %.0f %% and memweir reclaimed ", y->w->name,
		      100 * y->w->profile.hibernate_threshold);
	mw_phrase_size(p, y->inc->saved_bytes);
	add_usage(p, y);
}

static void why_lift(struct mw_phrase *p, const struct why *y)
{
	mw_phrase_add(p, "%s reached ", y->w->name);
	mw_phrase_size(p, y->w->squeeze.usage_at_lift);
	mw_phrase_add(p, " with nothing to reclaim, so memweir lifted its soft limit of ");
	mw_phrase_size(p, y->w->limits.high);
	mw_phrase_add(p, " (memory.high) instead of letting the kernel stall it; its hard limit stays");
	add_growth(p, y);
}

static void why_freeze(struct mw_phrase *p, const struct why *y)
{
	mw_phrase_add(p, "%s was frozen on request and stands still until it is thawed", y->w->name);
	add_usage(p, y);
}

static void why_unseen(struct mw_phrase *p, const struct why *y)
{
	mw_phrase_add(p, "%s ended while no daemon ran, and its cgroup is gone: how it ended is not known", y->w->name);
	if (!y->last->time_ns)
		return;
	mw_phrase_add(p, "; last seen with ");
	mw_phrase_size(p, y->last->current);
}

static void (*const sentences[])(struct mw_phrase *p, const struct why *y) = {
	[MW_REASON_EXIT] = why_exit,	   [MW_REASON_HEAP_SIZE] = why_heap_size, [MW_REASON_BIN_LIMIT] = why_bin_limit,
	[MW_REASON_SQUEEZE] = why_squeeze, [MW_REASON_ADMIN] = why_admin,	  [MW_REASON_HOST_OOM] = why_host_oom,
	[MW_REASON_SIGNAL] = why_signal,   [MW_REASON_HIBERNATE] = why_hibernate, [MW_REASON_LIFT] = why_lift,
	[MW_REASON_FREEZE] = why_freeze,   [MW_REASON_UNSEEN] = why_unseen,
};
_Static_assert(sizeof(sentences) / sizeof(sentences[0]) == MW_REASON_MAX, "a sentence for every reason");

const char *mw_text_why(const struct mw_incident *inc, const struct mw_worker *w, char *buf, size_t size)
{
	struct why y = {w, inc, &w->usage, w->usage.time_ns ? w->usage.max : w->limits.max};
	struct mw_phrase p = mw_phrase_begin(buf, size);

	if ((unsigned int)inc->reason < MW_REASON_MAX)
		sentences[inc->reason](&p, &y);
	return buf;
}

static void add_killer(struct mw_phrase *p, const struct mw_incident *inc, const struct mw_worker *w)
{
	int signo = inc->signal ? inc->signal : mw_status_signal(inc->wait_status);

	if (inc->reason == MW_REASON_HEAP_SIZE)
		mw_phrase_add(p, "kernel (memory.max)");
	else if (inc->reason == MW_REASON_HOST_OOM)
		mw_phrase_add(p, "kernel (host memory)");
	else if (inc->reason == MW_REASON_BIN_LIMIT || inc->reason == MW_REASON_SQUEEZE)
		mw_phrase_add(p, "memweir (%s)", mw_policy_name(w->profile.policy));
	else if (inc->reason == MW_REASON_ADMIN)
		mw_phrase_add(p, "admin");
	else if (inc->reason == MW_REASON_SIGNAL && signo)
		mw_phrase_add(p, "signal %d", signo);
}

const char *mw_text_killed_by(const struct mw_incident *inc, const struct mw_worker *w, char *buf, size_t size)
{
	struct mw_incident copy = *inc; /* buf may be a part of it */
	struct mw_phrase p = mw_phrase_begin(buf, size);

	if (copy.killed_by[0])
		mw_phrase_add(&p, "%s", copy.killed_by);
	else
		add_killer(&p, &copy, w);
	return buf;
}
