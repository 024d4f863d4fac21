/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Pause counters of all workers at once. */
#include "daemon/kernel_private.h"
#include "daemon/kernel_walk.h"

bool mw_kernel_pauses_moved(struct mw_kernel *k)
{
	struct mw_stats stats;

	if (mw_kernel_stats(k, &stats) < 0)
		return true;
	if (k->pauses_known && k->pauses_seen == stats.pauses_counted)
		return false;
	k->pauses_seen = stats.pauses_counted; /* before the reading: what comes meanwhile is read again */
	k->pauses_known = true;
	return true;
}

struct each {
	mw_pauses_fn fn;
	void *arg;
};

static int hand_on(const void *key, void *stat, void *arg)
{
	const struct each *e = arg;

	e->fn(key, stat, e->arg);
	return 0;
}

int mw_kernel_pauses_each(struct mw_kernel *k, mw_pauses_fn fn, void *arg)
{
	struct each e = {fn, arg};
	int r;

	if (!k->object)
		return -EOPNOTSUPP;
	r = mw_map_walk(k->maps[MAP_PAUSES], sizeof(struct mw_pause_key), sizeof(struct mw_pause_stat), hand_on, &e);
	k->pauses_known &= r >= 0;
	return r;
}
