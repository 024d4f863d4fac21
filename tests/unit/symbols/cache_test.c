/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Answers that are kept: the same as asked anew, for the same file only, and within bounds. */
#include "program.h"

#include "symbols/cache.h"

static struct mw_modules modules;

static int cache_remove(void **state)
{
	mw_modules_free(&modules);
	modules = (struct mw_modules){0};
	return program_remove(state);
}

/* Of the worker; program: whom to start, should that be needed. */
static int ask_cached(struct mw_symbol_cache *c, const char *program)
{
	struct mw_address addresses[PCS_MAX];
	struct mw_symbols_question q = {
		.pid = worker.pid, .addresses = addresses, .n = worker.n, .program = program, .timeout_ms = 60000};

	for (size_t i = 0; i < worker.n; i++)
		addresses[i] = (struct mw_address){worker.pcs[i], true};
	mw_symbols_free(&symbols);
	said.text[0] = '\0';
	return mw_symbols_ask_cached(c, &modules, &q, &symbols, &said);
}

static void start(void)
{
	start_worker("weir");
	mw_modules_free(&modules);
	modules = (struct mw_modules){0};
	assert_int_equal(mw_modules_ask(worker.pid, 0, symbols_program(), 60000, &modules, &said), 0);
}

static void nobody_is_started_for_what_is_known(void **state)
{
	struct mw_symbol_cache *c = mw_symbol_cache_new(1U << 20);
	size_t bytes;

	(void)state;
	assert_non_null(c);
	in_tree("gcc -O2 -g -o weir weir.c");
	start();
	assert_int_equal(ask_cached(c, "/nowhere"), -ENOEXEC);
	assert_int_equal(ask_cached(c, symbols_program()), 0);
	assert_c_program();
	bytes = mw_symbol_cache_bytes(c);
	assert_true(bytes > 0);
	assert_int_equal(ask_cached(c, "/nowhere"), 0);
	assert_c_program();
	/* Another process of the same file, somewhere else in memory. */
	start();
	assert_int_equal(ask_cached(c, "/nowhere"), 0);
	assert_c_program();
	assert_int_equal(mw_symbol_cache_bytes(c), bytes);
	/* One more address: only that is asked for, and all have their places. */
	worker.pcs[4] = worker.pcs[0];
	worker.pcs[3] = 0x10;
	worker.n = 5;
	assert_int_equal(ask_cached(c, "/nowhere"), -ENOEXEC);
	assert_int_equal(ask_cached(c, symbols_program()), 0);
	assert_c_program();
	assert_int_equal(frame(3, 0)->offset, 0x10);
	assert_frame(4, 0, "plain", "/weir.c", 3);
	mw_symbol_cache_free(c);
}

/* The build id is what a file says of itself: another file with the same one is not the same. */
static void another_file_with_that_build_id(void **state)
{
	struct mw_symbol_cache *c = mw_symbol_cache_new(1U << 20);

	(void)state;
	in_tree("gcc -O2 -g -Wl,--build-id=0x0123456789abcdef0123456789abcdef01234567 -o weir weir.c");
	start();
	assert_int_equal(ask_cached(c, symbols_program()), 0);
	assert_c_program();
	in_tree("sed -i 's/plain/fancy/g' weir.c && rm weir && "
		"gcc -O2 -g -Wl,--build-id=0x0123456789abcdef0123456789abcdef01234567 -o weir weir.c");
	start();
	assert_int_equal(ask_cached(c, symbols_program()), 0);
	assert_frame(0, 0, "fancy", "/weir.c", 3);
	mw_symbol_cache_free(c);
}

static void what_has_no_name_is_asked_for_again(void **state)
{
	struct mw_symbol_cache *c = mw_symbol_cache_new(1U << 20);

	(void)state;
	in_tree("gcc -O2 -s -o weir weir.c");
	start();
	worker.n = 3;
	assert_int_equal(ask_cached(c, symbols_program()), 0);
	assert_frame(0, 0, "", "", 0);
	assert_int_equal(mw_symbol_cache_bytes(c), 0);
	worker.n = 0;
	assert_int_equal(ask_cached(c, symbols_program()), -EINVAL);
	mw_symbol_cache_free(c);
}

static void no_more_than_its_bytes(void **state)
{
	struct mw_symbol_cache *c = mw_symbol_cache_new(1000);

	(void)state;
	in_tree("gcc -O2 -g -o weir weir.c");
	start();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask_cached(c, symbols_program()), 0);
		assert_c_program();
		assert_true(mw_symbol_cache_bytes(c) > 0 && mw_symbol_cache_bytes(c) <= 1000);
	}
	mw_symbol_cache_free(c);
	c = mw_symbol_cache_new(0);
	assert_int_equal(ask_cached(c, symbols_program()), 0);
	assert_c_program();
	assert_int_equal(mw_symbol_cache_bytes(c), 0);
	mw_symbol_cache_free(c);
	mw_symbol_cache_free(NULL);
}

#define cache_case(f) cmocka_unit_test_setup_teardown(f, program_make, cache_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cache_case(nobody_is_started_for_what_is_known),
		cache_case(another_file_with_that_build_id),
		cache_case(what_has_no_name_is_asked_for_again),
		cache_case(no_more_than_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
