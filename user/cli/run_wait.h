/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Standing by a worker: signals and job control pass through, its end comes back. */
#ifndef MW_RUN_WAIT_H
#define MW_RUN_WAIT_H

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>

struct mw_wait {
	sigset_t childs_mask; /* the mask we were started with: the worker's */
	pid_t pid;
	int pidfd;
};

/* Before the worker is started: hold back every signal that is to reach it, so that none is lost in between. */
void mw_wait_prepare(struct mw_wait *ret_wait);
/*
 * After: give up our copies of its descriptors (standard streams become /dev/null), or the readers of its pipes
 * would wait for us when it closes them. pidfd moves.
 */
void mw_wait_let_go(struct mw_wait *w);
/* Until it has ended. Its status as wait(2) has it. */
int mw_wait(struct mw_wait *w);

#endif
