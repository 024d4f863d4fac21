/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Making and removing cgroups of our own subtree, through libcgroup; the only
 * file that includes it. One thread calls this. Paths are from the cgroup root
 * without a leading slash: "memweir/tool/w1".
 */
#ifndef MW_CGROUP_SETUP_H
#define MW_CGROUP_SETUP_H

#include <sys/types.h>

#include "core/config.h"
#include "util/error.h"

/* Once, before anything else. Sends libcgroup's log nowhere (it would print to stdout). */
int mw_setup_init(struct mw_error *err);

/*
 * ROOT with +memory enabled down to it and below it, limited to budget. Existing is fine. mount: cgroup v2 mount point.
 * -EBUSY when ROOT or a cgroup above has processes of its own. Under systemd ROOT's own limits are PID 1's
 * to write (root.h): they are set by one call over D-Bus, at most MW_SYSTEMD_TIMEOUT_S, and not read back.
 */
int mw_setup_root(const char *mount, const char *root, __u64 budget, struct mw_error *err);

/*
 * ROOT/CLASS: budget and, for share = class, the profile itself. Existing is fine: values are brought up to date,
 * but for memory.low, which mw_setup_low keeps (unless the class is shared).
 */
int mw_setup_class(const char *mount, const char *root, const struct mw_class *cls, struct mw_error *err);

/*
 * ROOT/CLASS/NAME with limits (NULL: none, for observe and dry run). -EEXIST when it is there.
 * On failure nothing is left behind. *ret_fd: its directory. A missing memory.swap.max (no swap
 * accounting) is passed over; every other value is read back.
 */
int mw_setup_worker(const char *mount, const char *path, const struct mw_limits *limits, int *ret_fd,
		    struct mw_error *err);
/* Move a process in; verified in cgroup.procs. -ESRCH when it is gone. */
int mw_setup_attach(const char *mount, const char *path, pid_t pid, struct mw_error *err);
/* Remove a cgroup without processes, and what it left empty below it; verified. -EBUSY while populated. 0 also when it
 * was gone. */
int mw_setup_remove(const char *mount, const char *path, struct mw_error *err);

/*
 * memory.low of a class and of ROOT: the sum over what is below, so that protection is not inert. For a ROOT that is a
 * systemd scope: of the scope and of its slice, through PID 1, nothing when they have it already.
 */
int mw_setup_low(const char *mount, const char *path, __u64 low, struct mw_error *err);

#endif
