/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "util/cleanup.h"
#include "util/utf8.h"

static void what_is_plain(void **state)
{
	static const char *const yes[] = {
		"", "a", "a b~", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\x8b", "\xc2\xa0", "\xe2\x80\xa6"};
	static const char *const no[] = {
		"\n",		"a\x1b[0m", "\x7f", "\xc2\x85", "\xe2\x80\xae", "\xe2\x80\x8f",	    "\xe2\x81\xa6",
		"\xe2\x80\xa8", "\xff",	    "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xe2\x82"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		assert_true(mw_utf8_plain(yes[i]));
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_false(mw_utf8_plain(no[i]));
}

static void taken_cleaned_and_cut(void **state)
{
	char buf[6];

	(void)state;
	assert_true(mw_utf8_take(buf, sizeof(buf), "a\xc3\xa4zzz", 3));
	assert_string_equal(buf, "a\xc3\xa4");
	assert_true(mw_utf8_take(buf, sizeof(buf), "", 0));
	assert_string_equal(buf, "");
	assert_false(mw_utf8_take(buf, sizeof(buf), "a\0b", 3)); /* a NUL is no end */
	assert_string_equal(buf, "a?b");
	assert_false(mw_utf8_take(buf, sizeof(buf), "\xc3\xa4", 1)); /* half a character */
	assert_string_equal(buf, "?");
	assert_false(mw_utf8_take(buf, sizeof(buf), "\xe2\x80\xae!", 4));
	assert_string_equal(buf, "?!");
	assert_false(mw_utf8_take(buf, sizeof(buf), "abcd\xc3\xa4", 6)); /* cut between two */
	assert_string_equal(buf, "abcd");
	assert_true(mw_utf8_take(buf, sizeof(buf), "abcde", 5));
	assert_string_equal(buf, "abcde");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_plain),
		cmocka_unit_test(taken_cleaned_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
