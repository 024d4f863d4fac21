/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What is done to a worker, by request or by verdict: handed to the action threads, told when it is through. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "core/cgroup.h"
#include "daemon/guard.h"
#include "report/json.h"
#include "report/text.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define HIBERNATE_DEADLINE_NS (15 * MW_NS_PER_S)
#define KILL_DEADLINE_NS      (10 * MW_NS_PER_S)
#define QUICK_DEADLINE_NS     (5 * MW_NS_PER_S)

static const char *const act_names[] = {
	[MW_ACT_HIBERNATE] = "hibernate", [MW_ACT_FREEZE] = "freeze",		[MW_ACT_THAW] = "thaw",
	[MW_ACT_KILL] = "kill",		  [MW_ACT_RECLAIM_BIN] = "reclaim-bin",
};
_Static_assert(ARRAY_SIZE(act_names) == MW_ACT_MAX, "a name for each act");

const char *mw_act_name(enum mw_act act)
{
	return act < MW_ACT_MAX ? act_names[act] : "?";
}

int mw_act_parse(const char *text, enum mw_act *ret_act)
{
	for (enum mw_act a = 0; a < MW_ACT_RECLAIM_BIN; a++) {
		if (strcmp(text, act_names[a]) == 0) {
			*ret_act = a;
			return 0;
		}
	}
	return -EINVAL;
}

/* What an action thread hands back to us through its arg. */
struct pending {
	enum mw_act act;
	enum mw_reason reason;
	struct mw_request *request; /* to answer; NULL: none */
	__u64 over; /* second look of a kill of ours: only while the worker uses more than this, bytes */
};

/* The second looks, in the action's thread just before the kill. */
static bool still_squeezed(int dir_fd, void *arg)
{
	const struct pending *p = arg;
	__u64 used;

	return mw_cgroup_read_u64(dir_fd, "memory.current", &used) == 0 && used > p->over;
}

static bool still_over_bin(int dir_fd, void *arg)
{
	const struct pending *p = arg;
	struct mw_sample s;
	struct mw_usage u;

	if (mw_cgroup_sample(dir_fd, &s) < 0)
		return false;
	mw_usage_from_sample(&s, &u);
	return u.bin > p->over;
}

static void fill(struct mw_action *a, struct mw_worker *w, enum mw_act act, enum mw_reason reason)
{
	static const enum mw_action_kind kinds[] = {
		[MW_ACT_HIBERNATE] = MW_ACTION_RECLAIM,	  [MW_ACT_FREEZE] = MW_ACTION_FREEZE,
		[MW_ACT_THAW] = MW_ACTION_THAW,		  [MW_ACT_KILL] = MW_ACTION_KILL,
		[MW_ACT_RECLAIM_BIN] = MW_ACTION_RECLAIM,
	};
	static const __u64 deadlines[] = {
		[MW_ACT_HIBERNATE] = HIBERNATE_DEADLINE_NS, [MW_ACT_FREEZE] = QUICK_DEADLINE_NS,
		[MW_ACT_THAW] = QUICK_DEADLINE_NS,	    [MW_ACT_KILL] = KILL_DEADLINE_NS,
		[MW_ACT_RECLAIM_BIN] = QUICK_DEADLINE_NS,
	};

	*a = mw_action_make(kinds[act], w->dir_fd, w->cgroup_id, deadlines[act]);
	snprintf(a->reason, sizeof(a->reason), "%s", mw_reason_name(reason));
	if (act == MW_ACT_HIBERNATE)
		a->bytes = w->usage.current;
	else if (act == MW_ACT_RECLAIM_BIN && w->usage.bin > w->profile.max_bin_heap)
		a->bytes = w->usage.bin - w->profile.max_bin_heap;
}

/* Of what the guard does by itself. */
static enum mw_rung rung_of(enum mw_act act)
{
	return act == MW_ACT_KILL ? MW_RUNG_KILL : MW_RUNG_RECLAIM;
}

int mw_act_do(struct mw_guard *g, struct mw_worker *w, enum mw_act act, enum mw_reason reason, bool dry_run,
	      struct mw_request *request, struct mw_error *err)
{
	struct pending *p = calloc(1, sizeof(*p));
	struct mw_action a;
	int r;

	if (!p)
		return mw_fail(err, -ENOMEM, "%s %s: no memory", mw_act_name(act), w->name);
	*p = (struct pending){.act = act, .reason = reason, .request = request};
	fill(&a, w, act, reason);
	a.dry_run = dry_run;
	a.arg = p;
	if (act == MW_ACT_KILL && reason == MW_REASON_SQUEEZE) {
		p->over = w->limits.high;
		a.still = still_squeezed;
	} else if (act == MW_ACT_KILL && reason == MW_REASON_BIN_LIMIT) {
		p->over = w->profile.max_bin_heap;
		a.still = still_over_bin;
	}
	if (act == MW_ACT_FREEZE && !dry_run) /* from now on its cgroup.freeze is the administrator's */
		mw_breaker_remove(g->breaker, w->slot);
	if (act == MW_ACT_THAW && !dry_run) /* of ours, too */
		mw_breaker_let_go(g->breaker, w->slot);
	r = mw_actions_submit(g->actions, &a);
	if (r < 0) {
		free(p);
		if (act == MW_ACT_FREEZE && !dry_run && !w->frozen_by_admin)
			mw_life_enlist(g, w);
		return mw_fail(err, r, "%s %s: %s", mw_act_name(act), w->name,
			       r == -EAGAIN ? "too many actions are under way, try again" : strerror(-r));
	}
	if (!request && !dry_run)
		mw_notice_step(w, rung_of(act), w->usage.current);
	if (act == MW_ACT_KILL && !dry_run)
		w->killed_by = reason; /* before it dies: its end is told with the right reason */
	w->busy = true;
	return 0;
}

