/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* OpenAPI in JSON: what goes, what stays, and where the same word is something else. */
#include "spec_fixture.h"

/* A schema, in a document as small as can be. */
#define SCHEMA(text) "{\"openapi\":\"3.1.0\",\"components\":{\"schemas\":{\"A\":" text "}}}"
#define LONG                                                                                                           \
	"One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen."
#define SHORT "One two three four five six seven eight nine ten eleven twelve thirteen…"

static void examples(void **state)
{
	(void)state;
	assert_strips(NULL, SCHEMA("{\"type\": \"string\", \"example\": {\"a\": [1, {}]}, \"examples\": [\"x\"]}"),
		      SCHEMA("{\"type\":\"string\"}"));
	assert_strips(
		NULL,
		"{\"openapi\":\"3.0.3\",\"paths\":{\"/"
		"a\":{\"get\":{\"parameters\":[{\"name\":\"example\",\"in\":\"query\","
		"\"example\":1,\"examples\":{\"a\":{\"value\":2}}}],\"responses\":{\"200\":{\"description\":\"ok\","
		"\"content\":{\"example\":{\"example\":[],\"examples\":{},\"schema\":{\"example\":1}}},"
		"\"headers\":{\"example\":{\"example\":1,\"schema\":{}}}}}}}},\"components\":{\"examples\":{\"a\":{}}}"
		"}",
		"{\"openapi\":\"3.0.3\",\"paths\":{\"/"
		"a\":{\"get\":{\"parameters\":[{\"name\":\"example\",\"in\":\"query\""
		"}],\"responses\":{\"200\":{\"description\":\"ok\",\"content\":{\"example\":{\"schema\":{}}},"
		"\"headers\":{\"example\":{\"schema\":{}}}}}}}},\"components\":{}}");
	/* 2.0 */
	assert_strips(
		NULL,
		"{\"swagger\":\"2.0\",\"paths\":{\"/a\":{\"get\":{\"responses\":{\"200\":{\"description\":\"\","
		"\"schema\":{\"example\":0},\"examples\":{\"application/json\":{}}}}}}},\"definitions\":{\"example\":"
		"{\"example\":1,\"type\":\"object\"}}}",
		"{\"swagger\":\"2.0\",\"paths\":{\"/a\":{\"get\":{\"responses\":{\"200\":{\"description\":\"\","
		"\"schema\":{}}}}}},\"definitions\":{\"example\":{\"type\":\"object\"}}}");
}

static void names_are_no_keywords(void **state)
{
	static const char *const maps[] = {"properties", "patternProperties", "$defs", "definitions",
					   "dependentSchemas"};
	char in[512], out[512];

	(void)state;
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		snprintf(in, sizeof(in),
			 SCHEMA("{\"%s\":{\"example\":{\"example\":1},\"description\":{\"description\":\"d\"},"
				"\"x-a\":{\"x-a\":1},\"externalDocs\":{\"externalDocs\":1},\"%s\":{\"x-b\":1}}}"),
			 maps[i], maps[i]);
		snprintf(out, sizeof(out),
			 SCHEMA("{\"%s\":{\"example\":{},\"description\":{\"description\":\"d\"},\"x-a\":{},"
				"\"externalDocs\":{},\"%s\":{}}}"),
			 maps[i], maps[i]);
		assert_strips(NULL, in, out);
	}
	/* Names of components, headers, media types, webhooks. */
	assert_strips(
		NULL,
		"{\"openapi\":\"3.1.0\",\"components\":{\"headers\":{\"x-id\":{\"x-id\":1}},\"callbacks\":{\"x-c\":"
		"{\"x-d\":1,\"{$url}\":{\"x-e\":1}}},\"securitySchemes\":{\"x-s\":{\"type\":\"http\"}}},"
		"\"webhooks\":{\"x-w\":{\"get\":{\"x-z\":1}}},\"paths\":{\"x-p\":1}}",
		"{\"openapi\":\"3.1.0\",\"components\":{\"headers\":{\"x-id\":{}},\"callbacks\":{\"x-c\":"
		"{\"{$url}\":{}}},\"securitySchemes\":{\"x-s\":{\"type\":\"http\"}}},"
		"\"webhooks\":{\"x-w\":{\"get\":{}}},\"paths\":{}}");
	/* An escaped key is the same key. */
	assert_strips(NULL, SCHEMA("{\"ex\\u0061mple\":1,\"\\u0065num\":[{\"example\":1}]}"),
		      SCHEMA("{\"\\u0065num\":[{\"example\":1}]}"));
	assert_strips(NULL, SCHEMA("{\"example\\u0000\":1}"), SCHEMA("{\"example\\u0000\":1}"));
}

