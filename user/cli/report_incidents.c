/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "util/cleanup.h"
#include "util/table.h"

#define SPARK_COLUMNS 60

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

/* The highest point of the curve's part that column stands for. */
static double peak_of(struct json_object *curve, size_t column, size_t n_columns)
{
	size_t n = mw_field_length(curve), from = column * n / n_columns, to = (column + 1) * n / n_columns;
	double peak = 0;

	for (size_t i = from; i < to; i++) {
		double bytes = mw_field_number(json_object_array_get_idx(curve, i), "bytes", 0);

		peak = bytes > peak ? bytes : peak;
	}
	return peak;
}

/* Usage against the limit (or its own peak), a column for one or more seconds. */
static void print_curve(struct json_object *inc)
{
	static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const ascii[] = {"_", ".", "-", "=", "+", "*", "%", "#"};
	const char *const *levels = mw_locale_utf8() ? blocks : ascii;
	struct json_object *curve = mw_field_array(inc, "curve");
	size_t n = mw_field_length(curve), n_columns = n < SPARK_COLUMNS ? n : SPARK_COLUMNS;
	double top = mw_field_number(inc, "limit_bytes", 0), first;
	char span[MW_TEXT];

	if (n == 0)
		return;
	for (size_t i = 0; i < n_columns; i++)
		top = peak_of(curve, i, n_columns) > top ? peak_of(curve, i, n_columns) : top;
	first = mw_field_number(json_object_array_get_idx(curve, 0), "t_s", 0);
	printf("  usage      ");
	for (size_t i = 0; i < n_columns; i++) {
		double part = top > 0 ? peak_of(curve, i, n_columns) / top : 0;

		fputs(levels[part >= 1 ? 7 : (size_t)(part * 8)], stdout);
	}
	printf("  the last %s\n", mw_say_seconds(first < 0 ? -first : 0, span));
}

static void print_line(const char *title, const char *value)
{
	char clean[512];

	if (*value && strcmp(value, "-") != 0)
		printf("  %-10s %s\n", title, mw_text_clean(value, 0, clean, sizeof(clean)));
}

static void print_pause(struct json_object *p)
{
	const char *limit = mw_field_str(p, "limit");
	char when[MW_TEXT], length[MW_TEXT], comm[64];

	printf("  %-10s %s  %s %s, %.0f pages freed (%s)%s%s\n", "paused", mw_say_time(p, "time", when),
	       mw_say_ns(p, "duration_ns", length), mw_field_str(p, "kind"), mw_field_number(p, "pages", 0),
	       mw_text_clean(mw_field_str(p, "comm"), 0, comm, sizeof(comm)), *limit ? ", limit: " : "", limit);
}

void mw_print_incident(struct json_object *inc)
{
	static const char *const sizes[][2] = {{"limit", "limit_bytes"},
					       {"at the end", "usage_bytes"},
					       {"peak", "peak_bytes"},
					       {"saved", "saved_bytes"}};
	struct json_object *pauses = mw_field_object(inc, "pauses"), *last = mw_field_array(inc, "last_pauses");
	char buf[MW_TEXT], clean[256];

	printf("%s  %s", mw_say_time(inc, "time", buf),
	       mw_text_clean(mw_field_str(inc, "name"), 0, clean, sizeof(clean)));
	printf(" (%s): %s\n", mw_field_str(inc, "class"), mw_field_str(inc, "reason"));
	print_line("why", mw_field_str(inc, "why"));
	print_line("killed by", mw_field_str(inc, "killed_by"));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		print_line(sizes[i][0], mw_say_bytes(inc, sizes[i][1], buf));
	print_line("lived", mw_say_seconds(mw_field_number(inc, "lifetime_s", -1), buf));
	print_line("cgroup", mw_field_str(inc, "cgroup"));
	print_line("id", mw_field_str(inc, "id"));
	print_curve(inc);
	if (pauses) {
		json_object_object_foreach (pauses, kind, stat) {
			char total[MW_TEXT], longest[MW_TEXT];

			if (mw_field_number(stat, "count", 0) > 0)
				printf("  %-10s %s x %.0f, %s in all, %s at most\n", "pauses", kind,
				       mw_field_number(stat, "count", 0), mw_say_ns(stat, "total_ns", total),
				       mw_say_ns(stat, "max_ns", longest));
		}
	}
	for (size_t i = 0; i < mw_field_length(last); i++)
		print_pause(json_object_array_get_idx(last, i));
	mw_print_sites(inc);
}
