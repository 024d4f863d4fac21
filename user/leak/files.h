/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What descriptors processes hold, by kind: kernel memory and shmem that grow are mostly held by one. */
#ifndef MW_FILES_H
#define MW_FILES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MW_FILES_MAX 65536 /* that are looked at: some 0.1 s */

enum mw_file_kind {
	MW_FILE_PIPE,
	MW_FILE_SOCKET,
	MW_FILE_MEMFD,
	MW_FILE_ANON, /* epoll, eventfd, timerfd, io_uring, BPF ... */
	MW_FILE_OTHER, /* files and devices */
	MW_FILE_KIND_MAX,
};
const char *mw_file_kind_name(enum mw_file_kind kind); /* "pipes" */
/* Of where /proc/PID/fd/N leads. */
enum mw_file_kind mw_file_kind_of(const char *target);

struct mw_files {
	__u64 n[MW_FILE_KIND_MAX]; /* descriptors; what processes share after a fork counts for each */
	bool more; /* there are more than MW_FILES_MAX */
};
/* Of these processes; those that are gone or may not be looked at hold none. Blocks. */
struct mw_files mw_files_count(const char *proc_root, const pid_t *pids, size_t n);

#endif
