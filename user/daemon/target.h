/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What is to be taken under guard, however it was named: a cgroup, a process, a unit of systemd, a container. Finding
 * it asks others and blocks; so it is done in an action thread, and before it is taken it is looked at again.
 */
#ifndef MW_TARGET_H
#define MW_TARGET_H

#include <limits.h>
#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

#include "core/worker.h"
#include "util/error.h"

enum mw_target_kind {
	MW_TARGET_CGROUP,
	MW_TARGET_PID,
	MW_TARGET_UNIT,
	MW_TARGET_CONTAINER,
};

struct mw_target {
	/* asked */
	enum mw_target_kind kind;
	char *what; /* owned: a path, a unit's or container's name; NULL with PID */
	pid_t pid;
	bool move; /* PID: it goes into a cgroup of ours, wherever it is */
	const char *mount, *root; /* of the guard, which outlives us */
	/* found */
	int dir_fd; /* -1 with move */
	__u64 cgroup_id;
	char cgroup[PATH_MAX]; /* from the mount, with a leading slash */
	__u64 pid_start; /* clock ticks since boot */
	enum mw_owner owner; /* how its limits are written */
	struct mw_unit *unit; /* owned; NULL: PID 1 does not write them */
	struct mw_container *container; /* owned; NULL: it is none, or none that is known */
	struct mw_originals before; /* limits that are there now: of the unit, or of the files */
};

/* Blocks. 0 or -errno with a sentence. */
int mw_target_find(struct mw_target *t, struct mw_error *err);
/* Is it still what was found? The process runs, and the cgroup is there. 0, -ESRCH, -ENODEV. */
int mw_target_still(const struct mw_target *t, struct mw_error *err);
/* A name for its worker, where none was given. */
void mw_target_name(const struct mw_target *t, char ret_name[MW_NAME_SIZE]);
void mw_target_free(struct mw_target *t); /* contents; idempotent */

#endif
