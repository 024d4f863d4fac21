/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A process that asks to be made a worker: may it be, by what /proc says of it? proc_root is "/proc" or a fake tree. */
#ifndef MW_BROUGHT_H
#define MW_BROUGHT_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

struct mw_brought {
	pid_t pid;
	__u64 start; /* clock ticks since boot */
	uid_t uids[4]; /* real, effective, saved, of the file system */
	uid_t dir_uid; /* whose /proc/PID is: not the process's own once a set-user-ID program ran in it */
	bool ended; /* a zombie */
};

/* -ESRCH when it is gone. */
int mw_brought_read(const char *proc_root, pid_t pid, struct mw_brought *ret_brought);
/* Is it uid's, all of it? -EPERM with a sentence; -ESRCH when it has ended. */
int mw_brought_judge(const struct mw_brought *b, uid_t uid, struct mw_error *err);
/* The process behind a pidfd. -EBADF when it is none, -ESRCH when it has ended or stands outside of our pid namespace.
 */
int mw_pidfd_pid(const char *proc_root, int pidfd, pid_t *ret_pid);
bool mw_pidfd_lives(int pidfd);

#endif
