// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What one thread sees of a pool, and a child of it; pool_threads_test.c has several threads. */
#include "unit.h"

#include <memweir/pool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"

#define BYTES 8192

static struct memweir_pool *pool;

static struct memweir_pool *made(size_t buffers, uint32_t idle_ms)
{
	struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);
	struct memweir_pool *p = NULL;

	o.buffers = buffers;
	o.buffer_bytes = BYTES - 1;
	o.idle_ms = idle_ms;
	assert_int_equal(memweir_pool_new(&o, &p), 0);
	return p;
}

static struct memweir_pool_stats stats(void)
{
	struct memweir_pool_stats s = MEMWEIR_INIT(struct memweir_pool_stats);

	assert_int_equal(memweir_pool_stats(pool, &s), 0);
	assert_int_equal(s.in_use + s.available, s.pool_size);
	return s;
}

static char *lent(void)
{
	void *p = NULL;

	assert_int_equal(memweir_pool_checkout(pool, 0, &p), 0);
	return p;
}

static int of_three(void **state)
{
	(void)state;
	pool = made(3, 3600000);
	return 0;
}

static int gone(void **state)
{
	(void)state;
	memweir_pool_free(pool);
	return 0;
}

/* Pages of one buffer that have memory: a file of the kernel would tell more, and costs more lines. */
static size_t resident(const void *buffer, size_t bytes)
{
	unsigned char there[64];
	size_t n = 0;

	assert_int_equal(mincore((void *)buffer, bytes, there), 0);
	for (size_t i = 0; i < bytes / 4096; i++)
		n += there[i] & 1;
	return n;
}

static void defaults(void **state)
{
	char *a, *b;

	(void)state;
	assert_int_equal(memweir_pool_new(NULL, &pool), 0);
	assert_int_equal(stats().pool_size, 1000);
	assert_int_equal(memweir_pool_buffer_bytes(pool), 100 << 10);
	a = lent();
	b = lent();
	assert_int_equal(resident(a, 100 << 10), 0);
	*a = 1;
	assert_int_equal(resident(a, 100 << 10), 1);
	assert_int_equal(resident(b, 100 << 10), 0);
	assert_int_equal(stats().memory_usage, 2 * (100 << 10));
	memweir_pool_free(pool);
	memweir_pool_free(NULL);
}

static void wrong_options(void **state)
{
	struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);
	struct memweir_pool *p = NULL;

	(void)state;
	o.buffers = UINT32_MAX;
	assert_int_equal(memweir_pool_new(&o, &p), -EINVAL);
	o.buffers = 1UL << 31;
	o.buffer_bytes = SIZE_MAX / 2;
	assert_int_equal(memweir_pool_new(&o, &p), -EINVAL);
	o.buffer_bytes = 1UL << 32; /* more than there are addresses */
	assert_int_equal(memweir_pool_new(&o, &p), -ENOMEM);
	o.size = 3;
	assert_int_equal(memweir_pool_new(&o, &p), -EINVAL);
	assert_null(p);
}

static void until_none_is_left(void **state)
{
	void *kept[3], *none = NULL;

	(void)state;
	assert_int_equal(memweir_pool_buffer_bytes(pool), BYTES);
	for (int i = 0; i < 3; i++) {
		kept[i] = lent();
		memset(kept[i], i + 1, BYTES);
	}
	for (int i = 0; i < 3; i++)
		for (int at = 0; at < BYTES; at++)
			assert_int_equal(((char *)kept[i])[at], i + 1);
	assert_int_equal(memweir_pool_checkout(pool, 0, &none), -EAGAIN);
	assert_int_equal(memweir_pool_checkout(pool, 1, &none), -ETIMEDOUT);
	assert_null(none);
	assert_int_equal(stats().in_use, 3);
	assert_float_equal(stats().utilization, 1.0, 0);
	assert_int_equal(stats().waits, 1);
	assert_int_equal(stats().timeouts, 1);
	assert_int_equal(stats().refused, 1);
	assert_int_equal(memweir_pool_checkin(pool, kept[1]), 0);
	assert_ptr_equal(lent(), kept[1]);
}

