/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The last 60 s of one worker, two points a second, in 2,560 bytes that mean the same to the next daemon: no pointers,
 * pages of 4 KiB, and what rarely changes kept once. Where it lives is core/recorder.h's.
 */
#ifndef MW_TRACK_H
#define MW_TRACK_H

#include <linux/types.h>
#include <stdbool.h>

#include "core/verdict.h"

#define MW_TRACK_POINTS	     120
#define MW_TRACK_INTERVAL_NS 500000000ULL
#define MW_TRACK_WINDOW_NS   60000000000ULL
#define MW_TRACK_PAGE	     4096U
#define MW_TRACK_NO_LIMIT    0xffffffffU
#define MW_TRACK_LIMITS	     6 /* of memory.max in the window; when it changes more often the oldest is forgotten */
#define MW_TRACK_NAME	     64

struct mw_track_point {
	__u32 usage, heap, bin, high; /* pages; MW_TRACK_NO_LIMIT */
	__u16 since_ms; /* after the point before */
	__u16 stalled_ms; /* pauses that ended in between, those over pause_budget; 65 s is the most */
};

struct mw_track {
	__u64 cgroup_id; /* 0: free */
	__u64 newest_ns; /* of the newest point, CLOCK_MONOTONIC; 0: none yet */
	__u64 paused_ns; /* not in a point yet */
	__u32 seq; /* points so far, the next one's number: it wraps, after seventy years */
	__u32 count; /* kept */
	__u32 n_max;
	__u32 pause_mark; /* place of its last pause among the marks, from 1; 0: none */
	char name[MW_TRACK_NAME];
	struct {
		__u32 from_seq, max; /* memory.max from that point on, pages */
	} max[MW_TRACK_LIMITS];
	__u64 stalled_ns; /* all pauses so far */
	struct mw_track_point points[MW_TRACK_POINTS]; /* that of seq is at seq % MW_TRACK_POINTS */
};
_Static_assert(sizeof(struct mw_track_point) == 20, "a point is 20 bytes");
_Static_assert(sizeof(struct mw_track) == 2560, "the layout is that of the file");

/* A point as it is read: bytes, limits MW_UNLIMITED where there is none. */
struct mw_look {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 usage, heap, bin, high, max;
	__u64 stalled_ns;
};

/*
 * Keep what was seen. Of each half second of CLOCK_MONOTONIC the newest is kept, so that it is never denser than 2 Hz
 * however often is looked; a time that goes back is dropped, and after a gap of a minute all is new.
 */
void mw_track_note(struct mw_track *t, const struct mw_usage *u);
/* A pause has ended: it goes into the next point. */
void mw_track_paused(struct mw_track *t, __u64 ns);
/* The last minute before its newest point, the oldest first; room for MW_TRACK_POINTS. Count. NULL: nothing. */
__u32 mw_track_read(const struct mw_track *t, struct mw_look *ret_looks);
/* Its use of memory alone, newest first: i = 0 is the newest. *ret_time_ns of the one before it goes in. */
bool mw_track_usage(const struct mw_track *t, __u32 i, __u64 *time_ns, __u64 *ret_bytes);
/* Is this what a daemon left? now_ns: a newest point behind it is none. */
bool mw_track_valid(const struct mw_track *t, __u64 now_ns);

#endif
