/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/facts.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "core/rule.h"
#include "util/cleanup.h"

/* A program that overwrites its arguments may leave anything there. */
static int read_arguments(const char *dir, char *buf, size_t size)
{
	char path[PATH_MAX], line[4096], *first;
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/cmdline", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	if (n < 0)
		return -errno;
	while (n && !line[n - 1])
		n--;
	line[n] = '\0';
	first = memchr(line, '\0', (size_t)n);
	for (char *c = first; c && c < line + n; c++)
		*c = *c ? *c : ' ';
	snprintf(buf, size, "%s", first ? first + 1 : "");
	return 0;
}

static ino_t pid_namespace(const char *dir)
{
	char path[PATH_MAX + 16];
	struct stat st;

	snprintf(path, sizeof(path), "%s/ns/pid", dir);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

static bool has_other_pids(const char *proc_root, const char *dir)
{
	char self[PATH_MAX];
	ino_t theirs = pid_namespace(dir), ours;

	snprintf(self, sizeof(self), "%s/self", proc_root);
	ours = pid_namespace(self);
	return theirs && ours && theirs != ours;
}

/* Ids from the cgroup upwards, the mount itself left out. */
static int read_ids(const char *mount, const char *cgroup, __u64 *ids)
{
	char path[PATH_MAX];
	size_t base = strlen(mount), n = 0;

	if (snprintf(path, sizeof(path), "%s%s", mount, cgroup) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	while (n < MW_FACTS_DEPTH && strlen(path) > base + 1) {
		_cleanup_close_ int fd = mw_cgroup_open(path);

		if (fd < 0)
			return fd == -ENOENT ? -ESRCH : fd;
		ids[n++] = mw_cgroup_id(fd);
		*strrchr(path, '/') = '\0';
	}
	return 0;
}

static void read_attribute(const char *path, const char *attribute, char ret_value[MW_NAME_SIZE])
{
	char value[MW_NAME_SIZE];
	ssize_t n = getxattr(path, attribute, value, sizeof(value) - 1);

	value[n > 0 ? n : 0] = '\0';
	snprintf(ret_value, MW_NAME_SIZE, "%s", mw_name_valid(value) ? value : "");
}

void mw_facts_attributes(const char *mount, const char *cgroup, char ret_trusted[MW_NAME_SIZE],
			 char ret_user[MW_NAME_SIZE])
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", mount, cgroup);
	read_attribute(path, "trusted." MW_CLASS_KEY, ret_trusted);
	read_attribute(path, "user." MW_CLASS_KEY, ret_user);
}

int mw_facts_read(const char *proc_root, const char *mount, pid_t pid, bool attributes, struct mw_facts *ret_facts)
{
	struct mw_facts f = {.pid = pid};
	struct mw_proc_status status = {0};
	char dir[256], top[sizeof(f.cgroup)];
	int r = mw_proc_start_ticks(proc_root, pid, &f.start);

	snprintf(dir, sizeof(dir), "%s/%d", proc_root, pid);
	/* The owner of /proc/PID is root where a process may not be dumped: its status says who it is. */
	if (r >= 0)
		r = mw_proc_status(proc_root, pid, &status);
	f.uid = status.uids[1];
	if (r >= 0)
		r = mw_proc_exe(proc_root, pid, f.executable, sizeof(f.executable));
	if (r >= 0 && f.executable[0])
		r = read_arguments(dir, f.arguments, sizeof(f.arguments));
	if (r >= 0)
		r = mw_proc_cgroup(proc_root, pid, f.cgroup, sizeof(f.cgroup));
	if (r >= 0)
		r = read_ids(mount, f.cgroup, f.ids);
	if (r < 0)
		return r == -ENOENT && access(dir, F_OK) < 0 ? -ESRCH : r;
	f.other_pids = has_other_pids(proc_root, dir);
	mw_rule_top(f.cgroup, top, sizeof(top));
	if (attributes)
		mw_facts_attributes(mount, top, f.trusted, f.user);
	*ret_facts = f;
	return 0;
}
