/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Does it leak? A verdict on one worker from the floors of its memory, in windows from a minute to ten hours. Pure:
 * samples in, a verdict out; recorded samples give the same verdicts again.
 *
 * A short window (a minute, five) rises when its floor does so surely (Mann-Kendall, z of 2.33), by enough (2 % of the
 * limit, at the lower end of the interval), to the end (the last third at 60 % of the pace at least), not in one step
 * (40 % at most), and to where it never was before. It has seen little: it convicts only who meets its limit before
 * the next longer one could, and the shortest only who has 85 % of its limit in use.
 *
 * A long one (an hour, ten) has seen enough to ask what else it may be: it rises when that much is left of it when the
 * best innocent explanation is taken away (leak/explain.h), by 4 % of the limit at the lower end of the interval.
 */
#ifndef MW_JUDGE_H
#define MW_JUDGE_H

#include <linux/types.h>
#include <stdbool.h>

#include "leak/explain.h"
#include "leak/floors.h"
#include "leak/slope.h"
#include "leak/trend.h"

struct mw_leak {
	struct mw_floors floors;
	struct mw_leak_window {
		struct mw_slope slope; /* when it was last looked at; all 0: there was nothing to look at */
		struct mw_explained left; /* the same of a long window */
		__u64 rising_since_ns; /* 0: it does not rise */
		bool convicted; /* it rose for long enough; held until the rise is seen to end */
		__u64 first_ns; /* end of its first bucket then */
		__u32 n; /* buckets then */
		__u8 why_not; /* the first condition that it missed */
		bool due; /* to be thought about; until then it is as it was */
		__u64 due_ns; /* when the values it is due with were complete */
		__u64 waits_ns; /* due since then without a break: newer values put nobody back in the queue */
	} windows[MW_FLOORS_WINDOWS];
	__u64 time_ns, used, limit; /* the last sample */
};

/*
 * heap + bin of a worker, bytes, at time_ns (CLOCK_MONOTONIC), and its limit (0 or MW_UNLIMITED: none; then twice what
 * it uses stands for the time to it, and 50 MiB for what shares are of). O(1), but for about 30 us where a bucket was
 * closed and a short window may rise; a long one is due then.
 */
void mw_leak_sample(struct mw_leak *l, __u64 time_ns, __u64 used, __u64 limit);
/* Since when a window is due, CLOCK_MONOTONIC; 0: none is. */
__u64 mw_leak_due(const struct mw_leak *l);
/* Think about what is due: about 0.6 ms a window. Whether it is done at once or later makes no other verdict of it. */
void mw_leak_think(struct mw_leak *l);
/*
 * What is to be said now. line: the simple rule's word, which is passed on while no window has one, unless the growth
 * is seen to end.
 */
struct mw_trend mw_leak_judge(const struct mw_leak *l, const struct mw_trend *line);

#endif
