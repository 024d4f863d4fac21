/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Commands started in turn, each timed from before fork to after wait.
 * spawn ROUNDS ::: CGROUP|- COMMAND... [::: CGROUP|- COMMAND...]...
 * Prints "INDEX WALL_NS CPU_NS STATUS"; every second round goes backwards, so
 * that what drifts falls on all alike. CPU is user + system as wait4 has it.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define MAX_COMMANDS 16

static void become(char **argv)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd;
	char path[PATH_MAX];

	dup2(null, 0);
	dup2(null, 1);
	if (strcmp(argv[0], "-") != 0) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", argv[0]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0", 1) != 1)
			_exit(125);
		close(fd);
	}
	execvp(argv[1], argv + 1);
	_exit(127);
}

static int once(int index, char **argv)
{
	__u64 began = mw_now_ns(), took, cpu;
	struct rusage used;
	int status;
	pid_t pid = fork();

	if (!pid)
		become(argv);
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
		return -1;
	took = mw_now_ns() - began;
	cpu = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * MW_NS_PER_S +
	      (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000ULL;
	printf("%d %llu %llu %d\n", index, took, cpu, status);
	fflush(stdout);
	return status;
}

int main(int argc, char **argv)
{
	char **commands[MAX_COMMANDS];
	int n = 0, rounds = argc > 1 ? atoi(argv[1]) : 0;

	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], ":::") != 0)
			continue;
		argv[i] = NULL;
		if (n == MAX_COMMANDS || i + 2 >= argc)
			return 2;
		commands[n++] = &argv[i + 1];
	}
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < n; i++) {
			int index = round % 2 ? n - 1 - i : i;

			if (once(index, commands[index]))
				return 1;
		}
	}
	return n && rounds ? 0 : 2;
}
