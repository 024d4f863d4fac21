/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What lending a buffer of 100 KiB and its return cost: nanoseconds a pair, the least of 15 rounds.
 * lib_pool HOW THREADS PAGES [HELD [PAIRS a thread and round]]
 * HOW: pool (shared by all threads), malloc, untrimmed (malloc that gives nothing back to the kernel), mmap. PAGES: of
 * the 25 that are written to before it goes back. HELD: so many are taken, and then given back, at a time. lib_pool
 * give-back: "FREE DONTNEED" KiB resident after each kind of advice on 100 buffers; "TOOK" nanoseconds of DONTNEED
 * each.
 */
#include <memweir/pool.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/clock.h"

#define BYTES  ((size_t)100 << 10)
#define PAGE   4096
#define ROUNDS 15
#define HELD   16

struct run {
	const char *how;
	int pages, held;
	long pairs;
	pthread_barrier_t *together;
	__u64 least_ns; /* of its rounds */
};

static struct memweir_pool *pool;

static void *take(char how)
{
	void *p;

	if (how == 'p')
		return memweir_pool_checkout(pool, -1, &p) ? NULL : p;
	return how == 'm' ? malloc(BYTES)
			  : mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void put(char how, void *p)
{
	if (how == 'p')
		memweir_pool_checkin(pool, p);
	else if (how == 'm')
		free(p);
	else
		munmap(p, BYTES);
}

static void pairs(const struct run *r, char how)
{
	void *volatile taken[HELD]; /* so that no compiler leaves a pair out */

	for (long done = 0; done < r->pairs; done += r->held) {
		for (int i = 0; i < r->held; i++) {
			taken[i] = take(how);
			for (int page = 0; page < r->pages; page++)
				((volatile char *)taken[i])[page * PAGE] = 1;
		}
		for (int i = 0; i < r->held; i++)
			put(how, taken[i]);
	}
}

static void *work(void *arg)
{
	struct run *r = arg;
	char how = strcmp(r->how, "pool") == 0 ? 'p' : strcmp(r->how, "mmap") == 0 ? 'a' : 'm';

	r->least_ns = ~0ULL;
	for (int n = 0; n < ROUNDS; n++) {
		__u64 took = 0;

		pthread_barrier_wait(r->together);
		took = mw_now_ns();
		pairs(r, how);
		pthread_barrier_wait(r->together);
		took = mw_now_ns() - took;
		r->least_ns = took < r->least_ns ? took : r->least_ns;
	}
	return NULL;
}

static size_t resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		exit(1);
	fclose(f);
	return pages * PAGE / 1024;
}

static int give_back(void)
{
	size_t bytes = 100 * BYTES, before = resident_kib(), left[2];
	const int advice[] = {MADV_FREE, MADV_DONTNEED};
	__u64 took = 0;

	for (int i = 0; i < 2; i++) {
		char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memset(p, 1, bytes);
		took = mw_now_ns();
		for (size_t at = 0; at < bytes; at += BYTES)
			madvise(p + at, BYTES, advice[i]);
		took = mw_now_ns() - took;
		left[i] = resident_kib() - before;
		munmap(p, bytes);
	}
	printf("%zu %zu %.0f\n", left[0], left[1], (double)took / 100);
	return 0;
}

int main(int argc, char **argv)
{
	int threads = argc > 3 ? atoi(argv[2]) : 0;
	struct run runs[64];
	pthread_t ids[64];
	pthread_barrier_t together;

	if (argc == 2 && strcmp(argv[1], "give-back") == 0)
		return give_back();
	if (threads < 1 || threads > 64 || memweir_pool_new(NULL, &pool) < 0)
		return 2;
	if (strcmp(argv[1], "untrimmed") == 0)
		mallopt(M_TRIM_THRESHOLD, 1 << 30);
	pthread_barrier_init(&together, NULL, (unsigned int)threads);
	for (int i = 0; i < threads; i++) {
		runs[i] = (struct run){.how = argv[1], .pages = atoi(argv[3]), .together = &together};
		runs[i].held = argc > 4 ? atoi(argv[4]) : 1;
		runs[i].pairs = argc > 5 ? atol(argv[5]) : runs[i].pages ? 20000 : 500000;
		pthread_create(&ids[i], NULL, work, &runs[i]);
	}
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	printf("%.1f\n", (double)runs[0].least_ns / (double)runs[0].pairs);
	memweir_pool_free(pool);
	return 0;
}
