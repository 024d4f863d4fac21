// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "unit.h"

#include <memweir/byte_pool.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIB ((size_t)1 << 10)

static struct memweir_byte_pool *pool;

static int of_defaults(void **state)
{
	(void)state;
	assert_int_equal(memweir_byte_pool_new(NULL, &pool), 0);
	return 0;
}

static int gone(void **state)
{
	(void)state;
	memweir_byte_pool_free(pool);
	return 0;
}

static struct memweir_byte_pool_stats stats(void)
{
	struct memweir_byte_pool_stats s = MEMWEIR_INIT(struct memweir_byte_pool_stats);

	assert_int_equal(memweir_byte_pool_stats(pool, &s), 0);
	return s;
}

static struct memweir_bytes *lent(size_t min_bytes)
{
	struct memweir_bytes *b = NULL;

	assert_int_equal(memweir_byte_pool_get(pool, min_bytes, &b), 0);
	assert_int_equal(b->length, 0);
	assert_true(b->capacity >= min_bytes);
	return b;
}

static void back(struct memweir_bytes *b)
{
	assert_int_equal(memweir_byte_pool_put(pool, b), 0);
}

static void used_again(void **state)
{
	struct memweir_bytes *b = lent(0);
	unsigned char *data = b->data;

	(void)state;
	assert_int_equal(b->capacity, 8 * KIB);
	assert_int_equal(memweir_bytes_append(b, "abc", 3), 0);
	assert_int_equal(b->length, 3);
	back(b);
	assert_int_equal(stats().kept_bytes, 8 * KIB);
	assert_int_equal(stats().in_use, 0);
	b = lent(100);
	assert_ptr_equal(b->data, data);
	assert_int_equal(stats().hits, 1);
	assert_int_equal(stats().misses, 1);
	assert_int_equal(stats().kept_bytes, 0);
	back(b);
	back(NULL);
}

static void what_grew_stays_large(void **state)
{
	struct memweir_bytes *b = lent(0), *small = lent(0);
	char piece[1000];
	size_t n = 0;

	(void)state;
	for (; n < 100 * KIB; n += sizeof(piece)) {
		memset(piece, (int)(n / sizeof(piece)), sizeof(piece));
		assert_int_equal(memweir_bytes_append(b, piece, sizeof(piece)), 0);
	}
	assert_int_equal(b->length, n);
	assert_int_equal(b->capacity, 128 * KIB);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(b->data[i], (unsigned char)(i / sizeof(piece)));
	back(b);
	back(small);
	assert_int_equal(stats().grown, 4);
	small = lent(0);
	assert_int_equal(small->capacity, 8 * KIB); /* the smallest that does */
	b = lent(0);
	assert_int_equal(b->capacity, 8 * KIB); /* and not one so much larger */
	assert_int_equal(stats().misses, 3);
	back(small);
	back(b);
	b = lent(64 * KIB);
	assert_int_equal(b->capacity, 128 * KIB);
	assert_int_equal(stats().misses, 3);
	back(b);
	b = lent(128 * KIB + 1);
	assert_int_equal(b->capacity, 256 * KIB);
	assert_int_equal(stats().misses, 4);
	back(b);
}

static void grows_into_a_kept_one(void **state)
{
	struct memweir_bytes *b = lent(32 * KIB);
	unsigned char *small, *large = b->data;

	(void)state;
	back(b);
	b = lent(0);
	small = b->data;
	assert_int_equal(memweir_bytes_append(b, "abc", 3), 0);
	assert_int_equal(memweir_bytes_reserve(b, 9 * KIB), 0);
	assert_ptr_equal(b->data, large);
	assert_int_equal(b->capacity, 32 * KIB);
	assert_int_equal(b->length, 3);
	assert_memory_equal(b->data, "abc", 3);
	assert_int_equal(stats().exchanged, 1);
	assert_int_equal(stats().grown, 0);
	assert_int_equal(stats().kept_bytes, 8 * KIB);
	assert_int_equal(stats().in_use, 1);
	back(b);
	b = lent(0);
	assert_ptr_equal(b->data, small);
	assert_int_equal(memweir_bytes_append(b, "0123", 4), 0);
	while (b->length < 16 * KIB) /* from memory that is the pool's in the end */
		assert_int_equal(memweir_bytes_append(b, b->data, b->length), 0);
	for (size_t i = 0; i < b->length; i++)
		assert_int_equal(b->data[i], "0123"[i % 4]);
	assert_ptr_equal(b->data, large);
	assert_int_equal(stats().misses, 2);
	back(b);
}

static int of_small_ones(void **state)
{
	struct memweir_byte_pool_options o = MEMWEIR_INIT(struct memweir_byte_pool_options);

	(void)state;
	o.initial_bytes = 300;
	o.cap_bytes = 64 * KIB;
	o.keep_bytes = 100 * KIB;
	assert_int_equal(memweir_byte_pool_new(&o, &pool), 0);
	return 0;
}

static void too_small_and_too_large(void **state)
{
	struct memweir_bytes *b = lent(0);

	(void)state;
	assert_int_equal(b->capacity, 512);
	back(b);
	assert_int_equal(stats().dropped_small, 1);
	back(lent(KIB));
	assert_int_equal(stats().dropped_small, 1);
	back(lent(64 * KIB));
	assert_int_equal(stats().kept, 2);
	back(lent(64 * KIB + 1));
	assert_int_equal(stats().dropped_large, 1);
	assert_int_equal(stats().kept_bytes, 65 * KIB);
}

