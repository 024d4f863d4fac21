// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Look every so often, trim, look again, refuse. */
#include "guard_tree.h"

#include <memweir/limiter.h>
#include <pthread.h>
#include <stdatomic.h>

static struct memweir_limiter *made(uint64_t max_bytes, uint32_t every, memweir_trim_fn trim, void *arg)
{
	struct memweir_limiter_options o = MEMWEIR_INIT(struct memweir_limiter_options);
	struct memweir_limiter *l = NULL;

	o.max_bytes = max_bytes;
	o.every = every;
	o.trim = trim;
	o.trim_arg = arg;
	o.root = tree;
	assert_int_equal(memweir_limiter_new(&o, &l), 0);
	return l;
}

static struct memweir_limiter_stats stats(struct memweir_limiter *l)
{
	struct memweir_limiter_stats s = MEMWEIR_INIT(struct memweir_limiter_stats);

	assert_int_equal(memweir_limiter_stats(l, &s), 0);
	return s;
}

static void use(uint64_t anon)
{
	memory_is("/w", (struct fake_memory){.anon = anon, .file = MILLION});
}

static void frees(void *arg)
{
	++*(atomic_int *)arg;
	use(5 * MILLION);
}

static void frees_nothing(void *arg)
{
	++*(atomic_int *)arg;
}

static void looks_every_so_often(void **state)
{
	struct memweir_limiter *l = made(20 * MILLION, 10, NULL, NULL);

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(memweir_limiter_check(l), 0);
	assert_int_equal(stats(l).operations, 100);
	assert_int_equal(stats(l).looks, 10);
	assert_int_equal(stats(l).trims, 0);
	assert_int_equal(stats(l).used_bytes, 12 * MILLION);
	assert_int_equal(stats(l).max_bytes, 20 * MILLION);
	memweir_limiter_free(l);
	memweir_limiter_free(NULL);
}

static void trims_and_goes_on(void **state)
{
	atomic_int trims = 0;
	struct memweir_limiter *l = made(20 * MILLION, 1, frees, &trims);

	(void)state;
	use(30 * MILLION);
	assert_int_equal(memweir_limiter_check(l), 0);
	assert_int_equal(trims, 1);
	assert_int_equal(stats(l).trims, 1);
	assert_int_equal(stats(l).refusals, 0);
	assert_int_equal(stats(l).used_bytes, 5 * MILLION);
	memweir_limiter_free(l);
}

static void refuses(void **state)
{
	atomic_int trims = 0;
	struct memweir_limiter *l = made(20 * MILLION, 5, frees_nothing, &trims);

	(void)state;
	use(20 * MILLION + 1);
	for (int i = 0; i < 7; i++) /* not only every fifth */
		assert_int_equal(memweir_limiter_check(l), -ENOMEM);
	assert_int_equal(stats(l).refusals, 7);
	assert_true(trims >= 1);
	use(20 * MILLION);
	assert_int_equal(memweir_limiter_check(l), 0);
	assert_int_equal(memweir_limiter_check(l), 0);
	assert_int_equal(stats(l).refusals, 7);
	memweir_limiter_free(l);
}

/* Page cache does not count, though memory.current rises with it. */
static void cache_is_no_use(void **state)
{
	atomic_int trims = 0;
	struct memweir_limiter *l = made(20 * MILLION, 1, frees, &trims);

	(void)state;
	assert_int_equal(memweir_limiter_check(l), 0);
	memory_is("/w", (struct fake_memory){.anon = 10 * MILLION, .file = 300 * MILLION});
	assert_int_equal(memweir_limiter_check(l), 0);
	assert_int_equal(trims, 0);
	memweir_limiter_free(l);
}

static void options(void **state)
{
	struct memweir_limiter_options o = MEMWEIR_INIT(struct memweir_limiter_options);
	struct memweir_limiter *l = NULL;
	struct memweir_guard *g = enrolled("tool");

	(void)state;
	assert_int_equal(memweir_limiter_new(NULL, &l), -EINVAL);
	assert_int_equal(memweir_limiter_new(&o, &l), -EINVAL);
	o.max_mb = 1;
	o.max_bytes = 1;
	assert_int_equal(memweir_limiter_new(&o, &l), -EINVAL);
	o.max_bytes = 0;
	o.max_mb = UINT64_MAX / 2;
	assert_int_equal(memweir_limiter_new(&o, &l), -EINVAL);
	o.max_mb = 3;
	o.root = "/nowhere/at/all";
	assert_int_equal(memweir_limiter_new(&o, &l), -ENOENT);
	assert_null(l);
	o.max_mb = 0;
	o.guard = g;
	assert_int_equal(memweir_limiter_new(&o, &l), 0);
	assert_int_equal(stats(l).max_bytes, 50 * MILLION);
	assert_int_equal(memweir_limiter_check(l), 0);
	use(51 * MILLION);
	for (int i = 0; i < 99; i++)
		assert_int_equal(memweir_limiter_check(l), 0);
	assert_int_equal(memweir_limiter_check(l), -ENOMEM);
	memweir_limiter_free(l);
	memweir_guard_free(g);
}

static void cannot_look(void **state)
{
	struct memweir_limiter *l = made(20 * MILLION, 1, NULL, NULL);
	char path[64];

	(void)state;
	stand_in("/bare"); /* a cgroup without figures, and /proc has none either */
	snprintf(path, sizeof(path), "proc/%d/statm", (int)getpid());
	assert_int_equal(unlink(tree_path(path)), 0);
	while (memweir_limiter_check(l) == 0) /* what is open goes on to be read for a second */
		usleep(10000);
	assert_int_equal(memweir_limiter_check(l), -ENOENT);
	memweir_limiter_free(l);
}

static atomic_int inside, most;

static void one_at_a_time(void *arg)
{
	int now = atomic_fetch_add(&inside, 1) + 1;

	(void)arg;
	if (now > atomic_load(&most))
		atomic_store(&most, now);
	sched_yield();
	atomic_fetch_sub(&inside, 1);
}

static void *checks(void *arg)
{
	for (int i = 0; i < 500; i++) {
		if (memweir_limiter_check(arg) != -ENOMEM)
			return arg;
	}
	return NULL;
}

static void many_threads(void **state)
{
	struct memweir_limiter *l = made(MILLION, 1, one_at_a_time, NULL);
	pthread_t threads[4];
	void *bad;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, checks, l), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
	assert_int_equal(most, 1);
	assert_int_equal(stats(l).refusals, 2000);
	memweir_limiter_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		guard_test(looks_every_so_often), guard_test(trims_and_goes_on), guard_test(refuses),
		guard_test(cache_is_no_use),	  guard_test(options),		 guard_test(cannot_look),
		guard_test(many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
