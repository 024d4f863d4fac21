/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "util/cleanup.h"
#include "util/size.h"
#include "util/table.h"

#define SITES_SHOWN  5 /* of a worker */
#define FRAMES_SHOWN 8 /* of a site */
#define LINES_SHOWN  5 /* of a process */
#define LEAST_SHARE  0.05 /* of what was allocated; the first is shown whatever it has */

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
	char buf[MW_TEXT], text[1024] = "";

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

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* What has no name is where it is: "python3.11+0x1f3a", "0x7f00dead" of a process nothing else is known of. */
static const char *frame_name(struct json_object *f, char *buf, size_t size)
{
	const char *module = base_of(mw_field_str(f, "module"));
	__u64 offset = 0;

	if (*mw_field_str(f, "function"))
		return mw_field_str(f, "function");
	if (mw_field_u64(f, "offset", &offset))
		snprintf(buf, size, "%s%s0x%llx", module, *module ? "+" : "", (unsigned long long)offset);
	else
		snprintf(buf, size, "%s", *module ? module : "?");
	return buf;
}

/* "leak_more  leak.c:31", "PyList_Append  python3.11", "python3.11+0x1f3a". */
static void print_frame(struct json_object *f)
{
	const char *file = mw_field_str(f, "file"), *module = base_of(mw_field_str(f, "module"));
	const char *function = mw_field_str(f, "function");
	char text[512], clean[512], name[300];

	if (*file && *function)
		snprintf(text, sizeof(text), "%s  %s:%.0f", function, file, mw_field_number(f, "line", 0));
	else if (*function)
		snprintf(text, sizeof(text), "%s  %s", function, module);
	else
		snprintf(text, sizeof(text), "%s", frame_name(f, name, sizeof(name)));
	printf("      %s\n", mw_text_clean(text, 0, clean, sizeof(clean)));
}

static void print_site(struct json_object *site)
{
	struct json_object *frames = mw_field_array(site, "frames");
	char bytes[MW_TEXT], clean[256], samples[64] = "";

	if (mw_field_number(site, "samples", 0) > 0)
		snprintf(samples, sizeof(samples), ", %.0f samples", mw_field_number(site, "samples", 0));
	else if (mw_field_number(site, "unwound", 0) > 0)
		snprintf(samples, sizeof(samples), ", %.0f stacks unwound", mw_field_number(site, "unwound", 0));
	printf("  %s, %.0f %%, %s%s%s\n", mw_say_bytes(site, "bytes", bytes), 100 * mw_field_number(site, "share", 0),
	       mw_text_clean(mw_field_str(site, "kind"), 0, clean, sizeof(clean)), samples,
	       mw_field_bool(site, "ended") ? ", of a process that has ended" : "");
	mw_print_life(site);
	if (*mw_field_str(site, "unnamed"))
		printf("      without names: %s\n",
		       mw_text_clean(mw_field_str(site, "unnamed"), 0, clean, sizeof(clean)));
	for (size_t j = 0; j < mw_field_length(frames) && j < FRAMES_SHOWN; j++)
		print_frame(json_object_array_get_idx(frames, j));
	if (mw_field_length(frames) > FRAMES_SHOWN)
		printf("      ... %zu more\n", mw_field_length(frames) - FRAMES_SHOWN);
}

/* "it is python running app.py: start it with ...". Once for all sites of a process. */
static void print_runtime(struct json_object *sites, size_t i)
{
	struct json_object *site = json_object_array_get_idx(sites, i);
	const char *script = mw_field_str(site, "script");
	char text[1024], clean[1024];

	for (size_t j = 0; j < i; j++)
		if (mw_field_number(json_object_array_get_idx(sites, j), "pid", 0) == mw_field_number(site, "pid", 0))
			return;
	if (!*mw_field_str(site, "runtime"))
		return;
	snprintf(text, sizeof(text), "  pid %.0f is %s%s%s: %s", mw_field_number(site, "pid", 0),
		 mw_field_str(site, "runtime"), *script ? " running " : "", script, mw_field_str(site, "hint"));
	puts(mw_text_clean(text, 0, clean, sizeof(clean)));
}

/* Behind the n that were shown. */
static void print_rest(struct json_object *w, struct json_object *sites, size_t n)
{
	double bytes = mw_field_number(w, "sites_left_out_bytes", 0);
	char text[MW_TEXT];

	for (size_t i = n; i < mw_field_length(sites); i++)
		bytes += mw_field_number(json_object_array_get_idx(sites, i), "bytes", 0);
	if (bytes >= 1)
		printf("  %s elsewhere\n", mw_size_format((__u64)bytes, text, sizeof(text)));
}

/* What the sites are, and so what they prove. */
static void print_evidence(struct json_object *site)
{
	double watched = mw_field_number(site, "watched_s", -1);

	if (strcmp(mw_field_str(site, "kind"), "growth") == 0)
		puts("touches new memory at (of a small leak beside much else this is no proof)");
	else if (watched >= 0)
		printf("holds memory allocated while it was watched (%.0f s of %.0f s) at\n", watched,
		       mw_field_number(site, "watched_of_s", 0));
	else
		puts("holds memory allocated at");
}

