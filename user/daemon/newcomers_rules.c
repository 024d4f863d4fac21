/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The rules in force: what of newcomers has to be told, when everybody is looked at, how often each rule fitted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/guard.h"
#include "daemon/newcomers.h"
#include "util/clock.h"
#include "util/fnv.h"

#define COUNTERS_NS (1 * MW_NS_PER_S)

/* Rules hold no pointers, and what they do not use is zero. */
static __u64 sum_of(const struct mw_config *cfg)
{
	return mw_fnv1a(MW_FNV1A + cfg->monitor.class_carriers, cfg->rules, cfg->n_rules * sizeof(*cfg->rules));
}

/* Counts go on under the same name. */
static int recount(struct mw_newcomers *n, const struct mw_config *cfg)
{
	struct mw_rule_count *counts = calloc(cfg->n_rules + 1, sizeof(*counts));

	if (!counts)
		return -ENOMEM;
	for (size_t i = 0; i < cfg->n_rules; i++) {
		memcpy(counts[i].name, cfg->rules[i].name, sizeof(counts[i].name));
		for (size_t k = 0; k < n->n_counts; k++)
			if (strcmp(n->counts[k].name, counts[i].name) == 0)
				counts[i].matched = n->counts[k].matched;
	}
	free(n->counts);
	n->counts = counts;
	n->n_counts = cfg->n_rules;
	return 0;
}

void mw_newcomers_apply(struct mw_guard *g)
{
	struct mw_newcomers *n = &g->newcomers;
	__u64 sum = sum_of(&g->cfg);
	__u32 wanted;
	int r = 0;

	if (sum == n->rules_sum)
		return;
	n->rules_sum = sum;
	n->needs = mw_rule_needs(&g->cfg);
	n->on = n->needs.processes || n->needs.parents || n->needs.cgroups;
	wanted = (n->needs.processes ? MW_NEWCOMER_EXEC : 0) | (n->needs.cgroups ? MW_NEWCOMER_CGROUP : 0);
	if (n->on && !n->queue)
		n->queue = calloc(MW_NEWCOMERS_QUEUE, sizeof(*n->queue));
	if ((n->on && !n->queue) || recount(n, &g->cfg) < 0) {
		mw_say(g->tell, LOG_ERR, "rules: no memory: nobody comes under guard by itself until the next reload");
		n->rules_sum = 0;
		n->on = false;
		wanted = 0;
	}
	if (!n->on)
		mw_newcomers_let_go(n);
	if (mw_kernel_has(g->kernel, MW_CAP_NEWCOMERS))
		r = mw_kernel_newcomers_want(g->kernel, wanted, MW_NEWCOMERS_PER_S);
	if (r < 0)
		mw_say(g->tell, LOG_ERR, "rules: the kernel side cannot be told (%s): newcomers are found by a scan",
		       strerror(-r));
	mw_newcomers_rescan(g);
}

void mw_newcomers_rescan(struct mw_guard *g)
{
	if (g->newcomers.on)
		mw_newcomers_scan_in(&g->newcomers, 0);
}

/* Does the kernel side tell of all that is wanted? */
static bool tells(const struct mw_guard *g)
{
	const struct mw_rule_needs *needs = &g->newcomers.needs;

	if (!mw_kernel_has(g->kernel, MW_CAP_RINGBUF))
		return false;
	return (!(needs->processes || needs->cgroups) || mw_kernel_has(g->kernel, MW_CAP_NEWCOMERS)) &&
	       (!needs->parents || mw_kernel_has(g->kernel, MW_CAP_WORKER_EVENTS));
}

/* What the kernel side left out is looked for once the storm is over; without it, everybody is, at each check. */
void mw_newcomers_tick(struct mw_guard *g)
{
	struct mw_newcomers *n = &g->newcomers;
	struct mw_newcomer_map counts;
	__u64 now = mw_now_ns();

	if (!n->on)
		return;
	if (!tells(g)) {
		if (now - n->scanned_ns >= g->cfg.monitor.check_interval_ns)
			mw_newcomers_scan_in(n, 0);
	} else if (now - n->looked_ns >= COUNTERS_NS) {
		n->looked_ns = now;
		if (mw_kernel_newcomers_read(g->kernel, &counts) == 0 && counts.dropped != n->kernel_dropped) {
			n->kernel_dropped = counts.dropped;
			mw_newcomers_scan_in(n, MW_NEWCOMERS_LEFT_OUT_NS);
		}
	}
	mw_newcomers_pump(g);
}
