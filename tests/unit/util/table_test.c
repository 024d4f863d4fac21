/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "util/table.h"

static int utf8(void **state)
{
	(void)state;
	unsetenv("LC_ALL");
	unsetenv("LC_CTYPE");
	return setenv("LANG", "C.UTF-8", 1);
}

static const char *clean(const char *text, size_t width)
{
	static char buf[64];

	return mw_text_clean(text, width, buf, sizeof(buf));
}

static void hostile_text(void **state)
{
	(void)state;
	assert_string_equal(clean("plain", 0), "plain");
	assert_string_equal(clean("a\x1b[31mb\n\tc\x7f", 0), "a?[31mb??c?");
	assert_string_equal(clean("caf\xc3\xa9 \xe6\x97\xa5", 0), "caf\xc3\xa9 \xe6\x97\xa5");
	assert_string_equal(clean("\xc2\x9b"
				  "31m",
				  0),
			    "?31m"); /* CSI as C1 */
	assert_string_equal(clean("a\xe2\x80\xae"
				  "b",
				  0),
			    "a?b"); /* right-to-left override */
	assert_string_equal(clean("\xff\xc3", 0), "??");
	assert_string_equal(clean("\xc0\xaf", 0), "??"); /* overlong */
	assert_string_equal(clean("\xed\xa0\x80", 0), "???"); /* surrogate */
	assert_string_equal(clean("\xf4\x90\x80\x80", 0), "????"); /* past U+10FFFF */
}

static void widths(void **state)
{
	(void)state;
	assert_int_equal(mw_text_width("abc"), 3);
	assert_int_equal(mw_text_width("caf\xc3\xa9"), 4);
	assert_int_equal(mw_text_width("e\xcc\x81"), 1); /* combining */
	assert_int_equal(mw_text_width("\xe6\x97\xa5\xe6\x9c\xac"), 4); /* wide */
	assert_string_equal(clean("abcdef", 6), "abcdef");
	assert_string_equal(clean("abcdef", 4), "abc\xe2\x80\xa6");
	assert_string_equal(clean("\xe6\x97\xa5\xe6\x9c\xac", 3), "\xe6\x97\xa5\xe2\x80\xa6");
	setenv("LANG", "C", 1);
	assert_string_equal(clean("abcdef", 4), "abc~");
	setenv("LANG", "C.UTF-8", 1);
}

static void small_buffers(void **state)
{
	char buf[4];

	(void)state;
	assert_string_equal(mw_text_clean("abcdef", 0, buf, sizeof(buf)), "abc");
	assert_string_equal(mw_text_clean("ab\xc3\xa9", 0, buf, sizeof(buf)), "ab"); /* no half character */
	assert_string_equal(mw_text_clean("abc", 0, buf, 1), "");
}

static const struct mw_column columns[] = {{"NAME", .shrink = true}, {"N", .right = true}, {"WHY", .shrink = true}};

static void print(size_t width, char *buf, size_t size)
{
	struct mw_table *t = mw_table_new(columns, 3);
	FILE *out = fmemopen(buf, size, "w");

	mw_table_cell(t, "caf\xc3\xa9\n");
	mw_table_cellf(t, "%d", 5);
	mw_table_cell(t, "a rather long sentence about it");
	mw_table_cell(t, "x");
	mw_table_cell(t, "1234");
	mw_table_cell(t, NULL);
	mw_table_cell(t, "an unfinished row is not shown");
	assert_int_equal(mw_table_rows(t), 2);
	assert_int_equal(mw_table_print(t, out, width), 0);
	fclose(out);
	mw_table_free(t);
}

static void columns_line_up(void **state)
{
	char buf[1024] = "";

	(void)state;
	print(0, buf, sizeof(buf));
	assert_non_null(strstr(buf, "  5  a rather long sentence about it\n"));
	assert_non_null(strstr(buf, "1234  -\n"));
	print(30, buf, sizeof(buf));
	assert_string_equal(buf, "NAME      N  WHY\n"
				 "caf\xc3\xa9?     5  a rather long se\xe2\x80\xa6\n"
				 "x      1234  -\n");
	print(3, buf, sizeof(buf)); /* nothing fits: it wraps, and does not end */
	assert_non_null(strstr(buf, "1234"));
}

static void full_disk(void **state)
{
	struct mw_table *t = mw_table_new(columns, 3);
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	setvbuf(out, NULL, _IONBF, 0);
	assert_int_equal(mw_table_print(t, out, 0), -EIO);
	fclose(out);
	mw_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_text),	   cmocka_unit_test(widths),	cmocka_unit_test(small_buffers),
		cmocka_unit_test(columns_line_up), cmocka_unit_test(full_disk),
	};

	return cmocka_run_group_tests(tests, utf8, NULL);
}
