/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * How much of a rise is left when the best innocent explanation is taken away: a warm-up, a cache that fills up to its
 * cap, steps, a load that comes and goes, and whatever wanders without aim. A leak on top of any of these is what
 * goes on at one pace under it. Pure.
 *
 * Each explanation is a few columns beside a line, with errors that depend on those before (an autoregression; at 1 a
 * random walk), and pays for what it may choose (the Bayesian information criterion). Two searches: one explanation
 * alone (or some steps), and up to four of any kind one after the other; a rise is sure when both leave one.
 */
#ifndef MW_EXPLAIN_H
#define MW_EXPLAIN_H

#include <linux/types.h>

#include "leak/slope.h"

enum mw_explanation {
	MW_EXPLAINED_LINE, /* nothing but the rise */
	MW_EXPLAINED_STEP,
	MW_EXPLAINED_WARM_UP,
	MW_EXPLAINED_FILLING, /* to a cap */
	MW_EXPLAINED_CYCLE,
	MW_EXPLAINED_WALK, /* without aim */
	MW_EXPLAINED_MAX,
};

/* Of the search that leaves less. */
struct mw_explained {
	double rise, low, high; /* per step, and its interval of 95 % */
	double z; /* rise by its standard error */
	enum mw_explanation by; /* what takes most of it away */
};
/*
 * n equally spaced values (MW_SLOPE_MIN..MW_SLOPE_MAX); differences below exact are none. -ENODATA, -E2BIG, -ENOMEM.
 * About a third of a millisecond.
 */
int mw_explain(const double *values, __u32 n, double exact, struct mw_explained *ret_explained);

#endif
