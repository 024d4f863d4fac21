/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What an allocation and its freeing cost: nanoseconds a pair, the least of 15 rounds. pairs HOW SIZE [PAIRS a round]
 * once: each is freed at once; ring: the oldest of 4,096 is; deep: once, sixteen calls down, for stacks that are worth
 * walking.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"

#define RING 4096

static void *ring[RING];

static void once(size_t size, long pairs)
{
	for (long i = 0; i < pairs; i++) {
		void *volatile p = malloc(size); /* so that no compiler leaves the pair out */

		free(p);
	}
}

static void in_ring(size_t size, long pairs)
{
	for (long i = 0; i < pairs; i++) {
		free(ring[i % RING]);
		ring[i % RING] = malloc(size);
	}
}

static __attribute__((noinline)) void deep(size_t size, long pairs, int down)
{
	if (down)
		deep(size, pairs, down - 1);
	else
		once(size, pairs);
	__asm__ volatile("" ::: "memory"); /* no tail call: the frame stays */
}

int main(int argc, char **argv)
{
	size_t size = argc > 2 ? strtoul(argv[2], NULL, 10) : 64;
	long pairs = argc > 3 ? strtol(argv[3], NULL, 10) : 500000;
	__u64 least = ~0ULL;

	for (int n = 0; argc > 1 && n < 15; n++) {
		__u64 began = mw_now_ns(), took;

		if (strcmp(argv[1], "ring") == 0)
			in_ring(size, pairs);
		else if (strcmp(argv[1], "deep") == 0)
			deep(size, pairs, 16);
		else
			once(size, pairs);
		took = mw_now_ns() - began;
		least = took < least ? took : least;
	}
	printf("%.3f\n", (double)least / (double)pairs);
	return 0;
}
