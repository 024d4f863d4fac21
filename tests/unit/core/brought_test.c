/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "fake_tree.h"

#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/brought.h"

static void process(const char *state, const char *uids)
{
	char text[512];

	tree_file("7/stat", "7 (x) S 1 1 1 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 4711 1000 2 3\n");
	snprintf(text, sizeof(text), "Name:\tUid:\\n\nState:\t%s\nTgid:\t7\nUid:\t%s\nGid:\t0\t0\t0\t0\n", state, uids);
	tree_file("7/status", text);
}

static void reads_whose_it_is(void **state)
{
	struct mw_brought b = {0};

	(void)state;
	assert_int_equal(mw_brought_read(tree, 7, &b), -ESRCH);
	process("S (sleeping)", "1000\t1001\t1002\t4294967294");
	assert_int_equal(mw_brought_read(tree, 7, &b), 0);
	assert_int_equal(b.start, 4711);
	assert_int_equal(b.status.uids[0], 1000);
	assert_int_equal(b.status.uids[1], 1001);
	assert_int_equal(b.status.uids[2], 1002);
	assert_int_equal(b.status.uids[3], 4294967294U);
	assert_int_equal(b.dir_uid, geteuid());
	assert_false(b.status.ended);
	process("Z (zombie)", "0\t0\t0\t0");
	assert_int_equal(mw_brought_read(tree, 7, &b), 0);
	assert_true(b.status.ended);
	process("S", "1000\t1001");
	assert_int_equal(mw_brought_read(tree, 7, &b), -EBADMSG);
	process("S", "1000\t1001\t5000000000\t1");
	assert_int_equal(mw_brought_read(tree, 7, &b), -EBADMSG);
	tree_file("7/status", "");
	assert_int_equal(mw_brought_read(tree, 7, &b), -EBADMSG);
}

static void judges(void **state)
{
	const struct mw_brought good = {.pid = 7, .status.uids = {1000, 1000, 1000, 1000}, .dir_uid = 1000};
	struct mw_brought b;
	struct mw_error err = {""};

	(void)state;
	assert_int_equal(mw_brought_judge(&good, 1000, &err), 0);
	assert_int_equal(mw_brought_judge(&good, 1001, &err), -EPERM);
	assert_int_equal(mw_brought_judge(&good, 0, &err), -EPERM);
	for (int i = 0; i < 4; i++) { /* any of the four is enough: real, effective, saved, file system */
		b = good;
		b.status.uids[i] = 0;
		assert_int_equal(mw_brought_judge(&b, 1000, &err), -EPERM);
		assert_non_null(strstr(err.text, "only one's own processes"));
	}
	b = good;
	b.dir_uid = 0;
	assert_int_equal(mw_brought_judge(&b, 1000, &err), -EPERM);
	assert_non_null(strstr(err.text, "set-user-ID"));
	b = good;
	b.status.ended = true;
	assert_int_equal(mw_brought_judge(&b, 1000, &err), -ESRCH);
}

static void knows_a_pidfd(void **state)
{
	pid_t child = fork(), pid = 0;
	int pidfd, other = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	if (!child) {
		pause();
		_exit(0);
	}
	pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	assert_true(pidfd >= 0);
	assert_int_equal(mw_pidfd_pid("/proc", pidfd, &pid), 0);
	assert_int_equal(pid, child);
	assert_true(mw_pidfd_lives(pidfd));
	assert_int_equal(mw_pidfd_pid("/proc", other, &pid), -EBADF);
	assert_int_equal(mw_pidfd_pid("/proc", 9999, &pid), -EBADF);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(mw_pidfd_pid("/proc", pidfd, &pid), -ESRCH);
	assert_false(mw_pidfd_lives(pidfd));
	close(pidfd);
	close(other);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		tree_test(reads_whose_it_is),
		cmocka_unit_test(judges),
		cmocka_unit_test(knows_a_pidfd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
