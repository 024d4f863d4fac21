/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/lines.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "leak/in_memory.h"
#include "symbols/modules.h"
#include "util/cleanup.h"
#include "util/json_in.h"

#define _cleanup_json_ _cleanup_(mw_json_putp)
#define VERSION	       1
#define BYTES_MAX      (1ULL << 50)
#define FDS_MAX	       4096 /* looked at; ours is opened first */

static bool take_line(struct json_object *o, struct mw_line *l)
{
	struct json_object *grown = mw_json_member(o, "grown_bytes", json_type_int);
	__u64 line;

	/* Function and file are shown and nothing else: what had to be cleaned or cut is good enough. */
	mw_json_member_text(o, "function", l->function, sizeof(l->function));
	mw_json_member_text(o, "file", l->file, sizeof(l->file));
	if (!*l->file || !grown || !mw_json_member_u64(o, "line", INT_MAX, &line) ||
	    !mw_json_member_u64(o, "bytes", BYTES_MAX, &l->bytes) ||
	    !mw_json_member_u64(o, "objects", BYTES_MAX, &l->objects))
		return false;
	l->line = (__u32)line;
	l->grown_bytes = json_object_get_int64(grown);
	return l->grown_bytes <= (__s64)l->bytes && l->grown_bytes >= -(__s64)BYTES_MAX;
}

static int take(struct json_object *o, pid_t own_pid, struct mw_lines *l, struct mw_error *err)
{
	struct json_object *lines = mw_json_member(o, "lines", json_type_array);
	__u64 version = 0, pid = 0;

	if (!mw_json_member_u64(o, "version", INT_MAX, &version) || version != VERSION)
		return mw_fail(err, -EBADMSG, "version: found %llu, expected %d", version, VERSION);
	if (!mw_json_member_u64(o, "pid", INT_MAX, &pid) || (pid_t)pid != own_pid)
		return mw_fail(err, -ENODATA, "it is of process %llu, not of %d", pid, own_pid);
	if (!mw_json_member_text(o, "runtime", l->runtime, sizeof(l->runtime)) || !*l->runtime ||
	    !mw_json_member_u64(o, "took_ms", INT_MAX, &l->took_ms) ||
	    !mw_json_member_u64(o, "total_bytes", BYTES_MAX, &l->total_bytes) || !lines)
		return mw_fail(err, -EBADMSG, "runtime, took_ms, total_bytes or lines: expected text, numbers, a list");
	if (json_object_array_length(lines) > MW_LINES_MAX)
		return mw_fail(err, -EBADMSG, "lines: found %zu, expected at most %d", json_object_array_length(lines),
			       MW_LINES_MAX);
	for (; l->n < json_object_array_length(lines); l->n++)
		if (!take_line(json_object_array_get_idx(lines, l->n), &l->at[l->n]))
			return mw_fail(err, -EBADMSG, "line %zu: expected file, line, bytes, objects and grown_bytes",
				       l->n);
	return 0;
}

int mw_lines_parse(const char *text, size_t n, pid_t own_pid, struct mw_lines *ret, struct mw_error *err)
{
	_cleanup_json_ struct json_object *o = NULL;
	struct mw_lines l = {.n = 0};
	const char *end = memchr(text, '\n', n);
	int r;

	if (!end || end == text)
		return mw_fail(err, -ENODATA, "there is no answer yet");
	r = mw_json_parse(text, (size_t)(end - text), &o, err);
	r = r < 0 ? r : take(o, own_pid, &l, err);
	if (r == 0)
		*ret = l;
	return r;
}

static bool is_answer(const char *target)
{
	static const char deleted[] = " (deleted)";
	size_t n = strlen(target);

	if (strcmp(target, "/memfd:" MW_LINES_FILE " (deleted)") == 0)
		return true;
	return strncmp(target, "/dev/shm/" MW_LINES_FILE "-", strlen("/dev/shm/" MW_LINES_FILE "-")) == 0 &&
	       n > strlen(deleted) && strcmp(target + n - strlen(deleted), deleted) == 0;
}

/* Held first, then looked at, then opened: a file in memory, and nothing that could make us wait. */
static int open_answer(int proc_fd, int dir_fd, const char *name)
{
	_cleanup_close_ int path_fd = openat(dir_fd, name, O_PATH | O_CLOEXEC);
	char self[48];
	int fd;

	if (path_fd < 0)
		return -errno;
	if (!mw_in_memory(path_fd, proc_fd))
		return -ENODATA;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", path_fd);
	fd = open(self, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int find_answer(int proc_fd)
{
	int fd = openat(proc_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = -ENODATA;
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir)
		return -errno;
	for (unsigned i = 0; r == -ENODATA && i < FDS_MAX && (d = readdir(dir)); i++) {
		char target[128];
		ssize_t n = readlinkat(fd, d->d_name, target, sizeof(target) - 1);

		target[n < 0 ? 0 : n] = '\0';
		if (is_answer(target))
			r = open_answer(proc_fd, fd, d->d_name);
	}
	return r;
}

/* Its number where it stands itself: the answer has that. */
static int own_pid(int proc_fd, pid_t *ret_pid)
{
	_cleanup_close_ int fd = openat(proc_fd, "status", O_RDONLY | O_CLOEXEC);
	char status[4096];
	ssize_t n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
	__u64 pid;

	if (n < 0)
		return -errno;
	status[n] = '\0';
	if (!mw_status_last(status, "NSpid:", &pid))
		return -EBADMSG;
	*ret_pid = (pid_t)pid;
	return 0;
}

int mw_lines_read(const char *proc_root, pid_t pid, struct mw_lines *ret, struct mw_error *err)
{
	_cleanup_close_ int proc_fd = -1, fd = -1;
	_cleanup_free_ char *text = malloc(MW_LINES_BYTES);
	char path[PATH_MAX];
	pid_t own = 0;
	ssize_t n;
	int r;

	snprintf(path, sizeof(path), "%.200s/%d", proc_root, pid);
	proc_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!text || proc_fd < 0)
		return text ? -ESRCH : -ENOMEM;
	r = own_pid(proc_fd, &own);
	fd = r < 0 ? r : find_answer(proc_fd);
	if (fd < 0)
		return mw_fail(err, fd == -ENOENT ? -ESRCH : fd, "process %d: %s", pid, strerror(-fd));
	n = pread(fd, text, MW_LINES_BYTES, 0);
	if (n < 0)
		return mw_fail(err, -errno, "process %d: %s", pid, strerror(errno));
	r = mw_lines_parse(text, (size_t)n, own, ret, err);
	if (r == 0)
		ret->pid = pid;
	return r;
}
