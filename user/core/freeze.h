/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The freeze rung: a worker that policy strict would kill for a squeeze is frozen first, for freeze_max at most. It
 * does not grow meanwhile, what is reclaimed from it stays reclaimed, and who listens has time to do something. Then
 * it is thawed, always; who is over memory.high as before is killed. Pure.
 */
#ifndef MW_FREEZE_H
#define MW_FREEZE_H

#include "core/verdict.h"

/* A worker is not frozen again sooner: it is killed then, as without a hold. */
#define MW_FREEZE_AGAIN_NS 60000000000ULL
#define MW_FREEZE_LATE_NS  1000000000ULL /* what is not heard of this long after its time is over all the same */

/* What became of a hold. */
enum mw_freeze_end {
	MW_FREEZE_NONE,
	MW_FREEZE_BEGAN, /* it is frozen now */
	MW_FREEZE_CANNOT, /* it was not: no cgroup.freeze, or nobody would thaw it if we died */
	MW_FREEZE_ELSE, /* it was not: somebody else had frozen it */
	MW_FREEZE_TIME, /* its time was over: thawed */
	MW_FREEZE_ENOUGH, /* its usage is under memory.high: thawed before the time */
	MW_FREEZE_RELEASED, /* thawed before the time for a request, new settings, the guard's end */
	MW_FREEZE_THAWED, /* somebody else thawed it */
	MW_FREEZE_KEPT, /* somebody else froze it too: left as it is */
	MW_FREEZE_MAX,
};

/* Of one worker. Zero: never frozen by us. */
struct mw_freeze {
	bool under_way; /* asked for; not over yet */
	bool frozen; /* and it stands still */
	__u64 asked_ns; /* the last one; 0: none, or it never began and may be tried again */
	__u64 until_ns; /* thawed then */
	__u64 ended_ns; /* the last one; 0: it never began */
};
void mw_freeze_ask(struct mw_freeze *h, __u64 freeze_max_ns, __u64 now_ns);
void mw_freeze_began(struct mw_freeze *h);
/*
 * It is over, with before and after bytes of usage. What a squeeze has freed is counted from before on, so that what
 * the hold brought counts for the worker.
 */
void mw_freeze_over(struct mw_freeze *h, struct mw_squeeze_state *s, enum mw_freeze_end end, __u64 before,
		    __u64 now_ns);

/* Nothing was heard of its end, and it should have been: it counts as over. */
bool mw_freeze_late(const struct mw_freeze *h, __u64 now_ns);

/*
 * The next rung, when mw_verdict_squeeze has said verdict.
 *
 * none     while a hold is under way, until MW_FREEZE_LATE_NS after its time: nothing else is done meanwhile. Also for
 *          a kill on figures younger than MW_SQUEEZE_KILL_NS after the thaw: they say nothing about it.
 * freeze   for a kill, unless freeze_max is 0, the policy does not allow it, or the last one was asked for less
 *          than MW_FREEZE_AGAIN_NS ago.
 * verdict  in any other case.
 */
enum mw_squeeze mw_freeze_next(const struct mw_freeze *h, const struct mw_usage *u, const struct mw_profile *p,
			       enum mw_squeeze verdict, __u64 now_ns);

#endif
