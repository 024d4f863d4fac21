/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/ratelimit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* credit: time in store; a line costs window / burst of it, and it grows as time passes. */
struct bucket {
	struct mw_flood_over who; /* suppressed: not told yet */
	bool taken;
	__u64 credit_ns, last_ns;
	__u64 since_ns; /* of the first line suppressed and not told */
};

/* ALL is over all. OTHERS stands for those who find every bucket taken by somebody who is suppressed. */
enum { ALL, OTHERS, FIRST };

struct mw_ratelimit {
	struct bucket buckets[MW_FLOOD_BUCKETS];
	__u64 suppressed;
};

int mw_ratelimit_new(struct mw_ratelimit **ret_limit)
{
	struct mw_ratelimit *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	for (int i = ALL; i < FIRST; i++)
		r->buckets[i] = (struct bucket){.taken = true, .credit_ns = MW_FLOOD_WINDOW_NS};
	*ret_limit = r;
	return 0;
}

void mw_ratelimit_free(struct mw_ratelimit *r)
{
	free(r);
}

static void refill(struct bucket *b, __u64 now_ns)
{
	if (now_ns > b->last_ns) {
		b->credit_ns += now_ns - b->last_ns;
		b->last_ns = now_ns;
	}
	if (b->credit_ns > MW_FLOOD_WINDOW_NS)
		b->credit_ns = MW_FLOOD_WINDOW_NS;
}

/* Its own, else a free one, else that of who was quiet longest and has nothing left to tell. */
static struct bucket *bucket_of(struct mw_ratelimit *r, const struct mw_flood_key *key, __u64 now_ns)
{
	struct bucket *best = NULL;

	for (int i = FIRST; i < MW_FLOOD_BUCKETS; i++) {
		struct bucket *b = &r->buckets[i];

		if (b->taken && b->who.kind == key->kind && b->who.id == key->id)
			return b;
		if (b->taken && b->who.suppressed)
			continue;
		if (!best || (best->taken && (!b->taken || b->last_ns < best->last_ns)))
			best = b;
	}
	if (!best)
		return &r->buckets[OTHERS];
	*best = (struct bucket){.taken = true, .credit_ns = MW_FLOOD_WINDOW_NS, .last_ns = now_ns};
	best->who.kind = key->kind;
	best->who.id = key->id;
	snprintf(best->who.name, sizeof(best->who.name), "%s", key->name ? key->name : "");
	return best;
}

static bool suppress(struct mw_ratelimit *r, struct bucket *b, __u64 now_ns)
{
	if (b->who.suppressed++ == 0)
		b->since_ns = now_ns;
	r->suppressed++;
	return false;
}

bool mw_ratelimit_take(struct mw_ratelimit *r, const struct mw_flood_key *key, __u64 now_ns)
{
	const __u64 cost = MW_FLOOD_WINDOW_NS / MW_FLOOD_BURST, cost_all = MW_FLOOD_WINDOW_NS / MW_FLOOD_BURST_ALL;
	struct bucket *b = bucket_of(r, key, now_ns), *all = &r->buckets[ALL];

	refill(b, now_ns);
	refill(all, now_ns);
	if (b->credit_ns < cost)
		return suppress(r, b, now_ns);
	if (all->credit_ns < cost_all)
		return suppress(r, all, now_ns);
	b->credit_ns -= cost;
	all->credit_ns -= cost_all;
	return true;
}

bool mw_ratelimit_over(struct mw_ratelimit *r, __u64 now_ns, struct mw_flood_over *ret_over)
{
	for (int i = ALL; i < MW_FLOOD_BUCKETS; i++) {
		struct bucket *b = &r->buckets[i];

		if (!b->who.suppressed || now_ns < b->since_ns + MW_FLOOD_WINDOW_NS)
			continue;
		*ret_over = b->who;
		b->who.suppressed = 0;
		return true;
	}
	return false;
}

__u64 mw_ratelimit_suppressed(const struct mw_ratelimit *r)
{
	return r->suppressed;
}
