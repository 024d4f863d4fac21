/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The squeeze breaker: a thread that ends unhelpful throttle sleeps. It lifts
 * memory.high of the cgroup that exceeds it and, while a thread of the worker is
 * confirmed asleep in the over-high throttle (wchan), pulses cgroup.freeze 1 -> 0,
 * which wakes it (thawing wakes the task; it does not go back to sleep because the limit is
 * lifted). Everything it needs on the way is allocated beforehand and locked.
 *
 * Rules: never a pulse without a confirmed sleep, never when cgroup.freeze is
 * already 1, never two threads pulsing one worker, never one the keeper does not hold, no more than 100 in
 * one following (a limit that is not ours to lift). The keeper's table
 * says "frozen by us" before the 1 is written and is cleared after the 0, so that a death in between is mended.
 *
 * Between the look at cgroup.freeze and our 0 an administrator's 1 would be
 * undone. For freezes that go through this daemon: mw_breaker_remove first, mw_breaker_add after the thaw.
 *
 * It also keeps the holds of policy strict (core/freeze.h), so that all of our writes to one cgroup.freeze come from
 * one thread: a held worker is not pulsed, and a hold ends on time whatever the loop and the action threads do. A hold
 * is long enough for somebody else to want something: his write of 0 ends it, and his 1 stays (inotify tells of both).
 */
#ifndef MW_BREAKER_H
#define MW_BREAKER_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

#include "core/freeze.h"
#include "core/keeper.h"
#include "util/error.h"

#define MW_BREAKER_ABOVE 4 /* ancestors of ours above one worker: class, ROOT, ... */

struct mw_breaker;

struct mw_breaker_options {
	const char *proc_root; /* "/proc" */
	struct mw_keeper_table *table; /* shared with the keeper; NULL: none, pulses are not marked */
	__u32 max_workers;
	bool poll_events; /* no BPF throttle event on this host: watch memory.events of every worker with poll(POLLPRI)
			   */
	bool dry_run; /* decide and tell, write nothing */
};

/* What it did, told to the loop through mw_breaker_fd. */
struct mw_breaker_report {
	__u32 slot;
	__u64 cgroup_id;
	__u64 time_ns; /* of the first confirmed sleep or the near event */
	__u64 slept_ns; /* how long a sleep was seen to last until it ended; 0: lifted before any */
	__u32 pulses; /* 100: no more were tried */
	bool lifted; /* memory.high of the worker was written max by this (dry_run: would have been) */
	__u64 lifted_above; /* and of this ancestor, by cgroup id; 0: of none */
	bool dry_run;
	pid_t tid; /* a sleeper, 0: none */
	enum mw_freeze_end freeze; /* not NONE: of a hold, with time_ns; the rest is as it was */
	__u64 before, after; /* a hold: memory.current when it began and when it ended, bytes */
};

int mw_breaker_new(const struct mw_breaker_options *opts, struct mw_breaker **ret_breaker, struct mw_error *err);
void mw_breaker_free(struct mw_breaker *b); /* stops the thread; nothing stays frozen */

/*
 * Watch a worker from now on. dir_fd is duplicated. ancestors: directories of
 * ours above it whose memory.high could be the one exceeded (class, ROOT), duplicated too; at most MW_BREAKER_ABOVE.
 * may_lift: the policy allows it; without it sleeps are only measured. Changing a worker is remove + add. -EEXIST for a
 * taken slot. May wait some milliseconds for the thread.
 */
int mw_breaker_add(struct mw_breaker *b, __u32 slot, __u64 cgroup_id, int dir_fd, const int *ancestor_fds,
		   unsigned n_ancestors, bool may_lift);
void mw_breaker_remove(struct mw_breaker *b,
		       __u32 slot); /* afterwards no pulse of it is under way; a report may still come */

/* From the loop, never blocks: a task tid of the worker is about to sleep (BPF throttle event), or usage is near high
 * (tid 0: lift before it sleeps). */
void mw_breaker_throttle(struct mw_breaker *b, __u32 slot, pid_t tid, __u64 time_ns);
void mw_breaker_near(struct mw_breaker *b, __u32 slot, __u64 time_ns);

/*
 * From the loop, never blocks: freeze it until until_ns, or until it uses less than enough bytes. A report tells
 * whether it began, and another one how it ended. -EAGAIN: no room, nothing will be heard of it.
 */
int mw_breaker_freeze(struct mw_breaker *b, __u32 slot, __u64 enough, __u64 until_ns, __u64 time_ns);
/* A hold asked for before now ends, or never begins. As mw_breaker_remove, but the worker stays watched. */
void mw_breaker_let_go(struct mw_breaker *b, __u32 slot);

int mw_breaker_fd(const struct mw_breaker *b); /* readable when there are reports */
bool mw_breaker_next(struct mw_breaker *b, struct mw_breaker_report *ret_report); /* false: none */
__u64 mw_breaker_lost(const struct mw_breaker *b); /* requests or reports that found no room */

#endif
