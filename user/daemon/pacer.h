/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Reclaim ahead of workers that come near their memory.high: who is looked at, and how what core/pace.h decides is
 * carried out. The loop's thread looks, an action thread reclaims. Nothing runs while nobody is near.
 */
#ifndef MW_PACER_H
#define MW_PACER_H

#include <linux/types.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "core/action.h"

#define MW_PACER_MAX 64 /* looked at together; who finds no place is squeezed by the kernel, as without pacing */

struct mw_guard;
struct mw_worker;

struct mw_pacer {
	sd_event_source *timer;
	__u64 ids[MW_PACER_MAX]; /* cgroup ids of the candidates */
	unsigned n;
	bool unable; /* this kernel has no memory.reclaim */
	__u64 host_ns, host_stalled; /* the host's memory pressure at the last look at it */
	__u64 known_stalled; /* of that since: the candidates' stalls and our own reclaim */
	double host_share;
};

/* The monitor has looked at w: does it come near? */
void mw_pacer_consider(struct mw_guard *g, struct mw_worker *w, __u64 now_ns);
/*
 * The kernel side says so: looked at on the spot, and with nothing to reclaim given to the breaker, which lifts. The
 * monitor's last sample may be older than the page cache that is there now. false: not paced, nothing was done.
 */
bool mw_pacer_near(struct mw_guard *g, struct mw_worker *w, __u64 now_ns);
bool mw_pacer_done(struct mw_guard *g, const struct mw_action_result *r); /* true: it was ours */
void mw_pacer_close(struct mw_guard *g); /* before the event loop goes */

#endif
