/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A member's run: its process asks by itself, is looked at, and is moved into a cgroup of its own, which it leaves
 * root's. Nothing is executed for it here. What it may not be moved out of: another's worker, a container.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/brought.h"
#include "core/cgroup.h"
#include "core/proc.h"
#include "daemon/guard.h"
#include "util/cleanup.h"

/* "a, b" of the classes members may choose. */
static const char *selectable(const struct mw_guard *g, char *buf, size_t size)
{
	size_t at = 0;

	snprintf(buf, size, "none is");
	for (size_t i = 0; i < g->cfg.n_classes && at + 1 < size; i++) {
		if (g->cfg.classes[i].profile.selectable)
			at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? ", " : "", g->cfg.classes[i].name);
	}
	return buf;
}

static int class_allows(const struct mw_guard *g, const struct mw_start *s, struct mw_error *err)
{
	const struct mw_class *cls = mw_config_class(&g->cfg, s->class_name);
	char names[512];

	if (!s->uid || (cls && cls->profile.selectable))
		return 0;
	return mw_fail(err, -EPERM, "class %.63s may be chosen by root only (selectable = yes in memweir.conf: %s)",
		       s->class_name, selectable(g, names, sizeof(names)));
}

static int room_for(const struct mw_guard *g, uid_t uid, struct mw_error *err)
{
	const struct mw_worker *w;
	__u32 n = 0;

	for (w = g->workers.by_id; w; w = w->by_id.next)
		n += w->uid == uid;
	if (!uid || n < g->cfg.monitor.user_workers)
		return 0;
	return mw_fail(err, -EPERM, "uid %u has %u workers: [monitor] user_workers allows no more", uid, n);
}

/* The worker in whose cgroup path is, or below it. */
static const struct mw_worker *worker_above(const struct mw_guard *g, const char *path)
{
	const struct mw_worker *w;

	for (w = g->workers.by_id; w; w = w->by_id.next) {
		if (mw_cgroup_path_holds(w->cgroup, path))
			return w;
	}
	return NULL;
}

/* May it leave where it is? Limits that others set on it there would no longer hold. */
static int may_leave(struct mw_guard *g, const struct mw_start *s, struct mw_error *err)
{
	struct mw_owner_info info;
	const struct mw_worker *w;
	char cgroup[PATH_MAX];
	int r = mw_proc_cgroup("/proc", s->runner, cgroup, sizeof(cgroup));

	if (r < 0)
		return mw_fail(err, r, "the cgroup of process %d cannot be told: %s", s->runner, strerror(-r));
	w = worker_above(g, cgroup);
	if (w && w->uid != s->uid)
		return mw_fail(err, -EPERM, "process %d is in worker %s, which is another user's", s->runner, w->name);
	r = mw_owner_of(g->mount, g->root, cgroup, &info);
	if (r < 0)
		return mw_fail(err, r, "cgroup %.200s: %s", cgroup, strerror(-r));
	if (info.owner != MW_OWNER_OWN && *info.manager && strcmp(info.manager, "systemd") != 0)
		return mw_fail(err, -EPERM, "process %d is in a container of %s: it cannot leave that one's limits",
			       s->runner, info.manager);
	return 0;
}

static int look(const struct mw_start *s, int pidfd, struct mw_brought *ret_brought, struct mw_error *err)
{
	struct mw_brought b;
	int r = mw_brought_read("/proc", s->runner, &b);

	if (r < 0)
		return mw_fail(err, r, "process %d: %s", s->runner, strerror(-r));
	r = mw_brought_judge(&b, s->uid, err);
	if (r >= 0 && !mw_pidfd_lives(pidfd)) /* then what was read was of this very process */
		r = mw_fail(err, -ESRCH, "process %d has ended", s->runner);
	if (r >= 0)
		*ret_brought = b;
	return r;
}

/*
 * It died between the look and the move, and its pid was another's by then: whoever that is was born in those
 * microseconds, and belongs where its parent is.
 */
static void put_back(struct mw_guard *g, const struct mw_worker *w, pid_t pid)
{
	char cgroup[PATH_MAX], path[PATH_MAX + 256], text[16];
	_cleanup_close_ int fd = -1;
	pid_t parent;
	int r = mw_cgroup_has_pid(w->dir_fd, pid) == 1 ? mw_proc_ppid("/proc", pid, &parent) : -ESRCH;

	if (r >= 0)
		r = mw_proc_cgroup("/proc", parent, cgroup, sizeof(cgroup));
	if (r == -ESRCH)
		return;
	if (r >= 0) {
		snprintf(path, sizeof(path), "%s%s", g->mount, cgroup);
		fd = mw_cgroup_open(path);
		snprintf(text, sizeof(text), "%d", pid);
		r = fd < 0 ? fd : mw_cgroup_write(fd, "cgroup.procs", text);
	}
	mw_say(g->tell, r < 0 ? LOG_ERR : LOG_WARNING, "pid %d was moved in place of a process that had ended: %s%s",
	       pid, r < 0 ? "it could not be put back: " : "put back", r < 0 ? strerror(-r) : "");
}

static int move(struct mw_guard *g, struct mw_worker *w, const struct mw_start *s, int pidfd,
		const struct mw_brought *before, struct mw_error *err)
{
	struct mw_brought now = {0};
	char text[16];
	int r = look(s, pidfd, &now, err); /* again: making the cgroup took a while */

	if (r < 0)
		return r;
	if (now.start != before->start)
		return mw_fail(err, -ESRCH, "process %d has ended", s->runner);
	snprintf(text, sizeof(text), "%d", s->runner);
	r = mw_cgroup_write(w->dir_fd, "cgroup.procs", text);
	if (r < 0)
		return mw_fail(err, r, "process %d could not be moved into %s: %s", s->runner, w->cgroup, strerror(-r));
	r = mw_cgroup_has_pid(w->dir_fd, s->runner);
	if (!mw_pidfd_lives(pidfd)) {
		put_back(g, w, s->runner);
		return mw_fail(err, -ESRCH, "process %d has ended", s->runner);
	}
	return r == 1 ? 0
		      : mw_fail(err, r < 0 ? r : -EIO, "process %d is not in %s after it was moved there", s->runner,
				w->cgroup);
}

int mw_life_bring(struct mw_guard *g, const struct mw_start *s, int pidfd, struct mw_worker **ret_worker,
		  struct mw_error *err)
{
	struct mw_brought b = {0};
	struct mw_worker *w;
	pid_t pid;
	int r = mw_pidfd_pid("/proc", pidfd, &pid);

	if (r < 0 || pid != s->runner)
		return mw_fail(err, -ESRCH, "the process that asks has ended, or is not one of this pid namespace");
	r = look(s, pidfd, &b, err);
	if (r >= 0)
		r = class_allows(g, s, err);
	if (r >= 0)
		r = room_for(g, s->uid, err);
	if (r >= 0)
		r = may_leave(g, s, err);
	if (r >= 0)
		r = mw_life_start(g, s, &w, err);
	if (r < 0)
		return r;
	r = move(g, w, s, pidfd, &b, err);
	if (r < 0) {
		mw_life_forget(g, w, true);
		return r;
	}
	*ret_worker = w;
	return 0;
}
