/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "http/page.h"

#include <string.h>

#include "../unit.h"

static void test_find(void **state)
{
	const struct mw_page_file *index = mw_page_find("");

	(void)state;
	assert_non_null(index);
	assert_ptr_equal(index, mw_page_find("index.html"));
	assert_string_equal(index->type, "text/html; charset=utf-8");
	assert_true(index->size > 15 && !memcmp(index->data, "<!doctype html>", 15));
	assert_string_equal(mw_page_find("main.js")->type, "text/javascript; charset=utf-8");
	assert_non_null(mw_page_find("vendor/uPlot.min.js"));
	assert_null(mw_page_find("nothing"));
	assert_null(mw_page_find("vendor"));
	assert_null(mw_page_find("../page.c"));
}

/* An ETag is that of the bytes: no two files have the same one. */
static void test_etags(void **state)
{
	(void)state;
	assert_true(mw_page_files_n > 10);
	for (size_t i = 0; i < mw_page_files_n; i++) {
		assert_int_equal(strlen(mw_page_files[i].etag), 16);
		assert_true(mw_page_files[i].size > 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(mw_page_files[i].etag, mw_page_files[j].etag);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_etags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
