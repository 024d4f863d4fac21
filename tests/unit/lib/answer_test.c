// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What a guard reads of a daemon's answer, whatever else the answer says. */
#include "unit.h"

#include "lib/answer.h"
#include "memweir/abi.h"

static const char text[] =
	" { \"schema\":1, \"workers\" : [ {\"command\":\"x \\\"name\\\":\\\"evil\\\" } ] {[\", \"name\":\"web\\\\7\","
	"\"container\":{\"name\":\"inner\",\"list\":[1,[2,{}]]},\"max\":50000000,\"none\":null,\"ratio\":0.85,"
	"\"minus\":-1,\"big\":99999999999999999999,\"many\":1.5,\"nul\":\"a\\u0000b\",\"yes\":true,\"no\":false} , "
	"{\"name\":\"other\"}], \"last\":\"end\" }";

static void finds(void **state)
{
	char name[16];
	double ratio = 7;
	__u64 n = 7;

	(void)state;
	assert_true(mw_answer_text(text, "/workers/0/name", name, sizeof(name)));
	assert_string_equal(name, "web\\7");
	assert_true(mw_answer_text(text, "/workers/0/container/name", name, sizeof(name)));
	assert_string_equal(name, "inner");
	assert_true(mw_answer_text(text, "/last", name, sizeof(name)));
	assert_string_equal(name, "end");
	assert_true(mw_answer_u64(text, "/workers/0/max", &n));
	assert_int_equal(n, 50000000);
	assert_true(mw_answer_limit(text, "/workers/0/none", &n));
	assert_true(n == MW_UNLIMITED);
	assert_true(mw_answer_limit(text, "/workers/0/max", &n));
	assert_int_equal(n, 50000000);
	assert_true(mw_answer_ratio(text, "/workers/0/ratio", &ratio));
	assert_true(ratio == 0.85);
	assert_true(mw_answer_true(text, "/workers/0/yes"));
	assert_false(mw_answer_true(text, "/workers/0/no"));
	assert_true(mw_answer_has(text, "/workers/1"));
	assert_false(mw_answer_has(text, "/workers/2"));
}

static void finds_nothing_else(void **state)
{
	char name[4] = "abc";
	double ratio = 7;
	__u64 n = 7;

	(void)state;
	assert_false(mw_answer_has(text, "/name")); /* of what is inside */
	assert_false(mw_answer_has(text, "/work"));
	assert_false(mw_answer_has("[1]", "/a"));
	assert_false(mw_answer_has(NULL, "/a"));
	assert_false(mw_answer_has("", "/a"));
	assert_false(mw_answer_text(text, "/schema", name, sizeof(name)));
	assert_false(mw_answer_text(text, "/workers/0/name", name, sizeof(name))); /* does not fit */
	assert_false(mw_answer_text(text, "/workers/0/nul", name, sizeof(name))); /* would be cut */
	assert_false(mw_answer_text(NULL, "", name, sizeof(name)));
	assert_string_equal(name, "abc");
	assert_false(mw_answer_u64(text, "/workers/0/minus", &n));
	assert_false(mw_answer_u64(text, "/workers/0/big", &n));
	assert_false(mw_answer_u64(text, "/workers/0/ratio", &n));
	assert_false(mw_answer_limit(text, "/workers/0/name", &n));
	assert_false(mw_answer_ratio(text, "/workers/0/yes", &ratio));
	assert_false(mw_answer_ratio(text, "/workers/0/many", &ratio));
	assert_false(mw_answer_ratio(text, "/workers/0/minus", &ratio));
	assert_int_equal(n, 7);
	assert_true(ratio == 7);
}

/* Cut anywhere, and with any byte changed: nothing outside is read (the sanitizers watch), nothing hangs. */
static void broken_texts(void **state)
{
	char name[64];
	double ratio;
	__u64 number;

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		for (const char *c = "\"\\{}[],:x"; *c; c++) {
			char *cut = strndup(text, n);

			if (n)
				cut[n - 1] = *c;
			mw_answer_text(cut, "/workers/0/name", name, sizeof(name));
			mw_answer_limit(cut, "/workers/0/none", &number);
			mw_answer_ratio(cut, "/workers/0/ratio", &ratio);
			mw_answer_has(cut, "/nothing");
			free(cut);
		}
	}
}

static void quotes(void **state)
{
	char buf[9];

	(void)state;
	assert_string_equal(mw_answer_quote("a\"b\\\n\xff", buf, sizeof(buf)), "\"a_b___\"");
	assert_string_equal(mw_answer_quote("abcdefghij", buf, sizeof(buf)), "\"abcdef\"");
	assert_string_equal(mw_answer_quote("", buf, sizeof(buf)), "\"\"");
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
