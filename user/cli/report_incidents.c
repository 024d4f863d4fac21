/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "util/cleanup.h"
#include "util/table.h"

static const struct mw_column columns[] = {
	{"TIME"},   {"ID", .shrink = true},  {"WORKER", .shrink = true}, {"CLASS", .shrink = true},
	{"REASON"}, {"WHY", .shrink = true},
};

int mw_print_incidents(struct json_object *incidents)
{
	_cleanup_(mw_table_freep) struct mw_table *t = mw_table_new(columns, ARRAY_SIZE(columns));
	char buf[MW_TEXT];

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < mw_field_length(incidents); i++) {
		struct json_object *inc = json_object_array_get_idx(incidents, i);

		mw_table_cell(t, mw_say_time(inc, "time", buf));
		mw_table_cell(t, mw_field_str(inc, "id"));
		mw_table_cell(t, mw_field_str(inc, "name"));
		mw_table_cell(t, mw_field_str(inc, "class"));
		mw_table_cell(t, mw_field_str(inc, "reason"));
		mw_table_cell(t, mw_field_str(inc, "why"));
	}
	return mw_table_print(t, stdout, mw_terminal_width(stdout));
}
