/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Taking what already runs under guard, in place or, where that is wished, moved into a cgroup of ours; and letting it
 * go. What it is is found out in an action thread (target.c), looked at again here, and taken.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "daemon/guard.h"
#include "daemon/serve.h"
#include "daemon/target.h"
#include "daemon/unit.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define FIND_NS (30 * MW_NS_PER_S)

enum mw_owner mw_life_owner(struct mw_guard *g, const char *cgroup)
{
	struct mw_owner_info info;

	if (mw_owner_of(g->mount, g->root, cgroup, &info) < 0)
		return MW_OWNER_FOREIGN;
	return mw_owner_writer(&info);
}

/* ---- what was found is taken ---- */

static void attached(struct mw_guard *g, struct mw_worker *w)
{
	char how[300] = "";

	if (w->unit && mw_life_limited(w))
		snprintf(how, sizeof(how), ", limited through systemd (unit %.200s)", w->unit->name);
	else if (!mw_life_limited(w))
		snprintf(how, sizeof(how), ", watched without limits of ours");
	mw_life_enlist(g, w);
	if (mw_life_limited(w))
		mw_act_limits(g, w);
	mw_tell(g->tell, LOG_INFO, "attached", w, "worker %s (%s) attached in place: %s%s", w->name, w->class_name,
		w->cgroup, how);
}

static int take_in_place(struct mw_guard *g, struct mw_target *t, const char *class_name, const char *name,
			 struct mw_worker **ret_worker, struct mw_error *err)
{
	struct mw_profile profile;
	struct mw_worker *w;
	char events[512];
	__u64 kills;
	int r = mw_life_new(g, name, class_name, t->cgroup, t->dir_fd, &w, err);

	if (r < 0)
		return r;
	t->dir_fd = -1;
	w->owner = t->owner;
	w->before = t->before;
	w->unit = TAKE_PTR(t->unit);
	w->container = TAKE_PTR(t->container);
	w->main_pid = t->pid;
	w->main_start = t->pid_start;
	profile = w->profile;
	mw_limits_settle(w, &profile);
	if (mw_cgroup_read(w->dir_fd, "memory.events", events, sizeof(events)) > 0 &&
	    mw_keyed_u64(events, "oom_kill", &kills) == 0)
		w->oom_kills_at_start = kills;
	w->was_populated = mw_cgroup_populated(w->dir_fd) == 1;
	mw_past_take(g, w);
	attached(g, w);
	*ret_worker = w;
	return 0;
}

/* Into a cgroup of ours: it and everything below it in the process tree that shares its cgroup. */
static int take_moved(struct mw_guard *g, struct mw_target *t, const char *class_name, const char *name,
		      struct mw_worker **ret_worker, struct mw_error *err)
{
	char comm[32];
	struct mw_start s = {.class_name = class_name, .name = name, .command = comm, .runner = t->pid};
	struct mw_worker *w;
	int r;

	mw_proc_comm("/proc", t->pid, comm, sizeof(comm));
	if (!comm[0])
		return mw_fail(err, -ESRCH, "no process %d", t->pid);
	r = mw_life_start(g, &s, &w, err);
	if (r < 0)
		return r;
	mw_keeper_beat(g->keeper, mw_now_ns()); /* making the cgroup took a while */
	r = mw_target_still(t, err);
	if (r >= 0)
		r = mw_place_move(g, w->cgroup + 1, w->dir_fd, t->pid, err);
	if (r < 0) {
		mw_life_forget(g, w, true);
		return r;
	}
	mw_life_started(g, w, t->pid);
	mw_tell(g->tell, LOG_INFO, "moved", w,
		"worker %s (%s): pid %d was moved in; what it was charged before stays with its old cgroup", w->name,
		w->class_name, t->pid);
	*ret_worker = w;
	return 0;
}

/* ---- the way there ---- */

/* What the action thread is given, and gives back. */
struct finding {
	struct mw_target *target;
	char class_name[MW_NAME_SIZE], name[MW_NAME_SIZE]; /* name "": from the target */
	struct mw_request *request;
	void (*then)(struct mw_guard *g, struct mw_worker *w, int status, const char *why, void *arg);
	void *arg;
	struct mw_error err;
};

static void finding_free(struct finding *f)
{
	mw_target_free(f->target);
	free(f->target);
	free(f);
}

