// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Members, strings and numbers out of texts that are copied to their exact size: a read behind them is seen. */
#include "unit.h"

#include <locale.h>

#include <memweir/json.h>

/* What is at pointer, or the error as text. */
static const char *get(const char *text, const char *pointer)
{
	static char out[256];
	size_t n = strlen(text), length = 12345;
	char *copy = malloc(n ? n : 1);
	const char *value = NULL;
	int r;

	memcpy(copy, text, n);
	r = memweir_json_get(copy, n, pointer, &value, &length);
	if (r < 0) {
		assert_null(value);
		assert_int_equal(length, 12345);
		snprintf(out, sizeof(out), "%s",
			 r == -ENOENT	 ? "none"
			 : r == -EBADMSG ? "bad"
			 : r == -EINVAL	 ? "pointer"
					 : "?");
	} else {
		assert_int_equal(r, 0);
		snprintf(out, sizeof(out), "%.*s", (int)length, value);
	}
	free(copy);
	return out;
}

static void by_pointer(void **state)
{
	static const char text[] =
		"{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, \"e^f\": 3, \"g|h\": 4,"
		" \"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, \"m~n\": 8}"; /* RFC 6901, section 5 */

	(void)state;
	assert_string_equal(get(text, ""), text);
	assert_string_equal(get(text, "/foo"), "[\"bar\", \"baz\"]");
	assert_string_equal(get(text, "/foo/0"), "\"bar\"");
	assert_string_equal(get(text, "/foo/1"), "\"baz\"");
	assert_string_equal(get(text, "/"), "0");
	assert_string_equal(get(text, "/a~1b"), "1");
	assert_string_equal(get(text, "/c%d"), "2");
	assert_string_equal(get(text, "/e^f"), "3");
	assert_string_equal(get(text, "/g|h"), "4");
	assert_string_equal(get(text, "/i\\j"), "5");
	assert_string_equal(get(text, "/k\"l"), "6");
	assert_string_equal(get(text, "/ "), "7");
	assert_string_equal(get(text, "/m~0n"), "8");
	assert_string_equal(get(text, "/foo/2"), "none");
	assert_string_equal(get(text, "/foo/00"), "none");
	assert_string_equal(get(text, "/foo/-"), "none");
	assert_string_equal(get(text, "/foo/"), "none");
	assert_string_equal(get(text, "/foo/0/x"), "none");
	assert_string_equal(get(text, "/fo"), "none");
	assert_string_equal(get(text, "/fooo"), "none");
	assert_string_equal(get(text, "foo"), "pointer");
	assert_string_equal(get(text, "/m~n"), "pointer");
	assert_string_equal(get(text, "/m~"), "pointer");
}

static void deep_and_doubled(void **state)
{
	static const char text[] = " {\"x\":{\"a\":0},\"b\":{\"b\":[[],[9,{\"c\":[null,-1.5]}]]},\"b\":7,\"c\":8} ";

	(void)state;
	assert_string_equal(get(text, "/a"), "none");
	assert_string_equal(get(text, "/x/a"), "0");
	assert_string_equal(get(text, "/b/b/1/1/c/1"), "-1.5");
	assert_string_equal(get(text, "/b/b/1/1/c/0"), "null");
	assert_string_equal(get(text, "/b/b/1/1"), "{\"c\":[null,-1.5]}");
	assert_string_equal(get(text, "/b/b/0"), "[]");
	assert_string_equal(get(text, "/b/b/0/0"), "none");
	assert_string_equal(get(text, "/b/c"), "none"); /* the first b has it not */
	assert_string_equal(get(text, "/c"), "8");
	assert_string_equal(get("12", ""), "12");
	assert_string_equal(get(" 12 ", ""), "12");
	assert_string_equal(get("\"s\"", ""), "\"s\"");
	assert_string_equal(get("12", "/a"), "none");
	assert_string_equal(get("{\"\\u00e9\\n\":1}", "/\xc3\xa9\n"), "1");
	assert_string_equal(get("{\"\xc3\xa9\":1}", "/\xc3\xa9"), "1");
	assert_string_equal(get("{\"\\ud83d\\ude00\":1}", "/\xf0\x9f\x98\x80"), "1");
	assert_string_equal(get("[[0],[1,2]]", "/1/1"), "2");
	assert_string_equal(get("[0]", "/18446744073709551616"), "none");
	assert_string_equal(get("", ""), "bad");
	assert_string_equal(get("{\"a\" 1}", "/b"), "bad");
	assert_string_equal(get("{\"a\":[1", "/a"), "bad");
	assert_string_equal(get("{\"\\u", "/a"), "bad"); /* nothing is read behind the end */
	assert_string_equal(get("{\"a\":1,", "/a"), "1"); /* no further than needed */
}

