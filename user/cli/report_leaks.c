/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "util/cleanup.h"
#include "util/table.h"

#define SITES_SHOWN  5 /* of a worker */
#define FRAMES_SHOWN 6 /* of a site */

static const struct mw_column columns[] = {
	{"NAME", .shrink = true},
	{"CLASS", .shrink = true},
	{"VERDICT"},
	{"RATE", .right = true},
	{"SINCE"},
	{"LIMIT IN", .right = true},
	{"SURE", .right = true},
	{"EVIDENCE", .shrink = true},
};

/* "; but one; another": behind what is there already. */
static void add_sentences(char *text, size_t size, const char *word, struct json_object *list)
{
	for (size_t i = 0; i < mw_field_length(list); i++) {
		size_t at = strlen(text);

		snprintf(text + at, size - at, "%s%s%s", at ? "; " : "", i ? "" : word,
			 json_object_get_string(json_object_array_get_idx(list, i)));
	}
}

static void row(struct mw_table *t, struct json_object *w)
{
	double rate = mw_field_number(w, "rate_bytes_per_s", 0);
	char buf[MW_TEXT], text[512] = "";

	mw_table_cell(t, mw_field_str(w, "name"));
	mw_table_cell(t, mw_field_str(w, "class"));
	mw_table_cell(t, mw_field_str(w, "verdict"));
	mw_table_cell(t, mw_say_rate(rate, buf));
	mw_table_cell(t, mw_say_time(w, "onset", buf));
	mw_table_cell(t, mw_say_seconds(mw_field_number(w, "time_to_limit_s", -1), buf));
	mw_table_cellf(t, "%.0f %%", 100 * mw_field_number(w, "confidence", 0));
	add_sentences(text, sizeof(text), "", mw_field_array(w, "evidence"));
	add_sentences(text, sizeof(text), "but ", mw_field_array(w, "against"));
	mw_table_cell(t, text);
}

static void print_frame(struct json_object *f)
{
	const char *file = mw_field_str(f, "file"), *module = mw_field_str(f, "module");
	char text[512], clean[512];

	if (*file)
		snprintf(text, sizeof(text), "%s  %s:%.0f", mw_field_str(f, "function"), file,
			 mw_field_number(f, "line", 0));
	else
		snprintf(text, sizeof(text), "%s  %s", mw_field_str(f, "function"), module);
	printf("      %s\n", mw_text_clean(text, 0, clean, sizeof(clean)));
}

/* Which code allocates, where it is known. */
static void print_sites(struct json_object *w)
{
	struct json_object *sites = mw_field_array(w, "sites");
	char bytes[MW_TEXT], clean[256];

	if (mw_field_length(sites))
		printf("\n%s allocates at\n", mw_text_clean(mw_field_str(w, "name"), 0, clean, sizeof(clean)));
	for (size_t i = 0; i < mw_field_length(sites) && i < SITES_SHOWN; i++) {
		struct json_object *site = json_object_array_get_idx(sites, i),
				   *frames = mw_field_array(site, "frames");

		printf("  %s, %.0f %%, %s\n", mw_say_bytes(site, "bytes", bytes),
		       100 * mw_field_number(site, "share", 0),
		       mw_text_clean(mw_field_str(site, "kind"), 0, clean, sizeof(clean)));
		for (size_t j = 0; j < mw_field_length(frames) && j < FRAMES_SHOWN; j++)
			print_frame(json_object_array_get_idx(frames, j));
	}
}

int mw_print_leaks(struct json_object *workers)
{
	_cleanup_(mw_table_freep) struct mw_table *t = mw_table_new(columns, ARRAY_SIZE(columns));
	int r;

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < mw_field_length(workers); i++)
		row(t, json_object_array_get_idx(workers, i));
	r = mw_table_print(t, stdout, mw_terminal_width(stdout));
	for (size_t i = 0; i < mw_field_length(workers); i++)
		print_sites(json_object_array_get_idx(workers, i));
	return r;
}