static void answer(const struct pending *p, const struct mw_worker *w, const struct mw_action_result *r)
{
	struct json_object *o = mw_json_document(mw_wall_ns());
	__u64 saved = r->before_bytes > r->after_bytes ? r->before_bytes - r->after_bytes : 0;
	const char *text;
	unsigned status = r->status == 0 ? 200 : r->status == -ENODEV ? 404 : 409;

	if (w)
		json_object_object_add(o, "name", json_object_new_string(w->name));
	json_object_object_add(o, "action", json_object_new_string(mw_act_name(p->act)));
	json_object_object_add(o, "done", json_object_new_boolean(r->status == 0 && !r->dry_run));
	json_object_object_add(o, "dry_run", json_object_new_boolean(r->dry_run));
	json_object_object_add(o, "before_bytes", json_object_new_uint64(r->before_bytes));
	json_object_object_add(o, "after_bytes", json_object_new_uint64(r->after_bytes));
	json_object_object_add(o, "saved_bytes", json_object_new_uint64(saved));
	json_object_object_add(o, "saved_percent", json_object_new_double((double)(long)(r->saved_pct * 10) / 10));
	json_object_object_add(o, "text", json_object_new_string(r->text));
	if (r->status)
		json_object_object_add(o, "error", json_object_new_string(r->text));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	mw_request_answer(p->request, status, "application/json", text, strlen(text));
	json_object_put(o);
}

static void tell_done(struct mw_guard *g, struct mw_worker *w, const struct pending *p,
		      const struct mw_action_result *r)
{
	struct mw_incident inc = {.reason = p->reason, .wall_ns = mw_wall_ns(), .wait_status = -1};
	const struct mw_fact fact = {.reason = mw_reason_name(p->reason)};
	int priority = r->status ? LOG_WARNING : LOG_NOTICE;
	char text[400], before[128] = "";

	if (!p->request && !r->dry_run)
		mw_text_step_before(w, rung_of(p->act), before, sizeof(before));
	if (p->act == MW_ACT_HIBERNATE && !r->dry_run)
		mw_tell_fact(g->tell, priority, "hibernate", w, &fact, "%s%s",
			     mw_text_hibernated(w, r->before_bytes, w->hibernated_bytes, r->status ? r->text : NULL,
						text, sizeof(text)),
			     before);
	else
		mw_tell_fact(g->tell, priority, mw_act_name(p->act), w, &fact, "worker %s (%s) %s%s: %s%s", w->name,
			     w->class_name, mw_act_name(p->act), r->dry_run ? " (dry run)" : "", r->text, before);
	if (r->status || r->dry_run)
		return;
	if (p->act == MW_ACT_HIBERNATE || p->act == MW_ACT_FREEZE || p->act == MW_ACT_RECLAIM_BIN) {
		inc.saved_bytes = r->before_bytes > r->after_bytes ? r->before_bytes - r->after_bytes : 0;
		if (p->act != MW_ACT_FREEZE)
			snprintf(inc.why, sizeof(inc.why), "%s", r->text);
		mw_act_incident(g, w, &inc);
	}
}

static void note_outcome(struct mw_guard *g, struct mw_worker *w, const struct pending *p,
			 const struct mw_action_result *r)
{
	bool done = r->status == 0 && !r->dry_run;

	w->busy = false;
	if (!p->request && !r->dry_run)
		mw_notice_stepped(w, rung_of(p->act), r->after_bytes);
	if (p->act == MW_ACT_HIBERNATE && done) {
		w->hibernated = true;
		w->hibernated_bytes = r->before_bytes > r->after_bytes ? r->before_bytes - r->after_bytes : 0;
		w->hibernated_left = r->after_bytes;
		mw_totals_hibernated(g, w, w->hibernated_bytes);
		w->usage.current = r->after_bytes; /* a drop of our own doing: the next sample is not to doubt it */
	} else if (p->act == MW_ACT_FREEZE && !r->dry_run) {
		w->frozen_by_admin |= done || r->status == -ETIMEDOUT; /* some task stops later */
		if (w->frozen_by_admin)
			mw_state_save(g, w);
		else if (r->status != -ENODEV)
			mw_life_enlist(g, w); /* its cgroup.freeze is the breaker's again */
	} else if (p->act == MW_ACT_THAW && done) {
		w->frozen_by_admin = false;
		mw_life_enlist(g, w);
	} else if (p->act == MW_ACT_KILL && !done && r->status != -ENODEV) {
		w->killed_by = MW_REASON_EXIT;
	}
}

void mw_act_done(struct mw_guard *g, const struct mw_action_result *r)
{
	struct mw_worker *w = mw_worker_by_id(&g->workers, r->cookie);
	struct pending *p = r->arg;

	if (w) {
		note_outcome(g, w, p, r);
		tell_done(g, w, p, r);
	}
	if (p->request)
		answer(p, w, r);
	free(p);
}

void mw_act_tick(struct mw_guard *g)
{
	__u64 now = mw_now_ns();
	struct mw_worker *w;

	if (!mw_act_incident_tick(g))
		return;
	for (w = g->workers.by_id; w; w = w->by_id.next) {
		if (w->limits_due)
			mw_act_limits(g, w);
		else if (w->unmet.since_ns)
			mw_limits_again(g, w, now);
		if (w->limits_due)
			return;
	}
}
