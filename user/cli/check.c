/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir check: validate now. */
#include <stdio.h>
#include <string.h>

#include "cli/call.h"
#include "cli/field.h"
#include "cli/verb.h"
#include "util/cleanup.h"
#include "util/size.h"
#include "util/table.h"

struct check_values {
	bool json;
};

static const struct mw_option rows[] = {
	{"json", 'j', MW_OPT_FLAG, offsetof(struct check_values, json), NULL, "the daemon's document as it is"},
	{NULL},
};

/* A worker that is not well, in one line; the others are silent. */
static void print_worker(struct json_object *doc, struct json_object *w)
{
	const char *name = mw_field_str(w, "name"), *status = mw_field_str(w, "status");
	bool growing = mw_field_has(mw_field_array(doc, "memory_leaks"), name);
	char heap[MW_TEXT], bin[MW_TEXT], who[256];

	if (strcmp(status, "ok") == 0 && !growing)
		return;
	mw_text_clean(name, 0, who, sizeof(who));
	printf("%s (%s) %s: %.1f %% of max_heap, heap %s, bin %s%s%s%s\n", who, mw_field_str(w, "class"), status,
	       mw_field_number(w, "percent", 0), mw_say_bytes(w, "heap_bytes", heap), mw_say_bytes(w, "bin_bytes", bin),
	       mw_field_bool(w, "over_bin") ? ", bin over its limit" : "",
	       mw_field_bool(w, "hibernate") ? ", hibernation is due" : "", growing ? ", growing" : "");
}

static void print_advice(struct json_object *advice)
{
	char clean[256];

	for (size_t i = 0; i < mw_field_length(advice); i++)
		printf("recommended: %s\n", mw_text_clean(mw_field_str(json_object_array_get_idx(advice, i), "text"), 0,
							  clean, sizeof(clean)));
}

static void print_summary(struct json_object *doc)
{
	size_t n = mw_field_length(mw_field_array(doc, "workers"));
	size_t hibernated = mw_field_length(mw_field_array(doc, "hibernated"));
	char total[MW_TEXT], budget[MW_TEXT];
	__u64 bytes;

	printf("%zu worker%s, %zu high, %zu growing", n, n == 1 ? "" : "s",
	       mw_field_length(mw_field_array(doc, "high_memory")),
	       mw_field_length(mw_field_array(doc, "memory_leaks")));
	if (hibernated)
		printf(", %zu hibernated", hibernated);
	printf(", %s", mw_say_bytes(doc, "total_memory", total));
	if (mw_field_u64(doc, "budget_bytes", &bytes))
		printf(" of %s", mw_size_format(bytes, budget, sizeof(budget)));
	putchar('\n');
}

static int worst(struct json_object *workers)
{
	int code = MW_EXIT_OK;

	for (size_t i = 0; i < mw_field_length(workers); i++) {
		const char *status = mw_field_str(json_object_array_get_idx(workers, i), "status");

		if (strcmp(status, "error") == 0)
			return MW_EXIT_ERROR;
		if (strcmp(status, "warning") == 0)
			code = MW_EXIT_WARNING;
	}
	return code;
}

static int check_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct check_values *v = cli->values;
	_cleanup_json_ struct json_object *body = json_object_new_object();
	struct json_object *names = json_object_new_array(), *workers;
	_cleanup_answer_ struct mw_answer a = {0};

	json_object_object_add(body, "workers", names);
	for (int i = 0; i < argc; i++)
		json_object_array_add(names, json_object_new_string(argv[i]));
	if (mw_call(cli, "POST", "/v1/check", body, MW_CALL_MS, &a) < 0)
		return MW_EXIT_FAILURE;
	workers = mw_field_array(a.doc, "workers");
	if (!workers) {
		mw_say_error(cli, "the daemon's answer has no \"workers\"");
		return MW_EXIT_FAILURE;
	}
	if (v->json) {
		mw_call_print(&a);
		return worst(workers);
	}
	for (size_t i = 0; i < mw_field_length(workers); i++)
		print_worker(a.doc, json_object_array_get_idx(workers, i));
	print_advice(mw_field_array(a.doc, "recommendations"));
	print_summary(a.doc);
	return worst(workers);
}

const struct mw_verb mw_verb_check = {
	.name = "check",
	.args = "[--json] [WORKER...]",
	.summary = "validate now: exit code 0, 3 for a warning, 4 for an error",
	.options = rows,
	.max_args = -1,
	.run = check_run,
};
