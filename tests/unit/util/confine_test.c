/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What a confined process is left with, and what ends it. */
#include "unit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/confine.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1 /* calls are not filtered then */
#else
#define SANITIZED 0
#endif

static int passed[2] = {-1, -1};

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

/* With a socket: what asks for files by name hears of none, and what is passed in may be mapped and closed. */
static void do_fetch(void)
{
	char c = 'x', control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec io = {&c, 1};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	const char *text;
	int fd;

	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != ENOENT)
		_exit(1);
	if (sendmsg(passed[0], &(struct msghdr){.msg_iov = &io, .msg_iovlen = 1}, MSG_NOSIGNAL) != 1 ||
	    recvmsg(passed[0], &m, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&m))
		_exit(2);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	text = mmap(NULL, 2ULL * MW_CONFINE_MEMORY, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED || text[0] != 0x7f)
		_exit(3);
	close(fd);
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

static int confine(__u32 timeout_ms, bool fetches)
{
	return mw_confine(&(struct mw_confinement){.timeout_ms = timeout_ms,
						   .answer_bytes = 1U << 20,
						   .maps_bytes = fetches ? 4ULL * MW_CONFINE_MEMORY : 0,
						   .fetches = fetches},
			  NULL);
}

static bool fetching; /* what is confined now may talk over a socket */

static int confined(void (*fn)(void), __u32 timeout_ms)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		if (confine(timeout_ms, fetching))
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

static void what_fetching_adds(void **state)
{
	static void (*const fns[])(void) = {do_socket, do_fork, do_exec, do_kill, do_write_elsewhere, do_map_code};
	char control[CMSG_SPACE(sizeof(int))] = "", c = 'y';
	struct iovec io = {&c, 1};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	if (SANITIZED) {
		printf("skipped: sanitizers need system calls that are filtered else\n");
		skip();
	}
	fetching = true;
	for (size_t i = 0; i < ARRAY_SIZE(fns); i++) {
		int status = confined(fns[i], 10000);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("call %zu: status %#x", i, (unsigned int)status);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, passed), 0);
	assert_true(fd >= 0);
	CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(fd));
	assert_int_equal(sendmsg(passed[1], &m, 0), 1);
	assert_int_equal(confined(do_fetch, 10000), 0);
	assert_int_equal(confined(do_eat, 10000), 0);
	fetching = false;
	close(fd);
	close(passed[0]);
	close(passed[1]);
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

static void taken_first(void **state)
{
	char text[16] = "";
	pid_t pid = fork();
	int status, fd;

	(void)state;
	assert_true(pid >= 0);
	if (!pid) {
		mw_expendable();
		fd = open("/proc/self/oom_score_adj", O_RDONLY);
		_exit(read(fd, text, sizeof(text) - 1) > 0 && !strcmp(text, "1000\n") ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
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
		if (confine(20000, false) || write(STDOUT_FILENO, "x", 1) != 1)
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
		cmocka_unit_test(calls_that_end_it),  cmocka_unit_test(what_parsing_needs),
		cmocka_unit_test(what_fetching_adds), cmocka_unit_test(its_time_ends),
		cmocka_unit_test(rights_are_gone),    cmocka_unit_test(taken_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
