/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What needs no cgroup of one's own; tests/vm/spawn_test.c has the rest. */
#include "fake_tree.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/spawn.h"

/* valgrind 3.19 knows neither clone3 nor pidfd_open. */
static bool have_pidfd(void)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (fd < 0)
		print_message("skipped: no pidfd_open here\n");
	return fd >= 0;
}

#define needs_pidfd()                                                                                                  \
	do {                                                                                                           \
		if (!have_pidfd())                                                                                     \
			skip();                                                                                        \
	} while (0)

static int run(char *const *argv, char *const *envp, int *ret_status)
{
	struct mw_spawn s = {.cgroup_fd = -1, .argv = argv, .envp = envp};
	_cleanup_close_ int pidfd = -1;
	struct pollfd fd;
	pid_t pid;
	int r = mw_spawn(&s, &pid, &pidfd);

	if (r)
		return r;
	fd = (struct pollfd){pidfd, POLLIN, 0};
	assert_int_equal(poll(&fd, 1, 30000), 1);
	assert_int_equal(waitpid(pid, ret_status, 0), pid);
	return 0;
}

static int shell(const char *script)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
	int status = -1;

	assert_int_equal(run(argv, environ, &status), 0);
	return status;
}

static void passes_status_and_environment(void **state)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)"exit $ANSWER", NULL};
	char *envp[] = {(char *)"ANSWER=42", NULL};
	int status = -1;

	(void)state;
	needs_pidfd();
	assert_int_equal(run(argv, envp, &status), 0);
	assert_int_equal(WEXITSTATUS(status), 42);
	assert_int_equal(WTERMSIG(shell("kill -TERM $$")), SIGTERM);
}

static void tells_why_exec_failed(void **state)
{
	char *missing[] = {(char *)"/no/such/program", NULL}, *data[] = {NULL, NULL};
	int status = -1;

	(void)state;
	needs_pidfd();
	tree_file("data", "no program");
	data[0] = (char *)tree_path("data");
	assert_int_equal(run(missing, environ, &status), -ENOENT);
	assert_int_equal(run(data, environ, &status), -EACCES);
	assert_int_equal(run((char *[]){NULL}, environ, &status), -EINVAL);
	assert_int_equal(status, -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void nobody(int sig)
{
	(void)sig;
}

static void resets_handlers_and_keeps_ignored(void **state)
{
	(void)state;
	needs_pidfd();
	signal(SIGTERM, nobody);
	signal(SIGUSR1, SIG_IGN);
	assert_int_equal(WTERMSIG(shell("kill -TERM $$; exit 0")), SIGTERM);
	assert_int_equal(WEXITSTATUS(shell("kill -USR1 $$; exit 3")), 3);
	signal(SIGTERM, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
}

static void gives_the_mask_asked_for(void **state)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)"kill -TERM $$; exit 5", NULL};
	sigset_t term, before, now;
	struct mw_spawn s = {.cgroup_fd = -1, .argv = argv, .envp = environ, .sigmask = &term};
	_cleanup_close_ int pidfd = -1;
	int status;
	pid_t pid;

	(void)state;
	needs_pidfd();
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(mw_spawn(&s, &pid, &pidfd), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 5); /* blocked there */
	sigprocmask(SIG_SETMASK, NULL, &now);
	assert_int_equal(sigismember(&now, SIGTERM), sigismember(&before, SIGTERM)); /* not here */
}

static void leaks_no_descriptors(void **state)
{
	char *missing[] = {(char *)"/no/such/program", NULL};
	int first = dup(0), last, status;

	(void)state;
	needs_pidfd();
	close(first);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(run(missing, environ, &status), -ENOENT);
		assert_int_equal(shell("exit 0"), 0);
	}
	last = dup(0);
	close(last);
	assert_int_equal(first, last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_status_and_environment),
		tree_test(tells_why_exec_failed),
		cmocka_unit_test(resets_handlers_and_keeps_ignored),
		cmocka_unit_test(gives_the_mask_asked_for),
		cmocka_unit_test(leaks_no_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
