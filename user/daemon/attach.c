/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Taking what already runs under guard: in place where its processes fill their cgroup, moved into one of ours on
 * request. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "core/root.h"
#include "daemon/guard.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define PIDS_MAX 65536

enum mw_owner mw_life_owner(struct mw_guard *g, const char *cgroup)
{
	struct mw_owner_info info;

	if (mw_owner_of(g->mount, g->root, cgroup, &info) < 0)
		return MW_OWNER_FOREIGN;
	/* Nobody's: an administrator made it and told us to guard it, so it is ours to write, and to put back. */
	if (info.owner == MW_OWNER_FOREIGN && !info.unit[0] && !info.manager[0])
		return MW_OWNER_OWN;
	return info.owner;
}

static int owner_allows(struct mw_guard *g, const char *cgroup, struct mw_error *err)
{
	struct mw_owner_info info;
	char why[400];
	int r = mw_owner_of(g->mount, g->root, cgroup, &info);

	if (r < 0)
		return mw_fail(err, r, "cgroup \"%.200s\": %s", cgroup, strerror(-r));
	if (strcmp(cgroup, "/") == 0)
		return mw_fail(
			err, -EPERM,
			"the root cgroup has no limits: attach --pid ... --move puts a process into one of ours");
	if (info.owner == MW_OWNER_OWN)
		return mw_fail(err, -EBUSY, "%.200s is below memweir's own root: what is there is under guard already",
			       cgroup);
	if (info.owner == MW_OWNER_SYSTEMD)
		return mw_fail(err, -EOPNOTSUPP, "%s", mw_owner_say(&info, cgroup, why, sizeof(why)));
	return 0;
}

static void keep_before(struct mw_worker *w)
{
	struct mw_limits *l = &w->before.limits;
	__u64 group = 0;

	*l = (struct mw_limits){.max = MW_UNLIMITED, .high = MW_UNLIMITED, .swap_max = MW_UNLIMITED};
	mw_cgroup_read_u64(w->dir_fd, "memory.max", &l->max);
	mw_cgroup_read_u64(w->dir_fd, "memory.high", &l->high);
	mw_cgroup_read_u64(w->dir_fd, "memory.low", &l->low);
	mw_cgroup_read_u64(w->dir_fd, "memory.swap.max", &l->swap_max);
	mw_cgroup_read_u64(w->dir_fd, "memory.oom.group", &group);
	l->oom_group = group;
	w->before.known = true;
}

static void attached(struct mw_guard *g, struct mw_worker *w, const char *how)
{
	mw_life_enlist(g, w);
	if (mw_life_limited(w))
		mw_act_limits(g, w);
	mw_tell(g->tell, LOG_INFO, "attached", w, "worker %s (%s) attached %s: %s%s", w->name, w->class_name, how,
		w->cgroup, mw_life_limited(w) ? "" : ", watched without limits of ours");
}

int mw_life_attach_cgroup(struct mw_guard *g, const char *class_name, const char *name, const char *cgroup,
			  struct mw_worker **ret_worker, struct mw_error *err)
{
	char path[PATH_MAX], made_up[MW_NAME_SIZE];
	_cleanup_close_ int fd = -1;
	struct mw_worker *w;
	__u64 kills[1];
	char events[512];
	int r;

