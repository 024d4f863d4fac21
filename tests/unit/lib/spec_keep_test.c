/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Which pointers lead into what is left out. */
#include "lib/spec_keep.h"

#include "unit.h"

static int note(struct mw_spec_keep *k, const char *reference)
{
	char raw[256];

	snprintf(raw, sizeof(raw), "%s", reference);
	return mw_spec_keep_note(k, raw, strlen(raw));
}

static void notes(void **state)
{
	static const char *const in[] = {
		"#/components/examples/a",
		"#/components/examples",
		"#/paths/~1a~1{b}/get/responses/200/content/application~1json/examples/one/value",
		"#/paths/~1a/get/parameters/0/example",
		"#/components/schemas/A/allOf/1/properties/b/example",
		"#/definitions/example/example",
		"#/info/contact",
		"#/x-own/y",
		"#\\/%65xternalDocs",
		"#/components/callbacks/c/%7B$url%7D/post/responses/200/x-a",
	};
	static const char *const out[] = {
		"#/components/schemas/example",
		"#/components/schemas/A/properties/example",
		"#/components/schemas/A/default/example",
		"#/components/headers/x-a",
		"#/paths/example/get",
		"other.json#/components/examples/a",
		"#/info/title",
		"#anchor",
		"#",
		"#/",
		"",
		"#/components/parameters/0/schema",
		"#/components/schemas/A/unknown/x-a",
	};
	struct mw_spec_keep k = {0}, with = {.extensions_stay = true};

	(void)state;
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		assert_int_equal(note(&k, in[i]), 1);
		assert_int_equal(note(&k, in[i]), 0); /* known */
	}
	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		assert_int_equal(note(&k, out[i]), 0);
	assert_int_equal(note(&with, "#/x-own/y"), 0);
	assert_int_equal(note(&with, "#/info/contact"), 1);
	assert_true(mw_spec_keep_has(&k, "/x-own", 6));
	assert_true(mw_spec_keep_has(&k, "/x-own/y", 8));
	assert_false(mw_spec_keep_has(&k, "/x-own/y/z", 10));
	assert_false(mw_spec_keep_has(&k, "/x-ow", 5));
	mw_spec_keep_free(&k);
	mw_spec_keep_free(&with);
}

static void too_many(void **state)
{
	struct mw_spec_keep k = {0};
	char text[64];
	int r = 1;

	(void)state;
	for (int i = 0; r == 1 && i < 2000; i++) {
		snprintf(text, sizeof(text), "#/x-%d", i);
		r = note(&k, text);
	}
	assert_int_equal(r, -E2BIG);
	assert_int_equal(k.n, 1024);
	mw_spec_keep_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notes),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
