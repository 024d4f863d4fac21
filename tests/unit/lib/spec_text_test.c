/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Texts cut between words, never within a character or an escape. */
#include "lib/spec_text.h"

#include "unit.h"

static void shortens(uint32_t max, const char *in, const char *out)
{
	/* Given at once, and byte by byte. */
	for (size_t part = 1; part <= strlen(in) || part == 1; part = part == 1 ? strlen(in) + 1 : part + 1) {
		struct mw_short_text t;
		size_t len;
		bool cut;

		assert_int_equal(mw_short_text_init(&t, max), 0);
		for (size_t at = 0; at < strlen(in); at += part)
			mw_short_text_add(&t, in + at, part < strlen(in) - at ? part : strlen(in) - at);
		len = mw_short_text_end(&t, &cut);
		if (len != strlen(out) || (len && memcmp(t.bytes, out, len) != 0))
			print_error("%u, %s: %.*s\n", max, in, (int)len, len ? t.bytes : "");
		assert_int_equal(len, strlen(out));
		assert_true(len == 0 || memcmp(t.bytes, out, len) == 0);
		assert_int_equal(cut, strcmp(in, out) != 0 || !max);
		mw_short_text_free(&t);
		if (!*in)
			break;
	}
}

static void shorten(void **state)
{
	(void)state;
	shortens(10, "", "");
	shortens(10, "ten chars.", "ten chars.");
	shortens(10, "eleven char", "eleven…");
	shortens(10, "a bc def ghij", "a bc def…");
	shortens(10, "words    and", "words…");
	shortens(10, "words\\n\\nand more", "words…");
	shortens(10, "unbreakable", "unbreakab…");
	shortens(10, "ab unbreakable", "ab unbrea…");
	shortens(10, "          spaces", "         …");
	shortens(1, "ab", "…");
	shortens(1, "a", "a");
	shortens(2, "abc", "a…");
	shortens(0, "abc", "");
	shortens(0, "", "");
}

static void characters(void **state)
{
	(void)state;
	shortens(4, "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f");
	shortens(4, "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9fx", "\xc3\xa4\xc3\xb6\xc3\xbc…");
	shortens(3, "\\u00e4\\n\\\"\\\\", "\\u00e4…");
	shortens(3, "\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00", "\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00");
	shortens(2, "\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00", "\\ud83d\\ude00…");
	shortens(2, "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80…");
	shortens(2, "\\ud83d\\u0041\\ud83d", "\\ud83d…"); /* halves alone */
	shortens(4, "\\\\\\\\\\\\\\\\\\\\", "\\\\\\\\\\\\…");
}

static void escapes(void **state)
{
	char out[64];
	size_t used;

	(void)state;
	assert_int_equal(mw_spec_unescape("a\\n\\u00e4\\\"\\/\\ud83d\\ude00\\ud83d", 31, out), 13);
	assert_memory_equal(out, "a\n\xc3\xa4\"/\xf0\x9f\x98\x80\xef\xbf\xbd", 13);
	assert_int_equal(mw_spec_escape("a\n\"\\\x01\0\xc3\xa4", 8, out, sizeof(out), &used), 21);
	assert_int_equal(used, 8);
	assert_memory_equal(out, "a\\n\\\"\\\\\\u0001\\u0000\xc3\xa4", 21);
	/* As much as there is room for. */
	assert_int_equal(mw_spec_escape("\x01\x01", 2, out, 11, &used), 6);
	assert_int_equal(used, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shorten),
		cmocka_unit_test(characters),
		cmocka_unit_test(escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