struct members {
	char text[256];
	size_t n;
	int stop_at; /* return 5 at this one, from 1 */
};

static int take(void *data, const char *key, size_t key_length, const char *value, size_t length)
{
	struct members *m = data;

	m->n += (size_t)snprintf(m->text + m->n, sizeof(m->text) - m->n, "%.*s=%.*s|", key ? (int)key_length : 1,
				 key ? key : "-", (int)length, value);
	return --m->stop_at ? 0 : 5;
}

static void each(const char *text, int stop_at, int r, const char *want)
{
	struct members m = {.stop_at = stop_at};
	size_t n = strlen(text);
	char *copy = malloc(n ? n : 1);

	memcpy(copy, text, n);
	assert_int_equal(memweir_json_each(copy, n, take, &m), r);
	assert_string_equal(m.text, want);
	free(copy);
}

static void members(void **state)
{
	(void)state;
	each(" {\"a\": 1,\"b\" : {\"c\":[2,{}]},\"\\n\":\"x\", \"e\":[] }\n", 0, 0,
	     "\"a\"=1|\"b\"={\"c\":[2,{}]}|\"\\n\"=\"x\"|\"e\"=[]|");
	each("[1, [2,{\"a\":3}],\"x\",null ,-4.5e1]", 0, 0, "-=1|-=[2,{\"a\":3}]|-=\"x\"|-=null|-=-4.5e1|");
	each("[1,2,3]", 2, 5, "-=1|-=2|");
	each("{}", 0, 0, "");
	each(" [ ]", 0, 0, "");
	each("12", 0, -EDOM, "");
	each(" \"x\"", 0, -EDOM, "");
	each("", 0, -EBADMSG, "");
	each("[1,23", 0, -EBADMSG, "-=1|"); /* who knows what 23 would have become */
	each("[1,\"2", 0, -EBADMSG, "-=1|");
	each("{\"a\":1,\"b", 0, -EBADMSG, "\"a\"=1|");
	each("{\"a\":1} x", 0, -EBADMSG, "\"a\"=1|");
	assert_int_equal(memweir_json_each("[]", 2, NULL, NULL), -EINVAL);
}

/* The characters, or "bad". */
static const char *string(const char *text, size_t n)
{
	static char out[64];
	char *copy = malloc(n ? n : 1);
	size_t length = 0;
	int r;

	memcpy(copy, text, n);
	r = memweir_json_string(copy, n, out, n ? n - 1 : 0, &length);
	if (r < 0) {
		assert_int_equal(r, -EBADMSG);
		strcpy(out, "bad");
	} else {
		assert_int_equal(out[length], '\0');
	}
	free(copy);
	return out;
}
#define STRING(text) string(text, sizeof(text) - 1)

