/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Times. Deciding code never asks for them: it takes them as arguments. */
#ifndef MW_CLOCK_H
#define MW_CLOCK_H

#include <linux/types.h>
#include <time.h>

#define MW_NS_PER_S  1000000000ULL
#define MW_NS_PER_MS 1000000ULL

/* CLOCK_MONOTONIC in nanoseconds: the clock of BPF records (bpf_ktime_get_ns). */
static inline __u64 mw_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (__u64)t.tv_sec * MW_NS_PER_S + (__u64)t.tv_nsec;
}

/* The same clock as of the last tick, some ms ago at most, and cheaper. */
static inline __u64 mw_now_coarse_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (__u64)t.tv_sec * MW_NS_PER_S + (__u64)t.tv_nsec;
}

/*
 * How long the machine has slept: CLOCK_BOOTTIME, the clock of a process's start, is ahead of CLOCK_MONOTONIC by that.
 * Read in this order: what passes in between makes it more, never less.
 */
static inline __u64 mw_suspended_ns(void)
{
	__u64 now_ns = mw_now_ns();
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (__u64)t.tv_sec * MW_NS_PER_S + (__u64)t.tv_nsec - now_ns;
}

/* CLOCK_REALTIME in nanoseconds, for records people read. */
static inline __u64 mw_wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (__u64)t.tv_sec * MW_NS_PER_S + (__u64)t.tv_nsec;
}

#endif
