/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * As many events as a worker can make: on a line of stdin, PROCESSES of them
 * fork children that end at once, for MS milliseconds; then it prints how many
 * there were. Two events each: fork and exit. storm PROCESSES MS
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"

static unsigned long fork_until(__u64 end)
{
	volatile unsigned long n = 0; /* vfork returns twice */

	while (mw_now_ns() < end) {
		pid_t pid = vfork();

		if (!pid)
			_exit(0);
		if (pid > 0)
			n = n + (waitpid(pid, NULL, 0) == pid);
	}
	return n;
}

int main(int argc, char **argv)
{
	int processes = argc > 1 ? atoi(argv[1]) : 1, ms = argc > 2 ? atoi(argv[2]) : 1000;
	unsigned long *made = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char line[64];

	if (processes > 256 || made == MAP_FAILED)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	while (fgets(line, sizeof(line), stdin)) {
		__u64 began = mw_now_ns(), sum = processes; /* the children that fork are events too */

		for (int i = 0; i < processes; i++) {
			if (fork() == 0) {
				made[i] = fork_until(began + ms * MW_NS_PER_MS);
				_exit(0);
			}
		}
		while (wait(NULL) > 0)
			;
		for (int i = 0; i < processes; i++)
			sum += made[i];
		printf("%llu %llu\n", sum, mw_now_ns() - began);
	}
	return 0;
}
