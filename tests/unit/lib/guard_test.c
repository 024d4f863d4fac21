// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Limits, figures and levels of a guard, in made-up trees. */
#include "guard_tree.h"

#include <pthread.h>
#include <sys/wait.h>

#include "core/class_builtin.h"
#include "core/verdict.h"

static int try(const struct memweir_guard_options *o)
{
	struct memweir_guard *g = NULL;
	int r = memweir_guard_enrol(o, &g);

	assert_true(r ? !g : !!g);
	memweir_guard_free(g);
	return r;
}

static struct memweir_guard_limits limits(struct memweir_guard *g)
{
	struct memweir_guard_limits l = MEMWEIR_INIT(struct memweir_guard_limits);

	assert_int_equal(memweir_guard_limits(g, &l), 0);
	return l;
}

static struct memweir_guard_usage usage(struct memweir_guard *g)
{
	struct memweir_guard_usage u = MEMWEIR_INIT(struct memweir_guard_usage);

	assert_int_equal(memweir_guard_usage(g, &u), 0);
	return u;
}

static void builtin_limits(void **state)
{
	(void)state;
	for (const struct mw_class_builtin *b = mw_class_builtins; b->name; b++) {
		struct memweir_guard *g = enrolled(b->name);
		struct memweir_guard_limits l = limits(g);

		assert_string_equal(l.class_name, b->name);
		assert_string_equal(l.worker, "");
		assert_int_equal(l.max_heap_bytes, b->max_heap);
		assert_int_equal(l.max_bin_heap_bytes, b->max_heap / 2);
		assert_true(l.hibernate_threshold == b->hibernate_threshold);
		memweir_guard_free(g);
	}
	setenv("MEMWEIR_CLASS", "transport", 1);
	struct memweir_guard *g = enrolled(NULL);
	assert_string_equal(limits(g).class_name, "transport");
	memweir_guard_free(g);
}

static void own_limits(void **state)
{
	struct memweir_guard_options o = fake_options("mine");
	struct memweir_guard *g = NULL;

	(void)state;
	assert_int_equal(try(&o), -ENOENT);
	o.max_heap_bytes = 70 * MILLION;
	o.max_bin_heap_bytes = 9 * MILLION;
	o.hibernate_threshold = 0.5;
	assert_int_equal(memweir_guard_enrol(&o, &g), 0);
	assert_int_equal(limits(g).max_heap_bytes, 70 * MILLION);
	assert_int_equal(limits(g).max_bin_heap_bytes, 9 * MILLION);
	assert_true(limits(g).hibernate_threshold == 0.5);
	memweir_guard_free(g);
	memweir_guard_free(NULL);
}

static void refused(void **state)
{
	struct memweir_guard_options o = fake_options("tool");

	(void)state;
	o.hibernate_threshold = 1.5;
	assert_int_equal(try(&o), -EINVAL);
	o = fake_options("tool");
	o.max_heap_bytes = 5;
	o.max_bin_heap_bytes = 6;
	assert_int_equal(try(&o), -EINVAL);
	o = fake_options("a\"b");
	assert_int_equal(try(&o), -EINVAL);
	o = fake_options("");
	assert_int_equal(try(&o), -EINVAL);
	o = fake_options("tool");
	o.size = 0;
	assert_int_equal(try(&o), -EINVAL);
	o = fake_options("tool");
	o.root = "/nowhere/at/all";
	assert_int_equal(try(&o), -ENOENT);
	o = fake_options("tool");
	o.flags |= MEMWEIR_GUARD_REQUIRE_ENFORCEMENT;
	assert_int_equal(try(&o), -EOPNOTSUPP);
	in_cgroup("/w", "memory.max", "49999872\n");
	assert_int_equal(try(&o), 0);
}

