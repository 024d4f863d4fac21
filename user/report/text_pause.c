/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What people read of pauses: one of them, and a worker that has many. */
#include "report/json.h"
#include "report/phrase.h"
#include "report/text.h"

static void add_pages(struct mw_phrase *p, const struct mw_event *e)
{
	bool reclaim = e->kind == MW_PAUSE_HIGH_RECLAIM || e->kind == MW_PAUSE_MAX_RECLAIM ||
		       e->kind == MW_PAUSE_GLOBAL_RECLAIM || e->kind == MW_PAUSE_NODE_RECLAIM;

	if (e->value)
		mw_phrase_add(p, ", %llu %s freed", e->value, e->value == 1 ? "page" : "pages");
	else if (reclaim)
		mw_phrase_add(p, ", nothing freed");
}

static void add_limit(struct mw_phrase *p, const struct mw_worker *w, const struct mw_cause *c)
{
	switch (c->limit) {
	case MW_LIMIT_WORKER:
		mw_phrase_add(p, "its own %s", c->file ? c->file : "limit");
		break;
	case MW_LIMIT_CLASS:
		mw_phrase_add(p, "the budget of class %s", w->class_name);
		break;
	case MW_LIMIT_TREE:
		mw_phrase_add(p, "the tree budget");
		break;
	case MW_LIMIT_ANCESTOR:
		mw_phrase_add(p, "a limit of %.*s above", (int)c->length, c->length ? c->path : "/");
		break;
	default:
		mw_phrase_add(p, "the host is short of memory");
		return;
	}
	if (c->bytes && c->bytes != MW_UNLIMITED) { /* 0: not looked at yet */
		mw_phrase_add(p, " of ");
		mw_phrase_size(p, c->bytes);
	}
	mw_phrase_add(p, " is full");
}

static void add_culprit(struct mw_phrase *p, const struct mw_worker *w, const struct mw_cause *c)
{
	if (c->limit == MW_LIMIT_WORKER)
		return;
	mw_phrase_add(p, "; ");
	if (!c->culprit) {
		mw_phrase_add(p, "no worker grew lately");
		return;
	}
	if (c->culprit == w)
		mw_phrase_add(p, "it grew most itself");
	else if (c->limit == MW_LIMIT_HOST)
		mw_phrase_add(p, "%s (%s) grew most", c->culprit->name, c->culprit->class_name);
	else
		mw_phrase_add(p, "%s (%s) filled it", c->culprit->name, c->culprit->class_name);
	mw_phrase_add(p, ": +");
	mw_phrase_size(p, c->grown);
	mw_phrase_add(p, " in ");
	mw_phrase_duration(p, c->span_ns);
}

const char *mw_text_pause(const struct mw_worker *w, const struct mw_event *e, const struct mw_cause *cause, char *buf,
			  size_t size)
{
	struct mw_phrase p = mw_phrase_begin(buf, size);

	mw_phrase_add(&p, "worker %s (%s) paused ", w->name, w->class_name);
	mw_phrase_duration(&p, e->duration_ns);
	mw_phrase_add(&p, ": %s", mw_pause_name(e->kind));
	add_pages(&p, e);
	mw_phrase_add(&p, " (");
	mw_phrase_foreign(&p, e->comm);
	mw_phrase_add(&p, ", thread %u)", e->tid);
	if (cause->limit != MW_LIMIT_NONE) {
		mw_phrase_add(&p, ": ");
		add_limit(&p, w, cause);
		add_culprit(&p, w, cause);
	}
	return buf;
}

const char *mw_text_often(const struct mw_worker *w, char *buf, size_t size)
{
	struct mw_phrase p = mw_phrase_begin(buf, size);
	const struct mw_rates rates = mw_stalls_rates(w);
	enum mw_pass cause = mw_rate_cause(&rates);

	mw_phrase_add(&p, "worker %s (%s) reclaims often: %.0f passes in a minute, stalled %.1f %% of the time",
		      w->name, w->class_name, rates.reclaims_per_min, 100 * rates.stalled_share);
	if (cause == MW_PASSES)
		return buf;
	mw_phrase_add(&p, "; %llu of them ", rates.passes[cause]);
	if (cause == MW_PASS_OF_HOST) {
		mw_phrase_add(&p, "because the host is short of memory");
		return buf;
	}
	mw_phrase_add(&p, "at a %s", cause == MW_PASS_AT_HIGH ? "memory.high" : "memory.max");
	if (w->profile.policy != MW_POLICY_OBSERVE) { /* or it is somebody else's */
		mw_phrase_add(&p, ", its own is ");
		mw_phrase_size(&p, cause == MW_PASS_AT_HIGH ? w->limits.high : w->limits.max);
	}
	mw_phrase_add(&p, "; it uses ");
	mw_phrase_size(&p, w->usage.current);
	if (w->usage.file) {
		mw_phrase_add(&p, ", ");
		mw_phrase_size(&p, w->usage.file);
		mw_phrase_add(&p, " of it page cache");
	}
	return buf;
}

const char *mw_text_often_over(const struct mw_worker *w, char *buf, size_t size)
{
	struct mw_phrase p = mw_phrase_begin(buf, size);
	const struct mw_stalls *s = w->stalls;
	__u64 passes = s ? mw_rate_passes(&s->often_since, &s->rate.newest) : 0;

	mw_phrase_add(&p, "worker %s (%s) reclaims often no more: %llu %s in ", w->name, w->class_name, passes,
		      passes == 1 ? "pass" : "passes");
	mw_phrase_duration(&p, s ? s->rate.newest.time_ns - s->often_since.time_ns : 0);
	mw_phrase_add(&p, ", %.0f in the last minute", mw_stalls_rates(w).reclaims_per_min);
	return buf;
}
