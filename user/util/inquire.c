/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/inquire.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/libexec.h"
#include "util/spawn_attr.h"

#define PIECE	    16384
#define PATIENCE_MS 1000 /* for the end of what was killed */
#define STRAYS_MAX  8

struct child {
	pid_t pid;
	int pidfd, out_fd;
};

/* What it prints so far. */
struct output {
	char *text;
	size_t n, room;
};

/* Killed and still there: 0 is a free place. */
static _Atomic pid_t strays[STRAYS_MAX];

static void free_output(struct output *o)
{
	free(o->text);
}

static void keep_stray(pid_t pid)
{
	for (size_t i = 0; i < STRAYS_MAX; i++) {
		pid_t none = 0;

		if (atomic_compare_exchange_strong(&strays[i], &none, pid))
			return;
	}
}

/* How many are left of those that did not end in time. Taken out for the look: no two threads wait for one. */
static size_t reap_strays(void)
{
	size_t left = 0;

	for (size_t i = 0; i < STRAYS_MAX; i++) {
		pid_t pid = atomic_exchange(&strays[i], 0);

		if (!pid || waitpid(pid, NULL, WNOHANG) != 0)
			continue;
		keep_stray(pid);
		left++;
	}
	return left;
}

/* Nothing of ours goes along but the streams. */
static int spawn(const char *path, const struct mw_inquiry *q, int write_fd, pid_t *ret_pid)
{
	char *const no_environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int r;

	if (posix_spawn_file_actions_init(&actions))
		return -ENOMEM;
	if (mw_spawn_attr(&attr)) {
		posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}
	if (q->stdin_fd >= 0)
		r = posix_spawn_file_actions_adddup2(&actions, q->stdin_fd, STDIN_FILENO);
	else
		r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, write_fd, STDOUT_FILENO);
	r = r ? r : posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	r = r ? r : posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	r = r ? r : posix_spawn(ret_pid, path, &actions, &attr, (char *const *)q->argv, no_environment);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Waited for in any case: no zombie stays. */
static void end_child(struct child *c)
{
	if (c->pid > 0) {
		struct pollfd fd = {c->pidfd, POLLIN, 0};
		__u64 deadline_ns = mw_now_ns() + PATIENCE_MS * MW_NS_PER_MS;
		int n;

		/* Where the caller ignores SIGCHLD the number may be another's by now; the descriptor never is. */
		if (c->pidfd >= 0)
			syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
		do
			n = c->pidfd >= 0 ? poll(&fd, 1, PATIENCE_MS) : 1;
		while (n < 0 && errno == EINTR && mw_now_ns() < deadline_ns);
		if (n > 0) {
			while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
				;
		} else {
			keep_stray(c->pid);
		}
	}
	c->pid = 0;
	mw_close(&c->pidfd);
	mw_close(&c->out_fd);
}

static int start_child(const struct mw_inquiry *q, struct child *c, struct mw_error *err)
{
	char path[4096];
	const char *program = q->path ? q->path : mw_libexec(q->program, path, sizeof(path));
	_cleanup_close_ int write_fd = -1;
	size_t left = reap_strays();
	int fds[2], r;

	if (left == STRAYS_MAX)
		return mw_fail(err, -EBUSY, "%s: %zu of its kind were killed and have not ended yet", q->program, left);
	if (pipe2(fds, O_CLOEXEC))
		return mw_fail(err, -errno, "a pipe: %s", strerror(errno));
	c->out_fd = fds[0];
	write_fd = fds[1];
	r = spawn(program, q, write_fd, &c->pid);
	if (r < 0) {
		c->pid = 0;
		return mw_fail(err, r == -ENOENT ? -ENOEXEC : r, "%s cannot be started: %s", program, strerror(-r));
	}
	/* It is our child and not waited for: the number is its own. Gone with SIGCHLD ignored: its output is left. */
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (c->pidfd >= 0)
		return 0;
	if (errno == ESRCH)
		return 0;
	r = -errno;
	kill(c->pid, SIGKILL);
	return mw_fail(err, r, "pidfd_open: %s", strerror(-r));
}

/* What can be read now. 1 at the end, -EPROTO past the limit. */
static int take_output(int fd, size_t max, struct output *o)
{
	ssize_t n;

	if (o->room - o->n <= PIECE) {
		size_t room = o->room + o->room / 2 + 4 * PIECE;
		char *bigger = realloc(o->text, room);

		if (!bigger)
			return -ENOMEM;
		o->text = bigger;
		o->room = room;
	}
	n = read(fd, o->text + o->n, PIECE);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	o->n += (size_t)n;
	o->text[o->n] = '\0';
	if (o->n > max)
		return -EPROTO;
	return n == 0;
}

/* Until it has closed its output and ended. 0; -ETIMEDOUT. */
static int read_all(const struct child *c, __u64 deadline_ns, size_t max, struct output *o)
{
	bool closed = false;

	for (;;) {
		/* A negative descriptor is not looked at. */
		struct pollfd fds[] = {{closed ? -1 : c->out_fd, POLLIN, 0}, {c->pidfd, POLLIN, 0}};
		__u64 now = mw_now_ns();
		int n, r;

		if (closed && c->pidfd < 0)
			return 0;
		if (now >= deadline_ns)
			return -ETIMEDOUT;
		n = poll(fds, ARRAY_SIZE(fds), (int)((deadline_ns - now) / MW_NS_PER_MS) + 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n <= 0)
			continue;
		if (fds[0].revents) {
			r = take_output(c->out_fd, max, o);
			if (r < 0)
				return r;
			closed = r;
		} else if (fds[1].revents) {
			return 0; /* all it wrote has been read, as its end came last */
		}
	}
}

/* How it ended; it has. */
static int reap(const char *program, struct child *c, struct mw_error *err)
{
	int status;
	pid_t pid;

	do
		pid = waitpid(c->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	c->pid = 0;
	if (pid < 0)
		return 0; /* the caller ignores SIGCHLD: what was said must do, and is only taken when it is whole */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return -ETIMEDOUT;
	if (WIFSIGNALED(status))
		return mw_fail(err, -EPROTO, "%s died of signal %d", program, WTERMSIG(status));
	if (WEXITSTATUS(status))
		return mw_fail(err, -EPROTO, "%s: exit status %d", program, WEXITSTATUS(status));
	return 0;
}

int mw_inquire(const struct mw_inquiry *q, char **ret_text, size_t *ret_n, struct mw_error *err)
{
	_cleanup_(end_child) struct child c = {0, -1, -1};
	_cleanup_(free_output) struct output o = {0};
	__u64 deadline_ns = mw_now_ns() + q->timeout_ms * MW_NS_PER_MS;
	int r = start_child(q, &c, err);

	if (r < 0)
		return r;
	r = read_all(&c, deadline_ns, q->answer_max, &o);
	if (r == 0)
		r = reap(q->program, &c, err);
	if (r == -ETIMEDOUT)
		return mw_fail(err, r, "%s: no answer within %u ms", q->program, q->timeout_ms);
	if (r == -EPROTO && o.n > q->answer_max)
		return mw_fail(err, r, "%s: its answer is longer than %zu bytes", q->program, q->answer_max);
	if (r < 0)
		return r;
	*ret_n = o.n;
	*ret_text = o.text ? TAKE_PTR(o.text) : strdup("");
	return *ret_text ? 0 : -ENOMEM;
}
