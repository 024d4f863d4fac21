/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Any bytes as what a worker reports of itself. With clang: -fsanitize=fuzzer,address. With -DMW_FUZZ_MAIN any compiler
 * makes a program that mutates the seeds below, N times (first argument), the same way every time.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/json_figures.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

/* What was taken is within bounds, and is the same when it is written and read again. */
static void check(const struct mw_figures *f)
{
	struct mw_reported r = {.figures = *f, .next_ms = MW_FIGURES_NEXT_MS};
	char text[MW_FIGURES_TEXT_MAX];
	struct mw_figures again;
	struct json_object *o;

	must(f->n_pools <= MW_FIGURES_POOLS && f->n_limiters <= MW_FIGURES_LIMITERS, "more than there is room for");
	for (unsigned int i = 0; i < f->n_pools; i++)
		must(mw_figure_name_valid(f->pools[i].name), "a pool's name");
	for (unsigned int i = 0; i < f->n_limiters; i++)
		must(mw_figure_name_valid(f->limiters[i].name), "a limiter's name");
	must(mw_figures_text(f, text, sizeof(text)) > 0, "too long to write");
	o = json_tokener_parse(text);
	must(o && mw_json_figures_read(o, &again, NULL) == 0, "cannot be read again");
	must(memcmp(&again, f, sizeof(again)) == 0, "another when read again");
	json_object_put(o);
	o = mw_json_figures(&r, 1);
	must(o && json_object_to_json_string(o), "cannot be shown");
	json_object_put(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mw_error err = {""};
	struct json_object *o;
	struct mw_figures f;
	char *text = strndup((const char *)data, size);
	int r;

	must(text, "no memory");
	o = json_tokener_parse(text);
	free(text);
	if (json_object_is_type(o, json_type_object)) {
		r = mw_json_figures_read(o, &f, &err);
		must(r == 0 || err.text[0], "refused without a word");
		if (r == 0)
			check(&f);
	}
	json_object_put(o);
	return 0;
}

#ifdef MW_FUZZ_MAIN
#include "mutate.h"

static const char *const seeds[] = {
	"{\"pools\":[{\"name\":\"rx\",\"bytes\":false,\"buffers\":1000,\"in_use\":3,\"memory_bytes\":4096}],"
	"\"limiters\":[{\"name\":\"heap\",\"max_bytes\":50000000,\"refusals\":1}]}",
	"{\"pools\":[{\"name\":\"a\"},{\"name\":\"b\",\"bytes\":true,\"dropped\":7}],\"requests\":{\"open\":1,"
	"\"duration_ns\":{\"sum\":12,\"counts\":[1,2,3,4,5,6,7,8]},\"growth_bytes\":{\"sum\":1,\"counts\":"
	"[0,0,0,0,0,0,0,0]}}}",
	"{\"pools\":[],\"limiters\":[],\"requests\":null}",
};
static const char *const words[] = {"{",
				    "}",
				    "[",
				    "]",
				    ",",
				    "\"name\":\"a\"",
				    "-1",
				    "18446744073709551615",
				    "null",
				    "true",
				    "1e9",
				    "0.5",
				    "{\"name\":\"z\"},",
				    "\"\\u0000\"",
				    "1152921504606846977"};

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, FUZZ_TEXTS(seeds), FUZZ_TEXTS(words));
}
#endif
