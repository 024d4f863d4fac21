// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * A tool runner: every tool gets a worker of its own with limits, and one that passes them ends alone.
 *
 *	tool_runner [-c CLASS] [-s KEY=VALUE,...] [-p MEMWEIR] COMMAND...
 *
 * Each COMMAND is one for sh -c; they run one after the other. -c: the tools' class (tool); -s: tighter limits, as
 * `memweir run --set`; -p: the memweir program. Before each start the runner asks whether it has memory itself, and
 *afterwards it says how the tool ended and what it cost the runner.
 */
#include <errno.h>
#include <memweir/guard.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct runner {
	struct memweir_guard *guard;
	const char *class_name, *settings, *memweir;
};

/* In the child. */
static void become(const struct runner *r, const char *command)
{
	const char *argv[12];
	int n = 0;

	/* A tool that runs unguarded is not what a runner of guarded tools is for. */
	argv[n++] = r->memweir;
	argv[n++] = "run";
	argv[n++] = "--require-guard";
	argv[n++] = "--class";
	argv[n++] = r->class_name;
	if (r->settings) {
		argv[n++] = "--set";
		argv[n++] = r->settings;
	}
	argv[n++] = "--";
	argv[n++] = "sh";
	argv[n++] = "-c";
	argv[n++] = command;
	argv[n] = NULL;
	execvp(argv[0], (char *const *)argv);
	fprintf(stderr, "tool_runner: %s: %s\n", argv[0], strerror(errno));
	_exit(125);
}

/* memweir run exits as the tool did, with 128 + n when signal n ended it, and with 125 when it could not guard it. */
static void say_end(const char *command, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

	if (code == 125)
		printf("not started: %s\n", command);
	else if (code == 128 + 9)
		printf("killed, as the kernel does at the limit (memweir report incidents says): %s\n", command);
	else if (code > 128)
		printf("signal %d: %s\n", code - 128, command);
	else
		printf("exit status %d: %s\n", code, command);
	fflush(stdout);
}

/* The tool's exit code; 125: not started. */
static int run_tool(const struct runner *r, const char *command)
{
	struct memweir_request_usage u = MEMWEIR_INIT(struct memweir_request_usage);
	uint64_t request;
	int status, begun;
	pid_t pid;

	if (memweir_guard_validate(r->guard, NULL) == MEMWEIR_LEVEL_ERROR) {
		printf("not started, the runner is out of memory itself: %s\n", command);
		return 125;
	}
	begun = memweir_guard_request_begin(r->guard, &request);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return 125;
	if (pid == 0)
		become(r, command);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	say_end(command, status);
	if (begun == 0 && memweir_guard_request_end(r->guard, request, &u) == 0)
		fprintf(stderr, "tool_runner: %.1f s, the runner grew by %lld bytes\n", (double)u.duration_ns / 1e9,
			(long long)u.growth_bytes);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct memweir_guard_options o = MEMWEIR_INIT(struct memweir_guard_options);
	struct runner r = {.class_name = "tool", .memweir = "memweir"};
	int c, worst = 0, rc;

	while ((c = getopt(argc, argv, "+c:s:p:")) != -1) {
		if (c == 'c')
			r.class_name = optarg;
		else if (c == 's')
			r.settings = optarg;
		else if (c == 'p')
			r.memweir = optarg;
		else
			return 2;
	}
	if (optind == argc) {
		fprintf(stderr, "usage: tool_runner [-c CLASS] [-s KEY=VALUE,...] [-p MEMWEIR] COMMAND...\n");
		return 2;
	}
	/* The runner stays where it is: its tools would else be children of a worker. */
	o.flags = MEMWEIR_GUARD_NO_MOVE;
	o.class_name = "generic";
	rc = memweir_guard_enrol(&o, &r.guard);
	if (rc < 0) {
		fprintf(stderr, "tool_runner: cannot enrol: %s\n", strerror(-rc));
		return 1;
	}
	for (int i = optind; i < argc; i++) {
		rc = run_tool(&r, argv[i]);
		worst = rc > worst ? rc : worst;
	}
	memweir_guard_free(r.guard);
	return worst;
}
