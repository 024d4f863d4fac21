/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What a confined process is left with, and what ends it. */
#include "host.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "containers/confine.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1 /* calls are not filtered then */
#else
#define SANITIZED 0
#endif

static void do_open(void)
{
	(void)!open("/etc/passwd", O_RDONLY);
}

static void do_socket(void)
{
	(void)!socket(AF_INET, SOCK_STREAM, 0);
}

static void do_fork(void)
{
	(void)!fork();
}

static void do_exec(void)
{
	execl("/bin/true", "true", NULL);
}

static void do_kill(void)
{
	(void)!kill(getppid(), 0);
}

static void do_write_elsewhere(void)
{
	(void)!write(STDERR_FILENO, "x", 1);
}

static void do_map_code(void)
{
	(void)!mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void do_close(void)
{
	close(0);
}

static void do_nothing(void)
{
}

static void do_parse(void)
{
	char *text = malloc(3U << 20), *more;

	if (!text)
		_exit(1);
	memset(text, 1, 3U << 20);
	more = realloc(text, 30U << 20);
	free(more ? more : text);
}

static void do_spin(void)
{
	for (volatile int i = 0;; i++)
		;
}

static void do_eat(void)
{
	if (malloc(MW_CONFINE_MEMORY))
		_exit(1);
}

static int confined(void (*fn)(void), __u32 timeout_ms)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		if (mw_confine(timeout_ms, NULL))
			_exit(90);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void calls_that_end_it(void **state)
{
	static void (*const fns[])(void) = {do_open,  do_socket,	  do_fork,    do_exec, do_kill,
					    do_close, do_write_elsewhere, do_map_code};

	(void)state;
	if (SANITIZED) {
		printf("skipped: sanitizers need system calls that are filtered else\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(fns); i++) {
		int status = confined(fns[i], 10000);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("call %zu: status %#x", i, (unsigned int)status);
	}
	assert_int_equal(confined(do_eat, 10000), 0);
}

static void what_parsing_needs(void **state)
{
	(void)state;
	assert_int_equal(confined(do_nothing, 10000), 0);
	assert_int_equal(confined(do_parse, 10000), 0);
}

static void its_time_ends(void **state)
{
	int status = confined(do_spin, 100);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGALRM);
}

/* The line of a status file that begins so. */
static void assert_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	if (!at || (at != text && at[-1] != '\n'))
		fail_msg("no \"%s\" in %s", line, text);
}

static void rights_are_gone(void **state)
{
	char path[64], text[8192];
	int up[2], down[2];
	ssize_t n;
	pid_t pid;
	FILE *f;

	(void)state;
	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(up[1], STDOUT_FILENO);
		if (mw_confine(20000, NULL) || write(STDOUT_FILENO, "x", 1) != 1)
			_exit(1);
		(void)!read(down[0], text, 1);
		_exit(0);
	}
	close(up[1]);
	assert_int_equal(read(up[0], text, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	n = (ssize_t)fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	assert_true(n > 0);
	text[n] = '\0';
	assert_int_equal(write(down[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(up[0]);
	close(down[0]);
	close(down[1]);
	assert_line(text, "NoNewPrivs:\t1\n");
	assert_line(text, "CapEff:\t0000000000000000\n");
	if (!SANITIZED)
		assert_line(text, "Seccomp:\t2\n");
	if (geteuid())
		return;
	assert_line(text, "Uid:\t65534\t65534\t65534\t65534\n");
	assert_line(text, "Gid:\t65534\t65534\t65534\t65534\n");
	assert_line(text, "Groups:\t \n");
	assert_line(text, "CapInh:\t0000000000000000\n");
	assert_line(text, "CapPrm:\t0000000000000000\n");
	assert_line(text, "CapAmb:\t0000000000000000\n");
	assert_line(text, "CapBnd:\t0000000000000000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_that_end_it),
		cmocka_unit_test(what_parsing_needs),
		cmocka_unit_test(its_time_ends),
		cmocka_unit_test(rights_are_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
