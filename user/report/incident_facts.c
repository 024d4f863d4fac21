/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What an incident says, copied in one piece: a sixth of what its document takes, and made without asking for more. Its
 * sites, the most of it, are a text that stays as it is, and are shared.
 */
#include <stdlib.h>
#include <string.h>

#include "core/stalls.h"
#include "report/incident.h"
#include "report/postmortem.h"

struct mw_incident_facts {
	struct mw_incident inc;
	struct mw_worker w; /* its pointers: to what is kept below, or NULL */
	struct mw_stalls stalls;
	struct mw_track track;
	struct mw_container container; /* without its labels */
	bool have_pauses, have_stat, have_more;
	struct mw_incident_more more;
	struct mw_pause_stat pauses[MW_PAUSE_MAX];
	struct mw_sites sites; /* without its readings; its texts are shared */
	char *text; /* path of the cgroup, memory.stat; behind the marks */
	struct mw_mark marks[];
};

struct mw_incident_facts *mw_incident_facts(const struct mw_incident *inc, const struct mw_worker *w,
					    const char *stat_text, const struct mw_pause_stat *pauses,
					    const struct mw_incident_more *more)
{
	const char *cgroup = w->cgroup ? w->cgroup : "", *stat = stat_text ? stat_text : "";
	const struct mw_sites *sites = w->sites && w->sites->list ? w->sites : NULL;
	size_t path = strlen(cgroup) + 1, size = strlen(stat) + 1;
	size_t marks = more ? more->n_marks * sizeof(struct mw_mark) : 0;
	struct mw_incident_facts *f = malloc(sizeof(*f) + marks + path + size);

	if (!f)
		return NULL;
	f->inc = *inc;
	f->text = (char *)f->marks + marks;
	f->have_more = more;
	if (more)
		f->more = *more;
	if (marks)
		memcpy(f->marks, more->marks, marks);
	f->more.marks = f->marks;
	f->w = *w;
	f->w.dir_fd = -1;
	f->w.history = (struct mw_series){0};
	f->w.ladder = NULL;
	if (w->track)
		f->track = *w->track;
	f->w.track = w->track ? &f->track : NULL;
	f->w.unit = NULL;
	if (w->container) {
		f->container = *w->container;
		f->container.labels = NULL;
		f->container.n_labels = 0;
	}
	f->w.container = w->container ? &f->container : NULL;
	if (w->stalls)
		f->stalls = *w->stalls;
	f->w.stalls = w->stalls ? &f->stalls : NULL;
	f->sites = (struct mw_sites){0};
	if (sites)
		f->sites = (struct mw_sites){.list = mw_kept_hold(sites->list),
					     .lines = mw_kept_hold(sites->lines),
					     .left_out_bytes = sites->left_out_bytes};
	if (sites)
		memcpy(f->sites.top, sites->top, sizeof(f->sites.top));
	f->w.sites = sites ? &f->sites : NULL;
	f->w.cgroup = memcpy(f->text, cgroup, path);
	memcpy(f->text + path, stat, size);
	f->have_stat = stat_text;
	f->have_pauses = pauses;
	if (pauses)
		memcpy(f->pauses, pauses, sizeof(f->pauses));
	return f;
}

void mw_incident_facts_free(struct mw_incident_facts *f)
{
	if (!f)
		return;
	mw_kept_drop(f->sites.list);
	mw_kept_drop(f->sites.lines);
	free(f);
}

struct json_object *mw_incident_facts_json(const struct mw_incident_facts *f)
{
	return mw_incident_json(&f->inc, &f->w, NULL, f->have_stat ? f->text + strlen(f->text) + 1 : NULL,
				f->have_pauses ? f->pauses : NULL, f->have_more ? &f->more : NULL);
}
