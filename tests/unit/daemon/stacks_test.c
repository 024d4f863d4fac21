/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Unwound stacks added up: equal ones are one, by addresses and by names; the lightest makes room. */
#include "unit.h"

#include <string.h>

#include "daemon/stacks.h"
#include "util/cleanup.h"

static struct mw_stacks *stacks;
static struct mw_stack_worker *worker;

static int begin(void **state)
{
	(void)state;
	stacks = calloc(1, sizeof(*stacks));
	worker = stacks ? mw_stacks_find(stacks, 7, true) : NULL;
	return worker ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	mw_stacks_free(stacks);
	return 0;
}

/* Of process 1; callers: pcs, 0 ends them. */
static struct mw_stack_sum sum(__u64 pages, __u64 pc, __u64 caller)
{
	struct mw_stack_sum s = {.pid = 1, .started_ns = 5, .pages = pages, .copies = 1};

	s.unwound.at[s.unwound.n++].pc = pc;
	if (caller)
		s.unwound.at[s.unwound.n++].pc = caller;
	return s;
}

static void add(struct mw_stack_sum s)
{
	mw_stacks_add(worker, &s);
	assert_null(s.named);
}

/* [[function, line, module, offset]...] */
static struct json_object *named(const char *frames)
{
	struct json_object *rows = json_tokener_parse(frames), *list = json_object_new_array();
	static const char *const keys[] = {"function", "line", "module", "offset"};

	assert_non_null(rows);
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i), *f = json_object_new_object();

		for (size_t k = 0; k < 4; k++)
			json_object_object_add(f, keys[k], json_object_get(json_object_array_get_idx(row, k)));
		json_object_object_add(f, "file", json_object_new_string("x.c"));
		json_object_array_add(list, f);
	}
	json_object_put(rows);
	return list;
}

static void add_named(__u64 pages, __u64 pc, const char *frames)
{
	struct mw_stack_sum s = sum(pages, pc, 0);

	s.named = named(frames);
	add(s);
}

static void equal_ones(void **state)
{
	struct mw_stack_sum other = sum(1, 10, 20);

	(void)state;
	add(sum(64, 10, 20));
	add(sum(3, 10, 20));
	add(sum(5, 10, 21));
	add(sum(7, 10, 0));
	other.started_ns = 6; /* another process with that number */
	add(other);
	assert_int_equal(worker->n, 4);
	assert_int_equal(worker->at[0].pages, 67);
	assert_int_equal(worker->at[0].copies, 2);
	assert_int_equal(worker->pages, 80);
	assert_int_equal(worker->copies, 5);
	mw_stacks_sort(worker);
	for (size_t i = 1; i < worker->n; i++)
		assert_true(worker->at[i - 1].pages >= worker->at[i].pages);
}

static void the_lightest_makes_room(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MW_STACKS_KEPT; i++)
		add_named(10 + i, 100 + i, "[[\"f\",1,\"m\",0]]");
	add(sum(1000, 50, 0));
	assert_int_equal(worker->n, MW_STACKS_KEPT);
	for (size_t i = 0; i < worker->n; i++)
		assert_true(worker->at[i].unwound.at[0].pc != 100);
	assert_int_equal(worker->copies, MW_STACKS_KEPT + 1); /* shares are of all */
	assert_int_equal(worker->pages, 1000 + (10 + 10 + MW_STACKS_KEPT - 1) * MW_STACKS_KEPT / 2);
}

static void the_same_by_name(void **state)
{
	static const char *const rows[] = {
		/* one object is new to memset or to malloc, and either has many addresses */
		"[[\"memset\",3,\"/lib/libc.so.6\",1],[\"keep\",12,\"app\",9],[\"main\",20,\"app\",30]]",
		"[[\"_int_malloc\",7,\"/lib/libc.so.6\",2],[\"malloc\",4,\"/lib/libc.so.6\",2],[\"keep\",11,\"app\",9],"
		"[\"main\",20,\"app\",30]]",
		"[[\"keep\",13,\"app\",9],[\"main\",20,\"app\",30]]",
		/* another call of main; another function; another depth */
		"[[\"memset\",3,\"/lib/libc.so.6\",1],[\"keep\",12,\"app\",9],[\"main\",21,\"app\",31]]",
		"[[\"memset\",3,\"/lib/libc.so.6\",1],[\"hold\",12,\"app\",9],[\"main\",20,\"app\",30]]",
		"[[\"keep\",12,\"app\",9],[\"keep\",12,\"app\",9],[\"main\",20,\"app\",30]]",
		/* without names addresses count */
		"[[\"\",0,\"app\",9],[\"main\",20,\"app\",30]]",
		"[[\"\",0,\"app\",8],[\"main\",20,\"app\",30]]",
		"[[\"\",0,\"app\",8],[\"main\",20,\"app\",30]]",
		/* the library alone */
		"[[\"memset\",3,\"libc.so.6\",1],[\"clone\",4,\"libc.so.6\",2]]",
		"[[\"memset\",9,\"libc.so.6\",4],[\"clone\",4,\"libc.so.6\",2]]",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		add_named(1U << i, 100 + i, rows[i]);
	add(sum(1 << 12, 1, 0)); /* has no names yet */
	add(sum(1 << 13, 2, 0));
	mw_stacks_merge(worker);
	assert_int_equal(worker->n, 9);
	assert_int_equal(worker->at[0].pages, 1 + 2 + 4);
	assert_int_equal(worker->at[0].copies, 3);
	assert_int_equal(worker->at[1].pages, 8);
	assert_int_equal(worker->at[5].pages, 128 + 256);
	assert_int_equal(worker->at[6].pages, 512 + 1024);
}

static void workers_of_their_own(void **state)
{
	(void)state;
	assert_null(mw_stacks_find(stacks, 8, false));
	assert_ptr_equal(mw_stacks_find(stacks, 7, true), worker);
	assert_non_null(mw_stacks_find(stacks, 8, true));
	mw_stacks_forget(stacks, worker);
	assert_null(mw_stacks_find(stacks, 7, false));
	assert_non_null(mw_stacks_find(stacks, 8, false));
	mw_stacks_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(equal_ones, begin, end),
		cmocka_unit_test_setup_teardown(the_lightest_makes_room, begin, end),
		cmocka_unit_test_setup_teardown(the_same_by_name, begin, end),
		cmocka_unit_test_setup_teardown(workers_of_their_own, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
