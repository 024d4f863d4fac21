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
#include <stdint.h>
#include <sys/types.h>

#include "core/verdict.h"

#define MW_METER_STAT_NS  1000000000ULL /* memory.stat is read again after this long, whatever memory.current says */
#define MW_METER_DOUBT_NS 10000000ULL /* after this long already, where page cache may hide what would matter */

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
/* What memory.current, or statm, alone says. Bytes. */
struct mw_quick {
	__u64 current; /* the figure itself */
	__u64 used; /* heap + bin of m->full, and what has come to current since as heap */
	__u64 most; /* heap + bin if all of it were that: page cache that was dropped since may hide growth */
};
/* May have looked at everything, where that was due: then used is exact. Swap that began since is not seen. */
int mw_meter_quick(struct mw_meter *m, __u64 now_ns, struct mw_quick *ret_quick);
/* Is m->full so old that the difference between used and most matters? */
bool mw_meter_in_doubt(const struct mw_meter *m, __u64 now_ns);
/* heap + bin, as exact as it takes to say whether it is over limit. */
int mw_meter_used(struct mw_meter *m, __u64 limit, uint64_t *ret_used);

#endif
