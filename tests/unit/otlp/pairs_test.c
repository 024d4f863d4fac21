/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "unit.h"

#include "otlp/pairs.h"
#include "util/cleanup.h"

static char seen[16384];

static int note(const char *key, const char *value, void *arg)
{
	(void)arg;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "[%s|%s]", key, value);
	return strcmp(key, "stop") == 0 ? 7 : 0;
}

static int read_pairs(const char *text, size_t *ret_at)
{
	seen[0] = '\0';
	*ret_at = 0;
	return mw_pairs_each(text, note, NULL, ret_at);
}

static void good(void **state)
{
	const struct {
		const char *text, *pairs;
	} rows[] = {
		{"", ""},
		{"a=b", "[a|b]"},
		{" a = b , c=d%20e%2Cf ,,", "[a|b][c|d e,f]"},
		{"Authorization=Basic%20eA==", "[Authorization|Basic eA==]"},
		{"empty=", "[empty|]"},
		{"deployment.environment=p,k=%C3%A4", "[deployment.environment|p][k|ä]"},
	};
	size_t at;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(read_pairs(rows[i].text, &at), 0);
		assert_string_equal(seen, rows[i].pairs);
	}
	assert_int_equal(read_pairs("a=1,stop=2,c=3", &at), 7);
	assert_string_equal(seen, "[a|1][stop|2]");
}

static void bad(void **state)
{
	static const char *const rows[] = {"novalue", "=x", "a b=c", "a=%", "a=%4", "a=%zz", "a=x%0d%0aY: z", "a:=b"};
	char many[1024] = "";
	size_t at;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(read_pairs(rows[i], &at), -EINVAL);
	assert_int_equal(read_pairs("ok=1, bad", &at), -EINVAL);
	assert_int_equal(at, 5);
	assert_string_equal(seen, "[ok|1]");
	for (int i = 0; i <= MW_PAIRS_MAX; i++)
		strcat(many, "a=1,");
	assert_int_equal(read_pairs(many, &at), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good), cmocka_unit_test(bad)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
