/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The chance of a sample: each byte is the chosen one with the probability 1 / mean, so that the bytes between two
 * samples are distributed exponentially, and an object of s bytes is a sample with the probability 1 - exp(-s / mean).
 * Without libm, which not every program has loaded; good to 1e-6 of the value.
 */
#ifndef MW_HEAP_CHANCE_H
#define MW_HEAP_CHANCE_H

#include <linux/types.h>

/* splitmix64: any state is a good one. */
static inline __u64 mw_heap_random(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* Natural logarithm of x > 0 that is no subnormal: x = m * 2^e, m in [1, 2), and the series of atanh for m. */
static inline double mw_heap_ln(double x)
{
	union {
		double d;
		__u64 u;
	} v = {.d = x};
	int e = (int)(v.u >> 52 & 0x7ff) - 1023;
	double s, s2, sum = 0;

	v.u = (v.u & 0xfffffffffffffULL) | 0x3ff0000000000000ULL;
	s = (v.d - 1) / (v.d + 1);
	s2 = s * s;
	for (int k = 15; k > 0; k -= 2)
		sum = sum * s2 + 1.0 / k;
	return 2 * s * sum + e * 0.693147180559945309417;
}

/* 1 - exp(-x) for x >= 0: the series where it is small, squared as often as x was halved. */
static inline double mw_heap_one_less_exp(double x)
{
	int halved = 0;
	double y;

	if (x > 40)
		return 1;
	while (x > 0.1) {
		x /= 2;
		halved++;
	}
	y = x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5))));
	while (halved--)
		y = y * (2 - y); /* 1 - (1 - y)^2 */
	return y;
}

/* Bytes until the next sample, at least 1. */
static inline __u64 mw_heap_gap(__u64 *state, __u64 mean)
{
	double u = (double)((mw_heap_random(state) >> 11) + 1) * 0x1p-53; /* in (0, 1] */
	double gap = -mw_heap_ln(u) * (double)mean;

	return gap < 1 ? 1 : (__u64)gap;
}

/* What a sample of an object of size bytes stands for. size 0: nothing. */
static inline __u64 mw_heap_weight(__u64 size, __u64 mean)
{
	return size ? (__u64)((double)size / mw_heap_one_less_exp((double)size / (double)mean) + 0.5) : 0;
}

#endif
