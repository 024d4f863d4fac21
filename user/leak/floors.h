/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What a worker's memory never fell below, in windows of several lengths. A garbage collector's saw, a request's peak
 * and a burst leave the floor alone; what is leaked raises it.
 */
#ifndef MW_FLOORS_H
#define MW_FLOORS_H

#include <linux/types.h>

#define MW_FLOORS_WINDOWS 4 /* a minute, 5 minutes, an hour, 10 hours */
#define MW_FLOORS_BUCKETS 60 /* of each */
#define MW_FLOORS_PEAK_OF 1 /* the window whose floors longer ones keep the highest of */

struct mw_floors {
	struct mw_floor_window {
		__u64 began_ns; /* of the bucket that is open; 0: none is */
		__u32 open_kib; /* its least value */
		__u32 kib[MW_FLOORS_BUCKETS]; /* a ring of those that are closed */
		__u32 open_peak_kib, peak_kib[MW_FLOORS_BUCKETS]; /* the highest floor of MW_FLOORS_PEAK_OF in each */
		__u8 head, count;
	} windows[MW_FLOORS_WINDOWS];
};

__u64 mw_floors_bucket_ns(unsigned window); /* length of a bucket: 1 s, 5 s, 1 min, 10 min */
/*
 * bytes at time_ns (CLOCK_MONOTONIC, not going back: such a value is dropped). Bit mask of the windows in which a
 * bucket was closed by it, or that began anew and lost theirs. A time nobody looked at takes the value before it; half
 * a window of that, and it begins anew.
 */
unsigned mw_floors_push(struct mw_floors *f, __u64 time_ns, __u64 bytes);
/* The closed buckets of a window, oldest first, in bytes; their number. */
__u32 mw_floors_values(const struct mw_floors *f, unsigned window, double ret_values[MW_FLOORS_BUCKETS]);
/* Their number alone. */
static inline __u32 mw_floors_count(const struct mw_floors *f, unsigned window)
{
	return f->windows[window].count;
}
/*
 * By how much the least of the last third of them is above the least of the first, bytes; 0 for fewer than three.
 * Cheap: for the question whether anything rises at all.
 */
double mw_floors_rise(const struct mw_floors *f, unsigned window);
/* The highest floor of 5 s that is known from the time before that window, bytes; 0: of no such time. */
double mw_floors_peak_before(const struct mw_floors *f, unsigned window);

#endif
