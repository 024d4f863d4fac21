/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/stalls.h"

#include <stdlib.h>
#include <string.h>

#include "core/worker.h"
#include "util/cleanup.h"

static const char *const limit_names[] = {
	[MW_LIMIT_NONE] = NULL,	  [MW_LIMIT_WORKER] = "worker",	    [MW_LIMIT_CLASS] = "class",
	[MW_LIMIT_TREE] = "tree", [MW_LIMIT_ANCESTOR] = "ancestor", [MW_LIMIT_HOST] = "host",
};
_Static_assert(ARRAY_SIZE(limit_names) == MW_LIMIT_OF_MAX, "a name for every limit");

const char *mw_limit_of_name(enum mw_limit_of limit)
{
	return (unsigned int)limit < MW_LIMIT_OF_MAX ? limit_names[limit] : NULL;
}

struct mw_stalls *mw_stalls_of(struct mw_worker *w)
{
	struct mw_reading quiet = {.time_ns = w->quiet_ns};

	if (w->stalls)
		return w->stalls;
	w->stalls = calloc(1, sizeof(*w->stalls));
	/* Its counters were seen to be zero then: what they show next has happened since. */
	if (w->stalls && w->quiet_ns)
		mw_rate_push(&w->stalls->rate, &quiet);
	return w->stalls;
}

void mw_stalls_note(struct mw_stalls *s, const struct mw_event *e, enum mw_limit_of limit)
{
	struct mw_pause *p = &s->last[s->head];

	*p = (struct mw_pause){
		.time_ns = e->time_ns,
		.duration_ns = e->duration_ns,
		.pages = e->value,
		.kind = e->kind,
		.limit = limit,
		.tid = e->tid,
	};
	memcpy(p->comm, e->comm, sizeof(p->comm));
	p->comm[sizeof(p->comm) - 1] = '\0';
	s->head = (s->head + 1) % MW_PAUSES_KEPT;
	if (s->count < MW_PAUSES_KEPT)
		s->count++;
}

const struct mw_pause *mw_stalls_at(const struct mw_stalls *s, __u32 i)
{
	return &s->last[(s->head + MW_PAUSES_KEPT - s->count + i) % MW_PAUSES_KEPT];
}

struct mw_rates mw_stalls_rates(const struct mw_worker *w)
{
	return w->stalls ? w->stalls->rates : (struct mw_rates){0};
}
