/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What an earlier daemon left is taken up again: limits reconciled, nothing counted twice, nothing left behind. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "daemon/guard.h"
#include "daemon/pressure.h"
#include "daemon/recording.h"
#include "daemon/unit.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define MAIN_AMONG 256 /* processes of a worker */

/* A pid that was used again names a stranger, whose exit would pass for the worker's. */
static bool main_is_gone(const struct mw_worker *w)
{
	if (!w->main_pid || !w->main_start)
		return false;
	return !mw_proc_is("/proc", w->main_pid, w->main_start);
}

/* An earlier daemon died between moving a process and writing it down: the one that has been there for longest. */
static void find_main(struct mw_worker *w)
{
	pid_t pids[MAIN_AMONG];
	ssize_t n = w->main_pid || !w->made ? 0 : mw_cgroup_pids(w->dir_fd, true, pids, MAIN_AMONG);

	for (ssize_t i = 0; i < n && i < MAIN_AMONG; i++) {
		__u64 start;

		if (mw_proc_start_ticks("/proc", pids[i], &start) < 0 || (w->main_pid && start >= w->main_start))
			continue;
		w->main_pid = pids[i];
		w->main_start = start;
	}
}

/* The common end of taking one up: state, limits, everybody told. */
static void take_up(struct mw_guard *g, struct mw_worker *w)
{
	struct mw_profile profile = w->profile;

	if (mw_state_load(g, w) < 0)
		w->before.known = false;
	if (w->owner == MW_OWNER_SYSTEMD && !w->unit) /* nobody knows what to put back */
		w->owner = MW_OWNER_FOREIGN;
	else if (!w->made)
		mw_hold_adopt(w);
	if (w->tight.set) /* or its class is gone from the configuration */
		mw_life_profile(g, w, &profile);
	mw_limits_settle(w, &profile);
	mw_pressure_hold(g->run_fd, w);
	w->main_gone = main_is_gone(w);
	find_main(w);
	w->was_populated = true;
	w->quiet_ns = 0; /* the kernel side may have counted for it all the time */
	w->dry_run |= g->opts.dry_run;
	/*
	 * A pulse or a hold whose daemon and keeper died together; an administrator's freeze stands in the state. One
	 * that was attached may have been frozen before it came to us: not unless the state speaks of a hold.
	 */
	if ((w->made || w->freeze.under_way) && !w->frozen_by_admin && mw_cgroup_frozen(w->dir_fd) == 1) {
		mw_cgroup_freeze(w->dir_fd, false);
		mw_say(g->tell, LOG_WARNING, "worker %s (%s) was left frozen: thawed", w->name, w->class_name);
	}
	w->freeze = (struct mw_freeze){0};
	mw_life_enlist(g, w);
	if (w->frozen_by_admin)
		mw_breaker_remove(g->breaker, w->slot);
	if (mw_life_limited(w)) /* the keeper has lifted memory.high meanwhile */
		mw_act_limits(g, w);
}

/* The cgroup's counters still say whether the kernel killed it. false: it never began. */
static bool record_end(struct mw_guard *g, const struct mw_cgroup_entry *e, const char *cgroup, int dir_fd)
{
	int fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	struct mw_worker *w;

	if (fd < 0 || mw_life_new(g, e->name, e->class_name, cgroup, fd, &w, NULL) < 0) {
		mw_close(&fd);
		return false;
	}
	if (mw_state_load(g, w) < 0 || !w->main_pid) {
		mw_life_forget(g, w, false);
		return false;
	}
	w->made = true;
	w->owner = MW_OWNER_OWN;
	mw_unseen_last(w);
	mw_life_turn(g); /* nobody can ask yet: all of them, here and now */
	mw_life_end(g, w);
	return true;
}

