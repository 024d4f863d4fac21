/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/open_in.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"

int mw_open_for_good(int path_fd, struct stat *ret_st)
{
	char self[48];
	int fd;

	if (fstat(path_fd, ret_st))
		return -errno;
	if (!S_ISREG(ret_st->st_mode))
		return -EINVAL;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", path_fd);
	fd = open(self, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

static int open_in(int root_fd, const char *path, int flags, struct stat *ret_st)
{
	struct open_how how = {.flags = (__u64)(O_PATH | O_CLOEXEC | flags),
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	_cleanup_close_ int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : mw_open_for_good(fd, ret_st);
}

int mw_open_in_root(const struct mw_opened *o, const char *path, int flags, struct stat *ret_st)
{
	bool root = geteuid() == 0;
	int fd;

	if (root) {
		setfsgid(o->modules->gid);
		setfsuid(o->modules->uid); /* and with it the right to overrule permissions goes */
	}
	fd = open_in(o->root_fd, path, flags, ret_st);
	if (root) {
		setfsuid(0);
		setfsgid(0);
	}
	return fd;
}

int mw_open_in_host(const struct mw_opened *o, const char *path)
{
	struct stat st;

	return open_in(o->host_fd, path, 0, &st);
}
