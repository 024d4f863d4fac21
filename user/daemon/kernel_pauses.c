/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Pause counters of all workers at once. */
#include "daemon/kernel_private.h"

#define BATCH	  128 /* entries of one call: 42 KB, which the heap has without asking the kernel */
#define BATCH_MAX 16384 /* a bucket of a hash is handed out whole: more than this in one is no hash */

struct batch {
	struct mw_pause_key *keys;
	struct mw_pause_stat *stats;
	__u32 room;
};

static void batch_free(struct batch *b)
{
	free(b->keys);
	free(b->stats);
}

static int batch_grow(struct batch *b, __u32 room)
{
	batch_free(b);
	b->keys = calloc(room, sizeof(*b->keys));
	b->stats = calloc(room, sizeof(*b->stats));
	b->room = room;
	return b->keys && b->stats ? 0 : -ENOMEM;
}

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

static int read_all(const struct mw_kernel *k, mw_pauses_fn fn, void *arg)
{
	_cleanup_(batch_free) struct batch b = {0};
	__u32 at = 0, next = 0;
	bool first = true, end = false;
	int r;

	r = batch_grow(&b, BATCH);
	while (!end && r >= 0) {
		__u32 count = b.room;

		r = bpf_map_lookup_batch(k->maps[MAP_PAUSES], first ? NULL : &at, &next, b.keys, b.stats, &count, NULL);
		if (r == -ENOSPC && b.room < BATCH_MAX) {
			r = batch_grow(&b, 2 * b.room);
			continue;
		}
		end = r == -ENOENT; /* with the last of them, or none */
		if (r < 0 && !end)
			return r;
		r = 0;
		for (__u32 i = 0; i < count; i++)
			fn(&b.keys[i], &b.stats[i], arg);
		at = next;
		first = false;
	}
	return r;
}

int mw_kernel_pauses_each(struct mw_kernel *k, mw_pauses_fn fn, void *arg)
{
	int r;

	if (!k->object)
		return -EOPNOTSUPP;
	r = read_all(k, fn, arg);
	k->pauses_known &= r >= 0;
	return r;
}