static void figures_of_the_cgroup(void **state)
{
	struct memweir_guard *g;
	struct memweir_guard_usage u;

	(void)state;
	memory_is("/w", (struct fake_memory){.anon = 10 * MILLION,
					     .file = 5 * MILLION,
					     .shmem = MILLION,
					     .sock = 20000,
					     .kernel = 3 * MILLION,
					     .slab = 500000,
					     .swap = 4 * MILLION});
	g = enrolled("tool");
	u = usage(g);
	assert_int_equal(u.heap_bytes, 14 * MILLION);
	assert_int_equal(u.bin_bytes, 3520000);
	assert_int_equal(u.current_bytes, 18020000);
	assert_true(u.percent > 35.03 && u.percent < 35.05);
	assert_int_equal(memweir_guard_capabilities(g), MEMWEIR_CAN_CGROUP);
	memweir_guard_free(g);
}

static void figures_of_the_process(void **state)
{
	struct memweir_guard *g;
	struct memweir_guard_usage u;

	(void)state;
	in_cgroup("/w", "cgroup.procs", "1\n2\n"); /* others, and no limit: whose memory that is nobody knows */
	process_is(2500, 8000, 1000, 200);
	g = enrolled("tool");
	u = usage(g);
	assert_int_equal(u.heap_bytes, 9000 * 1024);
	assert_int_equal(u.bin_bytes, 200 * 1024);
	assert_int_equal(u.current_bytes, 2500 * sysconf(_SC_PAGESIZE));
	assert_int_equal(memweir_guard_capabilities(g), 0);
	process_is(20000, 78000, 1000, 200);
	assert_int_equal(memweir_guard_validate_exact(g, NULL), MEMWEIR_LEVEL_ERROR);
	memweir_guard_free(g);
}

static void shared_cgroup(void **state)
{
	struct memweir_guard *g;

	(void)state;
	in_cgroup("/w", "cgroup.procs", "1\n2\n");
	in_cgroup("/w", "memory.max", "30000000\n");
	g = enrolled("tool"); /* a limit stands there: that is what the kernel goes by */
	assert_int_equal(memweir_guard_capabilities(g), MEMWEIR_CAN_CGROUP | MEMWEIR_CAN_SHARED | MEMWEIR_CAN_ENFORCE);
	assert_int_equal(limits(g).max_heap_bytes, 30 * MILLION);
	assert_int_equal(limits(g).max_bin_heap_bytes, 15 * MILLION);
	memweir_guard_free(g);
}

/* At every boundary what check would say, byte by byte. */
static void the_same_judgement(void **state)
{
	static const uint64_t heaps[] = {0,	   1,	     38249998, 38249999, 38250000, 42499999,
					 42500000, 42500001, 50000000, 60000000, 38250001};
	struct memweir_guard *g = enrolled("tool");
	struct mw_profile p = {.max_heap = 50 * MILLION, .max_bin_heap = 25 * MILLION, .hibernate_threshold = 0.85};
	struct mw_monitor m = {.alert_threshold = 0.85};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(heaps); i++) {
		for (uint64_t bin = 0; bin <= 30 * MILLION; bin += 15 * MILLION) {
			struct mw_usage u = {.heap = heaps[i], .bin = bin};
			struct mw_check c = mw_verdict_check(&u, &p, &m);
			double percent;

			memory_is("/w", (struct fake_memory){.anon = heaps[i], .kernel = bin});
			usage(g);
			assert_int_equal(memweir_guard_validate_exact(g, &percent), c.status);
			assert_true(percent > c.percent - 0.01 && percent < c.percent + 0.01);
		}
	}
	memweir_guard_free(g);
}

