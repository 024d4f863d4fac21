/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * How much this process uses: from its cgroup v2 where that is a worker's or its alone, else from /proc. Descriptors
 * are kept open; a cgroup that is left or gone is noticed, and the one the process is in now is opened instead. Not for
 * several threads at once: the owner locks.
 */
#ifndef MW_LIB_METER_H
#define MW_LIB_METER_H

#include <limits.h>
#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

#include "core/verdict.h"

#define MW_METER_STAT_NS 1000000000ULL /* memory.stat is read again after this long, whatever memory.current says */

struct mw_meter {
	char proc[PATH_MAX]; /* ROOT/proc */
	char mount[PATH_MAX]; /* where cgroup v2 is; "": nowhere */
	char stands_in[PATH_MAX]; /* cgroup of the process, from the mount; "": not known */
	char cgroup[PATH_MAX]; /* the one that is read: it, or a worker's above it; "": /proc is read */
	pid_t pid; /* whose descriptors of /proc these are: a forked child has others */
	bool follow; /* figures of the cgroup are wanted, also where others are in it */
	bool shared; /* others are in it */
	unsigned int opened; /* how often: a cgroup that was read before is another one */
	int up; /* so many levels above where the process stands */
	int dir_fd; /* of cgroup; -1 */
	int current_fd, swap_fd, stat_fd, max_fd; /* memory.current ..., or statm as current_fd; -1: not there */
	struct mw_usage full; /* the last look at everything */
};

/* root: in front of /proc; "" for the host. What cannot be had is left out; -errno where not even /proc can be read. */
int mw_meter_open(struct mw_meter *m, const char *root);
void mw_meter_close(struct mw_meter *m);
/*
 * Read the cgroup up levels above the own one, whoever is in it: it is known to be this worker's. -ENOENT: it has no
 * memory controller; then nothing has changed.
 */
int mw_meter_follow(struct mw_meter *m, int up);
/* The process may have been moved: look where it is now, and at everything. */
int mw_meter_reopen(struct mw_meter *m);

/* Everything, exact. -errno; m->full is then as it was. */
int mw_meter_full(struct mw_meter *m);
/*
 * What is in use by memory.current, or statm, alone: *ret_used is heap + bin of m->full and what has come to
 * memory since, which counts as heap; never less than there is, but for what was swapped out since. *ret_current:
 * the figure itself. May have looked at everything, where that was due.
 */
int mw_meter_quick(struct mw_meter *m, __u64 now_ns, __u64 *ret_used, __u64 *ret_current);

#endif
