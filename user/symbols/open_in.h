/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Opening regular files whose names come from others. Each returns a descriptor or -errno. */
#ifndef MW_OPEN_IN_H
#define MW_OPEN_IN_H

#include <sys/stat.h>

#include "symbols/open.h"

/*
 * A regular file behind a descriptor that was only looked up (O_PATH): opening a device or a pipe may do things, and is
 * -EINVAL.
 */
int mw_open_for_good(int path_fd, struct stat *ret_st);

/*
 * A path below the process's root folder, which no link leads out of, looked up and opened with the rights of the
 * process's user: what it may not read it does not get read. flags: O_NOFOLLOW or 0.
 */
int mw_open_in_root(const struct mw_opened *o, const char *path, int flags, struct stat *ret_st);
/* The same in our own, with our own rights. */
int mw_open_in_host(const struct mw_opened *o, const char *path);

#endif
