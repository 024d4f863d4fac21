/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * How surely, and how steadily, a series of equally spaced values rises: statistics that one outlier, a sawtooth or
 * values that depend on the ones before do not fool as they fool a line. Pure.
 */
#ifndef MW_SLOPE_H
#define MW_SLOPE_H

#include <linux/types.h>

#define MW_SLOPE_MIN 10 /* values; fewer say nothing */
#define MW_SLOPE_MAX 64

struct mw_slope {
	double rise; /* per step: the median of the slopes between each two values (Theil-Sen) */
	double low, high; /* its interval of 95 % */
	double z; /* Mann-Kendall with the variance of Hamed and Rao, for values that depend on those before */
	double tail; /* rise of the last third, as a share of rise; 1: as steady as before */
	double step; /* the largest single step, as a share of what the whole series rose by; 1: it was one step */
};
/* -ENODATA for fewer than MW_SLOPE_MIN values, -E2BIG for more than MW_SLOPE_MAX. */
int mw_slope(const double *values, __u32 n, struct mw_slope *ret_slope);

#endif