static int find(void *arg, char *text, size_t size)
{
	struct finding *f = arg;

	(void)text, (void)size; /* too short for some sentences */
	return mw_target_find(f->target, &f->err);
}

int mw_life_attach(struct mw_guard *g, const struct mw_attach *a, struct mw_error *err)
{
	struct mw_action action = mw_action_make(MW_ACTION_CALL, -1, 0, FIND_NS);
	struct finding *f = calloc(1, sizeof(*f));
	struct mw_profile profile;
	int r;

	if (!f) {
		mw_target_free(a->target);
		free(a->target);
		return mw_fail(err, -ENOMEM, "attach: no memory");
	}
	f->target = a->target;
	f->request = a->request;
	f->then = a->then;
	f->arg = a->arg;
	f->target->mount = g->mount;
	f->target->root = g->root;
	snprintf(f->class_name, sizeof(f->class_name), "%s", a->class_name);
	snprintf(f->name, sizeof(f->name), "%s", a->name ?: "");
	r = mw_config_worker_profile(&g->cfg, a->class_name, a->name ?: "", &profile, err);
	if (r >= 0 && a->name && !mw_name_valid(a->name))
		r = mw_fail(err, -EINVAL, "worker name \"%s\": expected letters, digits and ._- (at most 63)", a->name);
	action.call = find;
	action.arg = f;
	action.slow = true;
	if (r >= 0) {
		r = mw_actions_submit(g->actions, &action);
		if (r < 0)
			mw_fail(err, r, "attach: too many actions are under way, try again");
	}
	if (r < 0)
		finding_free(f);
	return r;
}

/* The target's own name, or the first that is free of NAME-2, NAME-3, ... */
static void free_name(struct mw_guard *g, const struct mw_target *t, char ret_name[MW_NAME_SIZE])
{
	char base[MW_NAME_SIZE];

	mw_target_name(t, base);
	snprintf(ret_name, MW_NAME_SIZE, "%s", base);
	for (int i = 2; i < 1000 && mw_worker_by_name(&g->workers, ret_name); i++)
		snprintf(ret_name, MW_NAME_SIZE, "%.50s-%d", base, i);
}

static int take(struct mw_guard *g, struct finding *f, struct mw_worker **ret_worker, struct mw_error *err)
{
	char made_up[MW_NAME_SIZE];
	int r = mw_target_still(f->target, err);

	if (r < 0)
		return r;
	if (f->target->move)
		return take_moved(g, f->target, f->class_name, f->name[0] ? f->name : NULL, ret_worker, err);
	free_name(g, f->target, made_up);
	return take_in_place(g, f->target, f->class_name, f->name[0] ? f->name : made_up, ret_worker, err);
}

bool mw_attach_done(struct mw_guard *g, const struct mw_action_result *r)
{
	struct finding *f = r->arg;
	struct mw_worker *w = NULL;
	int rc = r->status;

	if (r->call != find)
		return false;
	if (rc >= 0)
		rc = take(g, f, &w, &f->err);
	if (f->request && (rc < 0 || !w))
		mw_serve_error(f->request, rc, f->err.text);
	else if (f->request)
		mw_serve_placed(g, f->request, w);
	if (f->then)
		f->then(g, rc < 0 ? NULL : w, rc, f->err.text, f->arg);
	finding_free(f);
	return true;
}

/* ---- and back ---- */

int mw_life_detach(struct mw_guard *g, struct mw_worker *w, struct mw_request *request, struct mw_error *err)
{
	int r = 0;

	if (w->frozen_by_admin)
		return mw_fail(err, -EBUSY, "worker %s is frozen: thaw it first", w->name);
	if (w->unit && g->has_memory && (w->leaving || mw_life_limited(w))) {
		r = mw_unit_release(g, w, true, request, err);
		return r < 0 ? r : 1;
	}
	if (mw_life_limited(w) && g->has_memory)
		r = mw_act_put_limits(g, w, w->before.known ? &w->before.limits : &mw_no_limits, err);
	if (r < 0)
		return r;
	mw_life_detached(g, w);
	return 0;
}

void mw_life_detached(struct mw_guard *g, struct mw_worker *w)
{
	mw_tell(g->tell, LOG_INFO, "detached", w, "worker %s (%s) detached: %s", w->name, w->class_name,
		w->before.known ? "its limits from before are back" : "it goes on without limits");
	mw_life_forget(g, w, !w->was_populated);
}
