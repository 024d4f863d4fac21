/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The freeze rung: asked for here, kept by the breaker's thread, which freezes and thaws; what stands still is
 * reclaimed by an action thread. What each hold brought is told and kept.
 */
#include <errno.h>

#include "core/cgroup.h"
#include "daemon/guard.h"
#include "report/text_freeze.h"
#include "util/clock.h"

#define SPARE (1ULL << 20) /* reclaimed beyond what is needed: who is thawed at the line is over it at once */

/* In the cookie of our reclaim: it stands in no order with what else is done to the worker, which must not wait for it.
 */
#define APART (1ULL << 63)

static const char reclaim_tag; /* arg of our reclaim */

bool mw_freeze_others(const struct mw_worker *w)
{
	return w->frozen_by_admin || (!w->freeze.frozen && mw_cgroup_frozen(w->dir_fd) == 1);
}

/* A hold that cannot be: the next rung then. */
static void not_possible(struct mw_worker *w, __u64 now_ns)
{
	mw_freeze_ask(&w->freeze, 0, now_ns);
	mw_freeze_over(&w->freeze, &w->squeeze, MW_FREEZE_CANNOT, 0, now_ns);
}

void mw_freeze_start(struct mw_guard *g, struct mw_worker *w, __u64 now_ns)
{
	__u64 max_ns = w->profile.freeze_max_ns;
	char text[256];

	if (w->busy || mw_freeze_others(w) || mw_notice_waits(w, now_ns))
		return;
	if (w->dry_run || mw_keeper_fd(g->keeper) < 0) { /* or nobody would thaw it if we died */
		if (w->dry_run)
			mw_tell(g->tell, LOG_NOTICE, "frozen", w, "%s",
				mw_text_freeze_begin(w, w->usage.current, text, sizeof(text)));
		not_possible(w, now_ns);
		return;
	}
	if (!mw_guard_may_act(g, now_ns))
		return;
	mw_freeze_ask(&w->freeze, max_ns, now_ns);
	mw_state_save(g, w); /* first: whoever finds it frozen without us knows whose doing that is */
	if (mw_breaker_freeze(g->breaker, w->slot, mw_squeeze_room(w->limits.high), now_ns + max_ns, now_ns) < 0) {
		not_possible(w, now_ns);
		mw_state_save(g, w);
	}
}

static void reclaim(struct mw_guard *g, struct mw_worker *w, __u64 used)
{
	__u64 now = mw_now_ns(), room = mw_squeeze_room(w->limits.high);
	struct mw_action a = mw_action_make(MW_ACTION_RECLAIM, w->dir_fd, w->cgroup_id ^ APART, 0);

	if (used < room || now >= w->freeze.until_ns)
		return;
	a.deadline_ns = w->freeze.until_ns;
	a.bytes = used - room + SPARE;
	a.arg = (void *)&reclaim_tag;
	snprintf(a.reason, sizeof(a.reason), "freeze");
	if (mw_actions_submit(g->actions, &a) < 0)
		mw_say(g->tell, LOG_WARNING,
		       "worker %s (%s) is not reclaimed while it is frozen: too many actions are under way", w->name,
		       w->class_name);
}

bool mw_freeze_done(struct mw_guard *g, const struct mw_action_result *r)
{
	struct mw_worker *w;

	if (r->arg != &reclaim_tag)
		return false;
	w = mw_worker_by_id(&g->workers, r->cookie ^ APART);
	if (w && r->status != -ENODEV)
		mw_say(g->tell, LOG_INFO, "worker %s (%s) reclaimed while frozen: %s", w->name, w->class_name, r->text);
	return true;
}

static void began(struct mw_guard *g, struct mw_worker *w, const struct mw_breaker_report *r)
{
	char text[256];

	mw_freeze_began(&w->freeze);
	mw_notice_step(w, MW_RUNG_FREEZE, r->before);
	mw_tell(g->tell, LOG_NOTICE, "frozen", w, "%s", mw_text_freeze_begin(w, r->before, text, sizeof(text)));
	reclaim(g, w, r->before);
}

/* It stood still, and does not any more, unless somebody else wants it to. */
static void ended(struct mw_guard *g, struct mw_worker *w, const struct mw_breaker_report *r, __u64 took_ns)
{
	struct mw_incident inc = {.reason = MW_REASON_FREEZE, .wall_ns = mw_wall_ns(), .wait_status = -1};
	char text[256];

	inc.saved_bytes = r->before > r->after ? r->before - r->after : 0;
	w->usage.current = r->after; /* a drop of our own doing: the next sample is not to doubt it */
	mw_notice_stepped(w, MW_RUNG_FREEZE, r->after);
	mw_tell(g->tell, LOG_NOTICE, "thawed", w, "%s",
		mw_text_freeze_end(w, r->freeze, inc.saved_bytes, took_ns, text, sizeof(text)));
	mw_text_freeze_why(w, r->before, inc.saved_bytes, took_ns, inc.why, sizeof(inc.why));
	mw_act_incident(g, w, &inc);
	mw_loop_look_in(g, MW_SQUEEZE_KILL_NS + MW_NS_PER_MS);
}

void mw_freeze_report(struct mw_guard *g, struct mw_worker *w, const struct mw_breaker_report *r)
{
	bool stood = w->freeze.frozen;
	char text[256];

	if (!w->freeze.under_way) /* it came late, and was given up */
		return;
	if (r->freeze == MW_FREEZE_BEGAN) {
		began(g, w, r);
		return;
	}
	mw_freeze_over(&w->freeze, &w->squeeze, r->freeze, r->before, r->time_ns);
	if (stood)
		ended(g, w, r, r->time_ns - w->freeze.asked_ns);
	else
		mw_tell(g->tell, LOG_NOTICE, "not-frozen", w, "%s",
			mw_text_freeze_not(w, r->freeze, text, sizeof(text)));
	mw_state_save(g, w);
}

void mw_freeze_look(struct mw_guard *g, struct mw_worker *w, __u64 now_ns)
{
	if (!mw_freeze_late(&w->freeze, now_ns))
		return;
	mw_say(g->tell, LOG_WARNING, "worker %s (%s): the end of its freeze was not heard of", w->name, w->class_name);
	if (w->freeze.frozen)
		mw_notice_stepped(w, MW_RUNG_FREEZE, w->usage.current);
	mw_freeze_over(&w->freeze, &w->squeeze, MW_FREEZE_CANNOT, 0, now_ns);
	mw_state_save(g, w);
}
