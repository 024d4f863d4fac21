/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Any bytes as an OpenAPI document, JSON or YAML: refused with a sentence, or stripped to JSON that is well formed, the
 * same however it was read, and stays as it is when it is stripped again. Built as config_fuzz.c is.
 */
#include <errno.h>
#include <memweir/spec.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

struct text {
	const uint8_t *in;
	size_t in_len, at, part;
	uint8_t *out;
	size_t out_len;
};

static int64_t on_read(void *arg, void *buffer, size_t room)
{
	struct text *t = arg;
	size_t n = t->in_len - t->at;

	n = n < room ? n : room;
	n = t->part && t->part < n ? t->part : n;
	if (n)
		memcpy(buffer, t->in + t->at, n);
	t->at += n;
	return (int64_t)n;
}

static int on_write(void *arg, const void *bytes, size_t count)
{
	struct text *t = arg;

	t->out = realloc(t->out, t->out_len + count);
	must(t->out, "memory");
	memcpy(t->out + t->out_len, bytes, count);
	t->out_len += count;
	return 0;
}

static int on_again(void *arg)
{
	struct text *t = arg;

	t->at = t->out_len = 0;
	return 0;
}

static int strip(struct text *t)
{
	const struct memweir_spec_options options = {.size = sizeof(options),
						     .max_bytes = 100000,
						     .description_chars = 12};
	const struct memweir_spec_io io = {sizeof(io), on_read, on_write, on_again, t};
	struct memweir_spec_stats stats = MEMWEIR_INIT(struct memweir_spec_stats);
	struct memweir_spec_error error = MEMWEIR_INIT(struct memweir_spec_error);
	int r = memweir_spec_strip(&options, &io, &stats, &error);

	must((r < 0) == (error.text[0] != '\0'), "a failure has a sentence, and nothing else has");
	must(r == 0 || r == -EBADMSG || r == -ENOMSG || r == -EFBIG || r == -E2BIG || r == -ENOLINK,
	     "a failure that is told of");
	must(r < 0 || (stats.input_bytes == t->in_len && stats.output_bytes == t->out_len), "counted right");
	return r;
}

static bool same(const struct text *a, const struct text *b)
{
	return a->out_len == b->out_len && (!a->out_len || memcmp(a->out, b->out, a->out_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text whole = {.in = data, .in_len = size}, parts = {.in = data, .in_len = size, .part = 3}, again = {0};
	int r = strip(&whole);

	/* Of two faults libyaml may tell the later first, when it has read so far. */
	must((strip(&parts) < 0) == (r < 0), "the same in parts");
	if (r == 0) {
		static struct mw_json_scan scan;

		must(same(&whole, &parts), "the same bytes in parts");
		mw_json_scan_init(&scan, 0, 0, NULL, NULL);
		must(mw_json_scan_feed(&scan, whole.out, whole.out_len) == 0 && mw_json_scan_end(&scan) == 0, "JSON");
		again.in = whole.out;
		again.in_len = whole.out_len;
		must(strip(&again) == 0 && same(&whole, &again), "stripped already");
	}
	free(whole.out);
	free(parts.out);
	free(again.out);
	return 0;
}

#ifdef MW_FUZZ_MAIN

#include "mutate.h"

int main(int argc, char **argv)
{
	static const char *const seeds[] = {
		"{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"t\",\"description\":\"some words that are "
		"many\",\"license\":{}},"
		"\"paths\":{\"/a/"
		"{b}\":{\"get\":{\"parameters\":[{\"name\":\"b\",\"in\":\"path\",\"example\":1}],\"responses\":"
		"{\"200\":{\"description\":\"it \\ud83d\\ude00 is well "
		"done\",\"content\":{\"a/b\":{\"schema\":{\"$ref\":"
		"\"#/components/schemas/"
		"A\"},\"examples\":{\"x\":{\"value\":[1,{}]}}}}}}}}},\"components\":{\"schemas\":{\"A\":{"
		"\"properties\":{\"example\":{\"example\":1.5e3,\"enum\":[null,true]}},\"x-a\":[]}}}}",
		"{\"swagger\":\"2.0\",\"definitions\":{\"A\":{\"$ref\":\"#/x-defs/B\"}},\"x-defs\":{\"B\":{\"$ref\":"
		"\"#/definitions/A/example/0\"}},\"securityDefinitions\":{\"o\":{\"scopes\":{\"a\":\"reads and writes "
		"all\"}}}}",
		"openapi: 3.0.0\ninfo:\n  title: &t 'a'\n  version: *t\npaths:\n  /a:\n    get: &g\n      description: "
		">\n        "
		"Folded\n        text, long\n      responses: {200: {description: \"\\u263a\\n\"}}\n    put: *g\n",
		"%YAML 1.2\n---\nswagger: 2.0\ndefinitions: {a: &a [1, 0x1F, .5, ~, !!str 2], b: [*a, *a], ? c : "
		"d}\n...\n",
		"openapi: 3.0.0\nx: &x {a: 1, b: &b {c: 2}}\ny: &y {<<: [*x, *b], a: 3, d: *b}\npaths: {<<: *y, /a: "
		"{get: "
		"{<<: *x}}}\n",
	};
	static const char *const words[] = {
		"\"example\":",
		"\"$ref\":\"#/components/examples/a\",",
		"\"description\":\"\\u00e4\xc3\xa4 \\\\ ",
		"x-",
		"\"x-a\":{",
		"}",
		"]",
		"{",
		"[",
		",",
		"\"properties\":{",
		"null",
		"\\ud83d",
		"\xf0\x9f\x98\x80",
		"&a ",
		"*a",
		"- ",
		": ",
		"\n",
		"\n  ",
		"? ",
		"| ",
		"> ",
		"# ",
		"!!int ",
		"'",
		"\"",
		"\\",
		".inf",
		"1e5",
		"<<: ",
		"\xef\xbb\xbf",
		"---\n",
		"summary: ",
		"example: ",
		"#/x-defs/B",
	};

	return fuzz_main(argc, argv, FUZZ_TEXTS(seeds), FUZZ_TEXTS(words));
}

#endif
