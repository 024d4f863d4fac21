/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/usage.h"

#include <stdlib.h>
#include <string.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define FEW 64

int mw_usage_from_processes(const char *proc_root, int dir_fd, struct mw_usage *ret_usage)
{
	struct mw_usage u = {.time_ns = mw_now_ns(), .max = MW_UNLIMITED, .high = MW_UNLIMITED};
	pid_t few[FEW], *pids = few;
	_cleanup_free_ pid_t *many = NULL;
	ssize_t n = mw_cgroup_pids(dir_fd, true, few, FEW); /* once is enough for nearly all */

	if (n > FEW) {
		ssize_t room = n + 16;

		pids = many = calloc((size_t)room, sizeof(*many));
		if (!many)
			return -ENOMEM;
		n = mw_cgroup_pids(dir_fd, true, many, (size_t)room);
		if (n > room)
			n = room;
	}
	if (n < 0)
		return (int)n;
	for (ssize_t i = 0; i < n; i++) {
		__u64 anon, swap, shmem, file;

		if (mw_proc_memory(proc_root, pids[i], &anon, &swap, &shmem, &file) < 0)
			continue; /* ended meanwhile */
		u.anon += anon;
		u.swapped += swap;
		u.shmem += shmem;
		u.file += file + shmem; /* as memory.stat has it: file contains shmem */
	}
	u.heap = u.anon + u.swapped;
	u.bin = u.shmem;
	u.current = u.anon + u.file;
	*ret_usage = u;
	return 0;
}

bool mw_usage_unreclaimable(const struct mw_usage *u, __u64 swap_left, __u64 margin)
{
	__u64 cache = u->file > u->shmem ? u->file - u->shmem : 0;
	__u64 swappable = swap_left < u->anon + u->shmem ? swap_left : u->anon + u->shmem;

	return cache + u->slab_reclaimable + swappable < margin;
}
