/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/run_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"

/* Not the worker's business: our own faults and our own pipe. The rest is passed on. */
static const int kept[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPIPE, SIGKILL, SIGSTOP};

static void passed_on(sigset_t *ret_set)
{
	sigfillset(ret_set);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		sigdelset(ret_set, kept[i]);
}

void mw_wait_prepare(struct mw_wait *ret_wait)
{
	sigset_t set;

	*ret_wait = (struct mw_wait){.pidfd = -1};
	signal(SIGCHLD, SIG_DFL); /* ignored, it would let the worker's status go */
	passed_on(&set);
	sigprocmask(SIG_BLOCK, &set, &ret_wait->childs_mask);
}

void mw_wait_let_go(struct mw_wait *w)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd >= 0) {
		for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
			dup2(null_fd, fd);
	}
	if (w->pidfd != STDERR_FILENO + 1 && dup3(w->pidfd, STDERR_FILENO + 1, O_CLOEXEC) >= 0)
		w->pidfd = STDERR_FILENO + 1; /* the old one goes with the rest */
	if (w->pidfd == STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 2, ~0U, 0);
}

/*
 * One signal of ours. The terminal's (si_code above 0: ^C, ^Z, a hang-up) went to the whole process group and so
 * to the worker: only what somebody sent is passed on.
 */
static void pass(const struct mw_wait *w, const struct signalfd_siginfo *info)
{
	if (info->ssi_signo != SIGCHLD && info->ssi_code <= 0 && (pid_t)info->ssi_pid != w->pid)
		syscall(SYS_pidfd_send_signal, w->pidfd, (int)info->ssi_signo, NULL, 0);
}

/* The worker stopped by ^Z and its kind: stop too, so that the shell takes over. It goes on with SIGCONT, as we do. */
static void follow_stop(int sig)
{
	if (sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU)
		raise(SIGSTOP);
}

/* What the worker did since; true when it has ended. */
static bool look(const struct mw_wait *w, int *ret_status)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(w->pid, &status, WNOHANG | WUNTRACED | __WALL);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0) { /* cannot be: it is our child and unwaited for */
			*ret_status = 125 << 8;
			return true;
		}
		if (pid == 0)
			return false;
		if (!WIFSTOPPED(status)) {
			*ret_status = status;
			return true;
		}
		follow_stop(WSTOPSIG(status));
	}
}

int mw_wait(struct mw_wait *w)
{
	_cleanup_close_ int signals = -1;
	struct signalfd_siginfo info;
	sigset_t set;
	int status;

	passed_on(&set);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	while (!look(w, &status)) {
		struct pollfd fds[] = {{w->pidfd, POLLIN, 0}, {signals, POLLIN, 0}};

		poll(fds, ARRAY_SIZE(fds), -1);
		while (read(signals, &info, sizeof(info)) == sizeof(info))
			pass(w, &info);
	}
	return status;
}
