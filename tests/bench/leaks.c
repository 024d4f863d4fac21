/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * leaks [SERIES OF EACH KIND] [SEED]: rules that call leaks, over the same made-up hours (tests/unit/leak/synthetic.h):
 * how often each calls a leak where there is none, and how often it does where there is one on top. At the end of the
 * hour, as somebody sees who looks then. A seed from 100000 on was never looked at while the rules were made.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stdbool.h>

#include "../unit/leak/synthetic.h"
#include "leak/judge.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define MINUTES	   60
#define PER_MINUTE (60 / SYNTHETIC_STEP_S)

static const double leaks[] = {0, 0.1, 0.2, 0.4}; /* of the limit in the hour */

/* Whether it is called one at the end; ret_ever: or before. */
static bool ours_ever(const double *values, bool *ret_ever)
{
	const struct mw_trend line = {.time_to_limit_s = -1};
	enum mw_trend_verdict verdict = MW_STEADY;
	struct mw_leak l = {0};

	*ret_ever = false;
	for (int i = 0; i < SYNTHETIC_SAMPLES; i++) {
		mw_leak_sample(&l, (1000 + (__u64)i * SYNTHETIC_STEP_S) * MW_NS_PER_S, (__u64)values[i],
			       (__u64)SYNTHETIC_LIMIT);
		mw_leak_think(&l);
		verdict = mw_leak_judge(&l, &line).verdict;
		*ret_ever |= verdict == MW_LEAK;
	}
	return verdict == MW_LEAK;
}

static bool ours(const double *values)
{
	bool ever;

	return ours_ever(values, &ever);
}

static bool ours_at_any_time(const double *values)
{
	bool ever;

	ours_ever(values, &ever);
	return ever;
}

/* The least of each minute, which is kind to the others too. */
static void minutes_of(const double *values, double ret[MINUTES])
{
	for (int m = 0; m < MINUTES; m++) {
		ret[m] = values[m * PER_MINUTE];
		for (int i = 1; i < PER_MINUTE; i++)
			ret[m] = fmin(ret[m], values[m * PER_MINUTE + i]);
	}
}

static void line_of(const double *x, double *ret_slope, double *ret_r2)
{
	double mean = 0, over = 0, xx = 0, yy = 0, xy = 0;

	for (int i = 0; i < MINUTES; i++) {
		mean += x[i] / MINUTES;
		over += (double)i / MINUTES;
	}
	for (int i = 0; i < MINUTES; i++) {
		xx += (i - over) * (i - over);
		yy += (x[i] - mean) * (x[i] - mean);
		xy += (i - over) * (x[i] - mean);
	}
	*ret_slope = xy / xx;
	*ret_r2 = yy > 0 ? xy * xy / (xx * yy) : 0;
}

static bool regression(const double *values)
{
	double x[MINUTES], slope, r2;

	minutes_of(values, x);
	line_of(x, &slope, &r2);
	return slope > 0 && r2 > 0.5;
}

/* As Coroot 0.11 has it by default: a line that rises by 10 MB an hour. */
static bool ten_mb(const double *values)
{
	double x[MINUTES], slope, r2;

	minutes_of(values, x);
	line_of(x, &slope, &r2);
	return slope * 60 > 10e6;
}

static bool mann_kendall(const double *values)
{
	double x[MINUTES];
	int s = 0;

	minutes_of(values, x);
	for (int i = 0; i < MINUTES; i++)
		for (int j = i + 1; j < MINUTES; j++)
			s += (x[j] > x[i]) - (x[j] < x[i]);
	return (s - 1) / sqrt(MINUTES * (MINUTES - 1) * (2 * MINUTES + 5) / 18.0) > 1.645;
}

static bool hamed_rao(const double *values)
{
	double x[MINUTES];
	struct mw_slope s;

	minutes_of(values, x);
	return mw_slope(x, MINUTES, &s) == 0 && s.z > 1.645;
}

static const struct {
	const char *name;
	bool (*calls)(const double *values);
} rules[] = {
	{"memweir", ours},
	{"memweir, at any time", ours_at_any_time},
	{"least squares, r2 > 0.5", regression},
	{"line over 10 MB/h (Coroot)", ten_mb},
	{"Mann-Kendall, p < 0.05", mann_kendall},
	{"the same, Hamed and Rao", hamed_rao},
};

/* Wilson's interval of 95 % for k of n, in percent. */
static void interval(int k, int n, double *ret_low, double *ret_high)
{
	double z = 1.96, p = (double)k / n, mid = p + z * z / (2 * n),
	       reach = z * sqrt(p * (1 - p) / n + z * z / (4.0 * n * n));

	*ret_low = 100 * (mid - reach) / (1 + z * z / n);
	*ret_high = 100 * (mid + reach) / (1 + z * z / n);
}

static int called[ARRAY_SIZE(rules)][ARRAY_SIZE(leaks)][SYNTHETIC_MAX];

static void count(int each, unsigned first)
{
	for (int kind = 0; kind < SYNTHETIC_MAX; kind++)
		for (int i = 0; i < each; i++)
			for (size_t leak = 0; leak < ARRAY_SIZE(leaks); leak++) {
				double values[SYNTHETIC_SAMPLES];

				synthetic_series(kind, first + (unsigned)i, values);
				synthetic_leak(values, leaks[leak] * SYNTHETIC_LIMIT);
				for (size_t r = 0; r < ARRAY_SIZE(rules); r++)
					called[r][leak][kind] += rules[r].calls(values);
			}
}

static void say(const char *what, int from, int to, int each)
{
	printf("%s: called a leak after an hour, %% (interval of 95 %%), %d hours of each of %d kinds\n", what, each,
	       to - from);
	for (size_t r = 0; r < ARRAY_SIZE(rules); r++) {
		printf("%-28s", rules[r].name);
		for (size_t leak = 0; leak < ARRAY_SIZE(leaks); leak++) {
			double low, high;
			int sum = 0;

			for (int kind = from; kind < to; kind++)
				sum += called[r][leak][kind];
			interval(sum, each * (to - from), &low, &high);
			printf("  %s %.0f %%/h: %.1f (%.1f-%.1f)", leak ? "leak" : "none", 100 * leaks[leak],
			       100.0 * sum / (each * (to - from)), low, high);
		}
		printf("\n");
	}
	for (size_t leak = 0; leak <= 2; leak += 2) {
		printf("memweir by kind, leak of %.0f %%/h:", 100 * leaks[leak]);
		for (int kind = from; kind < to; kind++)
			printf(" %s %.0f", synthetic_names[kind], 100.0 * called[0][leak][kind] / each);
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	int each = argc > 1 ? atoi(argv[1]) : 100;
	unsigned first = argc > 2 ? (unsigned)atoi(argv[2]) : 100000;

	count(each, first);
	say("kinds that rules of growth are known to take for leaks", 0, SYNTHETIC_STRANGE, each);
	say("kinds made up after the rules", SYNTHETIC_STRANGE, SYNTHETIC_MAX, each);
	return 0;
}
