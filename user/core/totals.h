/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What happened to the workers of each class since the daemon's start: counters that go on when a worker ends, and
 * never go back.
 */
#ifndef MW_TOTALS_H
#define MW_TOTALS_H

#include <linux/types.h>
#include <stddef.h>

#include "core/verdict.h"
#include "memweir/abi.h"

#define MW_TOTALS_CLASSES 64 /* some 4 KiB each; the classes that come later share the last one, "(other)" */

struct mw_class_totals {
	char name[MW_NAME_SIZE];
	__u64 started, ended; /* taken under guard, and gone from there */
	__u64 incidents[MW_REASON_MAX];
	__u64 killed; /* by the guard */
	__u64 lifts, hibernations, hibernated_bytes;
	/* Of those who have ended, less what was counted before this daemon came: may wrap below 0 until the counters
	 * of who still runs are added. */
	struct mw_pause_stat pauses[MW_PAUSE_MAX];
};

struct mw_totals {
	struct mw_class_totals *of; /* owned */
	size_t n;
};

/* The class's, made if it is new. NULL: no memory. */
struct mw_class_totals *mw_totals_class(struct mw_totals *t, const char *name);
void mw_totals_free(struct mw_totals *t);

/* All kinds of one worker. */
void mw_pauses_add(struct mw_pause_stat to[MW_PAUSE_MAX], const struct mw_pause_stat more[MW_PAUSE_MAX]);
void mw_pauses_subtract(struct mw_pause_stat from[MW_PAUSE_MAX], const struct mw_pause_stat less[MW_PAUSE_MAX]);
/* One duration into a histogram of ours, kept like the kernel side's. */
void mw_pause_count(struct mw_pause_stat *s, __u64 duration_ns);

#endif
