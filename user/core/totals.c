/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/totals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mw_class_totals *mw_totals_class(struct mw_totals *t, const char *name)
{
	struct mw_class_totals *of;

	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->of[i].name, name) == 0)
			return &t->of[i];
	}
	if (t->n == MW_TOTALS_CLASSES)
		return &t->of[t->n - 1];
	of = reallocarray(t->of, t->n + 1, sizeof(*of));
	if (!of)
		return NULL;
	t->of = of;
	of = &of[t->n++];
	memset(of, 0, sizeof(*of));
	snprintf(of->name, sizeof(of->name), "%s", t->n == MW_TOTALS_CLASSES ? "(other)" : name);
	return of;
}

void mw_totals_free(struct mw_totals *t)
{
	free(t->of);
	*t = (struct mw_totals){0};
}

/* Counters wrap: what is taken away first comes back when the worker's own are added. */
static void sum(struct mw_pause_stat *to, const struct mw_pause_stat *more, __u64 sign)
{
	if (!more->count)
		return;
	to->count += sign * more->count;
	to->total_ns += sign * more->total_ns;
	for (int i = 0; i < MW_HIST_SLOTS; i++)
		to->hist[i] += sign * more->hist[i];
}

void mw_pauses_add(struct mw_pause_stat to[MW_PAUSE_MAX], const struct mw_pause_stat more[MW_PAUSE_MAX])
{
	for (int kind = 0; kind < MW_PAUSE_MAX; kind++) {
		sum(&to[kind], &more[kind], 1);
		if (more[kind].max_ns > to[kind].max_ns)
			to[kind].max_ns = more[kind].max_ns;
	}
}

void mw_pauses_subtract(struct mw_pause_stat from[MW_PAUSE_MAX], const struct mw_pause_stat less[MW_PAUSE_MAX])
{
	for (int kind = 0; kind < MW_PAUSE_MAX; kind++)
		sum(&from[kind], &less[kind], -1ULL);
}

void mw_pause_count(struct mw_pause_stat *s, __u64 duration_ns)
{
	int slot = duration_ns ? 63 - __builtin_clzll(duration_ns) : 0;

	s->count++;
	s->total_ns += duration_ns;
	s->hist[slot < MW_HIST_SLOTS ? slot : MW_HIST_SLOTS - 1]++;
	if (duration_ns > s->max_ns)
		s->max_ns = duration_ns;
}
