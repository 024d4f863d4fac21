// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What the JSON scanner tells does not depend on where the parts it is fed end. */
#include "unit.h"

#include <limits.h>

#include "lib/json_scan.h"

#define LOG_BYTES 65536

/* Tokens as text: "kind@offset:line:column^depth text", parts put together. */
struct log {
	char text[LOG_BYTES];
	size_t n;
	int open; /* a token whose last part has not come */
	unsigned int flags; /* of the last event */
	uint64_t next; /* offset the next part must have */
	int stop_at, events; /* return 7 at this event */
};

static const char kinds[] = "{}[]ksn10N";

static int take(void *data, const struct mw_json_event *event)
{
	struct log *log = data;

	assert_int_equal(!log->open, (event->flags & MW_JSON_FIRST) != 0);
	assert_true(event->length || event->token == MW_JSON_NUMBER);
	if (!log->open)
		log->n += (size_t)snprintf(log->text + log->n, LOG_BYTES - log->n, "%c@%lu:%lu:%lu^%u ",
					   kinds[event->token], (unsigned long)event->offset,
					   (unsigned long)event->line, (unsigned long)event->column, event->depth);
	else
		assert_int_equal(event->offset, log->next);
	memcpy(log->text + log->n, event->text, event->length);
	log->n += event->length;
	log->text[log->n] = '\0';
	log->open = !(event->flags & MW_JSON_LAST);
	log->next = event->offset + event->length;
	log->flags = event->flags;
	if (!log->open) {
		log->text[log->n++] = event->flags & MW_JSON_ESCAPED ? '~' : ' ';
		log->text[log->n] = '\0';
	}
	return ++log->events == log->stop_at ? 7 : 0;
}

/* Fed in parts: [0, a), [a, b), then step by step. The result is appended to the log. */
static int scan(struct log *log, const char *text, size_t n, size_t a, size_t b, size_t step, unsigned int flags)
{
	struct mw_json_scan s;
	int r = 0;

	memset(log, 0, sizeof(*log));
	mw_json_scan_init(&s, flags, 0, take, log);
	for (size_t at = 0; !r && at < n;) {
		size_t part = at < a ? a - at : at < b ? b - at : step;
		char copy[64], *p = copy;

		part = part < n - at ? part : n - at;
		if (part > sizeof(copy))
			p = malloc(part);
		memcpy(p, text + at, part); /* of its own, so that valgrind and ASan see a read behind it */
		r = mw_json_scan_feed(&s, p, part);
		if (p != copy)
			free(p);
		at += part;
	}
	if (!r)
		r = mw_json_scan_end(&s);
	if (r < 0) {
		assert_int_equal(r, -EBADMSG);
		assert_int_equal(mw_json_scan_feed(&s, " ", 1), -EBADMSG);
		assert_int_equal(mw_json_scan_end(&s), -EBADMSG);
		log->open = 0;
		/* Parts of a token that is broken may have been told or not. */
		snprintf(log->text, LOG_BYTES, "error %d@%lu:%lu:%lu %s", s.error.code, (unsigned long)s.error.offset,
			 (unsigned long)s.error.line, (unsigned long)s.error.column, s.error.expected);
	}
	assert_false(log->open);
	return r;
}

static struct log whole, parts;

static void same_everywhere(const char *text, size_t n, unsigned int flags)
{
	int r = scan(&whole, text, n, 0, 0, n ? n : 1, flags);

	for (size_t a = 0; a <= n; a++) {
		assert_int_equal(scan(&parts, text, n, a, a, n ? n : 1, flags), r);
		assert_string_equal(parts.text, whole.text);
	}
	for (size_t step = 1; step < 4; step++) {
		assert_int_equal(scan(&parts, text, n, 0, 0, step, flags), r);
		assert_string_equal(parts.text, whole.text);
	}
}

static void tokens(void **state)
{
	(void)state;
	same_everywhere("{\"a\":[1,true],\n \"b\\n\":\"\"}", 25, 0);
	assert_string_equal(whole.text,
			    "{@0:1:1^0 { k@1:1:2^1 \"a\" [@5:1:6^1 [ n@6:1:7^2 1 1@8:1:9^2 true ]@12:1:13^1 ] "
			    "k@16:2:2^1 \"b\\n\"~s@22:2:8^1 \"\" }@24:2:10^0 } ");
	same_everywhere(" -0.5e+10 ", 10, 0);
	assert_string_equal(whole.text, "n@1:1:2^0 -0.5e+10 ");
	same_everywhere("12345678901234567890123456789", 29, 0);
	assert_string_equal(whole.text, "n@0:1:1^0 12345678901234567890123456789 ");
}

