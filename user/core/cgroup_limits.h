/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Limits as files and values: in which order they are written, and whether they hold. */
#ifndef MW_CGROUP_LIMITS_H
#define MW_CGROUP_LIMITS_H

#include "core/config.h"
#include "util/error.h"

#define MW_LIMIT_FILES 5

/* One file and the value it is to hold. */
struct mw_limit_file {
	const char *file;
	__u64 value; /* MW_UNLIMITED: "max" */
};

/* The files of these limits in the order to write them in. Returns their number. */
size_t mw_limit_files(int dir_fd, const struct mw_limits *l, struct mw_limit_file files[MW_LIMIT_FILES]);
__u64 mw_limit_rounded(__u64 value); /* down to whole pages, as the kernel does */
/*
 * Write each file and read it back through one descriptor: for a new cgroup, in which nothing has to be reclaimed
 * first. The sentence and -EIO as with mw_limit_verify.
 */
int mw_limit_put(int dir_fd, const char *path, const struct mw_limit_file *files, size_t n, struct mw_error *err);
/* Each file holds what was asked. -EIO when not; path is for the sentence. */
int mw_limit_verify(int dir_fd, const char *path, const struct mw_limit_file *files, size_t n, struct mw_error *err);

#endif