static void too_many(void **state)
{
	struct memweir_bytes *a = lent(64 * KIB), *b = lent(64 * KIB), *c = lent(32 * KIB);

	(void)state;
	back(a);
	back(b);
	assert_int_equal(stats().dropped_full, 1);
	back(c);
	assert_int_equal(stats().dropped_full, 1);
	assert_int_equal(stats().kept_bytes, 96 * KIB);
	assert_int_equal(memweir_byte_pool_trim(pool, 32 * KIB), 64 * KIB);
	assert_int_equal(memweir_byte_pool_trim(pool, 32 * KIB), 0);
	assert_int_equal(memweir_byte_pool_trim(pool, 0), 32 * KIB);
	assert_int_equal(stats().trimmed, 2);
	assert_int_equal(stats().kept, 0);
}

static void given_back_wrongly(void **state)
{
	struct memweir_byte_pool *other;
	struct memweir_bytes *b = lent(0);

	(void)state;
	assert_int_equal(memweir_byte_pool_new(NULL, &other), 0);
	assert_int_equal(memweir_byte_pool_put(other, b), -EINVAL);
	back(b);
	assert_int_equal(memweir_byte_pool_put(pool, b), -EALREADY);
	assert_int_equal(stats().kept, 1);
	memweir_byte_pool_free(other);
	memweir_byte_pool_free(NULL);
}

static void sizes_that_cannot_be(void **state)
{
	struct memweir_byte_pool_options o = MEMWEIR_INIT(struct memweir_byte_pool_options);
	struct memweir_bytes *b = lent(0), *none = NULL;
	struct memweir_byte_pool *p = NULL;

	(void)state;
	o.initial_bytes = SIZE_MAX;
	assert_int_equal(memweir_byte_pool_new(&o, &p), -EINVAL);
	assert_null(p);
	assert_int_equal(memweir_byte_pool_get(pool, SIZE_MAX, &none), -ENOMEM);
	assert_null(none);
	assert_int_equal(memweir_bytes_append(b, "abcd", 4), 0);
	assert_int_equal(memweir_bytes_append(b, "abcd", SIZE_MAX - 3), -ENOMEM);
	assert_int_equal(memweir_bytes_append(b, "abcd", SIZE_MAX - 4), -ENOMEM);
	assert_int_equal(memweir_bytes_reserve(b, SIZE_MAX), -ENOMEM);
	assert_int_equal(memweir_bytes_append(b, NULL, 0), 0);
	assert_memory_equal(b->data, "abcd", 4);
	assert_int_equal(b->length, 4);
	assert_int_equal(b->capacity, 8 * KIB);
	back(b);
}

static void from_itself(void **state)
{
	struct memweir_bytes *b = lent(0);

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(memweir_bytes_append(b, "0123456789abcdef", 16), 0);
	while (b->length < 64 * KIB) /* it moves meanwhile */
		assert_int_equal(memweir_bytes_append(b, b->data, b->length), 0);
	for (size_t i = 0; i < b->length; i++)
		assert_int_equal(b->data[i], "0123456789abcdef"[i % 16]);
	back(b);
}

static void forked(void **state)
{
	struct memweir_bytes *b = lent(0), *none;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(memweir_byte_pool_get(pool, 0, &none) != -ECHILD || memweir_byte_pool_trim(pool, 0) != -ECHILD ||
		      memweir_bytes_reserve(b, 9 * KIB) != 0 || memweir_byte_pool_put(pool, b) != 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	back(b);
	assert_int_equal(stats().kept_bytes, 8 * KIB);
}

static atomic_int spoilt;

static void *work(void *arg)
{
	unsigned char mine = *(unsigned char *)arg;

	for (size_t i = 0; i < 3000; i++) {
		struct memweir_bytes *b;
		size_t n = i * 7919 % (40 * KIB);

		if (memweir_byte_pool_get(pool, i % 3 ? 0 : n, &b) < 0 || memweir_bytes_reserve(b, n + 1) < 0) {
			atomic_fetch_add(&spoilt, 1);
			continue;
		}
		b->data[0] = b->data[n] = mine;
		b->length = n;
		if (i % 100 == 0)
			memweir_byte_pool_trim(pool, 16 * KIB);
		if (b->data[0] != mine || b->data[n] != mine)
			atomic_fetch_add(&spoilt, 1);
		memweir_byte_pool_put(pool, b);
	}
	return NULL;
}

static void many_at_once(void **state)
{
	unsigned char names[4] = {1, 2, 3, 4};
	pthread_t t[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, work, &names[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(atomic_load(&spoilt), 0);
	assert_int_equal(stats().in_use, 0);
	assert_int_equal(stats().hits + stats().misses, 12000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(used_again, of_defaults, gone),
		cmocka_unit_test_setup_teardown(what_grew_stays_large, of_defaults, gone),
		cmocka_unit_test_setup_teardown(grows_into_a_kept_one, of_defaults, gone),
		cmocka_unit_test_setup_teardown(too_small_and_too_large, of_small_ones, gone),
		cmocka_unit_test_setup_teardown(too_many, of_small_ones, gone),
		cmocka_unit_test_setup_teardown(given_back_wrongly, of_defaults, gone),
		cmocka_unit_test_setup_teardown(sizes_that_cannot_be, of_defaults, gone),
		cmocka_unit_test_setup_teardown(from_itself, of_defaults, gone),
		cmocka_unit_test_setup_teardown(forked, of_defaults, gone),
		cmocka_unit_test_setup_teardown(many_at_once, of_small_ones, gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
