/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Programs that leak, under the sampler as they are: who is named, and for how much. */
#include "program.h"

#include <poll.h>
#include <math.h>

static void program_next(struct program *p)
{
	assert_int_equal(write(p->in_fd, "\n", 1), 1);
	program_ready(p);
}

/* What leaks between two readings is named first among what grew, and for about as much as it is. */
static void finds(const char *mode, const char *size, const char *mb, const char *sample, double tolerance)
{
	const char *argv[] = {built("tests/workers/heap"), mode, size, mb, NULL};
	struct program p = program_start(sample, argv);
	_cleanup_(mw_heap_free) struct mw_heap before = {0}, now = {0};
	unsigned long long held;
	double grown, said;

	program_ready(&p);
	program_read(p.who, &before);
	held = p.held;
	program_next(&p);
	program_read(p.who, &now);
	mw_heap_compare(&now, &before);
	mw_heap_sort_by_growth(&now);
	said = (double)guilty_bytes(&p, &now) - (double)guilty_bytes(&p, &before);
	grown = (double)(p.held - held);
	print_message("%s %s: grew by %.0f, said %.0f, %zu sites, %u processes, %llu lost\n", mode, size, grown, said,
		      now.n_sites, now.n_processes, now.lost_bytes);
	assert_true(now.n_sites > 0);
	assert_true(is_guilty(&p, &now.sites[0]));
	assert_true(fabs(said - grown) < tolerance * grown);
	assert_int_equal(now.lost_bytes, 0);
	assert_int_equal(program_end(&p), 0);
}

/* 16 MB in a sample each 16 KB: 1,024 samples, 3 % standard deviation; of the difference of two independent parts. */
static void a_leak_of_small_objects(void **state)
{
	(void)state;
	finds("objects", "64", "8", "16384", 0.2);
	finds("objects", "900", "16", "16384", 0.2);
}

static void a_leak_of_large_objects(void **state)
{
	(void)state;
	finds("objects", "16384", "32", "65536", 0.2);
	finds("objects", "1048576", "64", "524288", 0.25);
}

static void a_leak_in_threads(void **state)
{
	(void)state;
	finds("threads", "512", "8", "16384", 0.25);
}

static void a_leak_of_mappings(void **state)
{
	(void)state;
	finds("maps", "65536", "64", "262144", 0.3);
}

static void a_buffer_that_grows(void **state)
{
	(void)state;
	finds("grow", "100000", "8", "16384", 0.1);
	finds("remap", "1048576", "16", "16384", 0.1);
}

static void a_leak_in_a_forked_child(void **state)
{
	const char *argv[] = {built("tests/workers/heap"), "fork", "512", "8", NULL};
	struct program p = program_start("16384", argv);
	_cleanup_(mw_heap_free) struct mw_heap h = {0}, parents = {0};
	double said;

	(void)state;
	program_ready(&p);
	assert_int_not_equal(p.who, p.pid);
	program_read(p.who, &h);
	said = (double)guilty_bytes(&p, &h);
	print_message("the child holds %llu, said %.0f, inherited %llu\n", p.held, said, h.inherited_bytes);
	assert_true(is_guilty(&p, &h.sites[0]));
	assert_true(fabs(said - (double)p.held) < 0.2 * (double)p.held);
	assert_true(h.inherited_bytes > 6 << 20); /* the parent's 8 MB, and not the child's */
	program_read(p.pid, &parents);
	assert_true(parents.live_bytes > 6 << 20);
	assert_int_equal(parents.inherited_bytes, 0);
	assert_int_equal(program_end(&p), 0);
}

static void a_leak_in_cxx(void **state)
{
	const char *argv[] = {built("tests/workers/heap_new"), NULL};
	_cleanup_(mw_heap_free) struct mw_heap h = {0};
	struct program p;

	(void)state;
	if (!have(argv[0]))
		skip();
	p = program_start("16384", argv);
	program_ready(&p);
	program_read(p.who, &h);
	print_message("C++ holds %llu, said %llu\n", p.held, guilty_bytes(&p, &h));
	assert_true(is_guilty(&p, &h.sites[0]));
	assert_true(fabs((double)guilty_bytes(&p, &h) - (double)p.held) < 0.2 * (double)p.held);
	assert_int_equal(program_end(&p), 0);
}

/* Over many seeds the sum has no bias: its mean lies within four of its standard deviations. */
static void weights_have_no_bias(void **state)
{
	const char *argv[] = {built("tests/workers/heap"), "objects", "3000", "4", NULL};
	double sum = 0, squares = 0, held = 0, mean, variance;
	const int n = 24;

	(void)state;
	for (int i = 0; i < n; i++) {
		_cleanup_(mw_heap_free) struct mw_heap h = {0};
		struct program p;
		char seed[16];

		snprintf(seed, sizeof(seed), "%d", i);
		program_seed = seed;
		p = program_start("20000", argv);
		program_ready(&p);
		program_read(p.who, &h);
		held = (double)p.held;
		sum += (double)guilty_bytes(&p, &h);
		squares += (double)guilty_bytes(&p, &h) * (double)guilty_bytes(&p, &h);
		assert_int_equal(program_end(&p), 0);
	}
	mean = sum / n;
	program_seed = "7";
	variance = (squares / n - mean * mean) / n;
	print_message("holds %.0f, said %.0f on average of %d, its variance %.3g\n", held, mean, n, variance);
	assert_true(variance > 0);
	assert_true((mean - held) * (mean - held) < 16 * variance);
}

