/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/pace_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup.h"

static __u64 keyed(const char *buf, const char *key)
{
	__u64 value = 0;

	return mw_keyed_u64(buf, key, &value) ? 0 : value;
}

__u64 mw_pace_stalled(const char *text)
{
	const char *some = strstr(text, "some "), *total = some ? strstr(some, "total=") : NULL;

	return total ? strtoull(total + strlen("total="), NULL, 10) * 1000 : 0;
}

int mw_pace_read(int dir_fd, __u64 swap_free, __u64 swap_max, struct mw_pace_input *ret_input)
{
	__u64 page = (__u64)sysconf(_SC_PAGESIZE), file, shmem, swapped = 0, movable;
	char buf[16384]; /* about 2 KB on 6.1, 3 KB on 7.3 */
	ssize_t n;
	int r;

	r = mw_cgroup_read_u64(dir_fd, "memory.current", &ret_input->current);
	if (!r)
		r = mw_cgroup_read_u64(dir_fd, "memory.high", &ret_input->high_now);
	if (r)
		return r;
	n = mw_cgroup_read(dir_fd, "memory.stat", buf, sizeof(buf));
	if (n < 0 && n != -E2BIG)
		return (int)n;
	file = keyed(buf, "file");
	shmem = keyed(buf, "shmem");
	movable = keyed(buf, "anon") + shmem;
	ret_input->cache = (file > shmem ? file - shmem : 0) + keyed(buf, "slab_reclaimable");
	ret_input->stolen = keyed(buf, "pgsteal") * page;
	ret_input->refaulted = (keyed(buf, "workingset_refault_anon") + keyed(buf, "workingset_activate_file")) * page;
	if (swap_max != MW_UNLIMITED && swap_max && swap_free)
		mw_cgroup_read_u64(dir_fd, "memory.swap.current", &swapped);
	if (swap_max != MW_UNLIMITED)
		swap_max = swap_max > swapped ? swap_max - swapped : 0;
	if (movable > swap_max)
		movable = swap_max;
	ret_input->swappable = movable < swap_free ? movable : swap_free;
	ret_input->stalled_ns =
		mw_cgroup_read(dir_fd, "memory.pressure", buf, sizeof(buf)) > 0 ? mw_pace_stalled(buf) : 0;
	return 0;
}
