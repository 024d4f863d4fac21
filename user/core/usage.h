/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A worker's usage where the v2 memory controller is missing, and what of a usage could be reclaimed. */
#ifndef MW_USAGE_H
#define MW_USAGE_H

#include "core/verdict.h"

/*
 * Sum over the processes of a cgroup (RssAnon, VmSwap, RssShmem), pages shared
 * after a fork counted once each: an upper bound. Limits read as MW_UNLIMITED. -errno when the cgroup is gone.
 */
int mw_usage_from_processes(const char *proc_root, int dir_fd, struct mw_usage *ret_usage);

/*
 * Less than margin bytes could be freed: page cache (file less shmem) and reclaimable slab are small,
 * and swap_left (the lesser of the host's free swap and what memory.swap.max leaves) is too.
 */
bool mw_usage_unreclaimable(const struct mw_usage *u, __u64 swap_left, __u64 margin);

#endif
