/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What is said of a worker's growth; and the simple way to it, a line through the last checks. Pure. */
#ifndef MW_TREND_H
#define MW_TREND_H

#include <linux/types.h>

#include "leak/series.h"

enum mw_trend_verdict {
	MW_STEADY,
	MW_GROWING, /* it rises now; so does who warms up */
	MW_SUSPECT, /* as a leak does, but too little of it was seen */
	MW_LEAK,
	MW_TREND_MAX,
};
const char *mw_trend_name(enum mw_trend_verdict verdict); /* "steady" */

struct mw_trend {
	enum mw_trend_verdict verdict;
	double rate_bytes_per_s;
	double r2; /* of the line, 0..1; 0: a window speaks, not the line */
	double time_to_limit_s; /* until heap + bin meets max_heap; < 0: never, or not growing */
	double soonest_s, latest_s; /* the same at both ends of the rate's interval of 95 %; < 0: never, or not known */
	__u64 window_ns; /* what was looked at: from so long ago until now */
	__u64 onset_ns; /* when the growth began: the line's first point, or where a window's floor began to rise; 0:
			   none */
	double confidence; /* 0..1; a line's: r2 x (1 - 2 / points), since two points always fit; 0: nothing is claimed
			    */
	char evidence[256]; /* a sentence with the numbers; also why not, for a near miss */
	char against[120]; /* what speaks against the verdict, or why it is no more than that; "": nothing */
};
/*
 * Linear regression over the last max_history points (all that history keeps) of heap +
 * bin. growing when there are at least 5 points (or max_history if that is less; 3 at the
 * least), r2 is above 0.8 and the line rises by at least 1 % of the limit over the window
 * (1 MiB where limit is 0 or MW_UNLIMITED). While history is not full, only what meets its limit
 * within four windows counts. A single step between even checks has r2 <= 0.8 and never
 * counts; a warm-up or a cache that fills does while it lasts: the rule warns early, it does not convict.
 */
struct mw_trend mw_trend_line(const struct mw_series *history, __u64 limit);

#endif
