/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Guilty: keeps what it allocates, three functions down from main; one object in four comes from another place.
 * Compiled without frame pointers, as most programs of distributions are. callers [bytes an object] [ms between two]
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STAYS __asm__ volatile("" ::: "memory") /* so that no call is the function's last deed, and jumped to */

static void *kept;

__attribute__((noinline)) static void *keep(size_t bytes)
{
	char *p = malloc(bytes + sizeof(void *));

	if (!p)
		_exit(9);
	memset(p, 0x5a, bytes + sizeof(void *));
	*(void **)p = kept;
	kept = p;
	return p;
}

__attribute__((noinline)) static void remember_request(size_t bytes)
{
	keep(bytes);
	STAYS;
}

__attribute__((noinline)) static void handle_request(size_t bytes)
{
	char text[256];

	memset(text, (int)bytes, sizeof(text));
	__asm__ volatile("" ::"r"(text) : "memory");
	remember_request(bytes);
	STAYS;
}

__attribute__((noinline)) static void serve_client(size_t bytes)
{
	handle_request(bytes);
	STAYS;
}

__attribute__((noinline)) static void refresh_cache(size_t bytes)
{
	keep(bytes + 16); /* the same as another function it would be that one */
	STAYS;
}

int main(int argc, char **argv)
{
	size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 50000;
	long ms = argc > 2 ? strtol(argv[2], NULL, 10) : 40;
	struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	for (;;) {
		/* By chance: memory is charged by the 64 pages, and a steady turn would always meet the same one. */
		if (rand() % 4)
			serve_client(bytes);
		else
			refresh_cache(bytes);
		nanosleep(&pause, NULL);
	}
}
