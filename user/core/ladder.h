/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What is done about a worker, in the order of how much it hurts; what each step brought is kept, so that the next one
 * can say why it was needed. Pure. Lifting memory.high is a step too, but waits for none: the breaker does it at once.
 */
#ifndef MW_LADDER_H
#define MW_LADDER_H

#include "core/level.h"

enum mw_rung {
	MW_RUNG_NOTIFY,
	MW_RUNG_RECLAIM, /* hibernation, reclaim of a bin */
	MW_RUNG_LIFT,
	MW_RUNG_FREEZE, /* a hold: core/freeze.h */
	MW_RUNG_KILL,
	MW_RUNG_MAX,
};
const char *mw_rung_name(enum mw_rung rung); /* "notify" */
/* observe: notify; protect: reclaim and lift too; strict: everything. */
bool mw_rung_allowed(enum mw_rung rung, enum mw_policy policy);

#define MW_LADDER_KEPT 8

struct mw_step {
	enum mw_rung rung;
	bool heard; /* notify: somebody listened */
	bool ended;
	enum mw_level level, level_after;
	__u64 wall_ns, began_ns, took_ns;
	__u64 before, after; /* memory.current, bytes */
};

struct mw_ladder {
	struct mw_step steps[MW_LADDER_KEPT];
	__u32 head, count;
};
/* A ladder that is NULL, below, is one without steps. i = 0 is the oldest kept; i < count. */
const struct mw_step *mw_ladder_at(const struct mw_ladder *l, __u32 i);

void mw_ladder_begin(struct mw_ladder *l, struct mw_step step);
/* The newest step on this rung is over; nothing when it is already, or there is none. */
void mw_ladder_end(struct mw_ladder *l, enum mw_rung rung, __u64 after, enum mw_level level, __u64 now_ns);
/*
 * A notice is over when the level falls, a harder step than a lift begins, or its grace is over (MW_NOTICE_NS at
 * least: a lift holds the level for a second whatever was freed). What is freed until that time counts for it, unless
 * another step begins.
 */
#define MW_NOTICE_NS 3000000000ULL
void mw_ladder_look(struct mw_ladder *l, __u64 usage, enum mw_level level, __u64 grace_ns, __u64 now_ns);
bool mw_ladder_open(const struct mw_ladder *l); /* a notice is being measured */
/* May the next rung not be taken yet, because the worker was told and still has time to free something itself? */
bool mw_ladder_waits(const struct mw_ladder *l, __u64 grace_ns, __u64 now_ns);

#define MW_LADDER_RECENT_NS 60000000000ULL
/* The last step that was over before the newest one on this rung began, when that is not long ago; NULL: none. */
const struct mw_step *mw_ladder_before(const struct mw_ladder *l, enum mw_rung rung);

#endif
