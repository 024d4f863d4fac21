/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Which lines of a script hold most, as its own runtime says: what user/runtime's small modules, that `memweir run`
 * puts before Python and Node programs of classes with runtime_profile, write into a file without a name. It is the
 * worker's word, and checked as such; nobody waits for it.
 */
#ifndef MW_LEAK_LINES_H
#define MW_LEAK_LINES_H

#include <linux/types.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

#define MW_LINES_MAX   10
#define MW_LINES_BYTES 65536 /* of the answer */
#define MW_LINES_FILE  "memweir-runtime" /* a memfd of this name, or /dev/shm/NAME-PID, removed */

struct mw_line {
	char function[128]; /* "": not known */
	char file[256];
	__u32 line; /* Python's line; where the function begins, of Node */
	__u64 bytes; /* it holds, allocated since the profiler began */
	__u64 objects; /* 0: not known */
	__s64 grown_bytes; /* since the first answer */
};

struct mw_lines {
	pid_t pid;
	char runtime[16];
	__u64 total_bytes; /* of all lines */
	__u64 took_ms; /* the program spent on it */
	size_t n;
	struct mw_line at[MW_LINES_MAX]; /* most grown first */
};

/*
 * An answer, n bytes up to its newline. own_pid: the process in its own pid namespace; what names another was
 * inherited. -ENODATA: none yet, or of another; -EBADMSG: err says what was found and expected.
 */
int mw_lines_parse(const char *text, size_t n, pid_t own_pid, struct mw_lines *ret, struct mw_error *err);
/* Of a process. proc_root "/proc". -ENODATA as above; -ESRCH; -EACCES. For an action thread: it reads files of others.
 */
int mw_lines_read(const char *proc_root, pid_t pid, struct mw_lines *ret, struct mw_error *err);

#endif
