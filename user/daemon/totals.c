/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include <string.h>

#include "daemon/guard.h"

static void read_pauses(struct mw_guard *g, const struct mw_worker *w, struct mw_pause_stat stats[MW_PAUSE_MAX])
{
	if (mw_kernel_pauses_read(g->kernel, w->cgroup_id, stats) < 0)
		memset(stats, 0, MW_PAUSE_MAX * sizeof(stats[0]));
}

/* Before the loop runs it is one that an earlier daemon left: what was counted then is no news. */
void mw_totals_begin(struct mw_guard *g, const struct mw_worker *w)
{
	struct mw_class_totals *t = mw_totals_class(&g->totals, w->class_name);
	struct mw_pause_stat stats[MW_PAUSE_MAX];

	if (!t)
		return;
	t->started += g->event != NULL;
	if (g->event)
		return;
	read_pauses(g, w, stats);
	mw_pauses_subtract(t->pauses, stats);
}

void mw_totals_end(struct mw_guard *g, struct mw_worker *w)
{
	struct mw_class_totals *t = mw_totals_class(&g->totals, w->class_name);
	struct mw_pause_stat stats[MW_PAUSE_MAX];

	if (!t)
		return;
	t->ended += g->event != NULL;
	read_pauses(g, w, stats);
	mw_pauses_add(t->pauses, stats);
	mw_scrape_ended(g, w, stats);
}

void mw_totals_incident(struct mw_guard *g, struct mw_worker *w, enum mw_reason reason, bool death)
{
	struct mw_class_totals *t = mw_totals_class(&g->totals, w->class_name);

	w->incidents[reason]++;
	if (!t)
		return;
	t->incidents[reason]++;
	t->killed += death && (reason == MW_REASON_SQUEEZE || reason == MW_REASON_BIN_LIMIT);
}

void mw_totals_lift(struct mw_guard *g, struct mw_worker *w)
{
	struct mw_class_totals *t = mw_totals_class(&g->totals, w->class_name);

	w->lifts++;
	if (t)
		t->lifts++;
}

void mw_totals_hibernated(struct mw_guard *g, struct mw_worker *w, __u64 saved_bytes)
{
	struct mw_class_totals *t = mw_totals_class(&g->totals, w->class_name);

	w->hibernations++;
	w->hibernations_bytes += saved_bytes;
	if (!t)
		return;
	t->hibernations++;
	t->hibernated_bytes += saved_bytes;
}
