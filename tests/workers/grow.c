/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Grows by STEP_BYTES every MS milliseconds, up to STOP_BYTES (0: for ever), in one kind of memory:
 *   cold   keeps it and never looks at it again
 *   walk   keeps it and walks through all of it at each step, as who searches a cache does
 *   memfd  in a file without a name
 *   pipe   in pipes that nobody reads
 * grow KIND STEP_BYTES MS [STOP_BYTES]
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

static char *kept;

static void touch_all(void)
{
	for (char *p = kept; p; p = *(char **)p)
		for (size_t i = 0, n = ((size_t *)p)[1]; i < n; i += PAGE)
			p[i + sizeof(char *) + sizeof(size_t)]++;
}

static void keep(size_t bytes)
{
	char *p = malloc(bytes + PAGE);

	if (!p)
		_exit(9);
	memset(p, 0x5a, bytes + PAGE);
	*(char **)p = kept;
	((size_t *)p)[1] = bytes;
	kept = p;
}

/* Into fd, or into another one that make gives when it takes no more. */
static void fill(size_t bytes, int (*make)(void))
{
	static char page[PAGE];
	static int fd = -1;

	while (bytes >= PAGE) {
		ssize_t n = fd < 0 ? -1 : write(fd, page, sizeof(page));

		if (n > 0)
			bytes -= (size_t)n;
		else if ((fd = make()) < 0)
			_exit(9);
	}
}

static int make_pipe(void)
{
	int ends[2];

	return pipe2(ends, O_NONBLOCK) < 0 ? -1 : ends[1];
}

static int make_memfd(void)
{
	return memfd_create("grow", 0);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "cold";
	size_t step = argc > 2 ? strtoul(argv[2], NULL, 10) : 65536, stop = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
	long ms = argc > 3 ? strtol(argv[3], NULL, 10) : 50;
	struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
	struct rlimit files = {65536, 65536};

	setrlimit(RLIMIT_NOFILE, &files);
	for (size_t sum = 0;; nanosleep(&pause, NULL)) {
		if (!stop || sum < stop) {
			if (strcmp(kind, "memfd") == 0)
				fill(step, make_memfd);
			else if (strcmp(kind, "pipe") == 0)
				fill(step, make_pipe);
			else
				keep(step);
			sum += step;
		}
		if (strcmp(kind, "walk") == 0)
			touch_all();
	}
}
