/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A worker's limits on their way: written by us from an action thread, or asked of PID 1 where the cgroup is a unit's.
 */
#include <errno.h>
#include <string.h>

#include "core/cgroup.h"
#include "core/cgroup_limits.h"
#include "daemon/guard.h"
#include "daemon/unit.h"
#include "report/text.h"
#include "util/clock.h"
#include "util/size.h"

#define LIMITS_DEADLINE_NS (15 * MW_NS_PER_S)
#define AGAIN_DEADLINE_NS  (1 * MW_NS_PER_S) /* what is done about the worker meanwhile waits for it */
#define QUICK_DEADLINE_NS  (5 * MW_NS_PER_S)

static char high_tag; /* arg of a write of memory.high alone */

/* The keeper's note that memory.high is limited: written with the limit, so that a death in between is mended. */
static __u8 *high_mark(struct mw_guard *g, const struct mw_worker *w)
{
	return &mw_keeper_table(g->keeper)->slots[w->slot].high_set;
}

void mw_limits_settle(struct mw_worker *w, const struct mw_profile *p)
{
	w->profile = *p;
	if (w->before.known)
		mw_hold_profile(&w->profile, &w->before.limits);
	w->limits = p->share ? mw_no_limits : mw_profile_limits(&w->profile); /* shared: it stands on the class */
	if (w->before.known)
		mw_hold_limits(&w->limits, &w->before.limits);
}

/* What is ours, for the next daemon; not again where a full queue makes it only another try. */
static void keep_held(struct mw_guard *g, struct mw_worker *w)
{
	bool news = !w->held_known;

	for (enum mw_limit_kind i = 0; i < MW_LIMIT_KIND_MAX; i++)
		news |= mw_held_get(&w->held, i) != mw_held_get(&w->limits, i);
	w->held = w->limits;
	w->held_known = true;
	if (news && !w->made)
		mw_state_save(g, w);
}

static void submit_limits(struct mw_guard *g, struct mw_worker *w, bool with_high, __u64 in_ns)
{
	struct mw_action a = mw_action_make(MW_ACTION_LIMIT, w->dir_fd, w->cgroup_id, in_ns);

	mw_action_limits(&a, &w->limits);
	a.n_writes -= !with_high; /* the last one */
	snprintf(a.reason, sizeof(a.reason), "profile of class %s", w->class_name);
	a.mark = high_mark(g, w);
	keep_held(g, w);
	w->limits_due = mw_actions_submit(g->actions, &a) < 0;
	w->limits_under_way += !w->limits_due;
}

void mw_act_limits(struct mw_guard *g, struct mw_worker *w)
{
	if (!g->has_memory)
		return;
	w->limits_ns = mw_now_ns();
	w->squeeze.lifted = false;
	w->squeeze.raised = 0;
	if (w->unit) {
		w->unit->high = 0;
		mw_unit_wish(g, w, 0);
		return;
	}
	submit_limits(g, w, true, LIMITS_DEADLINE_NS);
}

void mw_limits_again(struct mw_guard *g, struct mw_worker *w, __u64 now_ns)
{
	if (!mw_life_limited(w) || !g->has_memory)
		return mw_unmet_forget(&w->unmet);
	if (w->limits_under_way || w->leaving || !mw_unmet_due(&w->unmet, w->usage.current, now_ns))
		return;
	w->unmet.due_ns = 0;
	if (w->unit)
		return mw_unit_wish(g, w, 0);
	w->limits_ns = now_ns;
	submit_limits(g, w, !w->squeeze.lifted && !w->squeeze.raised, AGAIN_DEADLINE_NS);
	if (!w->limits_due)
		return;
	w->limits_due = false; /* all of them would be written then: it is this try that waits */
	w->unmet.due_ns = now_ns;
}

static void met(struct mw_guard *g, struct mw_worker *w)
{
	struct mw_unmet was;
	char took[32];

	if (!mw_unmet_met(&w->unmet, &was))
		return;
	mw_duration_format(mw_now_ns() - was.since_ns, took, sizeof(took));
	mw_tell(g->tell, LOG_NOTICE, "limits-met", w, "worker %s (%s): its limits stand now, after %s", w->name,
		w->class_name, took);
}

void mw_limits_outcome(struct mw_guard *g, struct mw_worker *w, int status, const char *text)
{
	if (status >= 0)
		return met(g, w);
	/* We go, or it is gone. A cgroup that is there without its unit is neither. */
	if (status == -ECANCELED || status == -ENODEV || (status == -ENOENT && mw_cgroup_populated(w->dir_fd) < 0))
		return;
	if (mw_unmet_failed(&w->unmet, w->limits.max, status, mw_now_ns()))
		mw_tell(g->tell, LOG_ERR, "limits-failed", w,
			"worker %s (%s): its limits are not as wanted: %s; that is tried again until they are", w->name,
			w->class_name, text);
}

bool mw_limits_done(struct mw_guard *g, const struct mw_action_result *r)
{
	struct mw_worker *w = mw_worker_by_id(&g->workers, r->cookie);

	if (r->kind != MW_ACTION_LIMIT || (r->arg && r->arg != &high_tag))
		return false;
	if (!w)
		return true;
	w->limits_under_way -= w->limits_under_way > 0;
	if (!r->arg || r->status < 0) /* memory.high alone says nothing of the others */
		mw_limits_outcome(g, w, r->status, r->text);
	return true;
}

int mw_act_put_limits(struct mw_guard *g, struct mw_worker *w, const struct mw_limits *limits, struct mw_error *err)
{
	struct mw_limit_file files[MW_LIMIT_FILES];
	size_t n = mw_limit_files(w->dir_fd, limits, files);

	(void)g;
	for (size_t i = 0; i < n; i++) {
		int r = mw_cgroup_write_u64(w->dir_fd, files[i].file, files[i].value);

		if (r < 0 && r != -ENOENT && r != -ENODEV)
			return mw_fail(err, r, "worker %s: %s could not be written: %s", w->name, files[i].file,
				       strerror(-r));
	}
	return 0;
}

void mw_act_put_back(struct mw_guard *g, struct mw_worker *w)
{
	if (!g->has_memory)
		return;
	mw_unmet_forget(&w->unmet);
	if (w->unit)
		mw_unit_release(g, w, false, NULL, NULL);
	else
		mw_act_put_limits(g, w, w->before.known ? &w->before.limits : &mw_no_limits, NULL);
}

void mw_act_restore_high(struct mw_guard *g, struct mw_worker *w)
{
	struct mw_action a = mw_action_make(MW_ACTION_LIMIT, w->dir_fd, w->cgroup_id, QUICK_DEADLINE_NS);
	char text[256];

	if (mw_life_limited(w)) {
		a.writes[0] = (struct mw_action_write){"memory.high", w->limits.high};
		a.n_writes = 1;
		a.arg = &high_tag;
		a.mark = high_mark(g, w);
		if (w->unit)
			mw_unit_wish(g, w, 0);
		else if (mw_actions_submit(g->actions, &a) < 0)
			return; /* again at the next sample */
		else
			w->limits_under_way++;
		mw_tell(g->tell, LOG_INFO, "restored", w, "%s", mw_text_restore(w, mw_now_ns(), text, sizeof(text)));
	}
	mw_notice_stepped(w, MW_RUNG_LIFT, w->usage.current);
	w->limits_ns = mw_now_ns();
	w->squeeze.lifted = w->squeeze.throttled = false;
	w->squeeze.raised = 0;
	if (w->unit)
		w->unit->high = 0;
}
