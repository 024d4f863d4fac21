/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/floors.h"

#include <stdbool.h>

#include "util/clock.h"

#define KIB 1024ULL

static const __u64 bucket_ns[MW_FLOORS_WINDOWS] = {MW_NS_PER_S, 5 * MW_NS_PER_S, 60 * MW_NS_PER_S, 600 * MW_NS_PER_S};

__u64 mw_floors_bucket_ns(unsigned window)
{
	return window < MW_FLOORS_WINDOWS ? bucket_ns[window] : 0;
}

static void close_bucket(struct mw_floor_window *w, __u32 kib)
{
	w->kib[w->head] = kib;
	w->peak_kib[w->head] = w->open_peak_kib;
	w->open_peak_kib = 0;
	w->head = (__u8)((w->head + 1) % MW_FLOORS_BUCKETS);
	w->count += w->count < MW_FLOORS_BUCKETS;
}

/* i = 0: the newest that is closed. */
static unsigned place(const struct mw_floor_window *w, unsigned i)
{
	return (w->head + 2 * MW_FLOORS_BUCKETS - 1 - i) % MW_FLOORS_BUCKETS;
}

/* Whether its closed buckets are others than before. */
static bool push_one(struct mw_floor_window *w, __u64 length, __u64 time_ns, __u32 kib)
{
	__u64 passed;

	if (w->began_ns && time_ns - w->began_ns < length) { /* mostly: the bucket stays open */
		if (kib < w->open_kib)
			w->open_kib = kib;
		return false;
	}
	if (w->began_ns && time_ns < w->began_ns)
		return false;
	passed = w->began_ns ? (time_ns - w->began_ns) / length : 0;
	if (!w->began_ns || passed > MW_FLOORS_BUCKETS / 2) {
		bool had_any = w->count;

		*w = (struct mw_floor_window){.began_ns = time_ns, .open_kib = kib};
		return had_any;
	}
	for (__u64 i = 0; i < passed; i++)
		close_bucket(w, w->open_kib);
	w->began_ns += passed * length;
	w->open_kib = kib;
	return true;
}

unsigned mw_floors_push(struct mw_floors *f, __u64 time_ns, __u64 bytes)
{
	const struct mw_floor_window *of = &f->windows[MW_FLOORS_PEAK_OF];
	__u32 kib = bytes / KIB < ~0U ? (__u32)(bytes / KIB) : ~0U, newest;
	unsigned changed = 0;

	for (unsigned i = 0; i < MW_FLOORS_WINDOWS; i++) {
		struct mw_floor_window *w = &f->windows[i];

		changed |= (unsigned)push_one(w, bucket_ns[i], time_ns, kib) << i;
		if (i <= MW_FLOORS_PEAK_OF || !(changed & 1U << MW_FLOORS_PEAK_OF) || !of->count)
			continue;
		newest = of->kib[place(of, 0)];
		if (newest > w->open_peak_kib)
			w->open_peak_kib = newest;
	}
	return changed;
}

double mw_floors_peak_before(const struct mw_floors *f, unsigned window)
{
	__u64 span = bucket_ns[window] * MW_FLOORS_BUCKETS;
	__u32 peak = 0;

	for (unsigned i = window + 1; i < MW_FLOORS_WINDOWS; i++) {
		const struct mw_floor_window *w = &f->windows[i];

		for (unsigned j = (unsigned)(span / bucket_ns[i]); i > MW_FLOORS_PEAK_OF && j < w->count; j++)
			if (w->peak_kib[place(w, j)] > peak)
				peak = w->peak_kib[place(w, j)];
	}
	return (double)peak * (double)KIB;
}

/* Of n places from at on, round the ring. */
static __u32 least_of(const struct mw_floor_window *w, __u32 at, __u32 n)
{
	__u32 least = ~0U;

	for (; n; n--) {
		if (w->kib[at] < least)
			least = w->kib[at];
		at = at + 1 < MW_FLOORS_BUCKETS ? at + 1 : 0;
	}
	return least;
}

double mw_floors_rise(const struct mw_floors *f, unsigned window)
{
	const struct mw_floor_window *w = &f->windows[window];
	__u32 third = w->count / 3, oldest = (w->head + MW_FLOORS_BUCKETS - w->count) % MW_FLOORS_BUCKETS;

	if (!third)
		return 0;
	return ((double)least_of(w, (w->head + MW_FLOORS_BUCKETS - third) % MW_FLOORS_BUCKETS, third) -
		(double)least_of(w, oldest, third)) *
	       (double)KIB;
}

__u32 mw_floors_values(const struct mw_floors *f, unsigned window, double ret_values[MW_FLOORS_BUCKETS])
{
	const struct mw_floor_window *w = &f->windows[window];

	for (__u32 i = 0; i < w->count; i++)
		ret_values[i] =
			(double)w->kib[(w->head + MW_FLOORS_BUCKETS - w->count + i) % MW_FLOORS_BUCKETS] * (double)KIB;
	return w->count;
}
