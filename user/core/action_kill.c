/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Killing a whole cgroup: descriptors first, then the kill, then help with the memory, then wait until it is empty. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/action_do.h"
#include "core/cgroup.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/size.h"

#define MAX_REAPED 64 /* processes whose memory we help to free */
#define LOOK_MS	   10

/* Processes as descriptors, taken before the kill: their numbers may be someone else's right after it. */
struct victims {
	int fds[MAX_REAPED];
	size_t n;
	size_t found; /* may be more */
};

static void victims_close(struct victims *v)
{
	for (size_t i = 0; i < v->n; i++)
		close(v->fds[i]);
}

static int victims_open(int dir_fd, struct victims *ret)
{
	pid_t pids[MAX_REAPED];
	ssize_t n = mw_cgroup_pids(dir_fd, true, pids, MAX_REAPED);

	if (n < 0)
		return (int)n;
	ret->found = (size_t)n;
	for (ssize_t i = 0; i < n && i < MAX_REAPED; i++) {
		int fd = pidfd_open(pids[i], 0);

		if (fd >= 0)
			ret->fds[ret->n++] = fd;
	}
	return 0;
}

/* Free a dying process's memory from here, where it is itself stuck (5.15 and later). */
static void reap_memory(const struct victims *v)
{
	for (size_t i = 0; i < v->n; i++)
		syscall(SYS_process_mrelease, v->fds[i], 0);
}

/* Wait until nobody is left. 0, -ETIMEDOUT, -errno. */
static int wait_empty(int dir_fd, __u64 deadline_ns)
{
	_cleanup_close_ int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);

	for (;;) {
		struct pollfd events = {fd, POLLPRI, 0};
		int r = mw_cgroup_populated(dir_fd);

		if (r <= 0)
			return r == -ENOENT || r == -ENODEV ? 0 : r;
		if (mw_now_ns() >= deadline_ns)
			return -ETIMEDOUT;
		poll(&events, 1, LOOK_MS);
	}
}

int mw_action_kill(const struct mw_action *a, struct mw_action_result *res)
{
	_cleanup_(victims_close) struct victims v = {0};
	__u64 begun = mw_now_ns();
	char took[24], freed[24];
	int r = victims_open(a->dir_fd, &v);

	if (r)
		return mw_action_failed(res, r, "cgroup.procs");
	if (a->dry_run) {
		mw_action_say(res, "would kill %zu process%s", v.found, v.found == 1 ? "" : "es");
		return 0;
	}
	r = mw_cgroup_kill(a->dir_fd);
	if (r)
		return mw_action_failed(res, r, "cgroup.kill");
	reap_memory(&v);
	r = wait_empty(a->dir_fd, a->deadline_ns);
	if (r == -ETIMEDOUT)
		mw_action_say(res, "killed %zu process%s, not all are gone at the deadline (hung in the kernel?)",
			      v.found, v.found == 1 ? "" : "es");
	else if (r)
		return mw_action_failed(res, r, "cgroup.events");
	if (r)
		return r;
	res->after_bytes = mw_action_current(a->dir_fd);
	mw_action_say(res, "killed %zu process%s, %s freed, empty after %s", v.found, v.found == 1 ? "" : "es",
		      mw_size_format(res->before_bytes > res->after_bytes ? res->before_bytes - res->after_bytes : 0,
				     freed, sizeof(freed)),
		      mw_duration_format(mw_now_ns() - begun, took, sizeof(took)));
	return 0;
}