static void given_back_wrongly(void **state)
{
	char *a = lent(), *b = lent(), *c = lent();
	char *first = a < b ? a : b;

	(void)state;
	first = c < first ? c : first;
	assert_int_equal(memweir_pool_checkin(pool, a), 0); /* at hand */
	assert_int_equal(memweir_pool_checkin(pool, a), -EALREADY);
	assert_int_equal(memweir_pool_checkin(pool, b), 0); /* idle */
	assert_int_equal(memweir_pool_checkin(pool, b), -EALREADY);
	assert_int_equal(memweir_pool_own(pool, a), -EALREADY);
	assert_int_equal(memweir_pool_own(pool, b), -EALREADY);
	assert_int_equal(memweir_pool_checkin(pool, c + 1), -EINVAL);
	assert_int_equal(memweir_pool_checkin(pool, c + 4096), -EINVAL);
	assert_int_equal(memweir_pool_checkin(pool, first - BYTES), -EINVAL);
	assert_int_equal(memweir_pool_checkin(pool, first + 3 * BYTES), -EINVAL);
	assert_int_equal(memweir_pool_checkin(pool, &a), -EINVAL);
	assert_int_equal(memweir_pool_checkin(pool, NULL), -EINVAL);
	assert_int_equal(stats().in_use, 1);
	assert_int_equal(memweir_pool_own(pool, c), 0);
	assert_int_equal(memweir_pool_checkin(pool, c), 0);
	assert_int_equal(stats().in_use, 0);
}

static void warm_ones_first(void **state)
{
	char *a = lent(), *b = lent();

	(void)state;
	assert_int_equal(memweir_pool_checkin(pool, a), 0);
	assert_int_equal(memweir_pool_checkin(pool, b), 0);
	assert_ptr_equal(lent(), a); /* it was at hand, b was not: one is enough */
	assert_ptr_equal(lent(), b);
	assert_int_equal(stats().total_created, 2);
	assert_int_equal(stats().checkouts, 4);
}

static void memory_goes_back(void **state)
{
	char *a = lent(), *b = lent();

	(void)state;
	memset(a, 1, BYTES);
	memset(b, 1, BYTES);
	assert_int_equal(memweir_pool_checkin(pool, a), 0);
	assert_int_equal(memweir_pool_tend(pool, 0), 0); /* an hour has not passed */
	assert_int_equal(memweir_pool_tend(pool, 1), BYTES);
	assert_int_equal(memweir_pool_tend(pool, 1), 0);
	assert_int_equal(resident(a, BYTES), 0);
	assert_int_equal(resident(b, BYTES), 2);
	assert_int_equal(stats().memory_usage, BYTES);
	assert_int_equal(b[5], 1);
	assert_ptr_equal(lent(), a);
	assert_int_equal(a[5], 0);
	assert_int_equal(stats().total_created, 2);
}

/* Nobody tends here: lending and giving back does, whether by hand or not. */
static void idle_ones_go_by_themselves(void **state)
{
	uint64_t end_ns = mw_now_ns() + 20 * MW_NS_PER_S;
	char *taken[8];

	(void)state;
	pool = made(8, 1);
	for (int i = 0; i < 8; i++) {
		taken[i] = lent();
		*taken[i] = 1;
	}
	for (int i = 0; i < 8; i++)
		assert_int_equal(memweir_pool_checkin(pool, taken[i]), 0);
	while (stats().memory_usage > BYTES && mw_now_ns() < end_ns)
		assert_int_equal(memweir_pool_checkin(pool, lent()), 0);
	assert_int_equal(stats().memory_usage, BYTES);
	memweir_pool_free(pool);
}

static void locked_memory_stays(void **state)
{
	char *a = lent();

	(void)state;
	if (syscall(SYS_mlock, a, BYTES) < 0) /* sanitizers make mlock() do nothing */
		skip();
	assert_int_equal(memweir_pool_checkin(pool, a), 0);
	assert_int_equal(memweir_pool_tend(pool, 1), 0);
	assert_int_equal(stats().memory_usage, BYTES);
}

