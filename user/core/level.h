/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* How near a worker is to its limit, in the steps that are told to it and to who asks. Pure. */
#ifndef MW_LEVEL_H
#define MW_LEVEL_H

#include "core/verdict.h"
#include "leak/trend.h"

enum mw_level {
	MW_LEVEL_OK,
	MW_LEVEL_WARNING, /* from 0.9 x hibernate_threshold */
	MW_LEVEL_HIBERNATE, /* from hibernate_threshold, or while memory.high is lifted */
	MW_LEVEL_CRITICAL, /* from 95 % of max_heap, or when the trend meets it within 10 s */
	MW_LEVEL_MAX,
};
const char *mw_level_name(enum mw_level level); /* "hibernate-now" */

#define MW_LEVEL_CRITICAL_SHARE 0.95 /* of max_heap */
#define MW_LEVEL_SOON_S		10.0 /* a limit that is met within this is critical */
#define MW_LEVEL_HOLD		0.95 /* a level is left below this share of what it begins at */
#define MW_LEVEL_HOLD_S		15.0 /* and when the trend's time to the limit is more than this */

/*
 * Judged is heap + bin against max_heap; with max_heap unlimited nothing but a lift makes a level. A level begins at
 * once, and ends with room in between (MW_LEVEL_HOLD), so that a worker at a boundary is not told over and over.
 */
enum mw_level mw_verdict_level(const struct mw_usage *u, const struct mw_profile *p, const struct mw_squeeze_state *s,
			       const struct mw_trend *t, enum mw_level previous);

/*
 * When a worker is told: at once when its level rises above ok; again while it stays, after MW_TELL_AGAIN_NS and then
 * after twice as long each time, up to 64 times that: who had nothing to free is not woken for it for ever. Not while
 * it falls: freeing is what was asked for.
 */
#define MW_TELL_AGAIN_NS    3000000000ULL
#define MW_TELL_DOUBLED_MAX 6
/* told_ns: CLOCK_MONOTONIC of the last time, 0: never. times: how often at this level. */
bool mw_level_due(enum mw_level level, enum mw_level previous, __u64 told_ns, unsigned times, __u64 now_ns);

#endif