	/* Given from the cgroup root or as a path of the file system. */
	if (strncmp(cgroup, g->mount, strlen(g->mount)) == 0)
		cgroup += strlen(g->mount);
	if (cgroup[0] != '/' || strstr(cgroup, "/../") || strlen(cgroup) > 3000)
		return mw_fail(
			err, -EINVAL,
			"cgroup \"%.100s\": expected a path from the cgroup root, as in /proc/PID/cgroup, or below %s",
			cgroup, g->mount);
	r = owner_allows(g, cgroup, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s%s", g->mount, cgroup);
	fd = mw_cgroup_open(path);
	if (fd < 0)
		return mw_fail(err, fd, "%s: %s", path, fd == -ENOENT ? "there is no such cgroup" : strerror(-fd));
	if (!name) {
		mw_name_from(strrchr(cgroup, '/') + 1, made_up);
		name = made_up;
	} else if (!mw_name_valid(name)) {
		return mw_fail(err, -EINVAL, "worker name \"%s\": expected letters, digits and ._- (at most 63)", name);
	}
	r = mw_life_new(g, name, class_name, cgroup, fd, &w, err);
	if (r < 0)
		return r;
	TAKE_FD(fd);
	w->owner = mw_life_owner(g, cgroup);
	keep_before(w);
	if (mw_cgroup_read(w->dir_fd, "memory.events", events, sizeof(events)) > 0 &&
	    mw_keyed_u64(events, "oom_kill", &kills[0]) == 0)
		w->oom_kills_at_start = kills[0];
	w->was_populated = mw_cgroup_populated(w->dir_fd) == 1;
	attached(g, w, "in place");
	*ret_worker = w;
	return 0;
}

/* The process that was named, and not another one with its pid. */
static int still_runs(pid_t pid, __u64 start, struct mw_error *err)
{
	__u64 now;
	int r = mw_proc_start_ticks("/proc", pid, &now);

	if (r >= 0 && now != start)
		r = -ESRCH;
	return r < 0 ? mw_fail(err, r, "process %d ended meanwhile", pid) : 0;
}

/* Into a cgroup of ours: it and everything below it in the process tree that shares its cgroup. */
static int move_tree(struct mw_guard *g, const char *class_name, const char *name, pid_t pid, __u64 start,
		     struct mw_worker **ret_worker, struct mw_error *err)
{
	char comm[32];
	struct mw_start s = {.class_name = class_name, .name = name, .command = comm, .runner = pid};
	struct mw_worker *w;
	int r;

	mw_proc_comm("/proc", pid, comm, sizeof(comm));
	if (!comm[0])
		return mw_fail(err, -ESRCH, "no process %d", pid);
	r = mw_life_start(g, &s, &w, err);
	if (r < 0)
		return r;
	r = still_runs(pid, start, err); /* making the cgroup took a while */
	if (r >= 0)
		r = mw_place_move(g, w->cgroup + 1, w->dir_fd, pid, err);
	if (r < 0) {
		mw_life_forget(g, w, true);
		return r;
	}
	mw_life_started(g, w, pid);
	mw_tell(g->tell, LOG_INFO, "moved", w,
		"worker %s (%s): pid %d was moved in; what it was charged before stays with its old cgroup", w->name,
		w->class_name, pid);
	*ret_worker = w;
	return 0;
}

int mw_life_attach_pid(struct mw_guard *g, const char *class_name, const char *name, pid_t pid, bool move,
		       struct mw_worker **ret_worker, struct mw_error *err)
{
	char cgroup[PATH_MAX], path[PATH_MAX + 256], comm[MW_NAME_SIZE], made_up[MW_NAME_SIZE + 16];
	_cleanup_free_ pid_t *members = NULL;
	_cleanup_close_ int fd = -1;
	__u64 start = 0;
	ssize_t n;
	int r = pid > 0 ? mw_proc_start_ticks("/proc", pid, &start) : -ESRCH;

	if (r >= 0)
		r = mw_proc_cgroup("/proc", pid, cgroup, sizeof(cgroup));
	if (r < 0)
		return mw_fail(err, r, "no process %d%s", pid, r == -ENOENT ? " on cgroup v2" : "");
	if (move)
		return move_tree(g, class_name, name, pid, start, ret_worker, err);
	r = owner_allows(g, cgroup, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s%s", g->mount, cgroup);
	fd = mw_cgroup_open(path);
	members = calloc(PIDS_MAX, sizeof(*members));
	n = fd >= 0 && members ? mw_cgroup_pids(fd, true, members, PIDS_MAX) : -ENOENT;
	if (n < 0)
		return mw_fail(err, (int)n, "%s: %s", path, strerror((int)-n));
	if (n > PIDS_MAX || !mw_proc_tree_fills("/proc", pid, members, (size_t)n))
		return mw_fail(err, -EBUSY,
			       "pid %d shares its cgroup %s with processes that are not below it: --cgroup %s guards "
			       "them all, --move puts pid %d into a "
			       "cgroup of ours",
			       pid, cgroup, cgroup, pid);
	if (!name) {
		mw_proc_comm("/proc", pid, comm, sizeof(comm));
		snprintf(made_up, sizeof(made_up), "%s-%d", comm, pid);
		mw_name_from(made_up, comm);
		name = comm;
	}
	r = mw_life_attach_cgroup(g, class_name, name, cgroup, ret_worker, err);
	if (r < 0)
		return r;
	(*ret_worker)->main_pid = pid;
	(*ret_worker)->main_start = start;
	mw_state_save(g, *ret_worker);
	r = still_runs(pid, start, err);
	if (r < 0)
		mw_life_detach(g, *ret_worker, NULL);
	return r;
}
