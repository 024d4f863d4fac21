/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Probes on a real allocator, this process's own: what is counted, sampled, followed and forgotten. */
#include "unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "daemon/kernel_objects.h"
#include "daemon/probe_check.h"
#include "leak/heap.h"

#define N    20000
#define SIZE 900

static struct mw_probe_check check;
static struct mw_object_probes *probes;
static struct mw_allocators all;
static void *objects[N];

static void attach(enum mw_allocator_fn fn)
{
	struct mw_error err = {""};

	for (size_t i = 0; i < all.n; i++) {
		struct mw_allocator_place p = all.at[i];
		char path[96];

		if (p.fn != fn || !strstr(p.path, "libc"))
			continue;
		assert_null(mw_probe_check_forbids(&check, p.code));
		p.offset += mw_probe_check_skip(p.code);
		snprintf(path, sizeof(path), "/proc/self/map_files/%llx-%llx", p.start, p.end);
		if (mw_object_probes_attach(probes, getpid(), path, &p, &err))
			fail_msg("%s", err.text);
		return;
	}
	fail_msg("no %s", mw_allocator_name(fn));
}

static int begin(void **state)
{
	char program[512];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 32);
	struct mw_error err = {""};

	(void)state;
	mw_probe_check_run(&check);
	if (!check.ok) {
		print_message("skipped: %s\n", check.why);
		return 0;
	}
	assert_true(n > 0);
	program[n] = '\0';
	for (int i = 0; i < 3; i++) /* BUILD/tests/vm/objects_test */
		*strrchr(program, '/') = '\0';
	strcat(program, "/memweir-symbols");
	if (mw_allocators_ask(getpid(), 0, program, 60000, &all, &err))
		fail_msg("%s", err.text);
	return 0;
}

static void open_probes(__u64 mean)
{
	struct mw_error err = {""};

	if (!check.ok)
		skip();
	if (mw_object_probes_open(mean, &probes, &err))
		fail_msg("%s", err.text);
}

static int add(pid_t pid, const struct mw_heap_record *r, void *arg)
{
	struct mw_heap *h = arg;
	const struct mw_heap_head head = {0};

	assert_int_equal(pid, getpid());
	return mw_heap_add(h, pid, &head, r, r, 1);
}

static struct mw_heap reading(void)
{
	struct mw_heap h = {0};

	assert_int_equal(mw_object_probes_each(probes, add, &h), 0);
	mw_heap_sort(&h);
	return h;
}

__attribute__((noinline)) static void keep_some(void)
{
	for (int i = 0; i < N; i++)
		objects[i] = malloc(SIZE);
}

static void assert_about(__u64 found, __u64 expected)
{
	if (found < expected * 85 / 100 || found > expected * 115 / 100)
		fail_msg("found %llu, expected about %llu", found, expected);
}

