/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* OpenAPI in YAML: what its scalars are in JSON, anchors and their bounds, what JSON has no word for. */
#include "spec_fixture.h"

#define HEAD "openapi: 3.1.0\n"
#define JSON "{\"openapi\":\"3.1.0\","

static void document(void **state)
{
	(void)state;
	assert_strips(
		NULL,
		"# a comment\n---\n" HEAD
		"info:\n  title: 'It''s'\n  version: \"1.0\"\n  license: {name: MIT}\npaths:\n"
		"  /a/{id}:\n    get:\n      responses:\n        200:\n          description: |\n            Two\n"
		"            lines\n          content: {application/json: {example: [1, 2], schema: {type: string}}}\n",
		JSON
		"\"info\":{\"title\":\"It's\",\"version\":\"1.0\"},\"paths\":{\"/a/{id}\":{\"get\":{\"responses\":{"
		"\"200\":{\"description\":\"Two\\nlines\\n\",\"content\":{\"application/json\":{\"schema\":{\"type\":"
		"\"string\"}}}}}}}}}");
	assert_strips(NULL, "swagger: 2.0\n...\n", "{\"swagger\":2.0}");
}

/* As the value of a default, which is data. */
static void scalars(void **state)
{
	static const char *const pairs[][2] = {
		{"text", "\"text\""},
		{"", "null"},
		{"~", "null"},
		{"Null", "null"},
		{"nULL", "\"nULL\""},
		{"true", "true"},
		{"FALSE", "false"},
		{"yes", "\"yes\""},
		{"off", "\"off\""},
		{"1", "1"},
		{"-12", "-12"},
		{"+12", "12"},
		{"007", "7"},
		{"-007.50", "-7.50"},
		{"0", "0"},
		{"00", "0"},
		{"0o17", "15"},
		{"0x1F", "31"},
		{"0xg", "\"0xg\""},
		{"1.50", "1.50"},
		{"1.", "1.0"},
		{".5", "0.5"},
		{"-.5e3", "-0.5e3"},
		{"1.e3", "1.0e3"},
		{"1e400", "1e400"},
		{"123456789012345678901234567890", "123456789012345678901234567890"},
		{"1_000", "\"1_000\""},
		{"1:30", "\"1:30\""},
		{"2026-11-22", "\"2026-11-22\""},
		{".", "\".\""},
		{"1e", "\"1e\""},
		{"3.0.0", "\"3.0.0\""},
		{"'1'", "\"1\""},
		{"\"a\\tb\\\"\\0\\u263a\"", "\"a\\tb\\\"\\u0000\xe2\x98\xba\""},
		{"!!str 1", "\"1\""},
		{"!!int 1", "1"},
		{"!!float 1", "1"},
		{"! 1", "\"1\""},
		{"!!null ''", "null"},
		{"[a, 1, {b: c}]", "[\"a\",1,{\"b\":\"c\"}]"},
		{"{}", "{}"},
		{"!!map {}", "{}"},
		{"!!seq []", "[]"},
		{">-\n  a\n  b\n", "\"a b\""},
	};
	char in[256], out[256];

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		snprintf(in, sizeof(in), HEAD "d: %s\n", pairs[i][0]);
		snprintf(out, sizeof(out), JSON "\"d\":%s}", pairs[i][1]);
		assert_strips(NULL, in, out);
	}
}

static void keys(void **state)
{
	(void)state;
	assert_strips(NULL, HEAD "1.50: a\n0x10: b\ntrue: c\n'': d\n.inf: e\n",
		      JSON "\"1.50\":\"a\",\"0x10\":\"b\",\"true\":"
			   "\"c\",\"\":\"d\",\".inf\":\"e\"}");
	assert_refused(HEAD "a: 1\nb: 2\na: 3\n", -EBADMSG, 4, 1, "the key a is there twice");
	assert_refused(HEAD "a: {b: {c: 1, c: 2}}\n", -EBADMSG, 2, 15, "the key c is there twice");
	assert_refused(HEAD "? [a]\n: b\n", -EBADMSG, 2, 3, "as a key");
	assert_strips(NULL, HEAD "a: {'<<': 1}\n", JSON "\"a\":{\"<<\":1}}");
}

/* Many keys at one level, then few: the same name in another mapping is no duplicate. */
static void many_keys(void **state)
{
	char *in = malloc(100000), *p = in;
	struct spec_text t = {0};

	(void)state;
	p += sprintf(p, HEAD "a:\n");
	for (int i = 0; i < 5000; i++)
		p += sprintf(p, "  k%d: %d\n", i, i);
	sprintf(p, "b: {k1: 1, k2: 2}\nc: {k1: 1}\n");
	assert_int_equal(spec_strip(&t, in), 0);
	sprintf(p, "  k17: 0\n");
	assert_int_equal(spec_strip(&t, in), -EBADMSG);
	assert_non_null(strstr(t.error.text, "k17"));
	free(t.out);
	free(in);
}

