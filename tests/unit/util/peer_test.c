/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/peer.h"

static char path[64];
static int listen_fd;

static int set_up(void **state)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	(void)state;
	snprintf(path, sizeof(path), "/tmp/mw-peer-%d", getpid());
	strcpy(to.sun_path, path);
	unlink(path);
	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listen_fd, (struct sockaddr *)&to, sizeof(to)) || listen(listen_fd, 8))
		return -1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(listen_fd);
	return unlink(path);
}

/* A child that becomes uid with n groups from 5000 on, connects and waits to be let go. */
static pid_t connects(uid_t uid, size_t n, int *ret_fd)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	gid_t groups[300];
	pid_t pid = fork();

	if (pid) {
		*ret_fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
		return pid;
	}
	strcpy(to.sun_path, path);
	for (size_t i = 0; i < n; i++)
		groups[i] = (gid_t)(5000 + i);
	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (uid && (chmod(path, 0666) || setgroups(n, groups) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)))
		_exit(1);
	if (connect(listen_fd, (struct sockaddr *)&to, sizeof(to)))
		_exit(2);
	pause();
	_exit(0);
}

static void knows_who_connects(void **state)
{
	_cleanup_close_ int fd = -1, pidfd = -1;
	struct mw_peer p;
	struct pollfd ended;
	pid_t pid;

	(void)state;
	pid = connects(0, 0, &fd);
	p = mw_peer_of(fd);
	assert_int_equal(p.uid, geteuid());
	assert_int_equal(p.gid, getegid());
	assert_int_equal(p.pid, pid);
	assert_true(mw_peer_in_group(fd, &p, getegid()));
	assert_false(mw_peer_in_group(fd, &p, 4711));
	assert_false(mw_peer_in_group(fd, &p, (gid_t)-1));
	pidfd = mw_peer_pidfd(fd, &p);
	assert_true(pidfd >= 0);
	ended = (struct pollfd){pidfd, POLLIN, 0};
	assert_int_equal(poll(&ended, 1, 0), 0);
	kill(pid, SIGKILL);
	assert_int_equal(poll(&ended, 1, 30000), 1);
	waitpid(pid, NULL, 0);
	mw_close(&pidfd);
	pidfd = mw_peer_pidfd(fd, &p); /* reaped: nobody's pid is taken for it */
	ended.fd = pidfd;
	assert_true(pidfd == -ESRCH || poll(&ended, 1, 0) == 1);
}

static void knows_its_groups(void **state)
{
	static const size_t many[] = {0, 1, 64, 65, 300};

	(void)state;
	if (geteuid()) {
		print_message("skipped: only root can become somebody else\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		_cleanup_close_ int fd = -1;
		pid_t pid = connects(64101, many[i], &fd);
		struct mw_peer p = mw_peer_of(fd);

		assert_int_equal(p.uid, 64101);
		assert_true(mw_peer_in_group(fd, &p, 64101)); /* its own */
		assert_int_equal(mw_peer_in_group(fd, &p, 5000), many[i] > 0);
		if (many[i])
			assert_true(mw_peer_in_group(fd, &p, (gid_t)(5000 + many[i] - 1)));
		assert_false(mw_peer_in_group(fd, &p, (gid_t)(5000 + many[i])));
		assert_false(mw_peer_in_group(fd, &p, 0));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

/* A socket without a peer, or none at all, is nobody's. */
static void nobody(void **state)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct mw_peer p = mw_peer_of(-1);

	(void)state;
	assert_int_equal(p.uid, (uid_t)-1);
	assert_int_equal(p.pid, 0);
	assert_false(mw_peer_in_group(-1, &p, 0));
	p = mw_peer_of(fd);
	assert_int_equal(p.uid, (uid_t)-1);
	assert_false(mw_peer_in_group(fd, &p, 0));
	assert_true(mw_peer_pidfd(fd, &p) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_who_connects),
		cmocka_unit_test(knows_its_groups),
		cmocka_unit_test(nobody),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
