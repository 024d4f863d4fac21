/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What it costs a worker to ask its guard. lib_guard [ROUNDS]: least of ROUNDS rounds, nanoseconds a call, in one line:
 * validate cached, the same by four threads at once, validate_exact, usage (memory.stat too); a pread of the file that
 * exact reads, kept open, and opened each time; memweir_guard_report where nothing is due, and where all figures it can
 * have go out to the daemon (nanoseconds of the worker, the median; 0 without one); 1 where figures are a cgroup's, 0
 * where /proc's.
 */
#include <fcntl.h>
#include <memweir/guard.h>
#include <memweir/limiter.h>
#include <memweir/pool.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/guard_impl.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define THREADS 4

static struct memweir_guard *guard;
static char path[2 * PATH_MAX + 32];
static int kept_fd;
static volatile int sink;

static void cached(long n)
{
	while (n--)
		sink = memweir_guard_validate(guard, NULL);
}

static void exact(long n)
{
	while (n--)
		sink = memweir_guard_validate_exact(guard, NULL);
}

static void all(long n)
{
	struct memweir_guard_usage u = MEMWEIR_INIT(struct memweir_guard_usage);

	while (n--)
		sink = memweir_guard_usage(guard, &u);
}

static void plain_pread(long n)
{
	char buf[128];

	while (n--)
		sink = (int)pread(kept_fd, buf, sizeof(buf), 0);
}

static void opened(long n)
{
	char buf[128];

	while (n--) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		sink = (int)read(fd, buf, sizeof(buf));
		close(fd);
	}
}

static void *one_thread(void *arg)
{
	cached(*(long *)arg);
	return NULL;
}

static void by_threads(long n)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, one_thread, &n);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void not_due(long n)
{
	atomic_store(&guard->figures.due_ns, ~0ULL);
	while (n--)
		sink = memweir_guard_report(guard);
	atomic_store(&guard->figures.due_ns, 0);
}

static void make_parts(void)
{
	struct memweir_limiter_options l = MEMWEIR_INIT(struct memweir_limiter_options);
	struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);
	struct memweir_limiter *limiter;
	struct memweir_pool *pool;
	char name[16];

	l.guard = o.guard = guard;
	l.name = o.name = name;
	o.buffers = 8;
	for (int i = 0; i < MW_FIGURES_POOLS; i++) {
		snprintf(name, sizeof(name), "part%d", i);
		if (memweir_pool_new(&o, &pool) < 0 ||
		    (i < MW_FIGURES_LIMITERS && memweir_limiter_new(&l, &limiter) < 0))
			exit(1);
	}
}

static int by_size(const void *a, const void *b)
{
	return (*(const __u64 *)a > *(const __u64 *)b) - (*(const __u64 *)a < *(const __u64 *)b);
}

/* What the daemon takes for it is not the worker's time: its answer is waited for in between. */
static double reports(int n)
{
	_cleanup_free_ __u64 *took = calloc((size_t)n, sizeof(*took));

	for (int i = 0; took && i < n; i++) {
		__u64 began = mw_now_ns();
		int r;

		atomic_store(&guard->figures.due_ns, 0);
		guard->figures.asked_ns = 0;
		r = memweir_guard_report(guard);
		took[i] = mw_now_ns() - began;
		if (r != 1)
			return 0;
		poll(&(struct pollfd){.fd = guard->figures.fd, .events = POLLIN}, 1, 5000);
	}
	if (!took)
		return 0;
	qsort(took, (size_t)n, sizeof(*took), by_size);
	return (double)took[n / 2];
}

static double least(void (*fn)(long), long n, int rounds)
{
	__u64 best = ~0ULL;

	for (int i = 0; i < rounds; i++) {
		__u64 began = mw_now_ns(), took;

		fn(n);
		took = mw_now_ns() - began;
		best = took < best ? took : best;
	}
	return (double)best / (double)n;
}

int main(int argc, char **argv)
{
	struct memweir_guard_options o = MEMWEIR_INIT(struct memweir_guard_options);
	int rounds = argc > 1 ? atoi(argv[1]) : 15;
	bool cgroup;

	o.flags = MEMWEIR_GUARD_NO_MOVE;
	o.max_heap_bytes = 50000000;
	if (memweir_guard_enrol(&o, &guard) < 0)
		return 1;
	cgroup = memweir_guard_capabilities(guard) & MEMWEIR_CAN_CGROUP;
	snprintf(path, sizeof(path), "%s%s/%s", cgroup ? guard->meter.mount : "", cgroup ? guard->meter.cgroup : "",
		 cgroup ? "memory.current" : "proc/self/statm");
	kept_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (kept_fd < 0)
		return 1;
	printf("%.1f", least(cached, 200000, rounds));
	printf(" %.1f", least(by_threads, 200000, rounds));
	printf(" %.1f", least(exact, 2000, rounds));
	printf(" %.1f", least(all, 500, rounds));
	printf(" %.1f", least(plain_pread, 2000, rounds));
	printf(" %.1f", least(opened, 2000, rounds));
	make_parts();
	printf(" %.1f", least(not_due, 200000, rounds));
	printf(" %.1f %d\n", reports(20 * rounds), cgroup);
	memweir_guard_free(guard);
	return 0;
}
