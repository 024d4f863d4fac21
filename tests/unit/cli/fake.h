/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A daemon that answers from a table and writes down what it was asked, and the real memweir binary run against it. */
#ifndef MW_TESTS_CLI_FAKE_H
#define MW_TESTS_CLI_FAKE_H

#include "../unit.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAKE_DEADLINE_MS 20000 /* of anything a test waits for; valgrind is slow */

enum fake_how {
	FAKE_JSON, /* a proper answer */
	FAKE_GARBAGE, /* not HTTP */
	FAKE_CUT, /* half of the body, then closed */
	FAKE_CLOSE, /* nothing, closed */
	FAKE_HANG, /* nothing, open */
	FAKE_SSE, /* body as it is, as an event stream, then closed */
};

struct fake_reply {
	const char *method, *path; /* path as it came, with its query; NULL ends a table */
	unsigned status;
	const char *body;
	enum fake_how how;
};

struct fake {
	char dir[64], socket[96], log[96];
	pid_t pid;
};

static inline const struct fake_reply *fake_find(const struct fake_reply *table, const char *request)
{
	for (; table->path; table++) {
		size_t m = strlen(table->method), p = strlen(table->path);

		if (strncmp(request, table->method, m) == 0 && strncmp(request + m + 1, table->path, p) == 0 &&
		    request[m + 1 + p] == ' ')
			return table;
	}
	return NULL;
}

/* A whole request: head, and as much body as Content-Length says. */
static inline void fake_read(int fd, char *buf, size_t size, const char **ret_body)
{
	size_t at = 0;
	ssize_t n;

	*ret_body = "";
	while (at + 1 < size && (n = read(fd, buf + at, size - at - 1)) > 0) {
		const char *end, *length;

		at += (size_t)n;
		buf[at] = '\0';
		end = strstr(buf, "\r\n\r\n");
		length = strcasestr(buf, "content-length:");
		if (!end)
			continue;
		*ret_body = end + 4;
		if (!length || length > end || strlen(*ret_body) >= strtoul(length + 15, NULL, 10))
			return;
	}
}

static inline void fake_answer(int fd, const struct fake_reply *r)
{
	const char *body = r ? r->body : "{\"error\":\"no such path in the fake\"}";
	enum fake_how how = r ? r->how : FAKE_JSON;

	if (how == FAKE_HANG)
		poll(NULL, 0, 2 * FAKE_DEADLINE_MS);
	if (how == FAKE_GARBAGE)
		dprintf(fd, "\x16\x03\x01 this is no HTTP\r\n\r\n");
	if (how == FAKE_SSE)
		dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n%s", body);
	if (how != FAKE_JSON && how != FAKE_CUT)
		return;
	dprintf(fd,
		"HTTP/1.1 %u Whatever\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: "
		"close\r\n\r\n",
		r ? r->status : 404, strlen(body));
	dprintf(fd, "%.*s", (int)(how == FAKE_CUT ? strlen(body) / 2 : strlen(body)), body);
}

static inline void fake_one(int fd, int log, const struct fake_reply *table)
{
	char request[65536] = "";
	const char *body;

	fake_read(fd, request, sizeof(request), &body);
	dprintf(log, "%.*s %s\n", (int)strcspn(request, "\r\n"), request, body);
	fake_answer(fd, fake_find(table, request));
	close(fd);
}

