/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "containers/found.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/libexec.h"

#define TIMEOUT_MS 2000
#define PIECE	   16384

struct helper {
	pid_t pid;
	int pidfd, out_fd;
};

/* What it prints so far. */
struct output {
	char *text;
	size_t n, room;
};

static void free_output(struct output *o)
{
	free(o->text);
}

/* Nothing of ours goes along but the pipe: no descriptor, no environment, no blocked signal. */
static int spawn(const char *path, char *const *argv, int write_fd, pid_t *ret_pid)
{
	char *const no_environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	if (posix_spawn_file_actions_init(&actions))
		return -ENOMEM;
	if (posix_spawnattr_init(&attr)) {
		posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	r = r ? r : posix_spawn_file_actions_adddup2(&actions, write_fd, STDOUT_FILENO);
	r = r ? r : posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	r = r ? r : posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	r = r ? r : posix_spawnattr_setsigmask(&attr, &none);
	r = r ? r : posix_spawnattr_setsigdefault(&attr, &all);
	r = r ? r : posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = r ? r : posix_spawn(ret_pid, path, &actions, &attr, argv, no_environment);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Waited for in any case: no zombie stays. */
static void end_helper(struct helper *h)
{
	if (h->pid > 0) {
		/* Where the caller ignores SIGCHLD the number may be another's by now; the descriptor never is. */
		if (h->pidfd >= 0)
			syscall(SYS_pidfd_send_signal, h->pidfd, SIGKILL, NULL, 0);
		while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	h->pid = 0;
	mw_close(&h->pidfd);
	mw_close(&h->out_fd);
}

static int start_helper(const struct mw_container_question *q, __u32 timeout_ms, struct helper *h, struct mw_error *err)
{
	char path[4096], timeout[16];
	const char *program = q->helper ? q->helper : mw_libexec(MW_CONTAINER_PROGRAM, path, sizeof(path));
	const char *argv[] = {MW_CONTAINER_PROGRAM,
			      q->name ? MW_FIND_NAME : MW_FIND_CGROUP,
			      q->name ? q->name : q->cgroup,
			      MW_FIND_ROOT,
			      q->root ? q->root : "/",
			      MW_FIND_TIMEOUT,
			      timeout,
			      NULL};
	_cleanup_close_ int write_fd = -1;
	int fds[2], r;

	snprintf(timeout, sizeof(timeout), "%u", timeout_ms);
	if (pipe2(fds, O_CLOEXEC))
		return mw_fail(err, -errno, "a pipe: %s", strerror(errno));
	h->out_fd = fds[0];
	write_fd = fds[1];
	r = spawn(program, (char *const *)argv, write_fd, &h->pid);
	if (r < 0) {
		h->pid = 0;
		return mw_fail(err, r == -ENOENT ? -ENOEXEC : r, "%s cannot be started: %s", program, strerror(-r));
	}
	/* It is our child and not waited for: the number is its own. Gone with SIGCHLD ignored: its output is left. */
	h->pidfd = (int)syscall(SYS_pidfd_open, h->pid, 0);
	if (h->pidfd >= 0)
		return 0;
	if (errno == ESRCH)
		return 0;
	r = -errno;
	kill(h->pid, SIGKILL);
	return mw_fail(err, r, "pidfd_open: %s", strerror(-r));
}

/* What can be read now. 1 at the end, -EPROTO past the limit. */
static int take_output(int fd, struct output *o)
{
	ssize_t n;

	if (o->room - o->n < PIECE) {
		char *bigger = realloc(o->text, o->room + 4 * PIECE);

		if (!bigger)
			return -ENOMEM;
		o->text = bigger;
		o->room += 4 * PIECE;
	}
	n = read(fd, o->text + o->n, PIECE);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	o->n += (size_t)n;
	if (o->n > MW_ANSWER_MAX)
		return -EPROTO;
	return n == 0;
}

/* Until it has closed its output and ended. 0; -ETIMEDOUT. */
static int read_all(const struct helper *h, __u64 deadline_ns, struct output *o)
{
	bool closed = false;

	for (;;) {
		/* A negative descriptor is not looked at. */
		struct pollfd fds[] = {{closed ? -1 : h->out_fd, POLLIN, 0}, {h->pidfd, POLLIN, 0}};
		__u64 now = mw_now_ns();
		int n, r;

		if (closed && h->pidfd < 0)
			return 0;
		if (now >= deadline_ns)
			return -ETIMEDOUT;
		n = poll(fds, ARRAY_SIZE(fds), (int)((deadline_ns - now) / MW_NS_PER_MS) + 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n <= 0)
			continue;
		if (fds[0].revents) {
			r = take_output(h->out_fd, o);
			if (r < 0)
				return r;
			closed = r;
		} else if (fds[1].revents) {
			return 0; /* all it wrote has been read, as its end came last */
		}
	}
}

/* How it ended; it has. */
static int reap(struct helper *h, struct mw_error *err)
{
	int status;
	pid_t pid;

	do
		pid = waitpid(h->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	h->pid = 0;
	if (pid < 0)
		return 0; /* the caller ignores SIGCHLD: what was said must do, and is only taken when it is whole */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return -ETIMEDOUT;
	if (WIFSIGNALED(status))
		return mw_fail(err, -EPROTO, MW_CONTAINER_PROGRAM " died of signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		return mw_fail(err, -EPROTO, MW_CONTAINER_PROGRAM ": exit status %d", WEXITSTATUS(status));
	return 0;
}

static int hear(const struct mw_container_question *q, struct mw_answer *ret_answer, struct mw_error *err)
{
	_cleanup_(end_helper) struct helper h = {0, -1, -1};
	_cleanup_(free_output) struct output o = {0};
	__u32 timeout_ms = q->timeout_ms ? q->timeout_ms : TIMEOUT_MS;
	__u64 deadline_ns = mw_now_ns() + timeout_ms * MW_NS_PER_MS;
	int r = start_helper(q, timeout_ms, &h, err);

	if (r < 0)
		return r;
	r = read_all(&h, deadline_ns, &o);
	if (r == 0)
		r = reap(&h, err);
	if (r == -ETIMEDOUT)
		return mw_fail(err, r, MW_CONTAINER_PROGRAM ": no answer within %u ms", timeout_ms);
	if (r == -EPROTO && o.n > MW_ANSWER_MAX)
		return mw_fail(err, r, MW_CONTAINER_PROGRAM ": its answer is longer than %u bytes", MW_ANSWER_MAX);
	return r < 0 ? r : mw_answer_read(o.text, o.n, ret_answer, err);
}

/* Several that run: their engines, names and IDs. */
static int tell_several(const struct mw_answer *a, const bool *runs, const char *asked, struct mw_error *err)
{
	char list[360] = "";
	size_t n = 0, used = 0;

	for (size_t i = 0; i < a->n_found; i++) {
		const struct mw_container *c = &a->found[i].c;

		if (!runs[i])
			continue;
		n++;
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s:%.40s%s%.40s (%.12s)",
						 used ? ", " : "", c->engine, c->pod, *c->pod ? "/" : "", c->name,
						 c->id);
	}
	return mw_fail(err, -EEXIST, "%.80s: %zu containers%s: %s", asked, n + a->left_out,
		       a->left_out ? ", some of them" : "", list);
}

/* What may have been missed, to put behind a sentence. */
static const char *gaps(const struct mw_answer *a, char *buf, size_t size)
{
	buf[0] = '\0';
	if (a->unread)
		snprintf(buf, size, "; %zu not read, %.150s", a->unread, a->problem);
	return buf;
}

static int tell_none(const struct mw_answer *a, const char *asked, struct mw_error *err)
{
	char missed[200];

	return mw_fail(err, -ENOENT, "no container %.80s (looked in %.200s%s)", asked,
		       *a->looked ? a->looked : "no folder: there is no engine", gaps(a, missed, sizeof(missed)));
}

/* Found, and it does not run or not there: code and sentence are the check's. */
static int tell_not_running(const struct mw_answer *a, int code, struct mw_error *err)
{
	char missed[200], said[sizeof(err->text)];

	memcpy(said, err->text, sizeof(said));
	return mw_fail(err, code == -EXDEV ? -ESRCH : code, "%.300s%s", said, gaps(a, missed, sizeof(missed)));
}

/* The one that the kernel knows too. Of those that do not run the first says why. */
static int choose(const struct mw_container_question *q, struct mw_answer *a, struct mw_container *ret,
		  struct mw_error *err)
{
	const char *asked = q->name ? q->name : q->cgroup;
	bool runs[MW_FOUND_MAX] = {false};
	size_t n = 0, which = 0;
	int first = 0, its = 0;

	if (!a->n_found)
		return tell_none(a, asked, err);
	for (size_t i = 0; i < a->n_found; i++) {
		int r = mw_found_check(q->root ? q->root : "", &a->found[i], first ? NULL : err);

		runs[i] = r == 0 || r == -EOPNOTSUPP; /* without a cgroup of its own, and it runs */
		first = first ? first : r;
		if (!runs[i])
			continue;
		which = i;
		its = r;
		n++;
	}
	if (n > 1 || (n && a->left_out))
		return tell_several(a, runs, asked, err);
	if (!n)
		return tell_not_running(a, first, err);
	if (its) /* once more, for its own sentence; without a cgroup it is never 0 */
		return mw_found_check(q->root ? q->root : "", &a->found[which], err);
	*ret = a->found[which].c;
	a->found[which].c = (struct mw_container){0}; /* its labels are the caller's now */
	return 0;
}

static int check_question(const struct mw_container_question *q, struct mw_error *err)
{
	if (!q->name == !q->cgroup)
		return mw_fail(err, -EINVAL, "a container is asked for by name or by cgroup");
	if (q->name && !mw_container_name_valid(q->name))
		return mw_fail(err, -EINVAL,
			       "\"%.80s\" is no name of a container: expected letters, digits, _ + . -, an ID or the "
			       "beginning of one, ENGINE: before it if need be",
			       q->name);
	if (q->cgroup && !mw_cgroup_path_valid(q->cgroup))
		return mw_fail(err, -EINVAL,
			       "\"%.80s\" is no cgroup of a container: expected /... below the cgroup root", q->cgroup);
	if (q->timeout_ms > 60000)
		return mw_fail(err, -EINVAL, "timeout: found %u ms, expected 1 to 60000", q->timeout_ms);
	return 0;
}

int mw_container_ask(const struct mw_container_question *q, struct mw_container *ret_container, struct mw_error *err)
{
	_cleanup_free_ struct mw_answer *a = NULL;
	struct mw_error unheard; /* err may be NULL: sentences are still put together in steps */
	int r;

	err = err ? err : &unheard;
	r = check_question(q, err);
	if (r < 0)
		return r;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	r = hear(q, a, err);
	if (r == 0)
		r = choose(q, a, ret_container, err);
	mw_answer_free(a);
	return r;
}
