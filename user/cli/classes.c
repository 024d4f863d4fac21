/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir classes: the profiles in force, and the other settings. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/call.h"
#include "cli/field.h"
#include "cli/verb.h"
#include "util/cleanup.h"
#include "util/table.h"

struct classes_values {
	bool json;
};

static const struct mw_option rows[] = {
	{"json", 'j', MW_OPT_FLAG, offsetof(struct classes_values, json), NULL, "the daemon's document as it is"},
	{NULL},
};

/* Setting names are the daemon's: a class is a column, so that new keys need no new code here. */
static int print_classes(struct json_object *classes)
{
	struct mw_column columns[1 + 64] = {{"KEY"}};
	size_t n = mw_field_length(classes) < 64 ? mw_field_length(classes) : 64;
	_cleanup_(mw_table_freep) struct mw_table *t = NULL;

	for (size_t i = 0; i < n; i++)
		columns[i + 1] = (struct mw_column){mw_field_str(json_object_array_get_idx(classes, i), "name"), true};
	t = mw_table_new(columns, n + 1);
	if (!t)
		return MW_EXIT_FAILURE;
	if (n) {
		json_object_object_foreach (json_object_array_get_idx(classes, 0), key, value) {
			if (!json_object_is_type(value, json_type_string) || strcmp(key, "name") == 0)
				continue;
			mw_table_cell(t, key);
			for (size_t i = 0; i < n; i++)
				mw_table_cell(t, mw_field_str(json_object_array_get_idx(classes, i), key));
		}
		mw_table_cell(t, "(rules)"); /* no key of a class: how many lead there */
		for (size_t i = 0; i < n; i++)
			mw_table_cellf(t, "%zu",
				       mw_field_length(mw_field_array(json_object_array_get_idx(classes, i), "rules")));
	}
	return mw_table_print(t, stdout, 0) == 0 ? MW_EXIT_OK : MW_EXIT_FAILURE;
}

static void print_section(const char *name, struct json_object *section)
{
	char clean[512];

	if (!section)
		return;
	printf("\n[%s]\n", name);
	json_object_object_foreach (section, key, value) {
		if (json_object_is_type(value, json_type_string))
			printf("%s = %s\n", key, mw_text_clean(json_object_get_string(value), 0, clean, sizeof(clean)));
	}
}

static int classes_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct classes_values *v = cli->values;
	_cleanup_answer_ struct mw_answer a = {0};
	int code;

	(void)argc;
	(void)argv;
	if (mw_call(cli, "GET", "/v1/config", NULL, MW_CALL_MS, &a) < 0)
		return MW_EXIT_FAILURE;
	if (v->json) {
		mw_call_print(&a);
		return MW_EXIT_OK;
	}
	code = print_classes(mw_field_array(a.doc, "classes"));
	print_section("monitor", mw_field_object(a.doc, "monitor"));
	print_section("tree", mw_field_object(a.doc, "tree"));
	print_section("http", mw_field_object(a.doc, "http"));
	print_section("otlp", mw_field_object(a.doc, "otlp"));
	return code;
}

const struct mw_verb mw_verb_classes = {
	.name = "classes",
	.args = "[--json]",
	.summary = "classes with their profiles, and the other settings in force",
	.options = rows,
	.run = classes_run,
};
