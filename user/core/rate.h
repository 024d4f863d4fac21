/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * How often a worker reclaims and what part of the time it is stalled: what frequency and share of collections are to
 * a managed heap. Pure: counters that only rise go in, the last minute comes out.
 */
#ifndef MW_RATE_H
#define MW_RATE_H

#include <linux/types.h>
#include <stdbool.h>

#include "memweir/abi.h"

#define MW_RATE_WINDOW_NS  60000000000ULL
#define MW_RATE_KEPT	   16 /* readings behind the newest */
#define MW_RATE_SPACING_NS (MW_RATE_WINDOW_NS / (MW_RATE_KEPT - 1))

/* Why a pass of reclaim ran in a worker's own task. */
enum mw_pass {
	MW_PASS_AT_HIGH, /* a memory.high: its own or one above */
	MW_PASS_AT_MAX, /* a memory.max: its own or one above */
	MW_PASS_OF_HOST, /* the host, or a NUMA node, is short of memory */
	MW_PASSES,
};

/* The counters of one worker, added up kind by kind. */
struct mw_tally {
	__u64 whole_ns; /* memstall */
	__u64 kinds_ns; /* the others, which do not overlap: what parts of it take, and what lies outside of it */
	__u64 worst_ns; /* the longest of any kind */
	__u64 passes[MW_PASSES];
};
void mw_tally_add(struct mw_tally *t, enum mw_pause_kind kind, const struct mw_pause_stat *stat);
/*
 * Task time stalled: what all kinds come to that do not overlap, or whole stalls where their kinds are not measured.
 */
__u64 mw_tally_stalled(const struct mw_tally *t);

struct mw_reading {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 stalled_ns;
	__u64 passes[MW_PASSES];
};
struct mw_reading mw_tally_reading(const struct mw_tally *t, __u64 time_ns);
/* Passes from one reading to a later one, whatever their cause. */
__u64 mw_rate_passes(const struct mw_reading *from, const struct mw_reading *to);

/* The last readings, thinned out to one in MW_RATE_SPACING_NS. Zero is empty. */
struct mw_rate {
	struct mw_reading kept[MW_RATE_KEPT], newest;
	__u32 head, count;
};
/* A time that goes back is dropped. */
void mw_rate_push(struct mw_rate *r, const struct mw_reading *reading);

struct mw_rates {
	double reclaims_per_min; /* passes in the last minute, not extrapolated from less */
	double stalled_share; /* task-seconds stalled per second; several tasks stalled at once pass 1 */
	__u64 passes[MW_PASSES]; /* in span_ns */
	__u64 span_ns; /* what was looked at: a minute, less at first, more when checks are rarer; 0: nothing yet */
};
struct mw_rates mw_rate_now(const struct mw_rate *r);

/* Whether a worker reclaims often: from alert passes a minute on, until it is below half of that. alert 0: never. */
bool mw_rate_often(const struct mw_rates *rates, __u32 alert, bool was);
/* The cause of most passes; MW_PASSES when there were none. */
enum mw_pass mw_rate_cause(const struct mw_rates *rates);

#endif
