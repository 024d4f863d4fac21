/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir ps: the workers and their state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/field.h"
#include "cli/verb.h"
#include "util/cleanup.h"
#include "util/table.h"

struct ps_values {
	bool json, quiet;
};

static const struct mw_option rows[] = {
	{"json", 'j', MW_OPT_FLAG, offsetof(struct ps_values, json), NULL, "the daemon's document as it is"},
	{"quiet", 'q', MW_OPT_FLAG, offsetof(struct ps_values, quiet), NULL, "names only, one a line"},
	{NULL},
};

static const struct mw_column columns[] = {
	{"NAME", .shrink = true},
	{"CLASS", .shrink = true},
	{"STATUS"},
	{"%", .right = true},
	{"HEAP", .right = true},
	{"BIN", .right = true},
	{"CURRENT", .right = true},
	{"MAX", .right = true},
	{"RECL/MIN", .right = true},
	{"STALL%", .right = true},
	{"VERDICT"},
	{"STATE", .shrink = true},
	{"CONTAINER", .shrink = true}, /* where any worker is one */
};

/* Whether the words name w; no words name everything. */
static bool wanted(struct json_object *w, int argc, char **argv)
{
	bool found = argc == 0;

	for (int i = 0; i < argc; i++)
		found = found || strcmp(argv[i], mw_field_str(w, "name")) == 0;
	return found;
}

static void state_cell(struct mw_table *t, struct json_object *w)
{
	static const char *const flags[] = {"lifted", "frozen", "hibernated"};
	char text[MW_TEXT] = "";

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (mw_field_bool(w, flags[i]))
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", *text ? "," : "", flags[i]);
	}
	if (mw_field_object(w, "not_in_force"))
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%snot-in-force", *text ? "," : "");
	mw_table_cell(t, text);
}

static void container_cell(struct mw_table *t, struct json_object *w)
{
	struct json_object *c;
	char text[128] = "";

	if (json_object_object_get_ex(w, "container", &c))
		snprintf(text, sizeof(text), "%.15s:%.100s", mw_field_str(c, "engine"),
			 mw_field_str(c, *mw_field_str(c, "name") ? "name" : "id"));
	mw_table_cell(t, text);
}

static void row(struct mw_table *t, struct json_object *w, bool containers)
{
	static const char *const sizes[] = {"heap_bytes", "bin_bytes", "usage_bytes"};
	char buf[MW_TEXT];

	mw_table_cell(t, mw_field_str(w, "name"));
	mw_table_cell(t, mw_field_str(w, "class"));
	mw_table_cell(t, mw_field_str(w, "status"));
	mw_table_cellf(t, "%.1f", mw_field_number(w, "percent", 0));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		mw_table_cell(t, mw_say_bytes(w, sizes[i], buf));
	mw_table_cell(t, mw_say_limit(w, "max_bytes", buf));
	mw_table_cellf(t, "%.0f", mw_field_number(w, "reclaims_per_min", 0));
	mw_table_cellf(t, "%.1f", 100 * mw_field_number(w, "stalled_share", 0));
	mw_table_cell(t, mw_field_str(w, "verdict"));
	state_cell(t, w);
	if (containers)
		container_cell(t, w);
}

static bool any_container(struct json_object *workers)
{
	bool any = false;

	for (size_t i = 0; i < mw_field_length(workers); i++)
		any |= json_object_object_get_ex(json_object_array_get_idx(workers, i), "container", NULL);
	return any;
}

/* The array with only the workers that were named; a name nobody has is said. false: some were not found. */
static bool pick(const struct mw_cli *cli, struct json_object *workers, int argc, char **argv,
		 struct json_object *ret_picked)
{
	bool all = true;

	for (size_t i = 0; i < mw_field_length(workers); i++) {
		struct json_object *w = json_object_array_get_idx(workers, i);

		if (wanted(w, argc, argv))
			json_object_array_add(ret_picked, json_object_get(w));
	}
	for (int i = 0; i < argc; i++) {
		bool found = false;

		for (size_t j = 0; j < mw_field_length(ret_picked) && !found; j++)
			found = wanted(json_object_array_get_idx(ret_picked, j), 1, argv + i);
		if (!found)
			mw_say_error(cli, "no worker %s (memweir ps lists them)", argv[i]);
		all = all && found;
	}
	return all;
}

static int print_text(const struct mw_cli *cli, struct json_object *workers)
{
	const struct ps_values *v = cli->values;
	bool containers = any_container(workers);
	_cleanup_(mw_table_freep) struct mw_table *t = mw_table_new(columns, ARRAY_SIZE(columns) - !containers);

	for (size_t i = 0; t && i < mw_field_length(workers); i++) {
		struct json_object *w = json_object_array_get_idx(workers, i);
		char clean[256];

		if (v->quiet)
			puts(mw_text_clean(mw_field_str(w, "name"), 0, clean, sizeof(clean)));
		else
			row(t, w, containers);
	}
	if (v->quiet)
		return MW_EXIT_OK;
	return t && mw_table_print(t, stdout, mw_terminal_width(stdout)) == 0 ? MW_EXIT_OK : MW_EXIT_FAILURE;
}

static int ps_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct ps_values *v = cli->values;
	_cleanup_json_ struct json_object *picked = json_object_new_array();
	_cleanup_answer_ struct mw_answer a = {0};
	bool all;
	int code = MW_EXIT_OK;

	if (mw_call(cli, "GET", "/v1/workers", NULL, MW_CALL_MS, &a) < 0)
		return MW_EXIT_FAILURE;
	all = pick(cli, mw_field_array(a.doc, "workers"), argc, argv, picked);
	if (v->json && argc == 0) {
		mw_call_print(&a);
	} else if (v->json) {
		json_object_object_add(a.doc, "workers", json_object_get(picked));
		puts(json_object_to_json_string_ext(a.doc, JSON_C_TO_STRING_PLAIN));
	} else {
		code = print_text(cli, picked);
	}
	return all ? code : MW_EXIT_FAILURE;
}

const struct mw_verb mw_verb_ps = {
	.name = "ps",
	.args = "[--json] [--quiet] [WORKER...]",
	.summary = "the workers and their state",
	.options = rows,
	.max_args = -1,
	.run = ps_run,
};
