/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Innocent but hasty: bursts over memory.high that are given back at once.
 * burst KIND BASE_BYTES BURST_BYTES ROUNDS, KIND one of steps (64 pages at a time), read (one read() of the whole),
 * huge (transparent huge pages), threads (eight of them). Each round waits for a line on stdin and answers "ROUND
 * NANOSECONDS".
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define THREADS 8
#define PAGE	4096UL

static char *area;
static size_t burst;

static unsigned long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long long)t.tv_sec * 1000000000ULL + (unsigned long long)t.tv_nsec;
}

static void touch(char *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += PAGE)
		p[i] = 1;
}

static void *part(void *arg)
{
	size_t i = (size_t)arg;

	touch(area + i * (burst / THREADS), burst / THREADS);
	return NULL;
}

static void do_threads(void)
{
	pthread_t t[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, part, (void *)i);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

static void do_read(void)
{
	int fd = open("/dev/zero", O_RDONLY);

	if (read(fd, area, burst) != (ssize_t)burst)
		fprintf(stderr, "short read\n");
	close(fd);
}

static void do_steps(void)
{
	for (size_t at = 0; at < burst; at += 64 * PAGE)
		touch(area + at, burst - at < 64 * PAGE ? burst - at : 64 * PAGE);
}

static void *map(size_t bytes, int advice)
{
	char *p = mmap(NULL, bytes + (2 << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(9);
	p = (char *)(((size_t)p + (2 << 20) - 1) & ~((2UL << 20) - 1));
	madvise(p, bytes, advice);
	return p;
}

int main(int argc, char **argv)
{
	char line[64];

	if (argc != 5)
		return 2;
	burst = strtoul(argv[3], NULL, 10);
	touch(map(strtoul(argv[2], NULL, 10), MADV_NOHUGEPAGE), strtoul(argv[2], NULL, 10));
	area = map(burst, strcmp(argv[1], "huge") == 0 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	for (long round = 1; round <= strtol(argv[4], NULL, 10) && fgets(line, sizeof(line), stdin); round++) {
		unsigned long long t = now();

		if (strcmp(argv[1], "threads") == 0)
			do_threads();
		else if (strcmp(argv[1], "read") == 0)
			do_read();
		else if (strcmp(argv[1], "huge") == 0)
			touch(area, burst);
		else
			do_steps();
		t = now() - t;
		madvise(area, burst, MADV_DONTNEED);
		printf("%ld %llu\n", round, t);
	}
	return 0;
}
