// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What a guard can do, and why not. */
#include "lib/guard_impl.h"

#include <errno.h>
#include <stdio.h>

#include "util/cleanup.h"

/* With the lock held. */
static uint64_t capabilities(struct memweir_guard *g)
{
	uint64_t can = g->can;

	can |= g->meter.dir_fd >= 0 ? MEMWEIR_CAN_CGROUP : 0;
	can |= g->meter.dir_fd >= 0 && g->meter.shared ? MEMWEIR_CAN_SHARED : 0;
	can |= mw_guard_enforced(g) ? MEMWEIR_CAN_ENFORCE : 0;
	can |= mw_guard_may_reclaim(g) || ((g->can & MEMWEIR_CAN_DAEMON) && g->meter.dir_fd >= 0) ? MEMWEIR_CAN_RECLAIM
												  : 0;
	can |= g->pressure[0] ? MEMWEIR_CAN_PRESSURE : 0;
	return can;
}

uint64_t memweir_guard_capabilities(struct memweir_guard *g)
{
	uint64_t can;

	pthread_mutex_lock(&g->lock);
	can = capabilities(g);
	pthread_mutex_unlock(&g->lock);
	return can;
}

/* A sentence with, and one without; where they end in a colon what was heard follows. */
static const struct {
	enum memweir_capability bit;
	const char *with, *without;
} texts[] = {
	{MEMWEIR_CAN_CGROUP, "figures are those of the cgroup: ",
	 "figures are those of this process alone, from /proc: its cgroup has no memory controller, or others are in "
	 "it"},
	{MEMWEIR_CAN_SHARED, "the cgroup has other processes too: their memory is counted as this one's",
	 "nobody else is counted"},
	{MEMWEIR_CAN_DAEMON, "limits are the daemon's, of worker ", "the daemon did not give the limits: "},
	{MEMWEIR_CAN_ENFORCE, "memory.max stands at the limit: the kernel kills at it",
	 "nobody enforces the limit: no memory.max at or below it in a cgroup of this process"},
	{MEMWEIR_CAN_RECLAIM, "hibernate reclaims from the cgroup",
	 "hibernate is malloc_trim alone: memory.reclaim is missing or not writable, and no daemon was there to ask"},
	{MEMWEIR_CAN_PEAK, "peaks of requests are the kernel's, by memory.peak",
	 "peaks of requests are the highest of the looks in between: memory.peak cannot be reset (Linux 6.12, and a "
	 "writable file)"},
	{MEMWEIR_CAN_PRESSURE, "pressure is told by ", "nobody tells of pressure: MEMORY_PRESSURE_WATCH is not set"},
	{MEMWEIR_CAN_TIGHTEN, "the daemon took the program's own limits",
	 "the daemon did not take limits of the program's own: "},
};

int memweir_guard_capability_text(struct memweir_guard *g, enum memweir_capability bit, char *ret_text, size_t size)
{
	const char *what = "";
	size_t i = 0;
	bool can;

	while (i < ARRAY_SIZE(texts) && texts[i].bit != bit)
		i++;
	if (i == ARRAY_SIZE(texts))
		return -EINVAL;
	pthread_mutex_lock(&g->lock);
	can = capabilities(g) & bit;
	if (bit == MEMWEIR_CAN_CGROUP && can)
		what = g->meter.cgroup;
	else if (bit == MEMWEIR_CAN_DAEMON)
		what = can ? g->worker : g->why_daemon;
	else if (bit == MEMWEIR_CAN_PRESSURE && can)
		what = g->pressure;
	else if (bit == MEMWEIR_CAN_TIGHTEN && !can)
		what = g->why_tighten;
	snprintf(ret_text, size, "%s%s", can ? texts[i].with : texts[i].without, what);
	pthread_mutex_unlock(&g->lock);
	return can;
}
