/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/spawn.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/cgroup.h"
#include "util/cleanup.h"

#define FROZEN_CHECK_MS 50

/* What the child tells before it is another program. */
struct report {
	int code; /* -errno */
	bool in_cgroup; /* it is the cgroup that refused, not exec */
};

/* Only async-signal-safe calls from here on: the parent may have threads. */
static void reset_handlers(void)
{
	struct sigaction sa;

	for (int sig = 1; sig < NSIG; sig++) {
		if (sigaction(sig, NULL, &sa) || sa.sa_handler == SIG_IGN || sa.sa_handler == SIG_DFL)
			continue;
		sa = (struct sigaction){.sa_handler = SIG_DFL};
		sigaction(sig, &sa, NULL);
	}
}

static _Noreturn void give_up(int report_fd, int code, bool in_cgroup)
{
	struct report report = {code, in_cgroup};
	ssize_t n;

	signal(SIGPIPE, SIG_IGN); /* the parent may have stopped listening */
	n = write(report_fd, &report, sizeof(report));
	(void)n;
	_exit(code == -ENOENT ? 127 : 126);
}

static _Noreturn void child(const struct mw_spawn *s, const sigset_t *mask, int report_fd)
{
	int r = s->prepare ? s->prepare(s->arg) : 0;

	if (r < 0)
		give_up(report_fd, r, false);
	if (s->thp_off)
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	sigprocmask(SIG_SETMASK, s->sigmask ? s->sigmask : mask, NULL);
	execvpe(s->argv[0], s->argv, s->envp ? s->envp : environ);
	give_up(report_fd, -errno, false);
}

/* Without clone3: a pid of its own, then into the cgroup. The memory of the program to come is charged there. */
static pid_t fork_into(const struct mw_spawn *s, const sigset_t *mask, int report_fd, int *ret_pidfd)
{
	pid_t pid = fork();

	if (!pid) {
		int r = s->cgroup_fd < 0 ? 0 : mw_cgroup_write(s->cgroup_fd, "cgroup.procs", "0");

		if (r)
			give_up(report_fd, r, true);
		reset_handlers();
		child(s, mask, report_fd);
	}
	if (pid < 0)
		return -errno;
	*ret_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (*ret_pidfd < 0) {
		int r = -errno;

		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return r;
	}
	return pid;
}

static pid_t start(const struct mw_spawn *s, const sigset_t *mask, int report_fd, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND, /* one flag for 62 calls of sigaction */
		.pidfd = (__u64)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	long pid;

	if (s->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (__u64)s->cgroup_fd;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		child(s, mask, report_fd);
	if (pid > 0) {
		*ret_pidfd = pidfd;
		return (pid_t)pid;
	}
	if (errno == ENOSYS || errno == EINVAL || errno == E2BIG)
		return fork_into(s, mask, report_fd, ret_pidfd);
	return -errno;
}

/* Nothing runs in the cgroup, for its own cgroup.freeze or for one above. */
static bool frozen(int cgroup_fd)
{
	char buf[256];
	__u64 value;

	return cgroup_fd >= 0 && mw_cgroup_read(cgroup_fd, "cgroup.events", buf, sizeof(buf)) > 0 &&
	       !mw_keyed_u64(buf, "frozen", &value) && value;
}

/* Until exec has closed the pipe or the child has told why it could not. False when nobody told anything. */
static bool wait_report(const struct mw_spawn *s, int report_fd, int pidfd, struct report *ret_report)
{
	struct pollfd fds[] = {{report_fd, POLLIN, 0}, {pidfd, POLLIN, 0}};

	for (;;) {
		int n = poll(fds, ARRAY_SIZE(fds), FROZEN_CHECK_MS);

		if (n > 0)
			break;
		if (!n && frozen(s->cgroup_fd))
			break;
	}
	return read(report_fd, ret_report, sizeof(*ret_report)) == sizeof(*ret_report);
}

/* In a removed cgroup: ENOENT from opening its files, ENODEV from clone3 and from writing. One name for the caller. */
static int refusal(int r)
{
	return r == -ENOENT ? -ENODEV : r;
}

static int launch(const struct mw_spawn *s, const sigset_t *mask, struct mw_spawning *ret_spawning)
{
	_cleanup_close_ int listen_fd = -1, tell_fd = -1;
	int pipe_fds[2], pidfd = -1;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	listen_fd = pipe_fds[0];
	tell_fd = pipe_fds[1];
	pid = start(s, mask, tell_fd, &pidfd);
	if (pid < 0)
		return s->cgroup_fd >= 0 ? refusal(pid) : pid;
	*ret_spawning = (struct mw_spawning){pid, pidfd, TAKE_FD(listen_fd)};
	return 0;
}

int mw_spawn_begin(const struct mw_spawn *s, struct mw_spawning *ret_spawning)
{
	sigset_t all, before;
	int r;

	if (!s->argv || !s->argv[0])
		return -EINVAL;
	/* A handler of ours must not run in the child: blocked until they are reset there. */
	sigfillset(&all);
	r = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (r)
		return -r;
	r = launch(s, &before, ret_spawning);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

int mw_spawn_wait(const struct mw_spawn *s, struct mw_spawning *sp, pid_t *ret_pid, int *ret_pidfd)
{
	_cleanup_close_ int pidfd = TAKE_FD(sp->pidfd), listen_fd = TAKE_FD(sp->listen_fd);
	struct report report;

	if (wait_report(s, listen_fd, pidfd, &report)) {
		while (waitpid(sp->pid, NULL, 0) < 0 && errno == EINTR)
			;
		return report.in_cgroup ? refusal(report.code) : report.code;
	}
	*ret_pid = sp->pid;
	*ret_pidfd = TAKE_FD(pidfd);
	return 0;
}

int mw_spawn(const struct mw_spawn *s, pid_t *ret_pid, int *ret_pidfd)
{
	struct mw_spawning sp = {0, -1, -1};
	int r = mw_spawn_begin(s, &sp);

	return r < 0 ? r : mw_spawn_wait(s, &sp, ret_pid, ret_pidfd);
}