static inline void fake_dir(struct fake *f)
{
	*f = (struct fake){.pid = -1};
	strcpy(f->dir, "/tmp/mwcli-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_return_code(chmod(f->dir, 0755), errno);
	snprintf(f->socket, sizeof(f->socket), "%s/s", f->dir);
	snprintf(f->log, sizeof(f->log), "%s/log", f->dir);
}

static inline void fake_start(struct fake *f, const struct fake_reply *table)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listen_fd, log, fd;

	fake_dir(f);
	strcpy(address.sun_path, f->socket);
	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_return_code(bind(listen_fd, (struct sockaddr *)&address, sizeof(address)), errno);
	assert_return_code(listen(listen_fd, 128), errno);
	assert_return_code(chmod(f->socket, 0666), errno);
	log = open(f->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	f->pid = fork();
	if (f->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		while ((fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
			fake_one(fd, log, table);
		_exit(0);
	}
	close(listen_fd);
	close(log);
}

static inline void fake_stop(struct fake *f)
{
	if (f->pid > 0) {
		kill(f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	}
	unlink(f->socket);
	unlink(f->log);
	rmdir(f->dir);
}

static inline void file_read(const char *path, char *buf, size_t size)
{
	FILE *in = fopen(path, "re");

	buf[in ? fread(buf, 1, size - 1, in) : 0] = '\0';
	if (in)
		fclose(in);
}

/* What the daemon was asked for: "METHOD PATH HTTP/1.1 BODY" lines; waits until text is among them. */
static inline bool fake_was_asked(const struct fake *f, const char *text)
{
	static char log[262144];

	for (int i = 0; i < FAKE_DEADLINE_MS / 20; i++) {
		file_read(f->log, log, sizeof(log));
		if (strstr(log, text))
			return true;
		poll(NULL, 0, 20);
	}
	print_message("asked was:\n%s", log);
	return false;
}

/* The binary under test: $MEMWEIR_BIN, or memweir in the build tree this test stands in. */
static inline const char *memweir_path(void)
{
	static char path[PATH_MAX];
	const char *from_env = getenv("MEMWEIR_BIN");
	ssize_t n;

	if (from_env)
		return from_env;
	n = readlink("/proc/self/exe", path, sizeof(path) - 32);
	assert_true(n > 0);
	path[n] = '\0';
	for (int i = 0; i < 4; i++)
		*strrchr(path, '/') = '\0';
	return strcat(path, "/memweir");
}

struct result {
	int status; /* exit code, or 1000 + signal */
	char out[131072], err[16384];
};

static uid_t memweir_uid; /* who runs it; 0: we */

static inline void memweir_become(void)
{
	if (memweir_uid && (setgroups(0, NULL) || setresgid(memweir_uid, memweir_uid, memweir_uid) ||
			    setresuid(memweir_uid, memweir_uid, memweir_uid)))
		_exit(98);
}

/* exec memweir with words of argv, NULL-ended; streams to files in dir, in_fd as standard input. The pid. */
static inline pid_t memweir_start(const struct fake *f, int in_fd, const char *const *words)
{
	const char *argv[64] = {memweir_path()};
	char path[128];
	pid_t pid;

	for (size_t i = 0; words[i]; i++)
		argv[i + 1] = words[i];
	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("MEMWEIR_SOCKET", f->socket, 1);
	if (in_fd >= 0)
		dup2(in_fd, 0);
	for (int fd = 1; fd <= 2; fd++) {
		snprintf(path, sizeof(path), "%s/%d", f->dir, fd);
		dup2(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), fd);
	}
	memweir_become();
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* becoming somebody else takes it back */
	execv(argv[0], (char *const *)argv);
	_exit(99);
}

static inline void memweir_end(const struct fake *f, pid_t pid, struct result *ret)
{
	char path[128];
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
	snprintf(path, sizeof(path), "%s/1", f->dir);
	file_read(path, ret->out, sizeof(ret->out));
	unlink(path);
	snprintf(path, sizeof(path), "%s/2", f->dir);
	file_read(path, ret->err, sizeof(ret->err));
	unlink(path);
}

static struct result last; /* of the last memweir() */

/* Run it to its end. */
static inline int memweir_words(const struct fake *f, const char *const *words)
{
	memweir_end(f, memweir_start(f, -1, words), &last);
	return last.status;
}
#define memweir(f, ...) memweir_words(f, (const char *const[]){__VA_ARGS__, NULL})

#define assert_out(text)                                                                                               \
	do {                                                                                                           \
		if (!strstr(last.out, text))                                                                           \
			fail_msg("\"%s\" is not in standard output:\n%s", text, last.out);                             \
	} while (0)
#define assert_err(text)                                                                                               \
	do {                                                                                                           \
		if (!strstr(last.err, text))                                                                           \
			fail_msg("\"%s\" is not in standard error:\n%s", text, last.err);                              \
	} while (0)

#endif