static void anchors(void **state)
{
	(void)state;
	assert_strips(
		NULL, HEAD "a: &a {x: [1, &s text], y: *s}\nb: *a\nc: [*s, *a]\nd: &a 7\ne: *a\n*s : key\n",
		JSON
		"\"a\":{\"x\":[1,\"text\"],\"y\":\"text\"},\"b\":{\"x\":[1,\"text\"],\"y\":\"text\"},\"c\":[\"text\","
		"{\"x\":[1,\"text\"],\"y\":\"text\"}],\"d\":7,\"e\":7,\"text\":\"key\"}");
	/* What is left out may name what stays. */
	assert_strips(NULL,
		      HEAD "components:\n  schemas:\n    A: {example: &e {example: 1, type: string}}\n    B: *e\n",
		      JSON "\"components\":{\"schemas\":{\"A\":{},\"B\":{\"type\":\"string\"}}}}");
	assert_strips(NULL, HEAD "a: &n\nb: *n\nc: &m {}\nd: [*m, *m]\n",
		      JSON "\"a\":null,\"b\":null,\"c\":{},\"d\":[{},{}]}");
	assert_refused(HEAD "a: *b\n", -EBADMSG, 2, 4, "no anchor for the alias *b");
	assert_refused(HEAD "a: &a [*a]\n", -EBADMSG, 2, 8, "within what it stands for");
	assert_refused(HEAD "a: &a {k: &b [*a]}\n", -EBADMSG, 2, 15, "within what it stands for");
}

/* What YAML 1.1 merges: own keys go before, then the first that has a key. */
static void merges(void **state)
{
	(void)state;
	assert_strips(
		NULL,
		HEAD
		"a: &a {x: 1, y: {z: 2}}\nb: &b {x: 3, w: [4]}\nc: {<<: *a, x: 5, v: 6}\nd:\n  <<: [*b, *a]\n  v: 7\n",
		JSON
		"\"a\":{\"x\":1,\"y\":{\"z\":2}},\"b\":{\"x\":3,\"w\":[4]},\"c\":{\"x\":5,\"v\":6,\"y\":{\"z\":2}},"
		"\"d\":{\"v\":7,\"x\":3,\"w\":[4],\"y\":{\"z\":2}}}");
	/* What merges is merged, and named, itself. */
	assert_strips(NULL,
		      HEAD
		      "a: &a {x: &k 1}\nb: &b {<<: *a, *k : *a, y: 2}\nc: {<<: *b, z: 3}\nd: *b\ne: {<<: [], <<: *a}\n",
		      JSON
		      "\"a\":{\"x\":1},\"b\":{\"1\":{\"x\":1},\"y\":2,\"x\":1},\"c\":{\"z\":3,\"1\":{\"x\":1},\"y\":2,"
		      "\"x\":1},\"d\":{\"1\":{\"x\":1},\"y\":2,\"x\":1},\"e\":{\"x\":1}}");
	assert_refused(HEAD "a: &a [1]\nb: {<<: *a}\n", -EBADMSG, 3, 11, "something else than a mapping");
	assert_refused(HEAD "b: {<<: {x: 1}}\n", -EBADMSG, 2, 9, "expected an alias");
	assert_refused(HEAD "b: {<<: 1}\n", -EBADMSG, 2, 9, "expected an alias");
	assert_refused(HEAD "a: &a {}\nb: {<<: [*a, 1]}\n", -EBADMSG, 3, 14, "expected an alias");
	assert_refused(HEAD "a: &a {}\nb: {<<: [[*a]]}\n", -EBADMSG, 3, 10, "expected an alias");
	assert_refused(HEAD "a: &a {<<: *a}\n", -EBADMSG, 2, 12, "within what it stands for");
}

/* Merges that only take time, and a chain of them. */
static void merges_are_bounded(void **state)
{
	char *in = malloc(100000), *p = in;
	struct spec_text t = {.options = {.max_bytes = 1000000}};

	(void)state;
	p += sprintf(p, HEAD "a0: &a0 {x: 1}\n");
	for (int i = 1; i < 40; i++)
		p += sprintf(p, "a%d: &a%d {<<: [*a%d, *a%d]}\n", i, i, i - 1, i - 1);
	assert_int_equal(spec_strip(&t, in), -EFBIG);
	p = in + sprintf(in, HEAD "a0: &a0 {x: 1}\n");
	for (int i = 1; i < 100; i++)
		p += sprintf(p, "a%d: &a%d {<<: *a%d}\n", i, i, i - 1);
	assert_int_equal(spec_strip(&t, in), -E2BIG);
	assert_non_null(strstr(t.error.text, "more than 64 deep"));
	free(t.out);
	free(in);
}

