/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Shared by otlp.c (its life) and otlp_feed.c (what it is given). */
#ifndef MW_DAEMON_OTLP_IMPL_H
#define MW_DAEMON_OTLP_IMPL_H

#include "daemon/otlp.h"

struct mw_otlp_start;

struct mw_otlp {
	enum mw_otlp_state state;
	int sock; /* -1: nobody listens */
	pid_t pid; /* not reaped yet; 0: none */
	struct mw_otlp_start *start; /* under way in an action thread */
	char endpoint[256]; /* it was started with */
	char instance[40]; /* service.instance.id: of this daemon, over all starts of it */
	__u64 since_ns, pause_ns, next_ns; /* in this state; before the next start; when that is */
	bool left, steady; /* it has ended by itself; after having run for long */
	bool told; /* that it does not stay up */
	struct mw_otlp_stats stats;
	struct mw_otlp_counts now[MW_OTLP_SIGNALS]; /* of the one that runs */
	__u64 passed, taken; /* records: to the one that runs; of these, those it has said to have read */
	__u64 texts[16]; /* hashes of what it has said: the same is not told again by the next one */
	__u32 texts_at;
	__u64 tokens, tokens_ns; /* events that may be passed on; as of when */
	__u64 random[2];
	bool in_check;
	__u64 check_began_ns; /* CLOCK_REALTIME */
	char trace[33], span[17];
	__u32 pids_turn;
};

/* otlp_feed.c */
void mw_otlp_seed(struct mw_otlp *o);
void mw_otlp_event(void *guard, int priority, const char *kind, struct json_object *doc); /* mw_teller_hook's */
void mw_otlp_give_figures(struct mw_guard *g); /* a connection to ourselves, with the question sent */

#endif
