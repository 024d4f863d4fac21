/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What files say of a container, held against what the kernel says. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "containers/found.h"
#include "core/cgroup.h"
#include "core/proc.h"
#include "util/cleanup.h"

/* "docker container web (0123456789ab)". */
static const char *who(const struct mw_found *f, char *buf, size_t size)
{
	snprintf(buf, size, "%s container %.60s (%.12s)", f->c.engine, f->c.name[0] ? f->c.name : f->c.pod, f->c.id);
	return buf;
}

/* In it, or one below: some engines make a cgroup of their own there, and an init does. */
static bool is_inside(const char *cgroup, const char *path)
{
	size_t n = strlen(cgroup);

	return mw_cgroup_path_holds(cgroup, path) && (!path[n] || !strchr(path + n + 1, '/'));
}

/* The path up to the part that is the unit, cut behind it. */
static bool cut_to_unit(const char *path, const char *unit, char *ret, size_t size)
{
	size_t n = strlen(unit);

	for (const char *at = path; (at = strchr(at, '/')); at++) {
		if (strncmp(at + 1, unit, n) != 0 || (at[1 + n] && at[1 + n] != '/'))
			continue;
		return snprintf(ret, size, "%.*s", (int)(at + 1 + n - path), path) < (int)size;
	}
	return false;
}

/*
 * A user's file may name any process and any cgroup above it, such as the slice that a cron job of his is in: only what
 * systemd has handed to the user is his.
 */
static bool is_users(uid_t uid, const char *cgroup)
{
	char slice[48];

	snprintf(slice, sizeof(slice), "/user.slice/user-%u.slice", uid);
	return mw_cgroup_path_holds(slice, cgroup) && strcmp(slice, cgroup) != 0;
}

static int not_users(const struct mw_found *f, const char *cgroup, const char *name, struct mw_error *err)
{
	return mw_fail(err, -EXDEV, "%s: cgroup %s does not belong to user %u, whose files name it", name, cgroup,
		       f->uid);
}

/* It stays in the cgroup of whoever started it: of a user's engine without a systemd to ask, or told to make none. */
static int check_without(const struct mw_found *f, const char *path, const char *name, struct mw_error *err)
{
	if (f->uid && !is_users(f->uid, path))
		return not_users(f, path, name, err);
	return mw_fail(err, -EOPNOTSUPP,
		       "%s has no cgroup of its own: its engine was not let make one, or told not to, and it stands in "
		       "%s; --pid %d --move takes it into one of ours",
		       name, path, f->c.pid);
}

static int check_process(const char *proc, struct mw_found *f, const char *name, struct mw_error *err)
{
	__u64 start;
	int r = mw_proc_start_ticks(proc, f->c.pid, &start);

	if (r < 0)
		return mw_fail(err, -ESRCH, "%s: its process %d has ended", name, f->c.pid);
	if (f->c.pid_start && f->c.pid_start != start)
		return mw_fail(err, -ESRCH, "%s: process %d is another one now (started at tick %llu, expected %llu)",
			       name, f->c.pid, start, f->c.pid_start);
	f->c.pid_start = start;
	return 0;
}

static int check_place(const char *root, const char *proc, struct mw_found *f, const char *name, struct mw_error *err)
{
	char path[MW_CONTAINER_CGROUP], mount[PATH_MAX], dir[2 * PATH_MAX];
	int r = mw_proc_cgroup(proc, f->c.pid, path, sizeof(path));

	if (r == -ESRCH)
		return mw_fail(err, r, "%s: its process %d has ended", name, f->c.pid);
	if (r < 0)
		return mw_fail(err, -EXDEV, "%s: process %d is in no cgroup of v2", name, f->c.pid);
	if (f->bare)
		return check_without(f, path, name, err);
	if (f->unit[0] && !cut_to_unit(path, f->unit, f->c.cgroup, sizeof(f->c.cgroup)))
		return mw_fail(err, -EXDEV, "%s: process %d is in %s, expected unit %s", name, f->c.pid, path, f->unit);
	if (!f->unit[0] && !is_inside(f->c.cgroup, path))
		return mw_fail(err, -EXDEV, "%s: process %d is in %s, expected %s", name, f->c.pid, path, f->c.cgroup);
	if (f->uid && !is_users(f->uid, f->c.cgroup))
		return not_users(f, f->c.cgroup, name, err);
	if (mw_cgroup_mount(root, mount, sizeof(mount)) < 0)
		strcpy(mount, "/sys/fs/cgroup");
	snprintf(dir, sizeof(dir), "%s%s%s", root, mount, f->c.cgroup);
	if (access(dir, F_OK))
		return mw_fail(err, -ESRCH, "%s: its cgroup %s is gone", name, f->c.cgroup);
	return 0;
}

int mw_found_check(const char *root, struct mw_found *f, struct mw_error *err)
{
	char name[200], proc[PATH_MAX];
	int r;

	who(f, name, sizeof(name));
	if (!f->c.pid)
		return mw_fail(err, -ENOENT, "%s does not run", name);
	if (snprintf(proc, sizeof(proc), "%s/proc", root) >= (int)sizeof(proc))
		return -ENAMETOOLONG;
	r = check_process(proc, f, name, err);
	if (!r)
		r = check_place(root, proc, f, name, err);
	/* Once more: the pid may have been given to another while we looked. */
	return r ? r : check_process(proc, f, name, err);
}