/* Nine lists of nine of the one before: a billion. */
static void laughs(void **state)
{
	char in[2048], *p = in;
	struct spec_text t = {.options = {.max_bytes = 1000000}};

	(void)state;
	p += sprintf(p, HEAD "a0: &a0 ha\n");
	for (int i = 1; i < 10; i++) {
		p += sprintf(p, "a%d: &a%d [", i, i);
		for (int j = 0; j < 9; j++)
			p += sprintf(p, "*a%d, ", i - 1);
		p += sprintf(p, "]\n");
	}
	assert_int_equal(spec_strip(&t, in), -EFBIG);
	assert_non_null(strstr(t.error.text, "aliases make more than 1000000 bytes"));
	assert_true(t.out_len < 2000000);
	/* In what is left out as well. */
	p = strstr(in, "a0:");
	memmove(p + 2, p, strlen(p) + 1);
	memcpy(p, "x-", 2);
	p = strstr(in, "a9:");
	memmove(p + 2, p, strlen(p) + 1);
	memcpy(p, "x-", 2);
	assert_int_equal(spec_strip(&t, in), -EFBIG);
	free(t.out);
}

static void large_anchor(void **state)
{
	size_t big = 17u << 20;
	char *in = malloc(big + 64);
	struct spec_text t = {0};

	(void)state;
	sprintf(in, HEAD "a: &a [");
	memset(in + strlen(in), 'x', big);
	strcpy(in + strlen(HEAD) + 7 + big, "]\n");
	assert_int_equal(spec_strip(&t, in), -E2BIG);
	assert_non_null(strstr(t.error.text, "16 MB"));
	free(t.out);
	free(in);
}

static void refused(void **state)
{
	char deep[2000] = HEAD "a: ";

	(void)state;
	assert_refused(HEAD "d: .inf\n", -EBADMSG, 2, 4, "infinity");
	assert_refused(HEAD "d: -.INF\n", -EBADMSG, 2, 4, "infinity");
	assert_refused(HEAD "d: !!int text\n", -EBADMSG, 2, 4, "its tag");
	assert_refused(HEAD "d: !!int 1.5\n", -EBADMSG, 2, 4, "its tag");
	assert_refused(HEAD "d: !!binary aGVsbG8=\n", -EBADMSG, 2, 4, "its tag");
	assert_refused(HEAD "d: !own text\n", -EBADMSG, 2, 4, "a tag of one's own");
	assert_refused(HEAD "d: !own {}\n", -EBADMSG, 2, 4, "a collection with a tag");
	assert_refused(HEAD "---\na: 1\n", -EBADMSG, 2, 1, "a second document");
	assert_refused(HEAD "a: [1, 2\nb: 3\n", -EBADMSG, 3, 2, "no YAML here");
	assert_refused(HEAD "\ta: 1\n", -EBADMSG, 2, 1, "no YAML here");
	assert_refused("just text\n", -ENOMSG, 1, 1, "a value alone");
	assert_refused("- openapi\n", -ENOMSG, 1, 1, "an array");
	assert_refused("# nothing\n", -ENOMSG, 0, 0, "no OpenAPI document");
	memset(deep + strlen(deep), '[', 600);
	assert_refused(deep, -E2BIG, 2, 515, "nested deeper than 512");
}

static void long_scalar(void **state)
{
	size_t big = 3000000;
	char *in = malloc(big + 64);
	struct spec_text t = {0};

	(void)state;
	sprintf(in, HEAD "d: \"");
	for (size_t i = 0; i < big; i++)
		in[strlen(HEAD) + 4 + i] = "\xc3\xa4x"[i % 3];
	strcpy(in + strlen(HEAD) + 4 + big, "\"\n");
	assert_int_equal(spec_strip(&t, in), 0);
	assert_int_equal(t.out_len, strlen(JSON "\"d\":\"\"}") + big);
	assert_memory_equal(t.out + strlen(JSON "\"d\":\""), in + strlen(HEAD) + 4, big);
	free(t.out);
	free(in);
}

static void given_format(void **state)
{
	struct spec_text t = {.options = {.format = MEMWEIR_SPEC_YAML}};

	(void)state;
	assert_int_equal(spec_strip(&t, "{openapi: 3.1.0}"), 0);
	assert_string_equal(t.out, "{\"openapi\":\"3.1.0\"}");
	assert_int_equal(t.stats.format, MEMWEIR_SPEC_YAML);
	t.options.format = MEMWEIR_SPEC_JSON;
	assert_int_equal(spec_strip(&t, "openapi: 3.1.0"), -EBADMSG);
	free(t.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(document),	cmocka_unit_test(scalars), cmocka_unit_test(keys),
		cmocka_unit_test(many_keys),	cmocka_unit_test(anchors), cmocka_unit_test(laughs),
		cmocka_unit_test(large_anchor), cmocka_unit_test(refused), cmocka_unit_test(long_scalar),
		cmocka_unit_test(given_format), cmocka_unit_test(merges),  cmocka_unit_test(merges_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