static void what_is_held_is_known_without_bias(void **state)
{
	struct mw_object_counts c;
	struct mw_heap h;

	(void)state;
	open_probes(4096);
	attach(MW_FN_MALLOC);
	attach(MW_FN_FREE);
	keep_some();
	h = reading();
	assert_about(h.live_bytes, (__u64)N * SIZE);
	assert_true(h.samples > 3000 && h.samples < 5000); /* a fifth */
	assert_about(h.sites[0].live_bytes, (__u64)N * SIZE); /* one place */
	assert_in_range(h.sites[0].frames[0], (__u64)(unsigned long)keep_some, (__u64)(unsigned long)keep_some + 200);
	mw_heap_free(&h);
	for (int i = 0; i < N; i += 2)
		free(objects[i]);
	mw_object_probes_counts(probes, &c);
	assert_in_range(c.calls[MW_FN_MALLOC], N, N + 10000); /* ours, and what tests do */
	/* The return is probed first, and probing the call allocates. */
	assert_in_range(c.returns[MW_FN_MALLOC], c.calls[MW_FN_MALLOC], c.calls[MW_FN_MALLOC] + 100);
	assert_true(c.freed > 1500 && !c.full && !c.lost && c.run_ns);
	h = reading();
	assert_about(h.live_bytes, (__u64)N / 2 * SIZE);
	mw_heap_free(&h);
	assert_int_equal(mw_object_probes_thin(probes, 8192), 0);
	h = reading();
	assert_true(h.samples < 1300); /* a tenth, where a fifth was */
	assert_about(h.live_bytes, (__u64)N / 2 * SIZE); /* the bound is five times its error */
	mw_heap_free(&h);
	/* Freed while nobody watches, and given out again. */
	mw_object_probes_detach(probes);
	assert_int_equal(mw_object_probes_attached(probes), 0);
	for (int i = 1; i < N; i += 2)
		free(objects[i]);
	attach(MW_FN_MALLOC);
	keep_some();
	mw_object_probes_counts(probes, &c);
	assert_true(c.reused > 100);
	mw_object_probes_forget(probes);
	h = reading();
	assert_int_equal(h.samples, 0);
	mw_heap_free(&h);
	mw_object_probes_close(probes);
	for (int i = 0; i < N; i++)
		free(objects[i]);
}

/* The live sample at an address, or none; each object is one. */
struct lookup {
	__u64 address;
	struct mw_heap_record found;
};

static int look(pid_t pid, const struct mw_heap_record *r, void *arg)
{
	struct lookup *l = arg;

	(void)pid;
	if (r->address == l->address)
		l->found = *r;
	return 0;
}

static struct mw_heap_record at(const void *p)
{
	struct lookup l = {.address = (__u64)(unsigned long)p};

	assert_int_equal(mw_object_probes_each(probes, look, &l), 0);
	return l.found;
}

static void every_way_to_an_object(void **state)
{
	void *volatile p, *volatile q;
	void *aligned = NULL;

	(void)state;
	open_probes(1);
	for (enum mw_allocator_fn fn = 0; fn < MW_FN_OTEL_ALLOC; fn++) {
		if (fn != MW_FN_MEMALIGN && fn != MW_FN_ALIGNED_ALLOC) /* one of both names it has */
			attach(fn);
	}
	p = malloc(100);
	assert_int_equal(at(p).size, 100);
	q = realloc(p, 5000);
	assert_int_equal(at(q).size, 5000);
	if (p != q)
		assert_int_not_equal(at(p).size, 100);
	free(q);
	assert_int_not_equal(at(q).size, 5000); /* whoever looks may be given its place */
	p = realloc(NULL, 300); /* which may ask malloc: once it is */
	assert_int_equal(at(p).size, 300);
	free(p);
	p = reallocarray(NULL, 30, 20);
	assert_int_equal(at(p).size, 600);
	free(p);
	p = calloc(10, 70);
	assert_int_equal(at(p).size, 700);
	free(p);
	assert_int_not_equal(at(p).size, 700);
	assert_int_equal(posix_memalign(&aligned, 256, 800), 0);
	assert_int_equal(at(aligned).size, 800);
	free(aligned);
	p = malloc(1 << 20); /* from mmap, by the allocator: it is the allocator's */
	assert_int_equal(at(p).size, 1 << 20);
	assert_int_equal(at(p).kind, MW_HEAP_OBJECT);
	free(p);
	p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_int_equal(at(p).kind, MW_HEAP_MAPPING_ANON);
	assert_int_equal(at(p).weight, 65536);
	munmap(p, 4096); /* a part of it */
	assert_int_equal(at(p).size, 65536);
	munmap(p, 65536);
	assert_int_not_equal(at(p).size, 65536);
	p = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_int_not_equal(at(p).size, 65536);
	munmap(p, 65536);
	mw_object_probes_close(probes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_held_is_known_without_bias),
		cmocka_unit_test(every_way_to_an_object),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