/* "python, pid 11: app.py:41 holds 84.2 MB in 120334 objects, 80.1 MB more than at first". */
static void print_line(struct json_object *l)
{
	const char *function = mw_field_str(l, "function"), *file = base_of(mw_field_str(l, "file"));
	char place[512], clean[512], bytes[MW_TEXT], size[MW_TEXT], objects[MW_TEXT] = "", grown[128] = "";
	double more = mw_field_number(l, "grown_bytes", 0);

	snprintf(place, sizeof(place), "%s%s%.200s:%.0f%s", function, *function ? " (" : "", file,
		 mw_field_number(l, "line", 0), *function ? ")" : "");
	if (mw_field_number(l, "objects", 0) > 0)
		snprintf(objects, sizeof(objects), " in %.0f objects", mw_field_number(l, "objects", 0));
	if (more > 0)
		snprintf(grown, sizeof(grown), ", %s more than at first",
			 mw_size_format((__u64)more, size, sizeof(size)));
	printf("  %s, pid %.0f: %s holds %s%s%s\n", mw_field_str(l, "runtime"), mw_field_number(l, "pid", 0),
	       mw_text_clean(place, 0, clean, sizeof(clean)), mw_say_bytes(l, "bytes", bytes), objects, grown);
}

/* The first few of each process: they come by growth. */
static void print_lines(struct json_object *lines)
{
	double pid = -1;
	unsigned n = 0;

	for (size_t i = 0; i < mw_field_length(lines); i++) {
		struct json_object *l = json_object_array_get_idx(lines, i);

		if (mw_field_number(l, "pid", 0) != pid)
			n = 0;
		pid = mw_field_number(l, "pid", 0);
		if (n++ < LINES_SHOWN && (n == 1 || mw_field_number(l, "share", 0) >= LEAST_SHARE))
			print_line(l);
	}
}

void mw_print_sites(struct json_object *w)
{
	struct json_object *sites = mw_field_array(w, "sites"), *lines = mw_field_array(w, "lines");
	size_t n = 0;
	bool growth;
	char clean[256];

	if (mw_field_length(lines)) {
		printf("\n%s holds, as its runtime says\n",
		       mw_text_clean(mw_field_str(w, "name"), 0, clean, sizeof(clean)));
		print_lines(lines);
	}
	if (!mw_field_length(sites))
		return;
	growth = strcmp(mw_field_str(json_object_array_get_idx(sites, 0), "kind"), "growth") == 0;
	printf("\n%s ", mw_text_clean(mw_field_str(w, "name"), 0, clean, sizeof(clean)));
	print_evidence(json_object_array_get_idx(sites, 0));
	for (; n < mw_field_length(sites) && n < SITES_SHOWN; n++) {
		struct json_object *site = json_object_array_get_idx(sites, n);

		if (n && !growth && mw_field_number(site, "share", 0) < LEAST_SHARE)
			break;
		print_site(site);
	}
	print_rest(w, sites, n);
	for (size_t i = 0; i < n && !mw_field_length(lines); i++)
		print_runtime(sites, i);
}

/* A frame's name; what separates frames and lines is none of it. */
static void print_folded_name(const char *name)
{
	char clean[512];

	mw_text_clean(name, 0, clean, sizeof(clean));
	for (char *c = clean; *c; c++)
		if (*c == ';')
			*c = ':';
	fputs(clean, stdout);
}

static void print_folded_site(struct json_object *worker, struct json_object *site)
{
	struct json_object *frames = mw_field_array(site, "frames");
	char name[300];

	print_folded_name(mw_field_str(worker, "name"));
	for (size_t k = mw_field_length(frames); k--;) {
		putchar(';');
		print_folded_name(frame_name(json_object_array_get_idx(frames, k), name, sizeof(name)));
	}
	printf(" %.0f\n", mw_field_number(site, "bytes", 0));
}

void mw_print_folded(struct json_object *workers)
{
	for (size_t i = 0; i < mw_field_length(workers); i++) {
		struct json_object *w = json_object_array_get_idx(workers, i), *sites = mw_field_array(w, "sites");
		double left_out = mw_field_number(w, "sites_left_out_bytes", 0);

		for (size_t j = 0; j < mw_field_length(sites); j++)
			print_folded_site(w, json_object_array_get_idx(sites, j));
		if (left_out < 1)
			continue;
		print_folded_name(mw_field_str(w, "name"));
		printf(";" MW_SITES_LEFT_OUT " %.0f\n", left_out);
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
	for (size_t i = 0; i < mw_field_length(workers); i++) {
		mw_print_sites(json_object_array_get_idx(workers, i));
		mw_print_account(json_object_array_get_idx(workers, i));
	}
	return r;
}