static void growth_counts_at_once(void **state)
{
	struct memweir_guard *g = enrolled("tool");
	double percent;

	(void)state;
	current_is("/w", 13 * MILLION + 200000); /* less than one percent: memory.stat is not asked */
	in_cgroup("/w", "memory.stat", "anon 0\n");
	assert_int_equal(memweir_guard_validate_exact(g, &percent), MEMWEIR_LEVEL_OK);
	assert_true(percent > 24.39 && percent < 24.41);
	memory_is("/w", (struct fake_memory){.anon = 45 * MILLION});
	assert_int_equal(memweir_guard_validate_exact(g, &percent), MEMWEIR_LEVEL_ERROR);
	assert_true(percent > 89.9 && percent < 90.1);
	/* Page cache that makes room hides growth, for 10 ms at most. */
	memory_is("/w", (struct fake_memory){.anon = 10 * MILLION, .file = 40 * MILLION});
	assert_int_equal(memweir_guard_validate_exact(g, NULL), MEMWEIR_LEVEL_OK);
	memory_is("/w", (struct fake_memory){.anon = 50 * MILLION});
	while (memweir_guard_validate_exact(g, NULL) != MEMWEIR_LEVEL_ERROR)
		;
	/* It is none of the heap itself. */
	memory_is("/w", (struct fake_memory){.anon = 10 * MILLION, .file = 200 * MILLION});
	assert_int_equal(memweir_guard_validate_exact(g, &percent), MEMWEIR_LEVEL_OK);
	assert_true(percent > 19.9 && percent < 20.1);
	memweir_guard_free(g);
}

static void cached(void **state)
{
	struct memweir_guard_options o = fake_options("tool");
	struct memweir_guard *g = NULL;

	(void)state;
	o.cache_ns = HOUR_NS;
	assert_int_equal(memweir_guard_enrol(&o, &g), 0);
	memory_is("/w", (struct fake_memory){.anon = 49 * MILLION});
	assert_int_equal(memweir_guard_validate(g, NULL), MEMWEIR_LEVEL_OK);
	assert_int_equal(memweir_guard_validate_exact(g, NULL), MEMWEIR_LEVEL_ERROR);
	assert_int_equal(memweir_guard_validate(g, NULL), MEMWEIR_LEVEL_ERROR);
	memweir_guard_free(g);
	o.cache_ns = 1;
	assert_int_equal(memweir_guard_enrol(&o, &g), 0);
	memory_is("/w", (struct fake_memory){.anon = MILLION});
	while (memweir_guard_validate(g, NULL) != MEMWEIR_LEVEL_OK) /* a tick of the coarse clock */
		;
	memweir_guard_free(g);
}

static void moved(void **state)
{
	struct memweir_guard *g = enrolled("tool");

	(void)state;
	memory_is("/elsewhere", (struct fake_memory){.anon = 3 * MILLION});
	in_cgroup("/elsewhere", "memory.max", "20000000\n");
	stand_in("/elsewhere");
	assert_int_equal(usage(g).heap_bytes, 3 * MILLION);
	assert_int_equal(limits(g).max_heap_bytes, 20 * MILLION);
	stand_in("/gone");
	assert_int_equal(tree_remove_one(tree_path("cg/gone/cgroup.procs"), NULL, 0, NULL), 0);
	assert_int_equal(usage(g).heap_bytes, 8000 * 1024); /* from /proc */
	memweir_guard_free(g);
}

static void follows_memory_max(void **state)
{
	struct memweir_guard *g = enrolled("tool");

	(void)state;
	assert_false(memweir_guard_capabilities(g) & MEMWEIR_CAN_ENFORCE);
	in_cgroup("/w", "memory.max", "49999872\n"); /* of class tool, in whole pages */
	usage(g);
	assert_true(memweir_guard_capabilities(g) & MEMWEIR_CAN_ENFORCE);
	assert_int_equal(limits(g).max_heap_bytes, 50 * MILLION);
	in_cgroup("/w", "memory.max", "12000000\n");
	assert_int_equal(memweir_guard_validate_exact(g, NULL), MEMWEIR_LEVEL_OK);
	usage(g);
	assert_int_equal(memweir_guard_validate_exact(g, NULL), MEMWEIR_LEVEL_ERROR);
	assert_int_equal(limits(g).max_heap_bytes, 12 * MILLION);
	in_cgroup("/w", "memory.max", "90000000\n"); /* not the daemon's word */
	usage(g);
	assert_int_equal(limits(g).max_heap_bytes, 50 * MILLION);
	assert_false(memweir_guard_capabilities(g) & MEMWEIR_CAN_ENFORCE);
	memweir_guard_free(g);
}

