/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Limits of workers whose cgroup is a systemd unit's: PID 1 writes them, and only PID 1 (but for a lift of memory.high
 * that cannot wait, and of which PID 1 is told at once). Wishes are gathered for a moment and asked for together, from
 * an action thread.
 */
#ifndef MW_UNIT_H
#define MW_UNIT_H

#include "core/action.h"
#include "core/worker.h"

struct mw_guard;
struct mw_request;

/* Blocks: the unit's own limits, and which of them a runtime drop-in sets (bit per mw_held). */
int mw_unit_limits(const char *unit, struct mw_limits *ret_limits, __u32 *ret_dropins, struct mw_error *err);
/*
 * Blocks: the limits as they were, and without the drop-ins that are ours. 0 also when the unit is gone.
 */
int mw_unit_put_back(const struct mw_unit *unit, const struct mw_limits *before, struct mw_error *err);
/* Blocks: memory.high is lifted, PID 1 told, which would bring it back at the next daemon-reload. */
int mw_unit_lift(const char *unit, struct mw_error *err);

/* What the worker's state wants is to be asked for in_ns from now, with what else comes until then. */
void mw_unit_wish(struct mw_guard *g, struct mw_worker *w, __u64 in_ns);
void mw_unit_tick(struct mw_guard *g, __u64 now_ns); /* every beat */
/*
 * Let w go: its limits put back, then forgotten (forget), then request answered (NULL: nobody waits). It is
 * leaving from now on.
 */
int mw_unit_release(struct mw_guard *g, struct mw_worker *w, bool forget, struct mw_request *request,
		    struct mw_error *err);
bool mw_unit_done(struct mw_guard *g, const struct mw_action_result *r); /* true: it was ours */
void mw_unit_close(struct mw_guard *g); /* the daemon ends: lifts told to PID 1, as many as two seconds allow */

#endif
