/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leak/files.h"

static void kinds(void **state)
{
	(void)state;
	assert_int_equal(mw_file_kind_of("pipe:[123]"), MW_FILE_PIPE);
	assert_int_equal(mw_file_kind_of("socket:[123]"), MW_FILE_SOCKET);
	assert_int_equal(mw_file_kind_of("/memfd:grow (deleted)"), MW_FILE_MEMFD);
	assert_int_equal(mw_file_kind_of("anon_inode:[eventpoll]"), MW_FILE_ANON);
	assert_int_equal(mw_file_kind_of("anon_inode:bpf-map"), MW_FILE_ANON);
	assert_int_equal(mw_file_kind_of("/var/pipe:"), MW_FILE_OTHER);
	assert_int_equal(mw_file_kind_of(""), MW_FILE_OTHER);
}

/* This process, before and after it opens some; one that is gone holds none. */
static void of_processes(void **state)
{
	pid_t pids[] = {getpid(), 999999999};
	struct mw_files before = mw_files_count("/proc", pids, 2), after;
	int fds[2 * 3 + 2 + 1 + 1];

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pipe2(fds + 2 * (size_t)i, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds + 6), 0);
	fds[8] = memfd_create("files", MFD_CLOEXEC);
	fds[9] = epoll_create1(EPOLL_CLOEXEC);
	after = mw_files_count("/proc", pids, 2);
	assert_int_equal(after.n[MW_FILE_PIPE] - before.n[MW_FILE_PIPE], 6);
	assert_int_equal(after.n[MW_FILE_SOCKET] - before.n[MW_FILE_SOCKET], 2);
	assert_int_equal(after.n[MW_FILE_MEMFD] - before.n[MW_FILE_MEMFD], 1);
	assert_int_equal(after.n[MW_FILE_ANON] - before.n[MW_FILE_ANON], 1);
	assert_int_equal(after.n[MW_FILE_OTHER], before.n[MW_FILE_OTHER]);
	assert_false(after.more);
	for (size_t i = 0; i < 10; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(kinds), cmocka_unit_test(of_processes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
