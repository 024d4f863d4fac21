/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The last 60 s of each worker: recorded, followed, and looked at again when it has died. */
#ifndef MW_RECORDING_H
#define MW_RECORDING_H

#include "daemon/guard.h"
#include "report/postmortem.h"

/* recording.c: the last 60 s of each worker. */
void mw_recording_open(struct mw_guard *g); /* where it cannot be, that is said */
void mw_recording_close(struct mw_guard *g);
void mw_recording_look(struct mw_worker *w); /* after each look */
void mw_recording_pause(struct mw_guard *g, struct mw_worker *w, const struct mw_event *e,
			const struct mw_cause *cause);
void mw_recording_oom(struct mw_guard *g, const struct mw_worker *w, const struct mw_event *e);
void mw_recording_level(struct mw_guard *g, const struct mw_worker *w, enum mw_level before);

/* unseen.c: workers that ended while no daemon ran. w->usage from its track, where nobody has looked since. */
void mw_unseen_last(struct mw_worker *w);
/* Its cgroup is gone. known: what its state says. */
void mw_unseen_gone(struct mw_guard *g, const struct mw_worker *known, const char *class_name, const char *cgroup);

/* scene.c: what an incident is judged by. marks: where those of ret_more are put. */
#define MW_SCENE_MARKS 64
void mw_scene_gather(struct mw_guard *g, const struct mw_worker *w, const struct mw_incident *inc,
		     struct mw_mark marks[MW_SCENE_MARKS], struct mw_incident_more *ret_more);

/* live.c: rows of all workers for who follows them, MW_TOPIC_LIVE. After each sample; and in turns of the loop. */
void mw_live_join(struct mw_guard *g); /* somebody new follows: everything is sent */
void mw_live_sampled(struct mw_guard *g, __u64 now_ns);
void mw_live_turn(struct mw_guard *g);
bool mw_live_under_way(const struct mw_guard *g); /* a turn has something to do */
void mw_live_gone(struct mw_guard *g, const struct mw_worker *w);
void mw_live_close(struct mw_guard *g);

#endif
