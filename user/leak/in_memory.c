/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/in_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/cleanup.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* Linux 6.3 */
#endif

int mw_in_memory_device(dev_t *ret_device)
{
	_cleanup_close_ int fd = memfd_create("memweir-device", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	struct stat st;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("memweir-device", MFD_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	*ret_device = st.st_dev;
	return 0;
}

/* A line of mountinfo: id, parent, device, root, mount point, options, any number of tags, a lone "-", type. */
static bool is_tmpfs_on(const char *line, dev_t device)
{
	const char *type = strstr(line, " - ");
	unsigned int major, minor;

	return type && strncmp(type, " - tmpfs ", strlen(" - tmpfs ")) == 0 &&
	       sscanf(line, "%*u %*u %u:%u ", &major, &minor) == 2 && makedev(major, minor) == device;
}

static bool on_tmpfs(int proc_fd, dev_t device)
{
	_cleanup_close_ int fd = openat(proc_fd, "mountinfo", O_RDONLY | O_CLOEXEC);
	_cleanup_fclose_ FILE *f = fd >= 0 ? fdopen(fd, "re") : NULL;
	_cleanup_free_ char *line = NULL;
	bool found = false;
	size_t room = 0;

	if (!f)
		return false;
	fd = -1; /* f's now */
	while (!found && getline(&line, &room, f) > 0)
		found = is_tmpfs_on(line, device);
	return found;
}

bool mw_in_memory(int fd, int proc_fd)
{
	struct statx st;
	dev_t device, memfds = 0;

	/* Nothing is wanted, and what is known will do: a file server hears nothing of it. */
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &st) < 0 || !S_ISREG(st.stx_mode))
		return false;
	device = makedev(st.stx_dev_major, st.stx_dev_minor);
	return (mw_in_memory_device(&memfds) == 0 && device == memfds) || on_tmpfs(proc_fd, device);
}