static void many_values(void **state)
{
	(void)state;
	same_everywhere("1 2\n{}[]\"x\"null\r\n", 17, MW_JSON_MANY);
	assert_string_equal(whole.text, "n@0:1:1^0 1 n@2:1:3^0 2 {@4:2:1^0 { }@5:2:2^0 } [@6:2:3^0 [ ]@7:2:4^0 ] "
					"s@8:2:5^0 \"x\" N@11:2:8^0 null ");
	same_everywhere("", 0, MW_JSON_MANY);
	assert_string_equal(whole.text, "");
	same_everywhere(" \n", 2, MW_JSON_MANY);
	same_everywhere("1-1", 3, MW_JSON_MANY);
	assert_string_equal(whole.text, "error 1@1:1:2 a space");
	same_everywhere("truefalse", 9, MW_JSON_MANY);
	assert_string_equal(whole.text, "error 1@4:1:5 a space");
	same_everywhere("1 2", 3, 0);
	assert_string_equal(whole.text, "error 1@2:1:3 the end");
}

static const char *const accepted[] = {
	"[]",
	"{}",
	"0",
	"-0",
	"\"\"",
	"null",
	"true",
	"false",
	" [ ] ",
	"[[],{}]",
	"[1,2]",
	"-1.5E-3",
	"1e5",
	"1E+0",
	"0e0",
	"0.0",
	"{\"\":0}",
	"{\"a\":1,\"a\":2}",
	"\"\\u0000\"",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
	"\"\\ud83d\\ude00\"",
	"\"\\uD83D\\uDE00x\"",
	"\"\\uabCd\\uEf01\"",
	"\"\x7f\"",
	"\"\xc2\x80\"",
	"\"\xdf\xbf\"",
	"\"\xe0\xa0\x80\"",
	"\"\xed\x9f\xbf\"",
	"\"\xee\x80\x80\"",
	"\"\xf0\x90\x80\x80\"",
	"\"\xf4\x8f\xbf\xbf\"",
	"\"abcdefghijklmnop\xe2\x82\xac qrstuvwxyz0123456789\"",
	"\t\r\n[\t1\r,\n2 ]",
	"[0,-1,1e999]",
	"\"\\ufffe\xef\xbf\xbe\"",
	"{\"a\":{\"b\":[{},[],\"\",null]}}",
};

