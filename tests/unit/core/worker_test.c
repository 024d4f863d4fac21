/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/worker.h"
#include "util/clock.h"

static int add(struct mw_workers *ws, const char *name, __u64 id, struct mw_worker **ret_worker)
{
	return mw_worker_add(ws, name, "tool", "/memweir/tool/x", -1, id, 10, ret_worker);
}

static void found_by_id_and_name(void **state)
{
	struct mw_workers ws;
	struct mw_worker *a, *b;

	(void)state;
	assert_int_equal(mw_workers_init(&ws, 4), 0);
	assert_int_equal(add(&ws, "a", 11, &a), 0);
	assert_int_equal(add(&ws, "b", 12, &b), 0);
	assert_int_equal(ws.count, 2);
	assert_ptr_equal(mw_worker_by_id(&ws, 11), a);
	assert_ptr_equal(mw_worker_by_name(&ws, "b"), b);
	assert_null(mw_worker_by_id(&ws, 13));
	assert_null(mw_worker_by_name(&ws, "c"));
	assert_string_equal(a->cgroup, "/memweir/tool/x");
	assert_string_equal(a->class_name, "tool");
	assert_int_equal(a->main_status, -1);
	assert_int_equal(a->subtree, -1);
	assert_int_equal(a->dir_fd, -1);
	assert_int_equal(a->watch, -1);
	assert_true(a->trend.time_to_limit_s < 0);
	assert_int_equal(a->history.capacity, 10);
	mw_workers_free(&ws);
	mw_workers_free(&ws); /* twice is fine */
}

static void refused(void **state)
{
	struct mw_worker *a, *none = NULL;
	char name[MW_NAME_SIZE + 1];
	struct mw_workers ws;

	(void)state;
	assert_int_equal(mw_workers_init(&ws, 0), -EINVAL);
	assert_int_equal(mw_workers_init(&ws, 1), 0);
	assert_int_equal(add(&ws, "", 1, &none), -EINVAL);
	memset(name, 'n', sizeof(name));
	name[MW_NAME_SIZE] = 0;
	assert_int_equal(add(&ws, name, 1, &none), -EINVAL);
	assert_int_equal(mw_worker_add(&ws, "a", "tool", "/", -1, 1, 0, &none), -EINVAL);
	name[MW_NAME_SIZE - 1] = 0;
	assert_int_equal(add(&ws, name, 1, &a), 0);
	assert_int_equal(add(&ws, "other", 1, &none), -EEXIST);
	assert_int_equal(add(&ws, name, 2, &none), -EEXIST);
	assert_int_equal(add(&ws, "other", 2, &none), -ENOSPC);
	assert_null(none);
	assert_int_equal(ws.count, 1);
	mw_workers_free(&ws);
}

static void slots_are_used_again(void **state)
{
	struct mw_worker *w[3], *again;
	struct mw_workers ws;
	char name[8];

	(void)state;
	assert_int_equal(mw_workers_init(&ws, 3), 0);
	for (__u32 i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "w%u", i);
		assert_int_equal(add(&ws, name, 100 + i, &w[i]), 0);
		assert_int_equal(w[i]->slot, i);
	}
	mw_worker_remove(&ws, w[1]);
	assert_null(mw_worker_by_id(&ws, 101));
	assert_null(mw_worker_by_name(&ws, "w1"));
	assert_int_equal(add(&ws, "w1", 103, &again), 0);
	assert_int_equal(again->slot, 1);
	assert_int_equal(ws.count, 3);
	mw_workers_free(&ws);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void the_descriptor_is_taken_over(void **state)
{
	struct mw_worker *w, *none = NULL;
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct mw_workers ws;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(mw_workers_init(&ws, 3), 0);
	assert_int_equal(mw_worker_add(&ws, "", "tool", "/", fd, 1, 10, &none), -EINVAL);
	assert_true(is_open(fd)); /* a failure leaves it to the caller */
	assert_int_equal(mw_worker_add(&ws, "w", "tool", "/", fd, 1, 10, &w), 0);
	assert_int_equal(w->dir_fd, fd);
	mw_worker_remove(&ws, w);
	assert_false(is_open(fd));
	mw_workers_free(&ws);
}

/* Thousands come and go; both tables and the slots stay in step. */
static void many(void **state)
{
	struct mw_workers ws;
	unsigned int seed = 5;
	char name[16];

	(void)state;
	assert_int_equal(mw_workers_init(&ws, 1000), 0);
	for (int round = 0; round < 20000; round++) {
		__u32 id = (__u32)rand_r(&seed) % 1500;
		struct mw_worker *w = mw_worker_by_id(&ws, id), *added;
		__u32 count = ws.count;

		snprintf(name, sizeof(name), "w%u", id);
		assert_ptr_equal(mw_worker_by_name(&ws, name), w);
		if (w) {
			mw_worker_remove(&ws, w);
			assert_int_equal(ws.count, count - 1);
		} else if (add(&ws, name, id, &added) == 0) {
			assert_true(added->slot < 1000);
		} else {
			assert_int_equal(ws.count, 1000);
		}
	}
	mw_workers_free(&ws);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_by_id_and_name),
		cmocka_unit_test(refused),
		cmocka_unit_test(slots_are_used_again),
		cmocka_unit_test(the_descriptor_is_taken_over),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
