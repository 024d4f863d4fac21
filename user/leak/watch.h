/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * When is a suspect watched, object by object, and for how long? Each probed call slows it: windows of a few seconds,
 * pauses between that keep the average within a share of a processor, and an end at once where it calls its allocator
 * too often. Pure: who attaches and detaches is told what to do, and says when it is done.
 */
#ifndef MW_WATCH_H
#define MW_WATCH_H

#include <linux/types.h>
#include <stdbool.h>

#define MW_WATCH_WINDOW_NS 3000000000ULL /* at least, unless it is shed */
#define MW_WATCH_AGE_NS	   1000000000ULL /* what lives as long within a window has survived */

struct mw_watch_budget {
	__u32 calls_per_s; /* of the allocator, while it is watched */
	double share; /* of a processor, taken from it on average since it was first watched */
	__u64 call_ns; /* what a probed call costs it */
};

enum mw_watch_phase {
	MW_WATCH_PAUSED, /* nothing is attached; due_ns says when again */
	MW_WATCH_OPENING,
	MW_WATCH_OPEN,
	MW_WATCH_CLOSING,
};

enum mw_watch_do { MW_WATCH_NOTHING, MW_WATCH_ATTACH, MW_WATCH_DETACH };

/* Of one worker; zeroed, it is due. */
struct mw_watch {
	enum mw_watch_phase phase;
	__u64 began_ns; /* the first window; 0: none yet */
	__u64 due_ns; /* PAUSED: the next window may begin */
	__u64 since_ns; /* this window */
	__u64 calls, own_ns; /* the counters as it began */
	__u64 last_ns, last_calls; /* and at the last look */
	__u64 ended_ns; /* the last window; 0: none yet, or one is open */
	__u64 watched_ns, spent_ns; /* of windows that are over: how long, and what they took from the worker */
	__u64 rate; /* calls a second, as last measured */
	bool shed; /* the last window was broken off: it called too often */
	__u32 sheds; /* since it was last watched in peace */
};

/* calls, own_ns: the counters as they are now; they only grow. */
enum mw_watch_do mw_watch_step(struct mw_watch *w, const struct mw_watch_budget *b, __u64 now_ns, __u64 calls,
			       __u64 own_ns);
/* It is attached, since_ns ago; the counters were these then. */
void mw_watch_opened(struct mw_watch *w, __u64 since_ns, __u64 calls, __u64 own_ns);
/* It could not be attached, or may not: not before then again. */
void mw_watch_refused(struct mw_watch *w, __u64 due_ns);
/* It was broken off before it was open: too many calls within a moment. */
void mw_watch_burst(struct mw_watch *w, const struct mw_watch_budget *b, __u64 since_ns, __u64 now_ns, __u64 calls);
/* It is detached, and was until now_ns. */
void mw_watch_closed(struct mw_watch *w, const struct mw_watch_budget *b, __u64 now_ns, __u64 calls, __u64 own_ns);

/* Too many calls for so long a time? A few at once are none. */
bool mw_watch_over(const struct mw_watch_budget *b, __u64 elapsed_ns, __u64 calls);
__u64 mw_watch_watched(const struct mw_watch *w, __u64 now_ns); /* how long it was watched */
__u64 mw_watch_of(const struct mw_watch *w, __u64 now_ns); /* of how long */

#endif
