/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Carrying out: a few threads for what can block. The loop submits, a thread
 * does it, the loop takes the result. Every action has a dry run, a deadline, a second look
 * just before it and a sentence about what it did or why not.
 *
 * Order: actions with the same cookie run one after another, in the order
 * given; a KILL overtakes everything. The first thread takes neither RECLAIM nor LIMIT, which may hang in
 * the kernel, nor a slow CALL: a kill or a thaw always finds a hand (with two or more threads).
 *
 * A thread that hangs in the kernel stops neither the others nor the shutdown:
 * mw_actions_free leaves it and its pool behind after MW_ACTIONS_STOP_NS.
 */
#ifndef MW_ACTION_H
#define MW_ACTION_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

#include "core/config.h"

#define MW_ACTIONS_QUEUE   256 /* queued, running and done but not taken, together */
#define MW_ACTIONS_THREADS 4
#define MW_ACTIONS_STOP_NS 2000000000ULL
#define MW_ACTION_TEXT	   256
#define MW_ACTION_WRITES   6

enum mw_action_kind {
	MW_ACTION_RECLAIM, /* hibernate, bin reclaim: memory.reclaim in batches */
	MW_ACTION_LIMIT, /* write limits; reclaims below a lower limit first */
	MW_ACTION_KILL, /* whole cgroup, with what is below; waits until it is empty */
	MW_ACTION_FREEZE,
	MW_ACTION_THAW,
	MW_ACTION_CALL, /* a function: writing an incident, asking systemd */
	MW_ACTION_MAX,
};
const char *mw_action_name(enum mw_action_kind kind); /* "reclaim" */

/* One value for one file. */
struct mw_action_write {
	char file[24]; /* "memory.max" */
	__u64 value; /* MW_UNLIMITED: "max" */
};

struct mw_action {
	enum mw_action_kind kind;
	int dir_fd; /* cgroup directory, duplicated by submit; -1 for CALL */
	bool dry_run; /* look, tell what would be done, change nothing */
	__u64 cookie; /* handed back; 0: no order with others. A worker's cgroup id is a good one */
	__u64 deadline_ns; /* CLOCK_MONOTONIC */
	char reason[96]; /* for people: why; handed back */
	void *arg; /* of still, call; handed back */
	/*
	 * Second look, in the action's thread, just before acting: false ends it
	 * with -ECANCELED. NULL: none. dir_fd is the action's own. Must touch nothing the loop changes.
	 */
	bool (*still)(int dir_fd, void *arg);

	__u64 bytes; /* RECLAIM: as much as this */
	bool once; /* RECLAIM: mw_cgroup_reclaim_once, without a look at what there is; freed says what came */
	struct mw_action_write writes[MW_ACTION_WRITES]; /* LIMIT: in this order, up to the first failure */
	unsigned n_writes;
	bool force; /* LIMIT: memory.max below what is in use although the kernel will kill for it */
	/*
	 * The keeper's byte for it, so that a death in between is mended; NULL: none. FREEZE,
	 * THAW: "frozen" (not for an administrator's freeze). LIMIT: "high_set", 1 before memory.high is limited, 0
	 * after it is max.
	 */
	__u8 *mark;
	int (*call)(void *arg, char *text,
		    size_t size); /* CALL: 0 or -errno, a sentence in text. Called once, also at the shutdown */
	bool slow; /* CALL: it waits for somebody else (PID 1), and leaves the first thread free as RECLAIM does */
};
/* Everything 0 or none, with the deadline in_ns from now. */
struct mw_action mw_action_make(enum mw_action_kind kind, int dir_fd, __u64 cookie, __u64 in_ns);
/* The writes of a profile, in an order that never squeezes more than the outcome does: memory.swap.max first,
 * memory.high last. */
void mw_action_limits(struct mw_action *a, const struct mw_limits *limits);

struct mw_action_result {
	enum mw_action_kind kind;
	bool dry_run;
	__u64 cookie;
	void *arg;
	int (*call)(void *arg, char *text, size_t size); /* CALL: whose result it is */
	/*
	 * 0 done (RECLAIM: also partly, see saved). -ENODEV the cgroup is gone, -ECANCELED
	 * the second look said no or the pool was stopped, -ETIMEDOUT, -EBUSY memory.max would be below what is in use,
	 * -ENOSPC there is no place to put memory, -EOPNOTSUPP the kernel lacks the file, else the kernel's error.
	 */
	int status;
	__u64 before_bytes, after_bytes; /* memory.current; RECLAIM, LIMIT, KILL */
	double saved_pct; /* RECLAIM: of before */
	__u64 freed; /* RECLAIM with once: bytes, what the worker took again meanwhile not subtracted */
	__u64 started_ns, took_ns;
	char reason[96];
	char text[MW_ACTION_TEXT]; /* what was done, or why not: one sentence with the numbers */
};

struct mw_actions;
/* threads: 1..MW_ACTIONS_THREADS. proc_root "/proc". */
int mw_actions_new(unsigned threads, const char *proc_root, struct mw_actions **ret_pool);
/*
 * Stops: what is queued ends with -ECANCELED, except THAW and CALL, which are done; what runs is waited
 * for, no longer than MW_ACTIONS_STOP_NS. Results not taken are dropped. Returns the number of threads left hanging in
 * the kernel.
 */
unsigned mw_actions_free(struct mw_actions *pool);
/* Non-blocking; the action is copied. -EAGAIN when the queue is full (counted), -EINVAL, -EMFILE. */
int mw_actions_submit(struct mw_actions *pool, const struct mw_action *action);
int mw_actions_fd(const struct mw_actions *pool); /* readable when there are results */
bool mw_actions_next(struct mw_actions *pool, struct mw_action_result *ret_result); /* false: none */
__u64 mw_actions_refused(const struct mw_actions *pool); /* submissions that found no room */

#endif