static void data_stays(void **state)
{
	static const char *const same[] = {
		SCHEMA("{\"default\":{\"example\":1,\"description\":\"" LONG "\",\"x-a\":[1.50,-0,1e400]}}"),
		SCHEMA("{\"enum\":[{\"example\":1},\"" LONG "\",null,true]}"),
		SCHEMA("{\"const\":{\"examples\":[]}}"),
		SCHEMA("{\"required\":[\"example\",\"x-a\"],\"discriminator\":{\"propertyName\":\"example\","
		       "\"mapping\":"
		       "{\"example\":\"#/components/schemas/A\",\"x-y\":\"B\"}}}"),
		SCHEMA("{\"unknown\":{\"example\":1,\"externalDocs\":{}}}"),
		SCHEMA("{\"description\":{\"not\":\"text\",\"example\":[1]}}"),
		SCHEMA("true"),
		"{\"openapi\":\"3.0.0\",\"security\":[{\"example\":[\"x-a\"]}],\"info\":{\"title\":\"" LONG
		"\",\"version\":\"" LONG
		"\"},\"servers\":[{\"url\":\"/\",\"variables\":{\"example\":{\"default\":\"v2\"}}}]}",
		"{\"openapi\":\"3.0.0\",\"paths\":{\"/a\":{\"get\":{\"operationId\":\"" LONG
		"\",\"callbacks\":{\"example\":"
		"{\"{$request.body#/"
		"example}\":{\"post\":{\"responses\":{}}}}},\"responses\":{\"200\":{\"description\":\"\","
		"\"links\":{\"example\":{\"operationId\":\"a\",\"parameters\":{\"example\":1},\"requestBody\":{"
		"\"example\":2"
		"}}}}}}}}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		assert_strips(NULL, same[i], same[i]);
}

static void texts(void **state)
{
	struct memweir_spec_options none = {sizeof(none), .description_chars = -1},
				    few = {sizeof(few), .description_chars = 10},
				    many = {sizeof(many), .description_chars = 4096},
				    too_many = {sizeof(too_many), .description_chars = 4097};
	static const char in[] =
		"{\"openapi\":\"3.0.0\",\"info\":{\"description\":\"" LONG "\",\"title\":\"" LONG
		"\"},\"paths\":{\"/\":{\"summary\":\"short\",\"get\":{\"description\":\"" LONG
		"\",\"responses\":{\"200\":{\"description\":\"" LONG "\"}}}}},\"components\":{"
		"\"securitySchemes\":{\"o\":{\"flows\":{\"implicit\":{\"scopes\":{\"example\":\"" LONG "\"}}}}}}}";
	struct spec_text t = {.options = too_many};

	(void)state;
	assert_strips(NULL, in,
		      "{\"openapi\":\"3.0.0\",\"info\":{\"description\":\"" SHORT "\",\"title\":\"" LONG
		      "\"},\"paths\":{\"/\":{\"summary\":\"short\",\"get\":{\"description\":\"" SHORT
		      "\",\"responses\":{\"200\":{\"description\":\"" SHORT "\"}}}}},\"components\":{"
		      "\"securitySchemes\":{\"o\":{\"flows\":{\"implicit\":{\"scopes\":{\"example\":\"" SHORT
		      "\"}}}}}}}");
	assert_strips(
		&none, in,
		"{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"" LONG
		"\"},\"paths\":{\"/\":{\"get\":{\"responses\":{\"200\":{\"description\":\"\"}}}}},\"components\":{"
		"\"securitySchemes\":{\"o\":{\"flows\":{\"implicit\":{\"scopes\":{\"example\":\"\"}}}}}}}");
	assert_strips(&few, SCHEMA("{\"description\":\"One two three\"}"), SCHEMA("{\"description\":\"One two…\"}"));
	assert_strips(&many, in, in);
	assert_int_equal(spec_strip(&t, in), -EINVAL);
	free(t.out);
}

static void metadata(void **state)
{
	struct memweir_spec_options keep = {sizeof(keep), .keep_extensions = 1};
	static const char in[] =
		"{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"t\",\"version\":\"1\",\"contact\":{\"name\":\"n\"},"
		"\"license\":{\"name\":\"l\"},\"termsOfService\":\"u\",\"x-logo\":{\"url\":1}},\"externalDocs\":{},"
		"\"tags\":[{\"name\":\"a\",\"externalDocs\":{},\"x-b\":1}],\"x-all\":[],\"paths\":{\"x-p\":"
		"{\"example\":1}}}";

	(void)state;
	assert_strips(NULL, in,
		      "{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"t\",\"version\":\"1\"},\"tags\":[{\"name\":\"a\"}],"
		      "\"paths\":{}}");
	assert_strips(
		&keep, in,
		"{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"t\",\"version\":\"1\",\"x-logo\":{\"url\":1}},\"tags\":["
		"{\"name\":\"a\",\"x-b\":1}],\"x-all\":[],\"paths\":{\"x-p\":{\"example\":1}}}");
}

static void counts(void **state)
{
	struct spec_text t = {0};

	(void)state;
	assert_int_equal(spec_strip(&t,
				    "{\"openapi\":\"3.0.0\",\"info\":{\"license\":{},\"x-a\":{},\"description\":\"" LONG
				    "\"},\"components\":{\"schemas\":{\"A\":{\"$ref\":\"#/components/schemas/B\","
				    "\"example\":{\"example\":1}},\"B\":{\"examples\":[]}}}}"),
			 0);
	assert_int_equal(t.stats.format, MEMWEIR_SPEC_JSON);
	assert_int_equal(t.stats.passes, 1);
	assert_int_equal(t.stats.examples, 2);
	assert_int_equal(t.stats.metadata, 1);
	assert_int_equal(t.stats.extensions, 1);
	assert_int_equal(t.stats.texts, 1);
	assert_int_equal(t.stats.references, 1);
	assert_int_equal(t.stats.kept, 0);
	free(t.out);
}

static void references_into_examples(void **state)
{
	/* Into an example, before it and behind it; a list within; by a way with ~1, %7B and an escape; an extension.
	 */
	static const char in[] =
		"{\"openapi\":\"3.0.0\",\"components\":{\"schemas\":{\"A\":{\"$ref\":\"#\\/components/examples/e~1f/"
		"value\"},"
		"\"B\":{\"example\":{\"c\":1},\"allOf\":[{\"example\":1},{\"example\":{\"d\":2}}]},\"C\":{\"$ref\":"
		"\"#/components/schemas/B/allOf/1/example/d\"}},\"examples\":{\"e/"
		"f\":{\"value\":{\"type\":\"string\"}}}},"
		"\"x-own\":{\"%\":{}},\"paths\":{\"/a\":{\"$ref\":\"#/x-own/%25\"}},\"x-other\":1}";

	(void)state;
	assert_strips(NULL, in,
		      "{\"openapi\":\"3.0.0\",\"components\":{\"schemas\":{\"A\":{\"$ref\":\"#\\/components/examples/"
		      "e~1f/value"
		      "\"},\"B\":{\"allOf\":[{},{\"example\":{\"d\":2}}]},\"C\":{\"$ref\":"
		      "\"#/components/schemas/B/allOf/1/example/d\"}},\"examples\":{\"e/"
		      "f\":{\"value\":{\"type\":\"string\"}}}},"
		      "\"x-own\":{\"%\":{}},\"paths\":{\"/a\":{\"$ref\":\"#/x-own/%25\"}}}");
	struct spec_text t = {0};

	assert_int_equal(spec_strip_with(&t, in, NULL), -ENOLINK);
	assert_non_null(strstr(t.error.text, "#/x-own/%"));
	free(t.out);
}

static void references_elsewhere(void **state)
{
	static const char in[] =
		"{\"openapi\":\"3.0.0\",\"components\":{\"schemas\":{\"example\":{\"type\":\"object\"},\"A\":"
		"{\"$ref\":\"#/components/schemas/example\"},\"B\":{\"properties\":{\"example\":{\"$ref\":"
		"\"other.yaml#/components/examples/a\"},\"$ref\":{\"type\":\"string\"}}},\"C\":{\"$ref\":"
		"\"#/components/schemas/B/properties/example\"}}}}";
	struct spec_text t = {0};

	(void)state;
	assert_int_equal(spec_strip_with(&t, in, NULL), 0);
	assert_string_equal(t.out, in);
	assert_int_equal(t.stats.references, 3);
	free(t.out);
}

static void refused(void **state)
{
	(void)state;
	assert_refused("", -ENOMSG, 0, 0, "no OpenAPI document");
	assert_refused("{}", -ENOMSG, 0, 0, "no OpenAPI document");
	assert_refused("{\"info\":{\"openapi\":\"3.0.0\"}}", -ENOMSG, 0, 0, "no OpenAPI document");
	assert_refused("[]", -ENOMSG, 1, 1, "an array");
	assert_refused("{\"openapi\":\n  \"3.0.0\",\n \"info\": }", -EBADMSG, 3, 10, "expected");
	assert_refused("{\"openapi\":\"3", -EBADMSG, 1, 14, "ends");
	assert_refused("{\"openapi\":\"3.0.0\",\"example\":[1,}}", -EBADMSG, 1, 33, "expected");
	assert_refused("{\"openapi\":\"3.0.0\"} x", -EBADMSG, 1, 21, "expected");
	assert_refused("{\"openapi\":\"\xff\"}", -EBADMSG, 1, 13, "UTF-8");
}

static void bounds(void **state)
{
	size_t room = 200000;
	char *deep = malloc(room), *key = malloc(room);
	struct spec_text t = {0};

	(void)state;
	strcpy(deep, "{\"openapi\":\"3.0.0\",\"a\":");
	memset(deep + strlen(deep), '[', 600);
	deep[22 + 600] = '\0';
	assert_int_equal(spec_strip(&t, deep), -E2BIG);
	assert_non_null(strstr(t.error.text, "nested deeper than 512"));
	strcpy(key, "{\"openapi\":\"3.0.0\",\"");
	memset(key + 20, 'k', 70000);
	strcpy(key + 70020, "\":1}");
	assert_int_equal(spec_strip(&t, key), -E2BIG);
	assert_non_null(strstr(t.error.text, "a key of more than"));
	t.options.max_bytes = 10;
	assert_int_equal(spec_strip(&t, "{\"openapi\":\"3.0.0\"}"), -EFBIG);
	assert_non_null(strstr(t.error.text, "more than 10 bytes"));
	t.options.max_bytes = 19;
	assert_int_equal(spec_strip(&t, "{\"openapi\":\"3.0.0\"}"), 0);
	t.options.format = 7;
	assert_int_equal(spec_strip(&t, "{}"), -EINVAL);
	free(t.out);
	free(deep);
	free(key);
}

static void callbacks_that_fail(void **state)
{
	struct spec_text t = {.read_fails = -EIO}, u = {.write_fails = -EBADMSG};
	const struct memweir_spec_io none = MEMWEIR_INIT(struct memweir_spec_io);

	(void)state;
	assert_int_equal(spec_strip(&t, "{\"openapi\":\"3.0.0\""), -EIO);
	assert_int_equal(spec_strip(&u, "{\"openapi\":\"3.0.0\"}"), -EBADMSG);
	assert_int_equal(memweir_spec_strip(NULL, NULL, NULL, NULL), -EINVAL);
	assert_int_equal(memweir_spec_strip(NULL, &none, NULL, NULL), -EINVAL);
	free(t.out);
	free(u.out);
}

static void byte_order_mark(void **state)
{
	struct spec_text t = {0};

	(void)state;
	assert_int_equal(spec_strip(&t, "\xef\xbb\xbf {\"openapi\":\"3.0.0\"}"), 0);
	assert_string_equal(t.out, "{\"openapi\":\"3.0.0\"}");
	free(t.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples),
		cmocka_unit_test(names_are_no_keywords),
		cmocka_unit_test(data_stays),
		cmocka_unit_test(texts),
		cmocka_unit_test(metadata),
		cmocka_unit_test(counts),
		cmocka_unit_test(references_into_examples),
		cmocka_unit_test(references_elsewhere),
		cmocka_unit_test(refused),
		cmocka_unit_test(bounds),
		cmocka_unit_test(callbacks_that_fail),
		cmocka_unit_test(byte_order_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
