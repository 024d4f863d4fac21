/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Mann-Kendall asks of each two values whether the later one is larger; Theil-Sen by how much, in the median. Values
 * that depend on those before (a cache, a slow load) look surer than they are: Hamed and Rao (1998) widen the variance
 * by the autocorrelation of the ranks that is left when the slope is taken away.
 */
#include "leak/slope.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS (MW_SLOPE_MAX * (MW_SLOPE_MAX - 1) / 2)
#define Z95   1.959964

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The value that has k smaller ones before it, once x is sorted (Hoare's selection). x is put into another order. */
static double nth(double *x, __u32 n, __u32 k)
{
	__u32 from = 0, to = n - 1;

	while (from < to) {
		double pivot = x[from + (to - from) / 2];
		__u32 i = from, j = to;

		while (i <= j) {
			while (x[i] < pivot)
				i++;
			while (x[j] > pivot)
				j--;
			if (i <= j) {
				double swapped = x[i];

				x[i++] = x[j];
				x[j] = swapped;
				if (!j--)
					break;
			}
		}
		if (j != ~0U && k <= j)
			to = j;
		else if (k >= i)
			from = i;
		else
			break;
	}
	return x[k];
}

static double median(double *x, __u32 n)
{
	double upper = nth(x, n, n / 2);

	return n % 2 ? upper : (nth(x, n, n / 2 - 1) + upper) / 2;
}

/* The slopes of all pairs; their number. */
static __u32 pair_slopes(const double *x, __u32 n, double *slopes)
{
	__u32 count = 0;

	for (__u32 i = 0; i < n; i++)
		for (__u32 j = i + 1; j < n; j++)
			slopes[count++] = (x[j] - x[i]) / (j - i);
	return count;
}

/* Ranks from 1, the mean of them for equal values. */
static void rank_all(const double *x, __u32 n, double *ranks)
{
	for (__u32 i = 0; i < n; i++) {
		__u32 below = 0, equal = 0;

		for (__u32 j = 0; j < n; j++) {
			below += x[j] < x[i];
			equal += x[j] == x[i];
		}
		ranks[i] = below + (equal + 1) / 2.0;
	}
}

/* By how much the variance is larger than that of independent values. */
static double widening(const double *x, __u32 n, double rise)
{
	double rest[MW_SLOPE_MAX], ranks[MW_SLOPE_MAX], mean = (n + 1) / 2.0, variance = 0, sum = 0, wider;

	for (__u32 i = 0; i < n; i++)
		rest[i] = x[i] - rise * i;
	rank_all(rest, n, ranks);
	for (__u32 i = 0; i < n; i++)
		variance += (ranks[i] - mean) * (ranks[i] - mean);
	for (__u32 lag = 1; variance > 0 && lag < n - 2; lag++) {
		double covariance = 0, r;

		for (__u32 i = 0; i + lag < n; i++)
			covariance += (ranks[i] - mean) * (ranks[i + lag] - mean);
		r = covariance / variance;
		if (fabs(r) > Z95 / sqrt(n))
			sum += (double)(n - lag) * (n - lag - 1) * (n - lag - 2) * r;
	}
	wider = 1 + 2 * sum / ((double)n * (n - 1) * (n - 2));
	return wider > 1 ? wider : 1; /* never surer than independent values would be */
}

/* The variance of Mann-Kendall's sum, with ties. */
static double variance_of(const double *x, __u32 n)
{
	double sorted[MW_SLOPE_MAX], v = (double)n * (n - 1) * (2 * n + 5);

	memcpy(sorted, x, n * sizeof(*x));
	qsort(sorted, n, sizeof(*sorted), ascending);
	for (__u32 i = 0, run; i < n; i += run) {
		for (run = 1; i + run < n && sorted[i + run] == sorted[i];)
			run++;
		v -= (double)run * (run - 1) * (2 * run + 5);
	}
	return v / 18;
}

static double largest_step(const double *x, __u32 n)
{
	double largest = 0;

	for (__u32 i = 1; i < n; i++)
		largest = fmax(largest, x[i] - x[i - 1]);
	return largest;
}

int mw_slope(const double *x, __u32 n, struct mw_slope *ret_slope)
{
	double slopes[PAIRS], tails[PAIRS], sigma, s = 0, whole, reach;
	struct mw_slope out = {0};
	__u32 pairs, third = n / 3;

	if (n < MW_SLOPE_MIN)
		return -ENODATA;
	if (n > MW_SLOPE_MAX)
		return -E2BIG;
	pairs = pair_slopes(x, n, slopes);
	out.rise = median(slopes, pairs);
	for (__u32 i = 0; i < pairs; i++)
		s += (slopes[i] > 0) - (slopes[i] < 0);
	sigma = sqrt(variance_of(x, n) * widening(x, n, out.rise));
	if (sigma > 0)
		out.z = s > 0 ? (s - 1) / sigma : s < 0 ? (s + 1) / sigma : 0;
	reach = Z95 * sigma / 2;
	out.low = nth(slopes, pairs, (__u32)fmax(0, floor(pairs / 2.0 - reach)));
	out.high = nth(slopes, pairs, (__u32)fmin(pairs - 1, ceil(pairs / 2.0 + reach)));
	whole = fmax(out.rise * (n - 1), x[n - 1] - x[0]);
	if (whole > 0)
		out.step = largest_step(x, n) / whole;
	if (out.rise > 0)
		out.tail = median(tails, pair_slopes(x + n - third, third, tails)) / out.rise;
	*ret_slope = out;
	return 0;
}
