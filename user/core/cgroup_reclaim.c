/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Taking memory from a cgroup, and what protects it from that. */
#include "core/cgroup.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"

/* One large request can empty a worker (60 MB to nothing, with EAGAIN): ask for little at a time. */
#define BATCH_BYTES (4ULL << 20)
#define STEP_BYTES  (1ULL << 20) /* of reclaim ahead of a worker that goes on: the deadline is looked at in between */

/* Ask for one batch. *ret_freed: the drop of memory.current. -EAGAIN: the kernel found less than asked. */
static int reclaim_batch(int dir_fd, __u64 bytes, __u64 *ret_freed)
{
	__u64 before, after;
	int r, asked;

	r = mw_cgroup_read_u64(dir_fd, "memory.current", &before);
	if (r)
		return r;
	asked = mw_cgroup_write_u64(dir_fd, "memory.reclaim", bytes);
	if (asked && asked != -EAGAIN)
		return asked;
	r = mw_cgroup_read_u64(dir_fd, "memory.current", &after);
	if (r)
		return r;
	*ret_freed = before > after ? before - after : 0;
	return asked;
}

int mw_cgroup_reclaim(int dir_fd, __u64 bytes, __u64 deadline_ns, __u64 *ret_reclaimed)
{
	__u64 total = 0, page = (__u64)sysconf(_SC_PAGESIZE);

	if (faccessat(dir_fd, "memory.reclaim", W_OK, 0))
		return faccessat(dir_fd, "cgroup.procs", F_OK, 0) ? -ENOENT : -EOPNOTSUPP;
	while (bytes >= total + page && mw_now_ns() < deadline_ns) {
		__u64 left = bytes - total, freed = 0;
		int r = reclaim_batch(dir_fd, left < BATCH_BYTES ? left : BATCH_BYTES, &freed);

		if (r && r != -EAGAIN)
			return r;
		total += freed;
		/* Without EAGAIN the kernel did free as much as asked and the worker took it again: go on. */
		if (r == -EAGAIN && !freed)
			break;
	}
	*ret_reclaimed = total;
	return 0;
}

int mw_cgroup_reclaim_once(int dir_fd, __u64 bytes, __u64 deadline_ns, __u64 *ret_freed)
{
	__u64 asked = 0, freed = 0;

	if (faccessat(dir_fd, "memory.reclaim", W_OK, 0))
		return faccessat(dir_fd, "cgroup.procs", F_OK, 0) ? -ENOENT : -EOPNOTSUPP;
	while (asked < bytes && mw_now_ns() < deadline_ns) {
		__u64 step = bytes - asked < STEP_BYTES ? bytes - asked : STEP_BYTES, dropped = 0;
		int r = reclaim_batch(dir_fd, step, &dropped);

		if (r && r != -EAGAIN)
			return r;
		freed += r ? (dropped < step ? dropped : step) : step;
		asked += step;
		if (r) /* it found less than this: no more to be had now */
			break;
	}
	*ret_freed = freed;
	return 0;
}

static int read_low(const char *mount, const char *cgroup, int length, __u64 *ret_low)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%.*s", mount, length, cgroup) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = mw_cgroup_open(path);
	if (fd < 0)
		return fd;
	return mw_cgroup_read_u64(fd, "memory.low", ret_low);
}

int mw_cgroup_effective_low(const char *mount, const char *cgroup, __u64 *ret_low, char *ret_blocker, size_t size)
{
	__u64 low, own;
	int r, blocker = 0;

	cgroup += strspn(cgroup, "/");
	r = read_low(mount, cgroup, (int)strlen(cgroup), &own);
	if (r)
		return r;
	low = own;
	for (const char *slash = strchr(cgroup, '/'); slash; slash = strchr(slash + 1, '/')) {
		__u64 above;

		r = read_low(mount, cgroup, (int)(slash - cgroup), &above);
		if (r)
			return r;
		if (above < low) {
			low = above;
			blocker = (int)(slash - cgroup);
		}
	}
	if ((size_t)blocker >= size)
		return -ENAMETOOLONG;
	*ret_low = low;
	memcpy(ret_blocker, cgroup, blocker);
	ret_blocker[blocker] = '\0';
	return 0;
}
