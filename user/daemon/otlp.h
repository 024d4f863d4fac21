/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * memweir-otlp, the program that talks to a collector (user/otlp), as the daemon sees it: started, fed with records
 * over a socket that takes them or not, listened to, started again. Nothing here waits. A record that finds no room is
 * dropped and counted.
 *
 * It runs in the daemon's own cgroup and is its child; it ends with the socket, so none is left when the daemon dies,
 * and the keeper's next daemon starts its own.
 */
#ifndef MW_DAEMON_OTLP_H
#define MW_DAEMON_OTLP_H

#include "daemon/guard.h"
#include "otlp/wire.h"

struct mw_otlp;

enum mw_otlp_state {
	MW_OTLP_OFF, /* nobody asks for it */
	MW_OTLP_STARTING,
	MW_OTLP_UP,
	MW_OTLP_ENDING, /* it is to end, or has */
	MW_OTLP_STATE_MAX,
};

/* Since the daemon began. */
struct mw_otlp_stats {
	enum mw_otlp_state state;
	bool failing; /* some collector does not take what it is sent */
	__u64 starts; /* of memweir-otlp */
	__u64 unusable; /* of what it was given, as far as the one that runs knows */
	__u64 records, lost; /* passed on to it; not passed on, for want of room or of somebody to take them */
	struct mw_otlp_counts counts[MW_OTLP_SIGNALS]; /* of all that ran; waiting ones: now */
};

int mw_otlp_open(struct mw_guard *g); /* -ENOMEM */
void mw_otlp_close(struct mw_guard *g); /* when no action is under way any more */
void mw_otlp_tick(struct mw_guard *g, __u64 now_ns); /* every beat: start, listen, reap */
bool mw_otlp_done(struct mw_guard *g, const struct mw_action_result *r); /* true: it was its start */
/* Around a check of every worker; what is told in between belongs to it. */
void mw_otlp_check_begins(struct mw_guard *g);
void mw_otlp_check_ends(struct mw_guard *g);

struct mw_otlp_stats mw_otlp_stats(const struct mw_guard *g);
const char *mw_otlp_state_name(enum mw_otlp_state s); /* "up" */
struct json_object *mw_otlp_health(const struct mw_guard *g); /* for GET /healthz */

#endif
