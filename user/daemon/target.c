/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "daemon/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/cgroup_limits.h"
#include "core/proc.h"
#include "core/systemd.h"
#include "daemon/guard.h"
#include "daemon/unit.h"
#include "util/cleanup.h"

#define PIDS_MAX     65536
#define CONTAINER_MS 10000 /* a thousand containers, and a slow machine */

void mw_target_free(struct mw_target *t)
{
	mw_close(&t->dir_fd);
	free(t->what);
	free(t->unit);
	mw_container_free(t->container);
	free(t->container);
	t->what = NULL;
	t->unit = NULL;
	t->container = NULL;
}

/* ---- from a name to a cgroup's path ---- */

static int take_path(struct mw_target *t, const char *path, struct mw_error *err)
{
	size_t n = strlen(path);

	if (path[0] != '/' || strstr(path, "/../") || (n > 2 && !strcmp(path + n - 3, "/..")) || n > 3000)
		return mw_fail(
			err, -EINVAL,
			"cgroup \"%.100s\": expected a path from the cgroup root, as in /proc/PID/cgroup, or below %s",
			path, t->mount);
	while (n > 1 && path[n - 1] == '/')
		n--;
	snprintf(t->cgroup, sizeof(t->cgroup), "%.*s", (int)n, path);
	return 0;
}

static int from_path(struct mw_target *t, struct mw_error *err)
{
	const char *path = t->what;
	size_t n = strlen(t->mount);

	if (strncmp(path, t->mount, n) == 0 && (path[n] == '/' || !path[n])) /* or as a path of the file system */
		path = path[n] ? path + n : "/";
	return take_path(t, path, err);
}

static int from_unit(struct mw_target *t, struct mw_error *err)
{
	char unit[256], path[PATH_MAX];
	int r;

	if (!t->what[0] || strchr(t->what, '/') || strlen(t->what) > 240)
		return mw_fail(err, -EINVAL, "unit \"%.100s\": expected the name of a service, scope or slice",
			       t->what);
	snprintf(unit, sizeof(unit), "%s%s", t->what, strchr(t->what, '.') ? "" : ".service");
	if (!mw_systemd_running())
		return mw_fail(err, -ENOENT, "unit %s: systemd does not run here", unit);
	r = mw_systemd_text(unit, "ControlGroup", path, sizeof(path), err);
	if (r < 0)
		return r;
	if (!path[0])
		return mw_fail(err, -ENOENT, "unit %s has no cgroup: it does not run, or there is none of that name",
			       unit);
	return take_path(t, path, err);
}

static int from_pid(struct mw_target *t, struct mw_error *err)
{
	int r = t->pid > 0 ? mw_proc_start_ticks("/proc", t->pid, &t->pid_start) : -ESRCH;

	if (r >= 0)
		r = mw_proc_cgroup("/proc", t->pid, t->cgroup, sizeof(t->cgroup));
	return r < 0 ? mw_fail(err, r, "no process %d%s", t->pid, r == -ENOENT ? " on cgroup v2" : "") : 0;
}

/* What the engines' files say of it; NULL: nothing, and err why. */
static struct mw_container *ask_container(const struct mw_container_question *q, struct mw_error *err)
{
	struct mw_container *c = calloc(1, sizeof(*c));
	int r = c ? mw_container_ask(q, c, err) : -ENOMEM;

	if (r >= 0)
		return c;
	free(c);
	errno = -r;
	return NULL;
}

static int from_container(struct mw_target *t, struct mw_error *err)
{
	const struct mw_container_question q = {.name = t->what, .timeout_ms = CONTAINER_MS};

	t->container = ask_container(&q, err);
	if (!t->container)
		return -errno;
	t->pid = t->container->pid;
	t->pid_start = t->container->pid_start;
	return take_path(t, t->container->cgroup, err);
}

/* ---- what is there ---- */

