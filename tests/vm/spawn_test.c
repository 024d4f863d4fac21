/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Starting a program inside its cgroup, in every cgroup it may meet. */
#include "cgroup_fixture.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int spawn_in(int fd, char *const *argv, pid_t *ret_pid)
{
	struct mw_spawn s = {.cgroup_fd = fd, .argv = argv, .envp = environ};
	_cleanup_close_ int pidfd = -1;

	return mw_spawn(&s, ret_pid, &pidfd);
}

static int status_of(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What the program takes is charged to its cgroup from the first page on, not to its starter's. */
static void charges_the_target(void **state)
{
	struct mw_error err = {""};
	int here = make_worker("starter", NULL), target = make_worker("target", NULL);
	__u64 before, after;
	pid_t pid;

	(void)state;
	ok(mw_setup_attach(mount, ROOT "/tool/starter", getpid(), &err));
	before = figure(here, "memory.current");
	pid = play(target, "touch", "33554432");
	wait_for(keyed(target, "memory.stat", "anon") >= 32 * MB);
	after = figure(here, "memory.current");
	assert_int_equal(mw_cgroup_has_pid(target, pid), 1);
	print_message("starter %llu -> %llu, target %llu bytes\n", before, after, figure(target, "memory.current"));
	assert_true(after < before + 2 * MB);
	end(pid);
	assert_int_equal(mw_cgroup_write(AT_FDCWD, "/sys/fs/cgroup/cgroup.procs", "0"), 0);
	close(here);
	close(target);
}

static void tells_why_exec_failed(void **state)
{
	char *missing[] = {(char *)"/no/such/program", NULL}, *unfound[] = {(char *)"no-such-program", NULL};
	char *data[] = {(char *)"/etc/passwd", NULL}, *directory[] = {(char *)"/etc", NULL}, *none[] = {NULL};
	int fd = make_worker("w1", NULL);
	pid_t pid = -1;

	(void)state;
	assert_int_equal(spawn_in(fd, missing, &pid), -ENOENT);
	assert_int_equal(spawn_in(fd, unfound, &pid), -ENOENT);
	assert_int_equal(spawn_in(fd, data, &pid), -EACCES);
	assert_int_equal(spawn_in(fd, directory, &pid), -EACCES);
	assert_int_equal(spawn_in(fd, none, &pid), -EINVAL);
	assert_int_equal(pid, -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* reaped */
	assert_int_equal(errno, ECHILD);
	wait_for(mw_cgroup_populated(fd) == 0);
	close(fd);
}

static void passes_the_exit_status(void **state)
{
	int fd = make_worker("w1", NULL);

	(void)state;
	assert_int_equal(status_of(play(fd, "exit", "42")), 42);
	close(fd);
}

static void refuses_an_inner_node(void **state)
{
	char *argv[] = {(char *)"true", NULL};
	int fd = make_worker("w1", NULL);
	pid_t pid = -1;

	(void)state;
	assert_int_equal(mkdirat(fd, "inner", 0755), 0);
	assert_int_equal(mw_cgroup_write(fd, "cgroup.subtree_control", "+memory"), 0);
	assert_int_equal(spawn_in(fd, argv, &pid), -EBUSY);
	assert_int_equal(pid, -1);
	close(fd);
}

static void tells_a_removed_cgroup(void **state)
{
	char *argv[] = {(char *)"true", NULL};
	struct mw_error err = {""};
	int fd = make_worker("w1", NULL);
	pid_t pid = -1;

	(void)state;
	ok(mw_setup_remove(mount, ROOT "/tool/w1", &err));
	assert_int_equal(spawn_in(fd, argv, &pid), -ENODEV);
	close(fd);
}

static void starts_frozen(void **state)
{
	char *missing[] = {(char *)"/no/such/program", NULL};
	int fd = make_worker("w1", NULL);
	pid_t good, bad;

	(void)state;
	assert_int_equal(mw_cgroup_freeze(fd, true), 0);
	good = play(fd, "exit", "7"); /* does not hang */
	assert_int_equal(spawn_in(fd, missing, &bad), 0); /* cannot be known yet */
	assert_int_equal(waitpid(good, NULL, WNOHANG), 0);
	assert_int_equal(mw_cgroup_has_pid(fd, good), 1);
	assert_int_equal(mw_cgroup_freeze(fd, false), 0);
	assert_int_equal(status_of(good), 7);
	assert_int_equal(status_of(bad), 127);
	close(fd);
}

static void ignore(int sig)
{
	(void)sig;
}

static void resets_signals(void **state)
{
	char expected[32];
	int fd = make_worker("w1", NULL);
	void (*before)(int) = signal(SIGUSR2, SIG_IGN);

	(void)state;
	snprintf(expected, sizeof(expected), "%llu", status_hex("SigIgn"));
	assert_true(strtoull(expected, NULL, 10) & 1ULL << (SIGUSR2 - 1));
	signal(SIGTERM, ignore);
	assert_int_equal(status_of(play(fd, "signals", expected)), 0);
	signal(SIGTERM, SIG_DFL);
	signal(SIGUSR2, before);
	close(fd);
}

static void switches_huge_pages_off(void **state)
{
	char *argv[] = {(char *)"/proc/self/exe", (char *)"thp", (char *)"", NULL};
	struct mw_spawn s = {.argv = argv, .envp = environ, .thp_off = true};
	_cleanup_close_ int fd = make_worker("w1", NULL), pidfd = -1;
	pid_t pid;

	(void)state;
	s.cgroup_fd = fd;
	assert_int_equal(mw_spawn(&s, &pid, &pidfd), 0);
	assert_int_equal(status_of(pid), 0);
}

/* Old container runtimes answer clone3 with ENOSYS. */
static void refuse_clone3(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {ARRAY_SIZE(code), code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Each step by a number of its own, since a child cannot use cmocka's assertions. */
static int without_clone3(int fd, int gone)
{
	char *argv[] = {(char *)"sleep", (char *)"1000", NULL}, *missing[] = {(char *)"/no/such/program", NULL};
	pid_t pid;

	refuse_clone3();
	if (spawn_in(fd, missing, &pid) != -ENOENT)
		return 1;
	if (spawn_in(gone, argv, &pid) != -ENODEV)
		return 2;
	if (spawn_in(fd, argv, &pid))
		return 3;
	return mw_cgroup_has_pid(fd, pid) == 1 ? 0 : 4;
}

static void works_without_clone3(void **state)
{
	struct mw_error err = {""};
	int fd = make_worker("w1", NULL), gone = make_worker("w2", NULL);
	pid_t pid;

	(void)state;
	ok(mw_setup_remove(mount, ROOT "/tool/w2", &err));
	pid = fork();
	if (!pid)
		_exit(without_clone3(fd, gone));
	assert_int_equal(status_of(pid), 0);
	close(fd);
	close(gone);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		vm_test(charges_the_target),	vm_test(tells_why_exec_failed),	  vm_test(passes_the_exit_status),
		vm_test(refuses_an_inner_node), vm_test(tells_a_removed_cgroup),  vm_test(starts_frozen),
		vm_test(resets_signals),	vm_test(switches_huge_pages_off), vm_test(works_without_clone3),
	};

	if (argc == 3)
		return role(argv[1], argv[2]);
	if (!can_run())
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
