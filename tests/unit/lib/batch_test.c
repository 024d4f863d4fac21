// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Each item once and in order, wherever it stops and goes on. */
#include "unit.h"

#include <pthread.h>

#include <memweir/batch.h>
#include <memweir/limiter.h>

struct memweir_limiter {
	int calls, refuse_from; /* this call and later ones; 0: never */
};

int memweir_limiter_check(struct memweir_limiter *limiter)
{
	limiter->calls++;
	return limiter->refuse_from && limiter->calls >= limiter->refuse_from ? -ENOMEM : 0;
}

struct work {
	char log[1024]; /* "first+n " of each batch */
	size_t n;
	uint64_t fail_at; /* index, fails with 7 */
	uint64_t given, last; /* of next_fn: how many so far, how many there are */
	uint64_t broken_at; /* index at which next_fn fails */
	uint64_t sum;
	int cancel;
	uint64_t cancel_at; /* index */
};

static int one(void *data, uint64_t index)
{
	struct work *work = data;

	if (index == work->fail_at)
		return 7;
	if (index == work->cancel_at)
		memweir_batch_cancel(&work->cancel);
	work->sum += index;
	return 0;
}

static int many(void *data, void *const *items, uint64_t first, size_t n, size_t *ret_failed)
{
	struct work *work = data;

	work->n +=
		(size_t)snprintf(work->log + work->n, sizeof(work->log) - work->n, "%lu+%zu ", (unsigned long)first, n);
	for (size_t i = 0; i < n; i++) {
		if (items)
			assert_ptr_equal(items[i], work->log + first + i);
		if (one(work, first + i)) {
			*ret_failed = i;
			return 7;
		}
	}
	return 0;
}

static int next(void *data, uint64_t index, void **ret_item)
{
	struct work *work = data;

	assert_int_equal(index, work->given);
	if (index == work->broken_at)
		return -EIO;
	if (index == work->last)
		return 0;
	work->given++;
	*ret_item = work->log + index;
	return 1;
}

static struct work work;
static struct memweir_limiter limiter;
static struct memweir_batch_options options;
static struct memweir_batch_result result;

static int fresh(void **state)
{
	(void)state;
	work = (struct work){.fail_at = UINT64_MAX, .cancel_at = UINT64_MAX, .broken_at = UINT64_MAX};
	limiter = (struct memweir_limiter){0};
	options = MEMWEIR_INIT(struct memweir_batch_options);
	options.batch_items = 4;
	options.limiter = &limiter;
	options.cancel = &work.cancel;
	result = MEMWEIR_INIT(struct memweir_batch_result);
	return 0;
}

static void expect(const char *log, uint64_t done, uint64_t failed, uint64_t batches)
{
	assert_string_equal(work.log, log);
	assert_int_equal(result.done, done);
	assert_true(result.failed == failed);
	assert_int_equal(result.batches, batches);
}

static void all_of_them(void **state)
{
	(void)state;
	assert_int_equal(memweir_batch_run(&options, 10, many, &work, &result), 0);
	expect("0+4 4+4 8+2 ", 10, MEMWEIR_BATCH_NONE, 3);
	assert_int_equal(limiter.calls, 10);
	assert_int_equal(memweir_batch_run(&options, 0, many, &work, &result), 0);
	expect("0+4 4+4 8+2 ", 0, MEMWEIR_BATCH_NONE, 0);
	options.first = 3;
	assert_int_equal(memweir_batch_run(&options, 7, many, &work, &result), 0);
	expect("0+4 4+4 8+2 3+4 ", 4, MEMWEIR_BATCH_NONE, 1);
	work.sum = 0;
	assert_int_equal(memweir_batch_run(NULL, 250, many, &work, NULL), 0);
	assert_int_equal(work.sum, 249 * 250 / 2);
	assert_string_equal(work.log, "0+4 4+4 8+2 3+4 0+100 100+100 200+50 ");
}

static void from_an_iterator(void **state)
{
	(void)state;
	work.last = 9;
	assert_int_equal(memweir_batch_iterate(&options, next, many, &work, &result), 0);
	expect("0+4 4+4 8+1 ", 9, MEMWEIR_BATCH_NONE, 3);
	assert_int_equal(work.sum, 36);
}

static void the_one_that_failed(void **state)
{
	(void)state;
	work.fail_at = 6;
	assert_int_equal(memweir_batch_run(&options, 10, many, &work, &result), 7);
	expect("0+4 4+4 ", 6, 6, 2);
	assert_int_equal(memweir_batch_each(&options, 10, one, &work, &result), 7);
	expect("0+4 4+4 ", 6, 6, 2);
	work.fail_at = 0;
	assert_int_equal(memweir_batch_each(&options, 10, one, &work, &result), 7);
	expect("0+4 4+4 ", 0, 0, 1);
	/* And behind it. */
	options.first = 7;
	work.sum = 0;
	assert_int_equal(memweir_batch_each(&options, 10, one, &work, &result), 0);
	assert_int_equal(work.sum, 7 + 8 + 9);
}