/* text, what must be said of it */
static const char *const refused[][2] = {
	{"", "error 8@0:1:1 a value"},
	{" \n ", "error 8@3:2:2 a value"},
	{"[", "error 8@1:1:2 a value or ']'"},
	{"{", "error 8@1:1:2 a key in quotes or '}'"},
	{"{\"a\"", "error 8@4:1:5 ':'"},
	{"{\"a\":", "error 8@5:1:6 a value"},
	{"{\"a\":1", "error 8@6:1:7 ',' or '}'"},
	{"[1", "error 8@2:1:3 ',' or ']'"},
	{"\"a", "error 8@2:1:3 a closing quote, or \\u00XX for a control character"},
	{"[1,]", "error 1@3:1:4 a value"},
	{"[,1]", "error 1@1:1:2 a value or ']'"},
	{"[1 2]", "error 1@3:1:4 ',' or ']'"},
	{"[1}", "error 1@2:1:3 ',' or ']'"},
	{"{\"a\":1]", "error 1@6:1:7 ',' or '}'"},
	{"{\"a\":1,}", "error 1@7:1:8 a key in quotes"},
	{"{,}", "error 1@1:1:2 a key in quotes or '}'"},
	{"{a:1}", "error 1@1:1:2 a key in quotes or '}'"},
	{"{\"a\" 1}", "error 1@5:1:6 ':'"},
	{"{\"a\":}", "error 1@5:1:6 a value"},
	{"{1:1}", "error 1@1:1:2 a key in quotes or '}'"},
	{"]", "error 1@0:1:1 a value"},
	{"{}}", "error 1@2:1:3 the end"},
	{"[] []", "error 1@3:1:4 the end"},
	{"'a'", "error 1@0:1:1 a value"},
	{"// c\n1", "error 1@0:1:1 a value"},
	{"[1,\n2,\n\n x]", "error 1@9:4:2 a value"},
	{"\xef\xbb\xbf[]", "error 1@0:1:1 a value"},
	{"NaN", "error 1@0:1:1 a value"},
	{"nul", "error 8@3:1:4 true, false or null"},
	{"nulL", "error 1@3:1:4 true, false or null"},
	{"True", "error 1@0:1:1 a value"},
	{"truex", "error 1@4:1:5 the end"},
	{"01", "error 2@1:1:2 the number's end, '.' or 'e'"},
	{"-01", "error 2@2:1:3 the number's end, '.' or 'e'"},
	{"-", "error 8@1:1:2 a digit"},
	{"-x", "error 2@1:1:2 a digit"},
	{"+1", "error 1@0:1:1 a value"},
	{".5", "error 1@0:1:1 a value"},
	{"1.", "error 8@2:1:3 a digit"},
	{"[1.]", "error 2@3:1:4 a digit"},
	{"[1.e1]", "error 2@3:1:4 a digit"},
	{"[1e]", "error 2@3:1:4 a digit, '+' or '-'"},
	{"[1e+]", "error 2@4:1:5 a digit"},
	{"[1e1.5]", "error 1@4:1:5 ',' or ']'"},
	{"0x10", "error 1@1:1:2 the end"},
	{"\"\\x\"", "error 3@2:1:3 one of \" \\ / b f n r t u"},
	{"\"\\u12g4\"", "error 3@5:1:6 four hexadecimal digits"},
	{"\"\\u123\"", "error 3@6:1:7 four hexadecimal digits"},
	{"\"\\ud800\"", "error 4@7:1:8 the second half of a surrogate pair"},
	{"\"\\ud800x\"", "error 4@7:1:8 the second half of a surrogate pair"},
	{"\"\\ud800\\n\"", "error 4@8:1:9 the second half of a surrogate pair"},
	{"\"\\ud800\\u0041\"", "error 4@12:1:13 the second half of a surrogate pair"},
	{"\"\\ud800\\ud800\"", "error 4@12:1:13 the second half of a surrogate pair"},
	{"\"\\udc00\"", "error 4@6:1:7 the first half of a surrogate pair before this one"},
	{"\"a\nb\"", "error 6@2:1:3 a closing quote, or \\u00XX for a control character"},
	{"\"abcdefgh\x1f\"", "error 6@9:1:10 a closing quote, or \\u00XX for a control character"},
	{"\"\x80\"", "error 5@1:1:2 valid UTF-8"},
	{"\"\xc0\x80\"", "error 5@1:1:2 valid UTF-8"},
	{"\"\xc1\xbf\"", "error 5@1:1:2 valid UTF-8"},
	{"\"\xe0\x9f\xbf\"", "error 5@2:1:3 valid UTF-8"},
	{"\"\xed\xa0\x80\"", "error 5@2:1:3 valid UTF-8"},
	{"\"\xf0\x8f\xbf\xbf\"", "error 5@2:1:3 valid UTF-8"},
	{"\"\xf4\x90\x80\x80\"", "error 5@2:1:3 valid UTF-8"},
	{"\"\xf5\x80\x80\x80\"", "error 5@1:1:2 valid UTF-8"},
	{"\"\xe2\x82\"", "error 5@3:1:4 valid UTF-8"},
	{"\"\xe2\x82", "error 8@3:1:4 valid UTF-8"},
	{"\xff", "error 1@0:1:1 a value"},
	{"[1,\x0c 2]", "error 1@3:1:4 a value"},
};

static void accepted_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
		same_everywhere(accepted[i], strlen(accepted[i]), 0);
		if (!strncmp(whole.text, "error", 5))
			fail_msg("%s: %s", accepted[i], whole.text);
		same_everywhere(accepted[i], strlen(accepted[i]), MW_JSON_MANY);
		assert_true(strncmp(whole.text, "error", 5) != 0);
	}
}

static void refused_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		same_everywhere(refused[i][0], strlen(refused[i][0]), 0);
		if (strcmp(whole.text, refused[i][1]) != 0)
			fail_msg("%s: %s, not %s", refused[i][0], whole.text, refused[i][1]);
	}
	same_everywhere("\"a\0b\"", 5, 0);
	assert_string_equal(whole.text, "error 6@2:1:3 a closing quote, or \\u00XX for a control character");
	same_everywhere("[\0]", 3, 0);
	assert_string_equal(whole.text, "error 1@1:1:2 a value or ']'");
	same_everywhere("1\0", 2, 0);
	assert_string_equal(whole.text, "error 1@1:1:2 the end");
}

