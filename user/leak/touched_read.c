/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Aging through debugfs, which need not be mounted anywhere. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "leak/touched.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define ON	 0x1UL
#define WALKS	 0x2UL /* it looks into page tables: otherwise all would seem untouched */
#define PART	 200 /* of a processor's time all looks may take */
#define SWAPPING 100 /* anonymous memory is to be aged, whether or not there is swap */

/* Switched on, and able to see what programs touch. */
static int is_on(const char *sys_root)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX], text[32];
	unsigned long flags;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/kernel/mm/lru_gen/enabled", sys_root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -EOPNOTSUPP : -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	flags = strtoul(text, NULL, 16);
	return (flags & ON) && (flags & WALKS) ? 0 : -EOPNOTSUPP;
}

/* A mount of our own that nobody else sees. */
static int mount_debugfs(void)
{
	_cleanup_close_ int fs = (int)syscall(SYS_fsopen, "debugfs", FSOPEN_CLOEXEC);
	int r;

	if (fs < 0)
		return errno == ENODEV || errno == ENOSYS ? -EOPNOTSUPP : -errno;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	r = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	return r < 0 ? -errno : r;
}

static int open_lists(const char *sys_root)
{
	_cleanup_close_ int mount = -1;
	char path[PATH_MAX];
	int r = is_on(sys_root), fd;

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/kernel/debug/lru_gen", sys_root);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	mount = mount_debugfs();
	if (mount < 0)
		return mount;
	fd = openat(mount, "lru_gen", O_RDWR | O_CLOEXEC);
	return fd >= 0 ? fd : errno == ENOENT ? -EOPNOTSUPP : -errno;
}

static int read_lists(int fd, const char *cgroup, struct mw_touched_lists *ret_lists)
{
	_cleanup_close_ int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	_cleanup_fclose_ FILE *f = copy < 0 || lseek(copy, 0, SEEK_SET) < 0 ? NULL : fdopen(copy, "re");

	if (!f)
		return -errno;
	copy = -1; /* f's now */
	return mw_touched_parse(f, cgroup, ret_lists);
}

/* One whose youngest generation is another one by now was aged by the kernel itself, just so. */
static int age(int fd, const struct mw_touched_list *l)
{
	char command[128];
	int n = snprintf(command, sizeof(command), "+ %llu %llu %llu %d 1", l->memcg, l->node, l->youngest, SWAPPING);

	return write(fd, command, (size_t)n) < 0 ? -errno : 0;
}

/* The lists are read through by the kernel anew for each page of text: with thousands of cgroups that takes long. */
static _Atomic __u64 rest_until_ns;

static int look(int fd, const char *cgroup, __u64 swapped, struct mw_touched *t)
{
	struct mw_touched_lists lists = {0};
	int r = read_lists(fd, cgroup, &lists);

	for (size_t i = 0; r >= 0 && !lists.too_many && i < lists.n; i++)
		r = age(fd, &lists.at[i]);
	if (r >= 0)
		r = read_lists(fd, cgroup, &lists);
	if (r >= 0)
		mw_touched_take(t, &lists, (__u64)sysconf(_SC_PAGESIZE), swapped, mw_now_ns());
	else
		t->since_ns = 0;
	return r;
}

int mw_touched_look(const char *sys_root, const char *cgroup, __u64 swapped, struct mw_touched *t)
{
	_cleanup_close_ int fd = -1;
	__u64 began_ns = mw_now_ns();
	int r;

	if (!mw_touched_due(t, began_ns) || began_ns < rest_until_ns)
		return -EAGAIN;
	t->known = false;
	fd = open_lists(sys_root);
	if (fd < 0)
		return fd;
	r = look(fd, cgroup, swapped, t);
	rest_until_ns = mw_now_ns() + PART * (mw_now_ns() - began_ns);
	return r;
}

int mw_touched_probe(const char *sys_root)
{
	_cleanup_close_ int fd = open_lists(sys_root);

	return fd < 0 ? fd : 0;
}