static void strings(void **state)
{
	char buffer[8];
	size_t n = 99;

	(void)state;
	assert_string_equal(STRING("\"\""), "");
	assert_string_equal(STRING("\"abc\""), "abc");
	assert_string_equal(STRING("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\/\b\f\n\r\t");
	assert_string_equal(STRING("\"\\u0041\\u00e9\\u20AC\\uD83d\\uDE00.\""),
			    "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80.");
	assert_string_equal(STRING("\"\xc3\xa9\""), "\xc3\xa9");
	assert_string_equal(STRING("\"\\ud800\""), "\xef\xbf\xbd");
	assert_string_equal(STRING("\"\\ud800\\u0041\""), "\xef\xbf\xbd"
							  "A");
	assert_string_equal(STRING("\"\\ud800\\ud83d\\ude00\""), "\xef\xbf\xbd\xf0\x9f\x98\x80");
	assert_string_equal(STRING("\"\\udc00x\""), "\xef\xbf\xbdx");
	assert_string_equal(STRING("\"a"), "bad");
	assert_string_equal(STRING("\""), "bad");
	assert_string_equal(STRING(""), "bad");
	assert_string_equal(STRING("\"a\" "), "bad");
	assert_string_equal(STRING("\"a\"\"b\""), "bad");
	assert_string_equal(STRING("\"\\\""), "bad");
	assert_string_equal(STRING("\"\\x\""), "bad");
	assert_string_equal(STRING("\"\xff\""), "bad");
	assert_string_equal(STRING("1"), "bad");
	assert_int_equal(memweir_json_string("\"1234567\"", 9, buffer, 8, &n), 0);
	assert_int_equal(n, 7);
	assert_string_equal(buffer, "1234567");
	n = 99;
	assert_int_equal(memweir_json_string("\"12345678\"", 10, buffer, 8, &n), -ENOSPC);
	assert_int_equal(memweir_json_string("\"\"", 2, buffer, 0, &n), -ENOSPC);
	assert_int_equal(memweir_json_string("\"123456\\u00e9\"", 14, buffer, 8, &n), -ENOSPC);
	assert_int_equal(n, 99);
	assert_int_equal(memweir_json_string("\"a\\u0000b\"", 10, buffer, 8, &n), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(buffer, "a\0b", 4);
}

static void integers(void **state)
{
	int64_t i = 7;
	uint64_t u = 7;

	(void)state;
	assert_int_equal(memweir_json_int64("9223372036854775807", 19, &i), 0);
	assert_true(i == INT64_MAX);
	assert_int_equal(memweir_json_int64("-9223372036854775808", 20, &i), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(memweir_json_int64("-0", 2, &i), 0);
	assert_true(i == 0);
	assert_int_equal(memweir_json_int64("-12", 3, &i), 0);
	assert_true(i == -12);
	assert_int_equal(memweir_json_int64("9223372036854775808", 19, &i), -ERANGE);
	assert_int_equal(memweir_json_int64("-9223372036854775809", 20, &i), -ERANGE);
	assert_int_equal(memweir_json_int64("1e3", 3, &i), -EDOM);
	assert_int_equal(memweir_json_int64("1.0", 3, &i), -EDOM);
	assert_int_equal(memweir_json_int64("\"1\"", 3, &i), -EBADMSG);
	assert_int_equal(memweir_json_int64("01", 2, &i), -EBADMSG);
	assert_int_equal(memweir_json_int64("1 ", 2, &i), -EBADMSG);
	assert_int_equal(memweir_json_int64(" 1", 2, &i), -EBADMSG);
	assert_int_equal(memweir_json_int64("", 0, &i), -EBADMSG);
	assert_int_equal(memweir_json_int64("-", 1, &i), -EBADMSG);
	assert_true(i == -12);
	assert_int_equal(memweir_json_uint64("18446744073709551615", 20, &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(memweir_json_uint64("18446744073709551616", 20, &u), -ERANGE);
	assert_int_equal(memweir_json_uint64("99999999999999999999999999999999", 32, &u), -ERANGE);
	assert_int_equal(memweir_json_uint64("-1", 2, &u), -ERANGE);
	assert_int_equal(memweir_json_uint64("true", 4, &u), -EBADMSG);
	assert_true(u == UINT64_MAX);
	assert_int_equal(memweir_json_uint64("-0", 2, &u), 0);
	assert_true(u == 0);
}

static void doubles(void **state)
{
	static const char *const locales[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8",
					      "C"}; /* a comma, where there is one */
	char long_one[301];
	double d = 7;

	(void)state;
	for (size_t i = 0; i < 4 && !setlocale(LC_NUMERIC, locales[i]); i++)
		;
	assert_int_equal(memweir_json_double("0.1", 3, &d), 0);
	assert_true(d == 0.1);
	assert_int_equal(memweir_json_double("-1.5e3", 6, &d), 0);
	assert_true(d == -1500);
	assert_int_equal(memweir_json_double("9007199254740993", 16, &d), 0);
	assert_true(d == 9007199254740992.0);
	assert_int_equal(memweir_json_double("1e-400", 6, &d), 0);
	assert_true(d == 0);
	memset(long_one, '3', sizeof(long_one));
	long_one[1] = '.';
	assert_int_equal(memweir_json_double(long_one, sizeof(long_one), &d), 0);
	assert_true(d == 10.0 / 3);
	assert_int_equal(memweir_json_double("1e400", 5, &d), -ERANGE);
	assert_int_equal(memweir_json_double("nan", 3, &d), -EBADMSG);
	assert_int_equal(memweir_json_double("0x10", 4, &d), -EBADMSG);
	assert_true(d == 10.0 / 3);
	setlocale(LC_NUMERIC, "C");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_pointer), cmocka_unit_test(deep_and_doubled), cmocka_unit_test(members),
		cmocka_unit_test(strings),    cmocka_unit_test(integers),	  cmocka_unit_test(doubles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
