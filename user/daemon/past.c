/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Containers and units come back under their name in another cgroup. What was learned of the one before goes on with
 * the one after, if it is attached as the same worker within an hour: its series, its peak, how often it was lifted.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/guard.h"
#include "util/clock.h"

#define KEPT	32
#define LAST_NS (3600 * MW_NS_PER_S)

struct mw_past {
	char name[MW_NAME_SIZE], class_name[MW_NAME_SIZE];
	char engine[16], known_as[MW_CONTAINER_NAME]; /* of the container; or "", and the unit */
	struct mw_series history;
	__u64 peak, lifts, pulses, conflicts, restarts, ended_ns; /* ended_ns 0: free */
};

/* What it is called where it comes from, "" when that does not last. */
static const char *known_as(const struct mw_worker *w)
{
	if (w->container)
		return w->container->name;
	return w->unit ? w->unit->name : "";
}

static const char *engine_of(const struct mw_worker *w)
{
	return w->container ? w->container->engine : "";
}

static void forget(struct mw_past *p)
{
	mw_series_free(&p->history);
	*p = (struct mw_past){0};
}

static bool is_of(const struct mw_past *p, const struct mw_worker *w)
{
	return p->ended_ns && !strcmp(p->name, w->name) && !strcmp(p->class_name, w->class_name) &&
	       !strcmp(p->engine, engine_of(w)) && !strcmp(p->known_as, known_as(w));
}

/* Its own place, a free one, or the oldest. */
static struct mw_past *place_for(struct mw_guard *g, const struct mw_worker *w)
{
	struct mw_past *best = &g->past[0];

	for (int i = 0; i < KEPT; i++) {
		if (is_of(&g->past[i], w))
			return &g->past[i];
		if (g->past[i].ended_ns < best->ended_ns)
			best = &g->past[i];
	}
	return best;
}

void mw_past_keep(struct mw_guard *g, struct mw_worker *w)
{
	struct mw_past *p;

	if (!known_as(w)[0])
		return;
	if (!g->past)
		g->past = calloc(KEPT, sizeof(*g->past));
	if (!g->past)
		return;
	p = place_for(g, w);
	forget(p);
	*p = (struct mw_past){.history = w->history,
			      .peak = w->peak,
			      .lifts = w->lifts,
			      .pulses = w->pulses,
			      .conflicts = w->hold.conflicts,
			      .restarts = w->restarts,
			      .ended_ns = mw_now_ns()};
	w->history = (struct mw_series){0};
	snprintf(p->name, sizeof(p->name), "%s", w->name);
	snprintf(p->class_name, sizeof(p->class_name), "%s", w->class_name);
	snprintf(p->engine, sizeof(p->engine), "%s", engine_of(w));
	snprintf(p->known_as, sizeof(p->known_as), "%s", known_as(w));
}

void mw_past_take(struct mw_guard *g, struct mw_worker *w)
{
	for (int i = 0; g->past && known_as(w)[0] && i < KEPT; i++) {
		struct mw_past *p = &g->past[i];

		if (!is_of(p, w))
			continue;
		if (mw_now_ns() - p->ended_ns < LAST_NS && p->history.capacity == w->history.capacity) {
			mw_series_free(&w->history);
			w->history = p->history;
			p->history = (struct mw_series){0};
			w->peak = p->peak;
			w->lifts = p->lifts;
			w->pulses = p->pulses;
			w->hold.conflicts = p->conflicts;
			w->restarts = p->restarts + 1;
		}
		forget(p);
		return;
	}
}

void mw_past_close(struct mw_guard *g)
{
	for (int i = 0; g->past && i < KEPT; i++)
		forget(&g->past[i]);
	free(g->past);
	g->past = NULL;
}
