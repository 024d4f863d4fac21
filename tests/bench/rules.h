/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Rules that others call leaks by, over n equally spaced values: beside what each bench says of memweir's verdict. Kind
 * to them: they are given floors.
 */
#ifndef RULES_H
#define RULES_H

#include <math.h>
#include <stdbool.h>

#include "leak/slope.h"

#define RULES_TEN_MB 10e6

static void rules_line(const double *x, int n, double *ret_slope, double *ret_r2)
{
	double mean = 0, over = 0, xx = 0, yy = 0, xy = 0;

	for (int i = 0; i < n; i++) {
		mean += x[i] / n;
		over += (double)i / n;
	}
	for (int i = 0; i < n; i++) {
		xx += (i - over) * (i - over);
		yy += (x[i] - mean) * (x[i] - mean);
		xy += (i - over) * (x[i] - mean);
	}
	*ret_slope = xy / xx;
	*ret_r2 = yy > 0 ? xy * xy / (xx * yy) : 0;
}

static bool rules_regression(const double *x, int n, double per_hour)
{
	double slope, r2;

	(void)per_hour;
	rules_line(x, n, &slope, &r2);
	return slope > 0 && r2 > 0.5;
}

/* As Coroot 0.11 has it by default: a line that rises by 10 MB an hour. per_hour: values in what counts as one. */
static bool rules_ten_mb(const double *x, int n, double per_hour)
{
	double slope, r2;

	rules_line(x, n, &slope, &r2);
	return slope * per_hour > RULES_TEN_MB;
}

static bool rules_mann_kendall(const double *x, int n, double per_hour)
{
	int s = 0;

	(void)per_hour;
	for (int i = 0; i < n; i++)
		for (int j = i + 1; j < n; j++)
			s += (x[j] > x[i]) - (x[j] < x[i]);
	return (s - 1) / sqrt(n * (n - 1.0) * (2.0 * n + 5) / 18) > 1.645;
}

static bool rules_hamed_rao(const double *x, int n, double per_hour)
{
	struct mw_slope s;

	(void)per_hour;
	return mw_slope(x, (__u32)n, &s) == 0 && s.z > 1.645;
}

static const struct rule {
	const char *name;
	bool (*calls)(const double *x, int n, double per_hour);
} rules[] = {
	{"least squares, r2 > 0.5", rules_regression},
	{"line over 10 MB/h (Coroot)", rules_ten_mb},
	{"Mann-Kendall, p < 0.05", rules_mann_kendall},
	{"the same, Hamed and Rao", rules_hamed_rao},
};
#define N_RULES (sizeof(rules) / sizeof(rules[0]))

#endif
