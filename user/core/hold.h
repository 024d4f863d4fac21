/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Limits that somebody else has a say in: what is held is never looser than what they want, and what they want is kept
 * for the day we let go. Pure.
 */
#ifndef MW_HOLD_H
#define MW_HOLD_H

#include <linux/types.h>
#include <stdbool.h>

#include "core/config.h"
#include "memweir/abi.h"

/* The limits that are held: all that MW_EVENT_LIMIT tells of. */
const char *mw_held_file(enum mw_limit_kind what); /* "memory.max" */
const char *mw_held_property(enum mw_limit_kind what); /* of a systemd unit: "MemoryMax" */
__u64 mw_held_get(const struct mw_limits *l, enum mw_limit_kind what);
void mw_held_set(struct mw_limits *l, enum mw_limit_kind what, __u64 value);

/* A profile below a memory.max of others: percent, thresholds and everything that follows are of what is in force. */
void mw_hold_profile(struct mw_profile *p, const struct mw_limits *theirs);
/* The tighter of both; of memory.low, which protects, the larger. */
void mw_hold_limits(struct mw_limits *ours, const struct mw_limits *theirs);

/* A systemd unit whose own cgroup a worker's is: PID 1 writes its limits. */
struct mw_unit {
	char name[256];
	__u32 dropins; /* bit per mw_limit_kind: a drop-in that `set-property --runtime` makes was there before us */
	struct mw_limits asked; /* what PID 1 was last asked for */
	bool asked_once;
	bool due, under_way; /* a wish waits; a call is under way */
	__u64 due_ns; /* not before */
	__u64 high; /* memory.high raised by pacing, to be told PID 1; 0: as wanted */
};

#define MW_HOLD_FIRST_NS 1000000000ULL /* a second repair comes no sooner, and each one after twice as late */
#define MW_HOLD_LAST_NS	 300000000000ULL
#define MW_HOLD_QUIET_NS 600000000000ULL /* so long without a conflict, and it is as at the beginning */

/* Who wrote a limit, as the kernel told it. */
struct mw_writer {
	__u64 time_ns; /* CLOCK_MONOTONIC; 0: nobody */
	__u32 pid;
	char comm[MW_COMM_SIZE];
};

/* Conflicts over one worker's limits. */
struct mw_hold {
	__u64 conflicts; /* limits changed by others */
	__u64 repairs;
	enum mw_limit_kind what; /* the last one */
	__u64 found;
	char by[MW_COMM_SIZE]; /* who wrote it; "" unknown */
	__u32 by_pid;
	bool look; /* somebody wrote: the files are to be read */
	struct mw_writer writers[MW_LIMIT_KIND_MAX]; /* who last wrote each */
	__u64 told_ns;
	__u32 told_pid;
	char told_by[MW_COMM_SIZE]; /* of whom the log had a line last, at told_ns */
	__u64 raised; /* memory.high as pacing last raised it: ours too */
	__u64 last_ns; /* CLOCK_MONOTONIC; 0: never */
	__u64 repair_ns; /* to be repaired then; 0: nothing is */
	__u64 wait_ns; /* until the repair after the next */
};
/* Somebody changed a limit, and it is not as it should be. When to repair it. */
__u64 mw_hold_conflict(struct mw_hold *h, __u64 now_ns);

#endif
