/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/remember_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define STATUS_BYTES 65536
#define MAPS_BYTES   (1UL << 20) /* of one process; the rest is not kept */

/* As much as there is, with a NUL behind it; what does not fit is cut off at a line's end. */
static int read_text(int dir_fd, const char *name, size_t max, char **ret_text, size_t *ret_n)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = fd < 0 ? NULL : malloc(max + 1);
	size_t n = 0;
	ssize_t got = 1;

	if (fd < 0 || !text)
		return fd < 0 ? -errno : -ENOMEM;
	while (got && n < max) {
		got = read(fd, text + n, max - n);
		if (got < 0 && errno != EINTR)
			return -errno;
		n += got < 0 ? 0 : (size_t)got;
	}
	while (n == max && n && text[n - 1] != '\n')
		n--;
	text[n] = '\0';
	*ret_n = n;
	*ret_text = TAKE_PTR(text);
	return 0;
}

int mw_modules_take(int proc_fd, struct mw_modules *ret)
{
	_cleanup_free_ char *maps = NULL, *status = NULL;
	struct mw_error err = {0};
	__u64 uid, gid;
	size_t n = 0, kept = 0;
	int r = read_text(proc_fd, "status", STATUS_BYTES, &status, &n);

	if (r >= 0 && (!mw_status_last(status, "Uid:", &uid) || !mw_status_last(status, "Gid:", &gid)))
		r = -EBADMSG;
	r = r < 0 ? r : read_text(proc_fd, "maps", MAPS_BYTES, &maps, &n);
	r = r < 0 ? r : mw_modules_read_maps(ret, maps, n, &err);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	for (size_t i = 0; i < ret->n; i++) {
		if (ret->at[i].inode)
			ret->at[kept++] = ret->at[i];
		else
			free(ret->at[i].path);
	}
	ret->n = kept;
	ret->uid = (uid_t)uid;
	ret->gid = (gid_t)gid;
	return kept ? 0 : -ESRCH; /* a zombie, or the kernel's */
}

bool mw_part_key(int proc_fd, const struct mw_module *m, struct mw_part_key *ret)
{
	struct statx st;
	char name[64];

	snprintf(name, sizeof(name), "map_files/%llx-%llx", m->start, m->end);
	/* As it is cached: a server that does not answer is not asked. */
	if (statx(proc_fd, name, AT_STATX_DONT_SYNC, STATX_INO | STATX_CTIME, &st) || st.stx_ino != m->inode)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->inode = m->inode;
	ret->offset = m->offset;
	ret->dev_major = m->dev_major;
	ret->dev_minor = m->dev_minor;
	ret->changed_ns = (__u64)st.stx_ctime.tv_sec * MW_NS_PER_S + st.stx_ctime.tv_nsec;
	return true;
}
