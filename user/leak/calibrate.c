/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/calibrate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "util/clock.h"

static const char *const names[] = {
	[MW_BUDGET_WORKING_SET] = "working set",
	[MW_BUDGET_P99] = "p99",
	[MW_BUDGET_PEAK] = "peak",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == MW_BUDGET_FROM_MAX, "a name for everything a budget is made of");

const char *mw_budget_from_name(enum mw_budget_from from)
{
	return (unsigned int)from < MW_BUDGET_FROM_MAX ? names[from] : "unknown";
}

static int weigh(struct mw_weights *w, __u64 bytes, __u64 ns)
{
	struct mw_weighed *grown = w->all;

	if (w->n && w->all[w->n - 1].bytes == bytes) { /* it stayed as it was: one entry */
		w->all[w->n - 1].ns += ns;
		return 0;
	}
	if (w->n == w->room) {
		grown = reallocarray(grown, w->room ? 2 * w->room : 256, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		w->all = grown;
		w->room = w->room ? 2 * w->room : 256;
	}
	grown[w->n++] = (struct mw_weighed){bytes, ns};
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct mw_weighed *x = a, *y = b;

	return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

__u64 mw_weights_quantile(struct mw_weights *w, double share)
{
	double all = 0, seen = 0;

	if (!w->n)
		return 0;
	qsort(w->all, w->n, sizeof(*w->all), by_bytes);
	for (size_t i = 0; i < w->n; i++)
		all += (double)w->all[i].ns;
	for (size_t i = 0; i < w->n; i++) {
		seen += (double)w->all[i].ns;
		if (seen >= share * all)
			return w->all[i].bytes;
	}
	return w->all[w->n - 1].bytes;
}

/* What it never fell below since floor_from. */
static int close_floor(struct mw_calibration *c, struct mw_calibrated *w, __u64 now_ns)
{
	int r = weigh(&c->floors, w->floor_bytes, now_ns - w->floor_from_ns);

	w->floor_from_ns = now_ns;
	return r;
}

int mw_calibrate_sample(struct mw_calibration *c, struct mw_calibrated *w, const struct mw_usage *u)
{
	__u64 used = u->heap + u->bin, now = u->time_ns;
	int r;

	if (used > c->peak)
		c->peak = used;
	if (!w->last_ns) {
		*w = (struct mw_calibrated){now, used, now, used};
		c->n_workers++;
		return weigh(&c->used, used, 0);
	}
	if (now < w->last_ns)
		return 0;
	r = weigh(&c->used, w->last_bytes, now - w->last_ns);
	c->lived_ns += now - w->last_ns;
	w->last_ns = now;
	w->last_bytes = used;
	if (r >= 0 && now - w->floor_from_ns >= MW_CALIBRATE_FLOOR_S * MW_NS_PER_S) {
		r = close_floor(c, w, now);
		w->floor_bytes = used;
	}
	if (used < w->floor_bytes)
		w->floor_bytes = used;
	return r;
}

int mw_calibrate_end(struct mw_calibration *c, struct mw_calibrated *w)
{
	return w->last_ns ? close_floor(c, w, w->last_ns) : 0;
}

void mw_calibration_free(struct mw_calibration *c)
{
	free(c->used.all);
	free(c->floors.all);
	*c = (struct mw_calibration){0};
}

struct mw_budget mw_budget_propose(struct mw_calibration *c, enum mw_budget_from from, double margin_pct)
{
	__u64 p99 = mw_weights_quantile(&c->used, 0.99);
	struct mw_budget b = {.bytes = p99};
	double share;

	if (from == MW_BUDGET_WORKING_SET)
		b.bytes = mw_weights_quantile(&c->floors, 0.5);
	else if (from == MW_BUDGET_PEAK)
		b.bytes = c->peak;
	b.max_heap = (__u64)fmin((double)b.bytes * (1 + margin_pct / 100), MW_CALIBRATE_HIGHEST);
	b.max_heap = (b.max_heap / MW_CALIBRATE_ROUND + 1) * MW_CALIBRATE_ROUND;
	if (b.max_heap < 2 * MW_CALIBRATE_ROUND)
		b.max_heap = 2 * MW_CALIBRATE_ROUND; /* memory.max is 1 MiB at the least */
	share = ceil(100 * MW_CALIBRATE_NEAR * (double)p99 / (double)b.max_heap) / 100;
	b.hibernate_threshold = fmin(fmax(share, MW_CALIBRATE_LEAST), MW_CALIBRATE_MOST);
	return b;
}

void mw_budget_rules(const struct mw_budget *b, struct mw_replay_rules *rules)
{
	rules->limits_only = true;
	rules->profile.max_heap = b->max_heap;
	rules->profile.hibernate_threshold = b->hibernate_threshold;
	rules->profile.max_bin_heap = MW_UNLIMITED;
	rules->profile.policy = MW_POLICY_PROTECT;
}

void mw_budget_cost(struct mw_budget *b, const struct mw_replay_result *r)
{
	if (!r->samples)
		return;
	b->workers++;
	b->killed += r->killed_ns != 0;
	b->lived_ns += (r->killed_ns ? r->killed_ns : r->last_ns) - r->first_ns;
	b->over_high_ns += r->over_high_ns;
	b->squeezed_ns += r->squeezed_ns;
	b->reserved_byte_s += r->reserved_byte_s;
	b->used_byte_s += r->used_byte_s - r->lost_byte_s;
	b->lost_byte_s += r->lost_byte_s;
}