static bool adopt_own(struct mw_guard *g, const struct mw_cgroup_entry *e)
{
	char path[PATH_MAX], cgroup[PATH_MAX];
	struct mw_error err = {0};
	_cleanup_close_ int fd = -1;
	struct mw_worker *w;

	snprintf(path, sizeof(path), "%s/%s/%s/%s", g->mount, g->root, e->class_name, e->name);
	snprintf(cgroup, sizeof(cgroup), "/%s/%s/%s", g->root, e->class_name, e->name);
	fd = mw_cgroup_open(path);
	if (fd < 0)
		return false;
	if (mw_cgroup_populated(fd) == 0) { /* ended while nobody looked */
		if (record_end(g, e, cgroup, fd))
			return false;
		if (mw_place_remove(g, cgroup + 1, &err) < 0)
			mw_say(g->tell, LOG_WARNING, "left-over cgroup %s: %s", cgroup, err.text);
		mw_state_remove(g, e->name);
		return false;
	}
	if (mw_life_new(g, e->name, e->class_name, cgroup, fd, &w, &err) < 0) {
		mw_say(g->tell, LOG_ERR, "%s is not taken up: %s", cgroup, err.text);
		return false;
	}
	TAKE_FD(fd);
	w->made = true;
	w->owner = MW_OWNER_OWN;
	take_up(g, w);
	w->made = true; /* it stands below ROOT, whatever its file says */
	return true;
}

struct adopting {
	struct mw_guard *g;
	int count;
};

/* Its cgroup went while nobody looked, but a unit keeps its properties for the next time it runs. */
static void left_behind(struct mw_guard *g, const char *name, const char *class_name, const char *cgroup,
			__u64 cgroup_id)
{
	struct mw_worker w = {.cgroup_id = cgroup_id, .dir_fd = -1};
	struct mw_error err = {0};

	snprintf(w.name, sizeof(w.name), "%s", name);
	if (mw_state_load(g, &w) < 0)
		return;
	mw_unseen_gone(g, &w, class_name, cgroup);
	if (w.unit && w.before.known && !w.dry_run && g->has_memory && mw_unit_release(g, &w, false, NULL, &err) < 0)
		mw_say(g->tell, LOG_ERR, "%s", err.text);
	free(w.unit);
	mw_container_free(w.container);
	free(w.container);
}

static void adopt_attached(const char *name, const char *class_name, const char *cgroup, __u64 cgroup_id, void *arg)
{
	struct adopting *a = arg;
	struct mw_guard *g = a->g;
	struct mw_error err = {0};
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	struct mw_worker *w;

	if (mw_worker_by_name(&g->workers, name))
		return;
	snprintf(path, sizeof(path), "%s%s", g->mount, cgroup);
	fd = cgroup[0] == '/' && !strstr(cgroup, "..") ? mw_cgroup_open(path) : -1;
	if (fd < 0 || mw_cgroup_id(fd) != cgroup_id) { /* gone, or another one of that name */
		left_behind(g, name, class_name, cgroup, cgroup_id);
		mw_state_remove(g, name);
		return;
	}
	if (mw_life_new(g, name, class_name, cgroup, fd, &w, &err) < 0) {
		mw_say(g->tell, LOG_ERR, "%s is not taken up: %s", cgroup, err.text);
		return;
	}
	TAKE_FD(fd);
	w->owner = mw_life_owner(g, cgroup);
	take_up(g, w);
	a->count++;
}

/* Ids the kernel side still counts for and nobody knows any more. */
static void forget_strangers(struct mw_guard *g)
{
	_cleanup_free_ __u64 *ids = calloc(g->cfg.monitor.max_workers, sizeof(*ids));
	int n = ids ? mw_kernel_worker_ids(g->kernel, ids, g->cfg.monitor.max_workers) : 0;

	for (int i = 0; i < n; i++) {
		if (!mw_worker_by_id(&g->workers, ids[i]))
			mw_kernel_worker_remove(g->kernel, ids[i]);
	}
}

int mw_life_adopt(struct mw_guard *g)
{
	_cleanup_free_ struct mw_cgroup_entry *entries = NULL;
	struct adopting a = {.g = g};
	ssize_t n = mw_cgroup_list(g->root_fd, NULL, 0);

	if (n > 0)
		entries = calloc((size_t)n, sizeof(*entries));
	if (entries) {
		ssize_t got = mw_cgroup_list(g->root_fd, entries, (size_t)n);

		for (ssize_t i = 0; i < (got < n ? got : n); i++)
			a.count += adopt_own(g, &entries[i]);
	}
	mw_state_each(g, adopt_attached, &a);
	forget_strangers(g);
	mw_recorder_sweep(g->recorder);
	mw_place_protect(g);
	return a.count;
}
