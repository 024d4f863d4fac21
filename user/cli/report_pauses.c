/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/report.h"

#include <errno.h>
#include <stdio.h>

#include "cli/field.h"
#include "util/cleanup.h"
#include "util/table.h"

static const struct mw_column columns[] = {
	{"NAME", .shrink = true}, {"CLASS", .shrink = true}, {"KIND"},
	{"COUNT", .right = true}, {"TOTAL", .right = true},  {"MAX", .right = true},
	{"P50", .right = true},	  {"P99", .right = true},
};

static void row(struct mw_table *t, struct json_object *w, const char *kind, struct json_object *stat)
{
	static const char *const times[] = {"total_ns", "max_ns", "p50_ns", "p99_ns"};
	char buf[MW_TEXT];

	mw_table_cell(t, mw_field_str(w, "name"));
	mw_table_cell(t, mw_field_str(w, "class"));
	mw_table_cell(t, kind);
	mw_table_cellf(t, "%.0f", mw_field_number(stat, "count", 0));
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		mw_table_cell(t, mw_say_ns(stat, times[i], buf));
}

/* Kinds that never happened are left out; a worker without any has one row that says so. */
static void rows(struct mw_table *t, struct json_object *w)
{
	struct json_object *kinds = mw_field_object(w, "kinds");
	size_t n = 0;

	if (kinds) {
		json_object_object_foreach (kinds, kind, stat) {
			if (mw_field_number(stat, "count", 0) > 0) {
				row(t, w, kind, stat);
				n++;
			}
		}
	}
	if (n == 0)
		row(t, w, "none", NULL);
}

int mw_print_pauses(struct json_object *workers)
{
	_cleanup_(mw_table_freep) struct mw_table *t = mw_table_new(columns, ARRAY_SIZE(columns));
	int r;

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < mw_field_length(workers); i++)
		rows(t, json_object_array_get_idx(workers, i));
	r = mw_table_print(t, stdout, mw_terminal_width(stdout));
	for (size_t i = 0; i < mw_field_length(workers); i++) {
		struct json_object *w = json_object_array_get_idx(workers, i);
		double covered = mw_field_number(w, "covered", -1);
		char clean[256];

		if (covered >= 0)
			printf("%s: the known kinds cover %.0f %% of its memory stalls\n",
			       mw_text_clean(mw_field_str(w, "name"), 0, clean, sizeof(clean)), 100 * covered);
	}
	return r;
}
