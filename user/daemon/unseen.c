/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Workers that ended while no daemon ran: what the one before recorded of them is what there is. */
#include <stdlib.h>
#include <string.h>

#include "core/proc.h"
#include "daemon/guard.h"
#include "daemon/recording.h"
#include "report/text.h"
#include "util/clock.h"

void mw_unseen_last(struct mw_worker *w)
{
	struct mw_look looks[MW_TRACK_POINTS];
	__u32 n = mw_track_read(w->track, looks);
	const struct mw_look *last = n ? &looks[n - 1] : NULL;

	if (!last || w->usage.time_ns)
		return;
	w->usage = (struct mw_usage){
		.time_ns = last->time_ns,
		.current = last->usage,
		.heap = last->heap,
		.bin = last->bin,
		.anon = last->heap,
		.max = last->max,
		.high = last->high,
	};
	for (__u32 i = 0; i < n; i++)
		w->peak = looks[i].usage > w->peak ? looks[i].usage : w->peak;
}

void mw_unseen_gone(struct mw_guard *g, const struct mw_worker *known, const char *class_name, const char *cgroup)
{
	const struct mw_track *left = mw_recorder_left(g->recorder, known->cgroup_id);
	struct mw_incident inc = {.reason = MW_REASON_UNSEEN, .wall_ns = mw_wall_ns(), .wait_status = -1};
	struct mw_worker w = *known;
	struct mw_track track;
	char text[512];

	/* Its process may be elsewhere now, and well. */
	if (!left || (w.main_pid && w.main_start && mw_proc_is("/proc", w.main_pid, w.main_start)))
		return;
	track = *left;
	w.track = &track;
	w.unit = NULL;
	w.cgroup = strdup(cgroup);
	w.trend.time_to_limit_s = -1;
	snprintf(w.class_name, sizeof(w.class_name), "%s", class_name);
	if (w.cgroup && mw_config_worker_profile(&g->cfg, class_name, w.name, &w.profile, NULL) == 0) {
		w.limits = mw_profile_limits(&w.profile);
		mw_unseen_last(&w);
		mw_text_why(&inc, &w, inc.why, sizeof(inc.why));
		mw_tell(g->tell, LOG_WARNING, "died", &w, "%s", mw_text_died(&w, &inc, text, sizeof(text)));
		mw_act_incident(g, &w, &inc);
	}
	free(w.cgroup);
}
