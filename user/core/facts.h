/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What can be found out about a process that is new, from /proc and its cgroup. Blocks now and then: its command line
 * is read from its own memory. */
#ifndef MW_FACTS_H
#define MW_FACTS_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

#include "core/config.h"

#define MW_FACTS_DEPTH 16 /* cgroups from its own upwards */

struct mw_facts {
	pid_t pid;
	__u64 start; /* clock ticks since boot: with the pid it names one process */
	uid_t uid; /* effective */
	char executable[512]; /* path, without the kernel's " (deleted)"; "": a kernel thread */
	char arguments[1024]; /* cut where they are longer; a blank between each two, odd bytes as they are */
	char cgroup[1024]; /* path from the cgroup root, with a leading slash */
	__u64 ids[MW_FACTS_DEPTH]; /* of its cgroup, of the one above, ...; 0: no more */
	bool other_pids; /* in a pid namespace that is not ours: a container's, or a sandbox's */
	char trusted[MW_NAME_SIZE],
		user[MW_NAME_SIZE]; /* trusted. and user.memweir.class of its unit's or own cgroup */
};

/* proc_root "/proc"; mount: where cgroup v2 is; attributes: whether they are wanted. 0, -ESRCH when it has gone, or
 * another -errno. */
int mw_facts_read(const char *proc_root, const char *mount, pid_t pid, bool attributes, struct mw_facts *ret_facts);
/* The attributes of a cgroup (path from the mount); "" where it has none, or no name. */
void mw_facts_attributes(const char *mount, const char *cgroup, char ret_trusted[MW_NAME_SIZE],
			 char ret_user[MW_NAME_SIZE]);

#endif
