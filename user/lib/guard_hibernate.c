// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Giving memory back now. */
#include "lib/guard_impl.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "util/amount.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define RECLAIM_NS (5 * MW_NS_PER_S)

/* The cgroup that is read, a descriptor of its own: reclaim takes long, and others want to look meanwhile. */
static int own_cgroup(struct memweir_guard *g, __u64 *ret_current)
{
	int fd = -1, r;

	pthread_mutex_lock(&g->lock);
	r = mw_meter_full(&g->meter);
	if (r >= 0 && g->meter.dir_fd >= 0)
		fd = dup(g->meter.dir_fd);
	*ret_current = g->meter.full.current;
	pthread_mutex_unlock(&g->lock);
	return r < 0 ? r : fd;
}

bool mw_guard_may_reclaim(const struct memweir_guard *g)
{
	return g->meter.dir_fd >= 0 && !faccessat(g->meter.dir_fd, "memory.reclaim", W_OK, AT_EACCESS);
}

static void reclaim(struct memweir_guard *g, int dir_fd, __u64 bytes)
{
	__u64 reclaimed;
	bool asked = false;

	if (dir_fd >= 0 && !faccessat(dir_fd, "memory.reclaim", W_OK, AT_EACCESS))
		asked = mw_cgroup_reclaim(dir_fd, bytes, mw_now_ns() + RECLAIM_NS, &reclaimed) == 0;
	if (!asked)
		mw_guard_ask_hibernate(g);
}

int64_t memweir_guard_hibernate(struct memweir_guard *g)
{
	_cleanup_close_ int dir_fd = -1;
	__u64 before, after;
	uint64_t answer;
	int r;

	dir_fd = own_cgroup(g, &before);
	if (dir_fd < -1)
		return dir_fd;
	malloc_trim(0);
	reclaim(g, dir_fd, before);
	r = mw_guard_look(g, true, &answer);
	if (r < 0)
		return r;
	pthread_mutex_lock(&g->lock);
	after = g->meter.full.current;
	pthread_mutex_unlock(&g->lock);
	return (int64_t)mw_less(before, after);
}