/* Whoever limits the guard limits itself out of the way of its workers. */
static int is_ours(const struct mw_target *t, struct mw_error *err)
{
	char own[PATH_MAX];

	if (mw_cgroup_path_holds(t->cgroup + 1, t->root + strspn(t->root, "/")))
		return mw_fail(err, -EBUSY, "memweir's workers stand below %s", t->cgroup);
	if (mw_proc_cgroup("/proc", getpid(), own, sizeof(own)) >= 0 && mw_cgroup_path_holds(t->cgroup, own))
		return mw_fail(err, -EBUSY, "%s is memweir's own", t->cgroup);
	return 0;
}

static int judge(struct mw_target *t, struct mw_owner_info *info, struct mw_error *err)
{
	char why[500];
	int r;

	if (strcmp(t->cgroup, "/") == 0)
		return mw_fail(
			err, -EPERM,
			"the root cgroup has no limits: attach --pid ... --move puts a process into one of ours");
	r = mw_owner_of(t->mount, t->root, t->cgroup, info);
	if (r < 0)
		return mw_fail(err, r, "cgroup \"%.200s\": %s", t->cgroup, strerror(-r));
	if (info->owner == MW_OWNER_OWN)
		return mw_fail(err, -EBUSY, "%.200s is below memweir's own root: what is there is under guard already",
			       t->cgroup);
	if (info->owner == MW_OWNER_SYSTEMD && info->below)
		return mw_fail(err, -EOPNOTSUPP, "%s", mw_owner_say(info, t->cgroup, why, sizeof(why)));
	t->owner = mw_owner_writer(info);
	return is_ours(t, err);
}

static int open_it(struct mw_target *t, struct mw_error *err)
{
	char path[PATH_MAX + 256];

	snprintf(path, sizeof(path), "%s%s", t->mount, t->cgroup);
	t->dir_fd = mw_cgroup_open(path);
	if (t->dir_fd < 0)
		return mw_fail(err, t->dir_fd, "%s: %s", path,
			       t->dir_fd == -ENOENT ? "there is no such cgroup" : strerror(-t->dir_fd));
	t->cgroup_id = mw_cgroup_id(t->dir_fd);
	return t->cgroup_id ? 0 : mw_fail(err, -EIO, "%s has no cgroup id: is it on cgroup v2?", path);
}

static int fills(const struct mw_target *t, struct mw_error *err)
{
	_cleanup_free_ pid_t *members = calloc(PIDS_MAX, sizeof(*members));
	ssize_t n = members ? mw_cgroup_pids(t->dir_fd, true, members, PIDS_MAX) : -ENOMEM;

	if (n < 0)
		return mw_fail(err, (int)n, "%s: %s", t->cgroup, strerror((int)-n));
	if (n > PIDS_MAX || !mw_proc_tree_fills("/proc", t->pid, members, (size_t)n))
		return mw_fail(err, -EBUSY,
			       "pid %d shares its cgroup %s with processes that are not below it: --cgroup %s guards "
			       "them all, --move puts pid %d into a "
			       "cgroup of ours",
			       t->pid, t->cgroup, t->cgroup, t->pid);
	return 0;
}

static void limits_of_files(struct mw_target *t)
{
	struct mw_limits *l = &t->before.limits;
	__u64 group = 0;

	*l = mw_no_limits;
	for (enum mw_limit_kind i = 0; i < MW_LIMIT_KIND_MAX; i++) {
		__u64 value;

		if (mw_cgroup_read_u64(t->dir_fd, mw_held_file(i), &value) == 0)
			mw_held_set(l, i, value);
	}
	mw_cgroup_read_u64(t->dir_fd, "memory.oom.group", &group);
	l->oom_group = group;
	t->before.known = true;
}

