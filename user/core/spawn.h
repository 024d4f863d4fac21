/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Start a program inside a cgroup so that its first page is charged there. */
#ifndef MW_SPAWN_H
#define MW_SPAWN_H

#include <stdbool.h>
#include <signal.h>
#include <sys/types.h>

struct mw_spawn {
	int cgroup_fd; /* directory (O_PATH is enough) to start in; -1: where we are */
	bool thp_off; /* PR_SET_THP_DISABLE */
	char *const *argv; /* argv[0] is searched in PATH */
	char *const *envp;
	const sigset_t *sigmask; /* signal mask of the child; NULL: inherited */
	/*
	 * Called in the child before exec, with every signal blocked; the environment it leaves is the program's where
	 * envp is NULL. -errno: no exec, and mw_spawn_wait returns it. The caller has one thread then. NULL: none.
	 */
	int (*prepare)(void *arg);
	void *arg;
};

/*
 * clone3(CLONE_INTO_CGROUP|CLONE_PIDFD) and exec. Standard streams are
 * inherited, signal dispositions reset to default (SIG_IGN kept). *ret_pidfd is the caller's. When exec
 * fails the child is reaped and its -errno returned (ENOENT: 127, EACCES and others: 126 in run's words).
 * Where the kernel refuses the cgroup: -ENODEV (gone), -EBUSY (inner node), -EACCES.
 *
 * Blocks until exec is through. In a frozen cgroup it returns at once, since nothing runs there:
 * a failing exec is then seen as the child's exit status 127 or 126.
 * Where clone3 is missing or filtered (old container runtimes) the child forks and moves itself before
 * exec: the program's memory is charged the same.
 */
int mw_spawn(const struct mw_spawn *s, pid_t *ret_pid, int *ret_pidfd);

/* The same in two halves, for a child that prepares itself: mw_spawn_begin returns while it does. */
struct mw_spawning {
	pid_t pid;
	int pidfd;
	int listen_fd; /* where it says why it did not exec */
};
int mw_spawn_begin(const struct mw_spawn *s, struct mw_spawning *ret_spawning);
/* Until exec is through. On success *ret_pidfd is the caller's; on failure the child is reaped. All of sp is used up.
 */
int mw_spawn_wait(const struct mw_spawn *s, struct mw_spawning *sp, pid_t *ret_pid, int *ret_pidfd);

#endif
