/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/root.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "core/systemd.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define SETTLE_NS (10 * MW_NS_PER_S) /* for PID 1 to make or to clear a scope */

bool mw_root_is_unit(const char *root)
{
	size_t n = strlen(root), m = strlen(MW_ROOT_SCOPE);

	return n >= m && !strcmp(root + n - m, MW_ROOT_SCOPE) && (n == m || root[n - m - 1] == '/');
}

/* A path from the cgroup root without empty, "." or ".." parts; outer slashes are dropped. */
static int copy_configured(const char *configured, char *ret_root, size_t size, struct mw_error *err)
{
	char path[PATH_MAX];
	size_t n;

	configured += strspn(configured, "/");
	n = strlen(configured);
	while (n && configured[n - 1] == '/')
		n--;
	if (n >= sizeof(path) - 2 || n >= size)
		return mw_fail(err, -ENAMETOOLONG, "tree.root is too long");
	snprintf(path, sizeof(path), "/%.*s/", (int)n, configured);
	if (!n || strstr(path, "//") || strstr(path, "/./") || strstr(path, "/../"))
		return mw_fail(err, -EINVAL, "tree.root: found \"%s\", expected a path below the cgroup root",
			       configured);
	memcpy(ret_root, path + 1, n);
	ret_root[n] = '\0';
	return 0;
}

/* Descriptors of the daemon's that stayed open here would keep its sockets and locks alive. */
static _Noreturn void hold(void)
{
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	sigset_t none;
	ssize_t n;

	n = fd < 0 ? 0 : write(fd, "-1000", 5); /* or the scope ends with a full budget */
	(void)n;
	syscall(SYS_close_range, 0U, ~0U, 0U);
	setsid();
	if (chdir("/"))
		_exit(1);
	prctl(PR_SET_NAME, MW_ROOT_HOLDER, 0, 0, 0);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (;;)
		pause();
}

/* Twice forked, so that PID 1 reaps it and not we. */
static int start_holder(pid_t *ret_pid)
{
	_cleanup_close_ int listen_fd = -1, tell_fd = -1;
	pid_t middle, holder = -1;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	listen_fd = fds[0];
	tell_fd = fds[1];
	middle = fork();
	if (middle < 0)
		return -errno;
	if (!middle) {
		holder = fork();
		if (!holder)
			hold();
		_exit(write(tell_fd, &holder, sizeof(holder)) == sizeof(holder) ? 0 : 1);
	}
	mw_close(&tell_fd);
	if (read(listen_fd, &holder, sizeof(holder)) != sizeof(holder))
		holder = -1;
	while (waitpid(middle, NULL, 0) < 0 && errno == EINTR)
		;
	if (holder <= 0)
		return -EAGAIN;
	*ret_pid = holder;
	return 0;
}

