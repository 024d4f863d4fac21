// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "unit.h"

#include "lib/json_find.h"
#include "memweir/abi.h"

static const char text[] =
	" { \"schema\":1, \"workers\" : [ {\"command\":\"x \\\"name\\\":\\\"evil\\\" } ] {[\", \"name\":\"web\\\\7\","
	"\"container\":{\"name\":\"inner\",\"list\":[1,[2,{}]]},\"max\":50000000,\"none\":null,\"ratio\":0.85,"
	"\"minus\":-1,\"big\":99999999999999999999,\"yes\":true,\"no\":false} , {\"name\":\"other\"}], "
	"\"last\":\"end\" }";

static void finds(void **state)
{
	const char *w = mw_find_first(mw_find_member(text, "workers"));
	char name[16];
	double ratio = 7;
	__u64 n = 7;

	(void)state;
	assert_true(mw_find_text(mw_find_member(w, "name"), name, sizeof(name)));
	assert_string_equal(name, "web\\7");
	assert_true(mw_find_text(mw_find_member(mw_find_member(w, "container"), "name"), name, sizeof(name)));
	assert_string_equal(name, "inner");
	assert_true(mw_find_text(mw_find_member(text, "last"), name, sizeof(name)));
	assert_string_equal(name, "end");
	assert_true(mw_find_u64(mw_find_member(w, "max"), &n));
	assert_int_equal(n, 50000000);
	assert_true(mw_find_limit(mw_find_member(w, "none"), &n));
	assert_true(n == MW_UNLIMITED);
	assert_true(mw_find_ratio(mw_find_member(w, "ratio"), &ratio));
	assert_true(ratio == 0.85);
	assert_true(mw_find_true(mw_find_member(w, "yes")));
	assert_false(mw_find_true(mw_find_member(w, "no")));
}

static void finds_nothing_else(void **state)
{
	const char *w = mw_find_first(mw_find_member(text, "workers"));
	char name[4] = "abc";
	double ratio = 7;
	__u64 n = 7;

	(void)state;
	assert_null(mw_find_member(text, "name")); /* of what is inside */
	assert_null(mw_find_member(text, "work"));
	assert_null(mw_find_member("[1]", "a"));
	assert_null(mw_find_member(NULL, "a"));
	assert_null(mw_find_first("{}"));
	assert_null(mw_find_first(" [ ]"));
	assert_null(mw_find_first(NULL));
	assert_false(mw_find_text(mw_find_member(text, "schema"), name, sizeof(name)));
	assert_false(mw_find_text(mw_find_member(w, "name"), name, sizeof(name))); /* does not fit */
	assert_false(mw_find_text(NULL, name, sizeof(name)));
	assert_string_equal(name, "abc");
	assert_false(mw_find_u64(mw_find_member(w, "minus"), &n));
	assert_false(mw_find_u64(mw_find_member(w, "big"), &n));
	assert_false(mw_find_u64(mw_find_member(w, "ratio"), &n));
	assert_false(mw_find_ratio(mw_find_member(w, "yes"), &ratio));
	assert_int_equal(n, 7);
}

/* Cut anywhere, and with any byte changed: nothing outside is read (the sanitizers watch), nothing hangs. */
static void broken_texts(void **state)
{
	char name[64];

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		for (const char *c = "\"\\{}[],:x"; *c; c++) {
			char *cut = strndup(text, n);
			const char *w;

			if (n)
				cut[n - 1] = *c;
			w = mw_find_first(mw_find_member(cut, "workers"));
			mw_find_text(mw_find_member(w, "name"), name, sizeof(name));
			mw_find_text(mw_find_member(w, "none"), name, sizeof(name));
			mw_find_text(mw_find_member(cut, "nothing"), name, sizeof(name));
			free(cut);
		}
	}
}

static void quotes(void **state)
{
	char buf[8];

	(void)state;
	assert_string_equal(mw_json_quote("a\"b\\c\n", buf, sizeof(buf)), "\"a_b_c\"");
	assert_string_equal(mw_json_quote("much too long", buf, sizeof(buf)), "\"much \"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(finds_nothing_else),
		cmocka_unit_test(broken_texts),
		cmocka_unit_test(quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