static int limits_of_unit(struct mw_target *t, const char *unit, struct mw_error *err)
{
	char path[PATH_MAX];
	struct mw_limits props = mw_no_limits;
	int r = mw_systemd_text(unit, "ControlGroup", path, sizeof(path), err);

	if (r >= 0 && strcmp(path, t->cgroup) != 0)
		return mw_fail(err, -EOPNOTSUPP, "cgroup %s looks like unit %s, whose own is %s", t->cgroup, unit,
			       path[0] ? path : "none");
	t->unit = r >= 0 ? calloc(1, sizeof(*t->unit)) : NULL;
	if (!t->unit)
		return r < 0 ? r : mw_fail(err, -ENOMEM, "unit %s: no memory", unit);
	snprintf(t->unit->name, sizeof(t->unit->name), "%s", unit);
	r = mw_unit_limits(unit, &props, &t->unit->dropins, err);
	t->before.known = r >= 0;
	for (enum mw_limit_kind i = 0; r >= 0 && i < MW_LIMIT_KIND_MAX; i++) {
		__u64 wanted = mw_held_get(&props, i), file = mw_held_get(&t->before.limits, i);

		/* As the unit has it; what somebody wrote behind PID 1's back is lost with its next write, but if it
		 * is tighter. */
		if (mw_limit_rounded(wanted) == file || (i == MW_LIMIT_LOW ? file < wanted : file > wanted))
			mw_held_set(&t->before.limits, i, wanted);
	}
	return r;
}

int mw_target_find(struct mw_target *t, struct mw_error *err)
{
	static int (*const from[])(struct mw_target *, struct mw_error *) = {
		[MW_TARGET_CGROUP] = from_path,
		[MW_TARGET_PID] = from_pid,
		[MW_TARGET_UNIT] = from_unit,
		[MW_TARGET_CONTAINER] = from_container,
	};
	struct mw_owner_info info;
	int r = from[t->kind](t, err);

	if (r < 0 || t->move)
		return r;
	r = judge(t, &info, err);
	if (r >= 0)
		r = open_it(t, err);
	if (r >= 0 && t->kind == MW_TARGET_PID)
		r = fills(t, err);
	if (r < 0)
		return r;
	if (!t->container) { /* nothing depends on it: reports name it */
		const struct mw_container_question q = {.cgroup = t->cgroup, .timeout_ms = CONTAINER_MS};

		t->container = ask_container(&q, NULL);
	}
	limits_of_files(t);
	return t->owner == MW_OWNER_SYSTEMD ? limits_of_unit(t, info.unit, err) : 0;
}

int mw_target_still(const struct mw_target *t, struct mw_error *err)
{
	char cgroup[PATH_MAX];

	if (t->pid && !mw_proc_is("/proc", t->pid, t->pid_start))
		return mw_fail(err, -ESRCH, "process %d ended meanwhile", t->pid);
	if (t->move)
		return 0;
	if (mw_cgroup_populated(t->dir_fd) < 0)
		return mw_fail(err, -ENODEV, "cgroup %s went away meanwhile", t->cgroup);
	if (t->kind == MW_TARGET_PID &&
	    (mw_proc_cgroup("/proc", t->pid, cgroup, sizeof(cgroup)) < 0 || strcmp(cgroup, t->cgroup) != 0))
		return mw_fail(err, -ESRCH, "process %d has left cgroup %s meanwhile", t->pid, t->cgroup);
	return 0;
}

void mw_target_name(const struct mw_target *t, char ret_name[MW_NAME_SIZE])
{
	char text[MW_NAME_SIZE * 2], comm[32] = "";
	char *suffix;

	if (t->container) {
		snprintf(text, sizeof(text), "%.120s", t->container->name[0] ? t->container->name : t->container->id);
	} else if (t->kind == MW_TARGET_PID) {
		mw_proc_comm("/proc", t->pid, comm, sizeof(comm));
		snprintf(text, sizeof(text), "%s-%d", comm, t->pid);
	} else {
		snprintf(text, sizeof(text), "%.120s", strrchr(t->cgroup, '/') + 1);
		suffix = strrchr(text, '.');
		if (t->unit && suffix)
			*suffix = '\0';
	}
	mw_name_from(text, ret_name);
}
