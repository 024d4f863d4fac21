/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/brought.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/cgroup.h"
#include "core/proc.h"

/* What follows "KEY:" and blanks in a text of lines; NULL without. */
static const char *line_of(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, n) == 0 && line[n] == ':')
			return line + n + 1 + strspn(line + n + 1, " \t");
	}
	return NULL;
}

static bool read_uids(const char *text, uid_t uids[4])
{
	const char *at = line_of(text, "Uid");
	char *end;

	for (int i = 0; at && i < 4; i++, at = end) {
		unsigned long v = strtoul(at, &end, 10);

		if (end == at || v > (uid_t)-1)
			return false;
		uids[i] = (uid_t)v;
	}
	return at;
}

int mw_brought_read(const char *proc_root, pid_t pid, struct mw_brought *ret_brought)
{
	struct mw_brought b = {.pid = pid};
	char path[256], text[8192];
	const char *state;
	struct stat st;
	ssize_t n;
	int r = mw_proc_start_ticks(proc_root, pid, &b.start);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/%d", proc_root, pid);
	if (stat(path, &st) < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	b.dir_uid = st.st_uid;
	snprintf(path, sizeof(path), "%s/%d/status", proc_root, pid);
	n = mw_cgroup_read(AT_FDCWD, path, text, sizeof(text));
	if (n < 0 && n != -E2BIG)
		return n == -ENOENT ? -ESRCH : (int)n;
	text[sizeof(text) - 1] = '\0';
	state = line_of(text, "State");
	if (!read_uids(text, b.uids) || !state)
		return -EBADMSG;
	b.ended = *state == 'Z' || *state == 'X';
	*ret_brought = b;
	return 0;
}

int mw_brought_judge(const struct mw_brought *b, uid_t uid, struct mw_error *err)
{
	if (b->ended)
		return mw_fail(err, -ESRCH, "process %d has ended", b->pid);
	for (int i = 0; i < 4; i++) {
		if (b->uids[i] != uid)
			return mw_fail(
				err, -EPERM,
				"process %d runs as uid %u/%u/%u/%u (real/effective/saved/file system), not as %u "
				"alone: only one's own processes can become workers",
				b->pid, b->uids[0], b->uids[1], b->uids[2], b->uids[3], uid);
	}
	if (b->dir_uid != uid)
		return mw_fail(err, -EPERM,
			       "process %d runs, or has run, a set-user-ID program or one it may not read: only plain "
			       "processes can become workers",
			       b->pid);
	return 0;
}

int mw_pidfd_pid(const char *proc_root, int pidfd, pid_t *ret_pid)
{
	char path[256], text[1024], *end;
	const char *at;
	ssize_t n;
	long pid;

	snprintf(path, sizeof(path), "%s/self/fdinfo/%d", proc_root, pidfd);
	n = mw_cgroup_read(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return n == -ENOENT ? -EBADF : (int)n;
	at = line_of(text, "Pid");
	if (!at)
		return -EBADF;
	pid = strtol(at, &end, 10);
	if (end == at)
		return -EBADF;
	if (pid <= 0)
		return -ESRCH;
	*ret_pid = (pid_t)pid;
	return 0;
}

bool mw_pidfd_lives(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}