static void says_why(void **state)
{
	struct memweir_guard *g = enrolled("tool");
	char text[300], little[8];

	(void)state;
	for (int bit = 1; bit <= MEMWEIR_CAN_TIGHTEN; bit <<= 1) {
		int set = memweir_guard_capability_text(g, (enum memweir_capability)bit, text, sizeof(text));

		assert_int_equal(set, !!(memweir_guard_capabilities(g) & (uint64_t)bit));
		assert_true(strlen(text) > 20);
	}
	assert_int_equal(memweir_guard_capability_text(g, MEMWEIR_CAN_CGROUP, text, sizeof(text)), 1);
	assert_non_null(strstr(text, "/w"));
	assert_int_equal(memweir_guard_capability_text(g, MEMWEIR_CAN_CGROUP, little, sizeof(little)), 1);
	assert_string_equal(little, "figures");
	assert_int_equal(memweir_guard_capability_text(g, (enum memweir_capability)(1 << 30), text, sizeof(text)),
			 -EINVAL);
	assert_int_equal(memweir_guard_refresh(g), -EOPNOTSUPP);
	memweir_guard_free(g);
}

static void hibernates(void **state)
{
	struct memweir_guard *g = enrolled("tool");

	(void)state;
	assert_int_equal(memweir_guard_hibernate(g), 0); /* nothing to reclaim with */
	memweir_guard_free(g);
}

/* A child has descriptors of its parent's: it reads what is its own. */
static void forked(void **state)
{
	struct memweir_guard_usage u = MEMWEIR_INIT(struct memweir_guard_usage);
	struct memweir_guard *g;
	int status;
	pid_t pid;

	(void)state;
	in_cgroup("/w", "cgroup.procs", "1\n2\n");
	g = enrolled("tool");
	pid = fork();
	if (pid == 0) {
		stand_in("/w");
		in_cgroup("/w", "cgroup.procs", "1\n2\n");
		process_is(5000, 16000, 0, 0);
		_exit(memweir_guard_usage(g, &u) == 0 && u.heap_bytes == 16000 * 1024 ? 0 : 1);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(usage(g).heap_bytes, 8000 * 1024);
	memweir_guard_free(g);
}

static void *validates(void *arg)
{
	for (int i = 0; i < 3000; i++) {
		int r = i % 10 ? memweir_guard_validate(arg, NULL) : memweir_guard_validate_exact(arg, NULL);

		if (r != MEMWEIR_LEVEL_OK)
			return arg;
	}
	return NULL;
}

static void many_threads(void **state)
{
	struct memweir_guard_options o = fake_options("tool");
	struct memweir_guard *g = NULL;
	pthread_t threads[4];
	void *bad;

	(void)state;
	o.cache_ns = 1;
	assert_int_equal(memweir_guard_enrol(&o, &g), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, validates, g), 0);
	for (int i = 0; i < 200; i++) {
		uint64_t request;

		assert_int_equal(memweir_guard_request_begin(g, &request), 0);
		usage(g);
		limits(g);
		assert_int_equal(memweir_guard_request_end(g, request, NULL), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
	memweir_guard_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		guard_test(builtin_limits),
		guard_test(own_limits),
		guard_test(refused),
		guard_test(figures_of_the_cgroup),
		guard_test(figures_of_the_process),
		guard_test(shared_cgroup),
		guard_test(the_same_judgement),
		guard_test(growth_counts_at_once),
		guard_test(cached),
		guard_test(moved),
		guard_test(follows_memory_max),
		guard_test(says_why),
		guard_test(hibernates),
		guard_test(forked),
		guard_test(many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
