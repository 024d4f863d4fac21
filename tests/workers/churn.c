/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Works in small steps and times each: what a step takes over its usual is what memory cost it.
 * churn KIND ANON_BYTES STEP_BYTES SLEEP_US SECONDS [WORK_BYTES [FILE]]
 *   file   keeps ANON_BYTES in use and reads WORK_BYTES of FILE in a circle, a step at a time
 *   burst  grows by WORK_BYTES in steps, gives them back, rests as long as it took, again; before each it reads
 *          CACHED bytes of FILE, so that there is something to reclaim
 *   huge   the same in transparent huge pages
 *   leak   grows by a step at a time up to WORK_BYTES and keeps it all
 * SLEEP_US lie between two steps. "ready" once the anonymous part is there; begins with a line on stdin; every second
 * and at the end, when WORK_BYTES are given back, "STEPS BYTES NANOSECONDS MAX_US P99_US", then "end", and waits for
 * another line.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE	 4096UL
#define HUGE	 (2UL << 20)
#define HIST	 1024 /* 16 linear parts to each power of two of microseconds */
#define CACHED	 (8UL << 20)
#define HOT_STEP 16 /* pages of the kept part that each step uses */

typedef unsigned long long u64;

static char *kept, *work;
static size_t anon, step, work_bytes, at;
static u64 hist[HIST], steps, longest, bytes;

static u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000ULL + (u64)t.tv_nsec;
}

static void touch(char *p, size_t n)
{
	for (size_t i = 0; i < n; i += PAGE)
		p[i]++;
}

static char *map(size_t n, int advice)
{
	char *p = mmap(NULL, n + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(9);
	p += -(size_t)p & (HUGE - 1);
	madvise(p, n, advice);
	return p;
}

static unsigned slot_of(u64 us)
{
	unsigned bit = us < 16 ? 0 : 59U - (unsigned)__builtin_clzll(us);

	return bit * 16 + (unsigned)(us >> bit);
}

static void count(u64 ns)
{
	unsigned i = slot_of(ns / 1000);

	hist[i < HIST ? i : HIST - 1]++;
	longest = ns > longest ? ns : longest;
	steps++;
}

static u64 p99(void)
{
	u64 left = steps - steps / 100, i;

	for (i = 0; i < HIST - 1 && hist[i] < left; i++)
		left -= hist[i];
	return i < 32 ? i : (u64)(i % 16 + 16) << (i / 16 - 1);
}

static void use_kept(void)
{
	static size_t hot;

	for (int i = 0; anon && i < HOT_STEP; i++, hot = (hot + PAGE) % anon)
		kept[hot]++;
}

/* One step of reading; the buffer is part of what is kept. */
static void step_file(int fd)
{
	static char *buffer;

	if (!buffer)
		buffer = map(step, MADV_NOHUGEPAGE);
	if (pread(fd, buffer, step, (off_t)at) <= 0)
		exit(8);
	at = at + 2 * step > work_bytes ? 0 : at + step;
}

static void rest(u64 ns)
{
	struct timespec t = {(time_t)(ns / 1000000000ULL), (long)(ns % 1000000000ULL)};

	if (ns)
		nanosleep(&t, NULL);
}

static void read_some(int fd)
{
	static char buffer[64 * 1024];

	for (size_t done = 0; fd >= 0 && done < CACHED; done += sizeof(buffer))
		if (pread(fd, buffer, sizeof(buffer), (off_t)done) <= 0)
			exit(8);
}

/* One step of growing; a burst gives all back at its top. */
static void step_anon(int is_burst, int fd)
{
	static u64 began;

	if (!at) {
		began = now();
		read_some(fd);
	}
	if (at + step > work_bytes) {
		if (!is_burst)
			return;
		rest(now() - began);
		madvise(work, work_bytes, MADV_DONTNEED);
		at = 0;
		return;
	}
	touch(work + at, step);
	at += step;
}

static void report(u64 took_ns)
{
	printf("%llu %llu %llu %llu %llu\n", steps, bytes, took_ns, longest / 1000, p99());
}

static void run(char kind, int fd, u64 sleep_ns, u64 seconds)
{
	u64 began = now(), told = began, t = began;

	while (t - began < seconds * 1000000000ULL) {
		size_t before = at;

		use_kept();
		if (kind == 'f')
			step_file(fd);
		else
			step_anon(kind != 'l', fd);
		if (kind == 'f' || at > before) { /* not the rest at a burst's top */
			count(now() - t);
			bytes += step;
		}
		if (now() - told > 1000000000ULL) {
			told = now();
			report(told - began);
		}
		rest(sleep_ns);
		t = now();
	}
	madvise(work, work_bytes, MADV_DONTNEED);
	report(t - began);
}

int main(int argc, char **argv)
{
	char line[64];
	int fd = -1;

	if (argc < 7)
		return 2;
	anon = strtoul(argv[2], NULL, 10);
	step = strtoul(argv[3], NULL, 10);
	work_bytes = strtoul(argv[6], NULL, 10);
	if (argc > 7 && (fd = open(argv[7], O_RDONLY)) < 0)
		return 7;
	kept = map(anon, MADV_NOHUGEPAGE);
	work = map(work_bytes, argv[1][0] == 'h' ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	touch(kept, anon);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	if (!fgets(line, sizeof(line), stdin))
		return 0;
	run(argv[1][0], fd, strtoull(argv[4], NULL, 10) * 1000, strtoull(argv[5], NULL, 10));
	printf("end\n");
	(void)!fgets(line, sizeof(line), stdin);
	return 0;
}
