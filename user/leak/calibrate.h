/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Budgets from recordings: what a class needs as a rule, nearly always, and at most; and what limits made of each would
 * have cost the very workers that were recorded. Pure.
 *
 * The working set is the middle of the floors: half of the time what a worker never fell below in five seconds was no
 * more than that. p99: heap + bin is below it 99 % of the time. The peak is the highest of all; of n workers, the next
 * one passes it with a chance of about one in n + 1, and the margin is for that.
 */
#ifndef MW_CALIBRATE_H
#define MW_CALIBRATE_H

#include <linux/types.h>
#include <stddef.h>

#include "leak/replay.h"

#define MW_CALIBRATE_MARGIN  25 /* percent above what was measured */
#define MW_CALIBRATE_NEAR    1.05 /* memory.high stands so far above p99 */
#define MW_CALIBRATE_LEAST   0.5 /* hibernate_threshold, within these */
#define MW_CALIBRATE_MOST    0.9 /* higher, and there is no room to act in before memory.max */
#define MW_CALIBRATE_ROUND   1000000ULL /* max_heap is a multiple of it */
#define MW_CALIBRATE_HIGHEST 1e18 /* max_heap; a hostile recording asks for more */
#define MW_CALIBRATE_FLOOR_S 5

/* So many bytes for so long. */
struct mw_weighed {
	__u64 bytes, ns;
};
struct mw_weights {
	struct mw_weighed *all;
	size_t n, room;
};

/* Those that get one budget: a class, or whatever else they are grouped by. Zeroed it is an empty one. */
struct mw_calibration {
	struct mw_weights used, floors;
	__u64 peak, lived_ns; /* of all together */
	__u32 n_workers;
};

/* A worker on its way through: zeroed at its beginning. */
struct mw_calibrated {
	__u64 last_ns, last_bytes;
	__u64 floor_from_ns, floor_bytes;
};
int mw_calibrate_sample(struct mw_calibration *c, struct mw_calibrated *w, const struct mw_usage *u); /* -ENOMEM */
int mw_calibrate_end(struct mw_calibration *c, struct mw_calibrated *w); /* -ENOMEM */
void mw_calibration_free(struct mw_calibration *c); /* idempotent */

/* The bytes below which the share (0..1) of the time was spent; 0 of nothing. Sorts them. */
__u64 mw_weights_quantile(struct mw_weights *w, double share);

enum mw_budget_from {
	MW_BUDGET_WORKING_SET,
	MW_BUDGET_P99,
	MW_BUDGET_PEAK,
	MW_BUDGET_FROM_MAX,
};
const char *mw_budget_from_name(enum mw_budget_from from); /* "working set" */

struct mw_budget {
	__u64 bytes; /* as measured */
	__u64 max_heap; /* that with the margin, rounded up */
	double hibernate_threshold; /* in hundredths: memory.high just above p99 */
	/* What it would have cost. */
	__u32 killed, workers;
	__u64 lived_ns, over_high_ns, squeezed_ns;
	double used_byte_s, reserved_byte_s, lost_byte_s; /* lost: what the killed still used after that */
};
struct mw_budget mw_budget_propose(struct mw_calibration *c, enum mw_budget_from from, double margin_pct);
/* The rules that try it out. */
void mw_budget_rules(const struct mw_budget *b, struct mw_replay_rules *rules);
void mw_budget_cost(struct mw_budget *b, const struct mw_replay_result *r); /* one more worker's */

#endif