/* Threads free and move what others allocated, with more live samples than there are records: none is left behind. */
static void nothing_is_left_of_what_was_freed(void **state)
{
	const char *argv[] = {built("tests/workers/heap"), "exchange", "8192", NULL};
	struct program p = program_start("1024", argv);
	_cleanup_(mw_heap_free) struct mw_heap h = {0};

	(void)state;
	program_ready(&p);
	/* It is about to wait for us, for which libc allocates a buffer: between our look at counts and that at
	 * records. */
	for (int i = 0; i < 100; i++) {
		program_read(p.who, &h);
		if (h.counts[MW_HEAP_COUNT_TAKEN] - h.counts[MW_HEAP_COUNT_FREED] == h.samples)
			break;
		mw_heap_free(&h);
		poll(NULL, 0, 20);
	}
	print_message("%llu taken, %llu freed, %llu not kept, %llu mapped, %llu unmapped, %llu unsettled; %llu live\n",
		      h.counts[MW_HEAP_COUNT_TAKEN], h.counts[MW_HEAP_COUNT_FREED], h.counts[MW_HEAP_COUNT_FULL],
		      h.counts[MW_HEAP_COUNT_MAPPED], h.counts[MW_HEAP_COUNT_UNMAPPED], h.unsettled, h.samples);
	assert_true(h.counts[MW_HEAP_COUNT_TAKEN] > 500000);
	assert_true(h.counts[MW_HEAP_COUNT_FULL] > 1000);
	assert_true(h.lost_bytes >= h.counts[MW_HEAP_COUNT_FULL] * 1024);
	assert_true(h.counts[MW_HEAP_COUNT_TAKEN] - h.counts[MW_HEAP_COUNT_FREED] == h.samples);
	assert_true(h.samples < 20); /* the program's and libc's own */
	assert_int_equal(program_end(&p), 0);
}

static void all_processes_of_a_cgroup(void **state)
{
	const char *argv[] = {built("tests/workers/heap"), "objects", "900", "8", NULL};
	struct program a = program_start("16384", argv), b = program_start("16384", argv),
		       c = program_start(NULL, argv);
	_cleanup_(mw_heap_free) struct mw_heap h = {0};
	char dir[] = "/tmp/heap-cgroup-XXXXXX";
	_cleanup_close_ int fd = -1, procs = -1;
	struct mw_error err = {""};

	(void)state;
	program_ready(&a);
	program_ready(&b);
	program_ready(&c);
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	procs = openat(fd, "cgroup.procs", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	dprintf(procs, "%d\n%d\n%d\n%d\n", a.pid, b.pid, c.pid, 0x3ffffff); /* the last is nobody's */
	assert_int_equal(mw_heap_read_cgroup("/proc", fd, &h, &err), 0);
	mw_heap_sort(&h);
	assert_int_equal(h.n_processes, 2);
	assert_int_equal(h.n_without, 1);
	assert_true(is_guilty(&a, &h.sites[0]) || is_guilty(&b, &h.sites[0]));
	assert_true(h.sites[0].pid != h.sites[1].pid); /* each its own */
	assert_true(guilty_bytes(&a, &h) > 6 << 20);
	unlinkat(fd, "cgroup.procs", 0);
	rmdir(dir);
	assert_int_equal(mw_heap_read_cgroup("/proc", fd, &h, &err), -ENOENT);
	assert_int_equal(program_end(&a) | program_end(&b) | program_end(&c), 0);
}

/* Libraries that come and go, threads, forks and handlers that map memory: it ends, and it ends well. */
static void a_storm_of_dlopen_threads_and_signals(void **state)
{
	const char *argv[] = {built("tests/workers/heap"), "storm", "512", "1", NULL};
	struct program p = program_start("4096", argv);
	_cleanup_(mw_heap_free) struct mw_heap h = {0};

	(void)state;
	program_ready(&p);
	program_read(p.who, &h);
	print_message("%llu objects sampled, %llu freed, %llu mappings, %llu in a handler that interrupted another\n",
		      h.counts[MW_HEAP_COUNT_TAKEN], h.counts[MW_HEAP_COUNT_FREED], h.counts[MW_HEAP_COUNT_MAPPED],
		      h.counts[MW_HEAP_COUNT_NESTED]);
	assert_true(h.counts[MW_HEAP_COUNT_MAPPED] > 100);
	assert_true(h.counts[MW_HEAP_COUNT_TAKEN] > 1000);
	assert_true(h.counts[MW_HEAP_COUNT_FREED] <= h.counts[MW_HEAP_COUNT_TAKEN]);
	assert_int_equal(program_end(&p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leak_of_small_objects),
		cmocka_unit_test(a_leak_of_large_objects),
		cmocka_unit_test(a_leak_in_threads),
		cmocka_unit_test(a_leak_of_mappings),
		cmocka_unit_test(a_buffer_that_grows),
		cmocka_unit_test(a_leak_in_a_forked_child),
		cmocka_unit_test(a_leak_in_cxx),
		cmocka_unit_test(weights_have_no_bias),
		cmocka_unit_test(nothing_is_left_of_what_was_freed),
		cmocka_unit_test(all_processes_of_a_cgroup),
		cmocka_unit_test(a_storm_of_dlopen_threads_and_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
