/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/brought.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

int mw_brought_read(const char *proc_root, pid_t pid, struct mw_brought *ret_brought)
{
	struct mw_brought b = {.pid = pid};
	char path[256];
	struct stat st;
	int r = mw_proc_start_ticks(proc_root, pid, &b.start);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/%d", proc_root, pid);
	if (stat(path, &st) < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	b.dir_uid = st.st_uid;
	r = mw_proc_status(proc_root, pid, &b.status);
	if (r < 0)
		return r;
	*ret_brought = b;
	return 0;
}

int mw_brought_judge(const struct mw_brought *b, uid_t uid, struct mw_error *err)
{
	const uid_t *uids = b->status.uids;

	if (b->status.ended)
		return mw_fail(err, -ESRCH, "process %d has ended", b->pid);
	for (int i = 0; i < 4; i++) {
		if (uids[i] != uid)
			return mw_fail(
				err, -EPERM,
				"process %d runs as uid %u/%u/%u/%u (real/effective/saved/file system), not as %u "
				"alone: only one's own processes can become workers",
				b->pid, uids[0], uids[1], uids[2], uids[3], uid);
	}
	if (b->dir_uid != uid)
		return mw_fail(err, -EPERM,
			       "process %d runs, or has run, a set-user-ID program or one it may not read: only plain "
			       "processes can become workers",
			       b->pid);
	return 0;
}
