/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Guilty: keeps everything it allocates. leak [bytes a step] [ms between steps] [stop after bytes, then idle] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void *kept;

__attribute__((noinline)) static void remember_forever(size_t bytes)
{
	char *p = malloc(bytes + sizeof(void *));

	if (!p)
		_exit(9);
	memset(p, 0x5a, bytes + sizeof(void *));
	*(void **)p = kept;
	kept = p;
}

int main(int argc, char **argv)
{
	size_t step = argc > 1 ? strtoul(argv[1], NULL, 10) : 65536;
	long ms = argc > 2 ? strtol(argv[2], NULL, 10) : 50;
	size_t stop = argc > 3 ? strtoul(argv[3], NULL, 10) : 0, sum = 0;
	struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (;;) {
		if (stop && sum >= stop) {
			printf("holding %zu\n", sum);
			for (;;)
				sleep(3600);
		}
		remember_forever(step);
		sum += step;
		if (ms)
			nanosleep(&pause, NULL);
	}
}
