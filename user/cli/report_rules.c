/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "util/cleanup.h"
#include "util/table.h"

static const struct mw_column columns[] = {
	{"RULE", .shrink = true},  {"CLASS", .shrink = true},  {"PRIORITY", .right = true},
	{"FITTED", .right = true}, {"WORKERS", .right = true}, {"PATTERNS", .shrink = true},
};

static void row(struct mw_table *t, struct json_object *rule)
{
	struct json_object *patterns = mw_field_object(rule, "patterns");
	char text[512] = "";
	size_t at = 0;

	mw_table_cell(t, mw_field_str(rule, "name"));
	mw_table_cell(t, mw_field_str(rule, "class"));
	mw_table_cellf(t, "%.0f", mw_field_number(rule, "priority", 0));
	mw_table_cellf(t, "%.0f", mw_field_number(rule, "matched", 0));
	mw_table_cellf(t, "%zu", mw_field_length(mw_field_array(rule, "workers")));
	if (patterns) {
		json_object_object_foreach (patterns, key, value) {
			if (at < sizeof(text))
				at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s=%s", at ? " " : "", key,
						       json_object_get_string(value));
		}
	}
	mw_table_cell(t, text);
}

int mw_print_rules(struct json_object *doc)
{
	struct json_object *rules = mw_field_array(doc, "rules"), *n = mw_field_object(doc, "newcomers");
	_cleanup_(mw_table_freep) struct mw_table *t = mw_table_new(columns, ARRAY_SIZE(columns));
	double left_out = n ? mw_field_number(n, "left_out", 0) + mw_field_number(n, "left_out_by_kernel", 0) : 0;
	int r = 0;

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < mw_field_length(rules); i++)
		row(t, json_object_array_get_idx(rules, i));
	if (mw_field_length(rules))
		r = mw_table_print(t, stdout, mw_terminal_width(stdout));
	else
		puts(mw_field_bool(doc, "class_carriers")
			     ? "no rules are in force: who comes under guard by itself brings its class along"
			     : "no rules are in force: nobody comes under guard by itself");
	if (!r && n && mw_field_number(n, "told", 0) > 0)
		printf("\n%.0f newcomers looked at, %.0f came under guard, %.0f could not be taken, %.0f had ended; "
		       "%.0f left to a later look\n",
		       mw_field_number(n, "told", 0), mw_field_number(n, "admitted", 0),
		       mw_field_number(n, "refused", 0), mw_field_number(n, "ended_before", 0), left_out);
	return r;
}
