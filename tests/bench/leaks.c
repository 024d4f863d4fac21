/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * leaks [SERIES OF EACH KIND] [SEED]: rules that call leaks, over the same made-up hours (tests/unit/leak/synthetic.h):
 * how often each calls a leak where there is none, and how often it does where there is one on top. At the end of the
 * hour, as somebody sees who looks then; memweir also at any time in it, as somebody is told. A seed from 100000 on was
 * never looked at while the rules were made.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/leak/synthetic.h"
#include "leak/judge.h"
#include "rules.h"
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

#define OURS 2 /* rules: at the end, at any time; the plain ones follow */

static bool calls(size_t rule, const double *values)
{
	double x[MINUTES];

	if (rule < OURS)
		return rule ? ours_at_any_time(values) : ours(values);
	minutes_of(values, x);
	return rules[rule - OURS].calls(x, MINUTES, MINUTES);
}

static const char *name_of(size_t rule)
{
	return rule >= OURS ? rules[rule - OURS].name : rule ? "memweir, at any time" : "memweir";
}

/* Wilson's interval of 95 % for k of n, in percent. */
static void interval(int k, int n, double *ret_low, double *ret_high)
{
	double z = 1.96, p = (double)k / n, mid = p + z * z / (2 * n),
	       reach = z * sqrt(p * (1 - p) / n + z * z / (4.0 * n * n));

	*ret_low = 100 * (mid - reach) / (1 + z * z / n);
	*ret_high = 100 * (mid + reach) / (1 + z * z / n);
}

static int called[OURS + N_RULES][ARRAY_SIZE(leaks)][SYNTHETIC_MAX];

static void count(int each, unsigned first)
{
	for (int kind = 0; kind < SYNTHETIC_MAX; kind++)
		for (int i = 0; i < each; i++)
			for (size_t leak = 0; leak < ARRAY_SIZE(leaks); leak++) {
				double values[SYNTHETIC_SAMPLES];

				synthetic_series(kind, first + (unsigned)i, values);
				synthetic_leak(values, leaks[leak] * SYNTHETIC_LIMIT);
				for (size_t r = 0; r < OURS + N_RULES; r++)
					called[r][leak][kind] += calls(r, values);
			}
}

static void say(const char *what, int from, int to, int each)
{
	printf("%s: called a leak after an hour, %% (interval of 95 %%), %d hours of each of %d kinds\n", what, each,
	       to - from);
	for (size_t r = 0; r < OURS + N_RULES; r++) {
		printf("%-28s", name_of(r));
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