static void lone_surrogates_when_asked(void **state)
{
	(void)state;
	same_everywhere("[\"\\ud800\",\"\\udc00x\",\"\\ud800\\ud800\\udc00\"]", 41, MW_JSON_LONE_SURROGATES);
	assert_true(strncmp(whole.text, "error", 5) != 0);
}

static void nested(void **state)
{
	static char deep[2 * MW_JSON_DEPTH_MAX + 4];
	static struct mw_json_scan s;
	const unsigned int limits[] = {1, 63, 64, 65, 512, MW_JSON_DEPTH_MAX};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		unsigned int n = limits[i];

		/* objects and arrays take turns, so that each level must be remembered rightly */
		mw_json_scan_init(&s, 0, n, NULL, NULL);
		for (unsigned int level = 0; level < n; level++)
			assert_int_equal(mw_json_scan_feed(&s, level % 3 ? "{\"\":" : "[", level % 3 ? 4 : 1), 0);
		assert_int_equal(s.depth, n);
		assert_int_equal(mw_json_scan_feed(&s, n % 3 == 1 ? "" : "0", n % 3 == 1 ? 0 : 1), 0);
		for (unsigned int level = n; level--;)
			assert_int_equal(mw_json_scan_feed(&s, level % 3 ? "}" : "]", 1), 0);
		assert_int_equal(mw_json_scan_end(&s), 0);

		memset(deep, '[', sizeof(deep));
		mw_json_scan_init(&s, 0, n, NULL, NULL);
		assert_int_equal(mw_json_scan_feed(&s, deep, n + 1), -EBADMSG);
		assert_int_equal(s.error.code, MW_JSON_ERROR_DEPTH);
		assert_int_equal(s.error.offset, n);
	}
	mw_json_scan_init(&s, 0, 1U << 31, NULL, NULL);
	assert_int_equal(mw_json_scan_feed(&s, deep, sizeof(deep)), -EBADMSG);
	assert_int_equal(s.error.offset, MW_JSON_DEPTH_MAX);
}

/* Stopped at every event, and gone on with the rest: nothing is lost or told twice. */
static void stopped_and_resumed(void **state)
{
	static const char text[] = "{\"key\":[1,22,\"s\",{}],\"k\":null} 55 [true]";
	const size_t n = sizeof(text) - 1;
	struct mw_json_scan s;
	int r;

	(void)state;
	assert_int_equal(scan(&whole, text, n, 0, 0, n, MW_JSON_MANY), 0);
	for (int stop = 1; stop <= whole.events; stop++) {
		memset(&parts, 0, sizeof(parts));
		parts.stop_at = stop;
		mw_json_scan_init(&s, MW_JSON_MANY, 0, take, &parts);
		assert_int_equal(mw_json_scan_feed(&s, text, n), 7);
		assert_true(s.offset <= n);
		r = mw_json_scan_feed(&s, text + s.offset, n - s.offset);
		assert_int_equal(r, 0);
		assert_int_equal(mw_json_scan_end(&s), 0);
		assert_string_equal(parts.text, whole.text);
		assert_int_equal(s.offset, n);
	}
}

static void deep_ones_not_told(void **state)
{
	static const char text[] = "{\"a\":[1,[2]],\"b\":\"x\"}[[[]]]";
	struct mw_json_scan s;

	(void)state;
	memset(&whole, 0, sizeof(whole));
	mw_json_scan_init(&s, MW_JSON_MANY, 0, take, &whole);
	s.event_depth = 0;
	assert_true(mw_json_scan_idle(&s));
	assert_int_equal(mw_json_scan_feed(&s, text, 5), 0);
	assert_false(mw_json_scan_idle(&s));
	assert_int_equal(mw_json_scan_feed(&s, text + 5, sizeof(text) - 6), 0);
	assert_true(mw_json_scan_idle(&s));
	assert_string_equal(whole.text, "{@0:1:1^0 { }@20:1:21^0 } [@21:1:22^0 [ ]@26:1:27^0 ] ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens),
		cmocka_unit_test(many_values),
		cmocka_unit_test(accepted_texts),
		cmocka_unit_test(refused_texts),
		cmocka_unit_test(lone_surrogates_when_asked),
		cmocka_unit_test(nested),
		cmocka_unit_test(stopped_and_resumed),
		cmocka_unit_test(deep_ones_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
