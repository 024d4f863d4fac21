/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Token buckets: one for each kind of line and worker, one over all. Bounded (28 KiB), no clock of its own. What was
 * suppressed is counted, and given out once, so that it can be told.
 */
#ifndef MW_RATELIMIT_H
#define MW_RATELIMIT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define MW_FLOOD_BUCKETS   256
#define MW_FLOOD_WINDOW_NS 30000000000ULL
#define MW_FLOOD_BURST	   20 /* of one kind and worker, in a window */
#define MW_FLOOD_BURST_ALL 1000 /* of all together */
#define MW_FLOOD_NAME	   64

/* Whose line it is. */
struct mw_flood_key {
	const void *kind; /* compared as an address */
	__u64 id; /* of the worker, by its name; 0: none */
	const char *name; /* of the worker, for who is told; NULL: none */
};

/* What was suppressed of one kind and worker. */
struct mw_flood_over {
	const void *kind; /* NULL: of many, who are not told apart */
	__u64 id;
	char name[MW_FLOOD_NAME];
	__u64 suppressed;
};

struct mw_ratelimit;

int mw_ratelimit_new(struct mw_ratelimit **ret_limit); /* 0 or -ENOMEM */
void mw_ratelimit_free(struct mw_ratelimit *r);
/* May this line go out? No: it is counted. now_ns: CLOCK_MONOTONIC; going back counts as standing still. */
bool mw_ratelimit_take(struct mw_ratelimit *r, const struct mw_flood_key *key, __u64 now_ns);
/* One of those whose first untold suppressed line is a window old; it counts as told from here on. false: there is
 * none. */
bool mw_ratelimit_over(struct mw_ratelimit *r, __u64 now_ns, struct mw_flood_over *ret_over);
__u64 mw_ratelimit_suppressed(const struct mw_ratelimit *r); /* so far */

#endif
