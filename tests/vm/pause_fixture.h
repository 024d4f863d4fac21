/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* For the tests of pauses: a guarded cgroup, children that have to wait for memory in it, and the ledger of them. */
#ifndef MW_TESTS_VM_PAUSE_FIXTURE_H
#define MW_TESTS_VM_PAUSE_FIXTURE_H

#include "kernel_fixture.h"

#include <sched.h>

#define PAGE	 4096ULL
#define CAP(cap) (1ULL << MW_CAP_##cap)

struct guarded {
	struct mw_kernel *k;
	const char *dir;
	struct mw_pause_stat p[MW_PAUSE_MAX]; /* as last read */
};

/* Every one of these capabilities (CAP()), or the test is skipped. */
static inline struct mw_kernel *open_kernel_with(__u64 caps)
{
	struct mw_kernel *k = open_kernel("", 8, 0);

	for (int cap = 0; cap < MW_CAP_MAX; cap++) {
		if (caps & 1ULL << cap)
			need_cap(k, cap);
	}
	return k;
}

/* A cgroup of this name under guard, with a hard limit; 0: none. */
static inline struct guarded open_guarded(const char *name, __u64 max_bytes, __u64 caps)
{
	struct guarded g = {.k = open_kernel_with(caps)};

	need(!max_bytes || world.memory, "no memory controller on cgroup v2 here");
	g.dir = make_cgroup(name);
	if (max_bytes)
		put(g.dir, "memory.max", "%llu", max_bytes);
	guard(g.k, g.dir, 0, 0, 0);
	return g;
}

static inline void close_guarded(const struct guarded *g)
{
	close_kernel();
	drop_cgroup(g->dir);
}

static inline __u64 psi_some_ns(const char *dir)
{
	char path[PATH_MAX], line[256];
	_cleanup_fclose_ FILE *f = NULL;
	const char *total = NULL;

	snprintf(path, sizeof(path), "%s/memory.pressure", dir);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f) || !(total = strstr(line, "total=")))
		return 0;
	return strtoull(total + 6, NULL, 10) * 1000;
}

static inline bool read_pauses(struct guarded *g)
{
	return mw_kernel_pauses_read(g->k, id_of(g->dir), g->p) == 0;
}

/* What was counted so far, also for the reader of the test's log. */
static inline void say_pauses(struct guarded *g)
{
	static const char *const names[] = {"memstall", "high-throttle", "high-reclaim", "max-reclaim",
					    "global",	"node",		 "throttled",	 "compaction",
					    "thrash",	"swap-in",	 "oom",		 "other"};

	_Static_assert(ARRAY_SIZE(names) == MW_PAUSE_MAX, "a name for each kind");
	assert_true(read_pauses(g));
	for (int kind = 0; kind < MW_PAUSE_MAX; kind++) {
		const struct mw_pause_stat *p = &g->p[kind];

		if (p->count)
			print_message("  %-14s %6llu, %8.1f ms, longest %.1f ms\n", names[kind], p->count,
				      (double)p->total_ns / 1e6, (double)p->max_ns / 1e6);
	}
	print_message("  %-14s         %8.1f ms\n", "PSI some", (double)psi_some_ns(g->dir) / 1e6);
}

/* The same stalls by another clock, and with other tasks' turns in between. */
static inline void assert_psi_agrees(const struct guarded *g)
{
	__u64 whole = g->p[MW_PAUSE_MEMSTALL].total_ns;

	assert_in_range(psi_some_ns(g->dir), whole / 2, whole * 3 / 2);
}

/* ---- children; they go on until their rounds are over or SIGUSR1 comes ---- */

struct rounds {
	size_t bytes;
	int rounds;
};

static volatile sig_atomic_t asked_to_stop;

static inline void ask_to_stop(int signal)
{
	(void)signal;
	asked_to_stop = 1;
}

/*
 * On one processor: where tasks move, PSI averages over the processors they were on, and shows down to half of a stall
 * on two of them (0.56 was seen).
 */
static inline void stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
}

static const char library[] = "/usr/lib/llvm-14/lib/libclang-cpp.so.14"; /* a large file, read for its bytes */

/*
 * A little more than fits, again and again: what was evicted comes back, and is waited for. A hot part is read between
 * every two pieces of the rest, and another part of the file is hot in the next round: without MGLRU the kernel takes
 * for a workingset only what it saw referenced at two of its scans, and had to put off its active list.
 */
static inline int read_again(void *arg)
{
	_cleanup_close_ int fd = open(library, O_RDONLY | O_CLOEXEC);
	const struct rounds *r = arg;
	const size_t hot = r->bytes / 8 * 3;
	volatile char *bytes = mmap(NULL, r->bytes, PROT_READ, MAP_SHARED, fd, 0);
	__u64 sum = 0;

	if (bytes == MAP_FAILED)
		return 1;
	stay_here();
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	for (int round = 0; round < r->rounds && !asked_to_stop; round++) {
		const size_t from = round % 2 ? r->bytes - hot : 0, rest = round % 2 ? 0 : hot;

		for (size_t at = 0; at < r->bytes - hot && !asked_to_stop; at += PAGE) {
			for (size_t h = 0; at % MIB == 0 && h < hot; h += PAGE)
				sum += bytes[from + h];
			sum += bytes[rest + at];
		}
	}
	return sum == 0;
}

static inline int touch_memory(const struct rounds *r, int flags)
{
	char *memory = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return 1;
	stay_here();

	for (int round = 0; round < r->rounds && !asked_to_stop; round++)
		for (size_t at = 0; at < r->bytes; at += PAGE)
			memory[at]++;
	return 0;
}

static inline int touch_again(void *arg)
{
	return touch_memory(arg, MAP_PRIVATE);
}

static inline int touch_shared_again(void *arg)
{
	return touch_memory(arg, MAP_SHARED);
}

static inline int compact(void *arg)
{
	(void)arg;
	return put("/proc/sys/vm", "compact_memory", "1") ? 1 : 0;
}

/* Huge pages, so many. Ends early when it is signalled, as the kernel's loop does. */
static inline int reserve(void *arg)
{
	return put("/proc/sys/vm", "nr_hugepages", "%llu", *(__u64 *)arg) ? 1 : 0;
}

/* Also after a failed test: the pages would be missing in all that follow. */
static inline int give_back(void **state)
{
	end_test(state);
	if (world.vm)
		put("/proc/sys/vm", "nr_hugepages", "0");
	return 0;
}

#endif
