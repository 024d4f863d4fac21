/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Guilty: keeps a few small objects behind many of the same size that come and go.
 * objects [SIZE [KEPT [CHURNED [MS]]]]: in each round, MS apart, KEPT are kept and CHURNED are allocated and freed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void *kept;

__attribute__((noinline)) static void *make(size_t bytes)
{
	char *p = malloc(bytes);

	if (!p)
		_exit(9);
	memset(p, 0x5a, bytes);
	__asm__ volatile("" : : : "memory"); /* no tail call: each has a frame of its own */
	return p;
}

__attribute__((noinline)) static void forget_to_free(size_t bytes)
{
	void **p = malloc(bytes);

	if (!p)
		_exit(9);
	memset(p, 0x5a, bytes);
	*p = kept;
	kept = p;
}

/* A window of objects that come and go: an allocator hands their places to whoever comes next. */
__attribute__((noinline)) static void churn(size_t bytes, size_t n)
{
	static void *window[256];
	static size_t at;

	for (size_t i = 0; i < n; i++, at = (at + 1) % 256) {
		free(window[at]);
		window[at] = make(bytes);
	}
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 900;
	size_t leaked = argc > 2 ? strtoul(argv[2], NULL, 10) : 30;
	size_t churned = argc > 3 ? strtoul(argv[3], NULL, 10) : 10;
	long ms = argc > 4 ? strtol(argv[4], NULL, 10) : 20;
	struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	puts("ready");
	fflush(stdout);
	for (;;) {
		for (size_t i = 0; i < leaked; i++) {
			forget_to_free(size);
			churn(size, churned / (leaked ? leaked : 1));
		}
		churn(size, leaked ? churned % leaked : churned);
		if (ms)
			nanosleep(&pause, NULL);
	}
}
