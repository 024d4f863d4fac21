/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A process that asks to be made a worker: may it be, by what /proc says of it? proc_root is "/proc" or a fake tree. */
#ifndef MW_BROUGHT_H
#define MW_BROUGHT_H

#include <linux/types.h>
#include <sys/types.h>

#include "core/proc.h"
#include "util/error.h"

struct mw_brought {
	pid_t pid;
	__u64 start; /* clock ticks since boot */
	struct mw_proc_status status;
	uid_t dir_uid; /* whose /proc/PID is: not the process's own once a set-user-ID program ran in it */
};

/* -ESRCH when it is gone. */
int mw_brought_read(const char *proc_root, pid_t pid, struct mw_brought *ret_brought);
/* Is it uid's, all of it? -EPERM with a sentence; -ESRCH when it has ended. */
int mw_brought_judge(const struct mw_brought *b, uid_t uid, struct mw_error *err);
#endif
