/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A worker's limits that do not stand as wanted: the kernel cannot reclaim below memory.max, or whoever writes them
 * does not. When to try again, and what is news. Pure.
 */
#ifndef MW_UNMET_H
#define MW_UNMET_H

#include <linux/types.h>
#include <stdbool.h>

#define MW_UNMET_FIRST_NS                                                                                              \
	1000000000ULL /* the second try, and each one after twice as late: it reclaims what it can                     \
		       */
#define MW_UNMET_LAST_NS 60000000000ULL

struct mw_unmet {
	__u64 since_ns; /* CLOCK_MONOTONIC; 0: they stand, or nothing is known */
	__u64 want; /* memory.max as it was wanted then */
	int status; /* of the last try: -EBUSY, more is in use */
	unsigned tries; /* that failed since then */
	__u64 tried_ns; /* the last one of them */
	__u64 due_ns; /* the next one; 0: it is under way */
	__u64 total; /* that ever failed */
};

/* A try has failed. True: that is news, as it has not failed before or was for another limit. */
bool mw_unmet_failed(struct mw_unmet *u, __u64 want, int status, __u64 now_ns);
/* It has not. True: it had failed before; *ret_was is what was. */
bool mw_unmet_met(struct mw_unmet *u, struct mw_unmet *ret_was);
/* Nothing is wanted any more. */
void mw_unmet_forget(struct mw_unmet *u);
/* Is it time? used: bytes in use at the last look: as soon as they fit, it is. */
bool mw_unmet_due(const struct mw_unmet *u, __u64 used, __u64 now_ns);
/* "more is in use, and nothing of it can be reclaimed" */
const char *mw_unmet_why(const struct mw_unmet *u);

#endif