static int beyond(void *data, void *const *items, uint64_t first, size_t n, size_t *ret_failed)
{
	(void)data;
	(void)items;
	(void)first;
	*ret_failed = n + 5;
	return -EIO;
}

static void a_failed_index_beyond_the_batch(void **state)
{
	(void)state;
	assert_int_equal(memweir_batch_run(&options, 10, beyond, NULL, &result), -EIO);
	assert_true(result.failed == 3);
}

static void an_iterator_that_fails(void **state)
{
	(void)state;
	work.last = 100;
	work.broken_at = 6;
	assert_int_equal(memweir_batch_iterate(&options, next, many, &work, &result), -EIO);
	expect("0+4 4+2 ", 6, 6, 2); /* what was given is done */
	assert_int_equal(work.given, 6);
}

static void over_the_maximum(void **state)
{
	(void)state;
	work.last = 100;
	limiter.refuse_from = 7;
	assert_int_equal(memweir_batch_iterate(&options, next, many, &work, &result), -ENOMEM);
	expect("0+4 4+2 ", 6, MEMWEIR_BATCH_NONE, 2);
	assert_int_equal(work.given, 6);
	limiter.refuse_from = 0;
	options.first = result.done;
	work.last = 9;
	assert_int_equal(memweir_batch_iterate(&options, next, many, &work, &result), 0);
	expect("0+4 4+2 6+3 ", 3, MEMWEIR_BATCH_NONE, 1);
}

static void cancelled(void **state)
{
	(void)state;
	work.last = 100;
	work.cancel_at = 5;
	assert_int_equal(memweir_batch_iterate(&options, next, many, &work, &result), -ECANCELED);
	expect("0+4 4+4 ", 8, MEMWEIR_BATCH_NONE, 2); /* the batch is finished: nothing that was given is lost */
	assert_int_equal(work.given, 8);
	assert_int_equal(memweir_batch_run(&options, 10, many, &work, &result), -ECANCELED);
	expect("0+4 4+4 ", 0, MEMWEIR_BATCH_NONE, 0);
	work.cancel = 0;
	assert_int_equal(memweir_batch_each(&options, 10, one, &work, &result), -ECANCELED);
	expect("0+4 4+4 ", 6, MEMWEIR_BATCH_NONE, 2); /* item by item: at once */
}

static void *cancel_it(void *arg)
{
	memweir_batch_cancel(arg);
	return NULL;
}

static int quiet(void *data, uint64_t index)
{
	(void)data;
	(void)index;
	return 0;
}

static void cancelled_by_another_thread(void **state)
{
	pthread_t thread;

	(void)state;
	options.limiter = NULL;
	assert_int_equal(pthread_create(&thread, NULL, cancel_it, &work.cancel), 0);
	assert_int_equal(memweir_batch_each(&options, UINT64_MAX, quiet, NULL, &result), -ECANCELED);
	pthread_join(thread, NULL);
}

static void arguments_that_cannot_be(void **state)
{
	(void)state;
	assert_int_equal(memweir_batch_run(&options, 1, NULL, NULL, &result), -EINVAL);
	assert_int_equal(memweir_batch_each(&options, 1, NULL, NULL, &result), -EINVAL);
	assert_int_equal(memweir_batch_iterate(&options, NULL, many, NULL, &result), -EINVAL);
	assert_int_equal(memweir_batch_iterate(&options, next, NULL, NULL, &result), -EINVAL);
	result.size = 0;
	assert_int_equal(memweir_batch_run(&options, 1, many, &work, &result), -EINVAL);
	assert_string_equal(work.log, "");
	options.size = 1;
	assert_int_equal(memweir_batch_run(&options, 1, many, &work, NULL), -EINVAL);
	options.size = sizeof(options);
	options.batch_items = (1 << 24) + 1;
	assert_int_equal(memweir_batch_iterate(&options, next, many, &work, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_of_them, fresh),
		cmocka_unit_test_setup(from_an_iterator, fresh),
		cmocka_unit_test_setup(the_one_that_failed, fresh),
		cmocka_unit_test_setup(a_failed_index_beyond_the_batch, fresh),
		cmocka_unit_test_setup(an_iterator_that_fails, fresh),
		cmocka_unit_test_setup(over_the_maximum, fresh),
		cmocka_unit_test_setup(cancelled, fresh),
		cmocka_unit_test_setup(cancelled_by_another_thread, fresh),
		cmocka_unit_test_setup(arguments_that_cannot_be, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