static void told_once(void **state)
{
	void *taken[16], *p;

	(void)state;
	pool = made(16, 0);
	for (int round = 1; round <= 2; round++) {
		for (int i = 0; i < 16; i++)
			taken[i] = lent();
		for (int i = 0; i < 4; i++)
			assert_int_equal(memweir_pool_checkout(pool, 0, &p), -EAGAIN);
		assert_int_equal(stats().exhaustions, round);
		for (int i = 0; i < 2; i++) { /* an eighth is not more than an eighth */
			assert_int_equal(memweir_pool_checkin(pool, taken[0]), 0);
			assert_int_equal(memweir_pool_checkin(pool, taken[1]), 0);
			taken[0] = lent();
			taken[1] = lent();
			assert_int_equal(memweir_pool_checkout(pool, 0, &p), -EAGAIN);
		}
		assert_int_equal(stats().exhaustions, round);
		for (int i = 0; i < 16; i++)
			assert_int_equal(memweir_pool_checkin(pool, taken[i]), 0);
	}
	memweir_pool_free(pool);
}

static void older_caller(void **state)
{
	struct memweir_pool_stats s = {.size = offsetof(struct memweir_pool_stats, available), .available = 77};

	(void)state;
	lent();
	assert_int_equal(memweir_pool_stats(pool, &s), 0);
	assert_int_equal(s.in_use, 1);
	assert_int_equal(s.available, 77);
	s.size = 0;
	assert_int_equal(memweir_pool_stats(pool, &s), -EINVAL);
}

#define CHILD_CHECK(n, e)                                                                                              \
	do {                                                                                                           \
		if (!(e))                                                                                              \
			_exit(n);                                                                                      \
	} while (0)

static void child(char *a, char *idle)
{
	struct memweir_pool_stats s = MEMWEIR_INIT(struct memweir_pool_stats);
	struct memweir_pool *own = NULL;
	void *p;

	CHILD_CHECK(1, a[100] == 7);
	CHILD_CHECK(2, memweir_pool_checkout(pool, 0, &p) == -ECHILD);
	CHILD_CHECK(3, memweir_pool_checkin(pool, a) == -ECHILD);
	CHILD_CHECK(4, memweir_pool_checkin(pool, idle) == -ECHILD);
	CHILD_CHECK(5, memweir_pool_own(pool, a) == -ECHILD);
	CHILD_CHECK(6, memweir_pool_stats(pool, &s) == -ECHILD);
	CHILD_CHECK(7, memweir_pool_tend(pool, 1) == -ECHILD);
	CHILD_CHECK(8, memweir_pool_new(NULL, &own) == 0);
	CHILD_CHECK(9, memweir_pool_checkout(own, 0, &p) == 0);
	memweir_pool_free(pool);
	CHILD_CHECK(10, memweir_pool_checkin(own, p) == 0);
	memweir_pool_free(own);
	_exit(0);
}

static void forked(void **state)
{
	char *a = lent(), *idle = lent();
	int status;
	pid_t pid;

	(void)state;
	a[100] = 7;
	assert_int_equal(memweir_pool_checkin(pool, idle), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(a, idle);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(memweir_pool_checkin(pool, a), 0);
	assert_int_equal(stats().in_use, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(wrong_options),
		cmocka_unit_test_setup_teardown(until_none_is_left, of_three, gone),
		cmocka_unit_test_setup_teardown(given_back_wrongly, of_three, gone),
		cmocka_unit_test_setup_teardown(warm_ones_first, of_three, gone),
		cmocka_unit_test_setup_teardown(memory_goes_back, of_three, gone),
		cmocka_unit_test(idle_ones_go_by_themselves),
		cmocka_unit_test_setup_teardown(locked_memory_stays, of_three, gone),
		cmocka_unit_test(told_once),
		cmocka_unit_test_setup_teardown(older_caller, of_three, gone),
		cmocka_unit_test_setup_teardown(forked, of_three, gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
