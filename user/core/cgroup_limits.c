/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/cgroup_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "util/cleanup.h"

/*
 * Limits in an order that neither squeezes nor kills on the way: swap first, so that lowering has
 * somewhere to put pages; of max and high the one that gives room first when it rises, and high
 * before max when it falls, so that the kernel reclaims before it would kill.
 */
size_t mw_limit_files(int dir_fd, const struct mw_limits *l, struct mw_limit_file settings[MW_LIMIT_FILES])
{
	__u64 max_now = 0;
	size_t n = 0;
	bool rising;

	/* Without swap accounting (swapaccount=0) the file is missing: then there is no swap limit to keep. */
	if (!faccessat(dir_fd, "memory.swap.max", F_OK, 0))
		settings[n++] = (struct mw_limit_file){"memory.swap.max", l->swap_max};
	rising = !mw_cgroup_read_u64(dir_fd, "memory.max", &max_now) && l->max >= max_now;
	if (rising)
		settings[n++] = (struct mw_limit_file){"memory.max", l->max};
	settings[n++] = (struct mw_limit_file){"memory.high", l->high};
	if (!rising)
		settings[n++] = (struct mw_limit_file){"memory.max", l->max};
	settings[n++] = (struct mw_limit_file){"memory.low", l->low};
	settings[n++] = (struct mw_limit_file){"memory.oom.group", l->oom_group};
	return n;
}

/* The kernel rounds limits down to whole pages. */
__u64 mw_limit_rounded(__u64 value)
{
	static __u64 known; /* every look at every worker comes here some four times: asked once, by whoever is first */
	__u64 page = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (!page) {
		page = (__u64)sysconf(_SC_PAGESIZE);
		__atomic_store_n(&known, page, __ATOMIC_RELAXED);
	}
	return value == MW_UNLIMITED ? value : value & ~(page - 1);
}

static int differs(const struct mw_limit_file *f, const char *path, __u64 have, struct mw_error *err)
{
	if (have == f->value || have == mw_limit_rounded(f->value))
		return 0;
	return mw_fail(err, -EIO, "%s of cgroup %s is %llu after %llu was written", f->file, path, have, f->value);
}

/* Each file holds what was asked, but for the rounding down to whole pages. */
int mw_limit_verify(int dir_fd, const char *path, const struct mw_limit_file *settings, size_t n, struct mw_error *err)
{
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		__u64 have;

		r = mw_cgroup_read_u64(dir_fd, settings[i].file, &have);
		r = r ? mw_fail(err, r, "cannot read %s of cgroup %s back: %s", settings[i].file, path, strerror(-r))
		      : differs(&settings[i], path, have, err);
	}
	return r;
}

static int put(int dir_fd, const struct mw_limit_file *f, __u64 *ret_have)
{
	_cleanup_close_ int fd = openat(dir_fd, f->file, O_RDWR | O_CLOEXEC);
	char text[24];
	ssize_t n;
	int length;

	if (fd < 0)
		return -errno;
	length = f->value == MW_UNLIMITED ? snprintf(text, sizeof(text), "max")
					  : snprintf(text, sizeof(text), "%llu", f->value);
	n = pwrite(fd, text, (size_t)length, 0);
	if (n != length)
		return n < 0 ? -errno : -EIO;
	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return mw_cgroup_parse_u64(text, ret_have);
}

int mw_limit_put(int dir_fd, const char *path, const struct mw_limit_file *settings, size_t n, struct mw_error *err)
{
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		__u64 have = 0;

		r = put(dir_fd, &settings[i], &have);
		r = r ? mw_fail(err, r, "cannot set %s of cgroup %s: %s", settings[i].file, path, strerror(-r))
		      : differs(&settings[i], path, have, err);
	}
	return r;
}