static int open_dir(const char *mount, const char *path)
{
	char full[PATH_MAX];

	if (snprintf(full, sizeof(full), "%s/%s", mount, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	return mw_cgroup_open(full);
}

/* The holder in ROOT/daemon: its pid, 0 for none. */
static pid_t find_holder(int root_fd)
{
	_cleanup_close_ int fd = openat(root_fd, MW_ROOT_LEAF, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	pid_t pids[64];
	ssize_t n = fd < 0 ? 0 : mw_cgroup_pids(fd, false, pids, ARRAY_SIZE(pids));

	for (ssize_t i = 0; i < n && i < (ssize_t)ARRAY_SIZE(pids); i++) {
		char comm[32];

		mw_proc_comm("/proc", pids[i], comm, sizeof(comm));
		if (!strcmp(comm, MW_ROOT_HOLDER))
			return pids[i];
	}
	return 0;
}

/* Everything that stands in ROOT itself goes into its leaf: the holder we started there, or one a daemon left when it
 * died midway. */
static int fill_leaf(int root_fd, pid_t holder)
{
	_cleanup_close_ int fd = -1;
	pid_t pids[64];
	ssize_t n;

	if (mkdirat(root_fd, MW_ROOT_LEAF, 0755) && errno != EEXIST)
		return -errno;
	fd = openat(root_fd, MW_ROOT_LEAF, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	n = mw_cgroup_pids(root_fd, false, pids, ARRAY_SIZE(pids));
	if (n < 0)
		return n;
	for (ssize_t i = 0; i < n && i < (ssize_t)ARRAY_SIZE(pids); i++) {
		int r = mw_cgroup_write_u64(fd, "cgroup.procs", (__u64)pids[i]);

		if (r && r != -ESRCH)
			return r;
	}
	return holder ? mw_cgroup_write_u64(fd, "cgroup.procs", (__u64)holder) : 0;
}

/* A scope that is there, with somebody in it: make sure that one of them is a holder. */
static int adopt(const char *root, int root_fd, struct mw_error *err)
{
	pid_t holder = find_holder(root_fd);
	int r = holder ? 0 : start_holder(&holder);

	if (!r)
		r = fill_leaf(root_fd, holder);
	return r ? mw_fail(err, r, "no holder can be put into cgroup %s: %s", root, strerror(-r)) : 0;
}

static bool past(__u64 deadline_ns)
{
	poll(NULL, 0, 10);
	return mw_now_ns() > deadline_ns;
}

/* Until PID 1 has moved the holder into its scope. */
static int wait_moved(const char *root, pid_t holder)
{
	__u64 deadline = mw_now_ns() + SETTLE_NS;
	char path[PATH_MAX];
	int r;

	do {
		r = mw_proc_cgroup("/proc", holder, path, sizeof(path));
		if (!r && !strcmp(path + 1, root))
			return 0;
	} while (!r && !past(deadline));
	return r ? r : -ETIMEDOUT;
}

static int make_scope(const char *mount, const char *root, struct mw_error *err)
{
	struct mw_scope scope = {MW_ROOT_SCOPE, MW_ROOT_SLICE, "memweir: guarded workers", 0};
	_cleanup_close_ int root_fd = -1;
	int r = start_holder(&scope.pid);

	if (r)
		return mw_fail(err, r, "no process to hold %s open can be started: %s", scope.name, strerror(-r));
	r = mw_systemd_start_scope(&scope, err);
	if (!r) {
		r = wait_moved(root, scope.pid);
		root_fd = r ? r : open_dir(mount, root);
		if (root_fd >= 0)
			r = fill_leaf(root_fd, 0);
		else
			r = root_fd;
		if (r)
			mw_fail(err, r, "systemd did not make %s at %s: %s", scope.name, root, strerror(-r));
	}
	if (r)
		kill(scope.pid, SIGKILL);
	return r;
}

/* Find or make. A scope whose last process has just ended is still there for a moment: wait for PID 1 to clear it. */
static int open_scope(const char *mount, const char *root, struct mw_error *err)
{
	__u64 deadline = mw_now_ns() + SETTLE_NS;
	int r;

	do {
		_cleanup_close_ int root_fd = open_dir(mount, root);

		if (root_fd >= 0 && mw_cgroup_populated(root_fd) == 1)
			return adopt(root, root_fd, err);
		r = root_fd >= 0 ? -EEXIST : make_scope(mount, root, err);
		if (r != -EEXIST)
			return r;
	} while (!past(deadline));
	return mw_fail(err, -ETIMEDOUT, "unit %s is there without a process and does not end", MW_ROOT_SCOPE);
}

int mw_root_find(const char *mount, const char *configured, char *ret_root, size_t size, struct mw_error *err)
{
	static const char init[] = "/init.scope";
	char above[PATH_MAX], root[PATH_MAX];
	size_t n;
	int r;

	if (*configured)
		return copy_configured(configured, ret_root, size, err);
	if (!mw_systemd_running())
		return copy_configured(MW_ROOT_PLAIN, ret_root, size, err);
	/* Where PID 1's tree begins: not at the root when it runs in a container. */
	r = mw_proc_cgroup("/proc", 1, above, sizeof(above));
	if (r)
		return mw_fail(err, r, "the cgroup of PID 1 cannot be read: %s", strerror(-r));
	n = strlen(above);
	if (n >= sizeof(init) - 1 && !strcmp(above + n - (sizeof(init) - 1), init))
		above[n - (sizeof(init) - 1)] = '\0';
	n = strspn(above, "/");
	r = snprintf(root, sizeof(root), "%s%s" MW_ROOT_SLICE "/" MW_ROOT_SCOPE, above + n, above[n] ? "/" : "");
	if (r >= (int)sizeof(root) || r >= (int)size)
		return mw_fail(err, -ENAMETOOLONG, "the path of %s is too long", MW_ROOT_SCOPE);
	r = open_scope(mount, root, err);
	if (!r)
		memcpy(ret_root, root, strlen(root) + 1);
	return r;
}

int mw_root_release(const char *mount, const char *root)
{
	_cleanup_close_ int root_fd = open_dir(mount, root), pidfd = -1;
	pid_t holder = root_fd < 0 ? 0 : find_holder(root_fd);

	if (root_fd < 0)
		return root_fd == -ENOENT ? 0 : root_fd;
	if (!holder)
		return 0;
	pidfd = (int)syscall(SYS_pidfd_open, holder, 0);
	if (pidfd < 0)
		return errno == ESRCH ? 0 : -errno;
	if (find_holder(root_fd) != holder) /* looked again: the descriptor is the holder's */
		return 0;
	return syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0) && errno != ESRCH ? -errno : 0;
}

int mw_root_existing(const char *mount, const char *configured, char *ret_root, size_t size)
{
	const char *candidates[] = {configured[0] ? configured : MW_ROOT_SLICE "/" MW_ROOT_SCOPE,
				    configured[0] ? NULL : MW_ROOT_PLAIN};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(candidates) && candidates[i]; i++) {
		snprintf(path, sizeof(path), "%s/%s", mount, candidates[i]);
		if (access(path, F_OK) == 0 && snprintf(ret_root, size, "%s", candidates[i]) < (int)size)
			return 0;
	}
	return -ENOENT;
}
