/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/field.h"
#include "memweir/abi.h"
#include "util/cleanup.h"
#include "util/histogram.h"
#include "util/table.h"

#define NAMED_FIRST 3 /* workers the lines before the table speak of */

static const struct mw_column columns[] = {
	{"NAME", .shrink = true}, {"CLASS", .shrink = true}, {"KIND"},
	{"COUNT", .right = true}, {"TOTAL", .right = true},  {"P50", .right = true},
	{"P90", .right = true},	  {"P99", .right = true},    {"MAX", .right = true},
};

static const struct mw_column group_columns[] = {
	{"OF", .shrink = true},
	{"WORKERS", .right = true},
	{"STALL%", .right = true},
	{"RECL/MIN", .right = true},
	{"TOTAL", .right = true},
	{"MAX", .right = true},
	{"MOSTLY"},
};

/* What a task waits for in a pause of that kind. */
static const struct {
	const char *kind, *why;
} reasons[] = {
	{"high-throttle", "put to sleep over a memory.high"},
	{"high-reclaim", "reclaiming at a memory.high"},
	{"max-reclaim", "reclaiming at a memory.max"},
	{"global-reclaim", "reclaiming because the host is short of memory"},
	{"node-reclaim", "reclaiming on its NUMA node"},
	{"compaction", "waiting for a huge page to be put together"},
	{"thrash", "reading back what was reclaimed too early"},
	{"swap-in", "reading from swap"},
	{"oom", "in the OOM killer"},
};

static const char *reason_of(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (strcmp(kind, reasons[i].kind) == 0)
			return reasons[i].why;
	}
	return "";
}

static double figure(struct json_object *o, const char *kind, const char *key)
{
	return mw_field_number(mw_field_object(mw_field_object(o, "kinds"), kind), key, 0);
}

/* The kind with the most time, whole stalls and what lies inside of another kind aside; "" when there was none. */
static const char *mostly(struct json_object *o)
{
	struct json_object *kinds = mw_field_object(o, "kinds");
	const char *most = "";
	double ns = 0;

	if (!kinds)
		return most;
	json_object_object_foreach (kinds, kind, stat) {
		double total = mw_field_number(stat, "total_ns", 0);

		if (total > ns && strcmp(kind, "memstall") != 0 && strcmp(kind, "reclaim-throttle") != 0) {
			ns = total;
			most = kind;
		}
	}
	return most;
}

/* Task time stalled so far: what the kinds come to that do not overlap, or whole stalls where those are not measured.
 */
static double stalled_ns(struct json_object *o)
{
	struct json_object *kinds = mw_field_object(o, "kinds");
	double whole = figure(o, "memstall", "total_ns"), sum = 0;

	if (!kinds)
		return 0;
	json_object_object_foreach (kinds, kind, stat) {
		if (strcmp(kind, "memstall") != 0 && strcmp(kind, "reclaim-throttle") != 0)
			sum += mw_field_number(stat, "total_ns", 0);
	}
	return whole > sum ? whole : sum;
}

static double longest_ns(struct json_object *o)
{
	struct json_object *kinds = mw_field_object(o, "kinds");
	double longest = 0;

	if (!kinds)
		return 0;
	json_object_object_foreach (kinds, kind, stat) {
		double ns = mw_field_number(stat, "max_ns", 0);

		(void)kind;
		longest = ns > longest ? ns : longest;
	}
	return longest;
}

static const char *title(struct json_object *o, char *buf, size_t size)
{
	const char *name = mw_field_str(o, "name"), *class_name = mw_field_str(o, "class");
	char clean[128];

	mw_text_clean(name, 0, clean, sizeof(clean));
	if (!*name)
		snprintf(buf, size, "host");
	else if (*class_name)
		snprintf(buf, size, "%s (%s)", clean, class_name);
	else
		snprintf(buf, size, "class %s", clean);
	return buf;
}

/* Whom the last minute hurt most comes first; then who has waited longest since its start. */
static int by_stall(const void *a, const void *b)
{
	struct json_object *x = *(struct json_object *const *)a, *y = *(struct json_object *const *)b;
	double more = mw_field_number(y, "stalled_share", 0) - mw_field_number(x, "stalled_share", 0);

	if (more == 0)
		more = stalled_ns(y) - stalled_ns(x);
	if (more == 0)
		return strcmp(mw_field_str(x, "name"), mw_field_str(y, "name"));
	return more > 0 ? 1 : -1;
}

/* Members of an array, the most stalled first. The caller's (free); borrowed objects. NULL: none, or no memory. */
static struct json_object **sorted(struct json_object *array)
{
	size_t n = mw_field_length(array);
	struct json_object **list = n ? calloc(n, sizeof(struct json_object *)) : NULL;

	for (size_t i = 0; list && i < n; i++)
		list[i] = json_object_array_get_idx(array, i);
	if (list)
		qsort(list, n, sizeof(list[0]), by_stall);
	return list;
}

static void print_kind(struct mw_table *t, struct json_object *o, const char *kind, struct json_object *stat)
{
	static const char *const times[] = {"total_ns", "p50_ns", "p90_ns", "p99_ns", "max_ns"};
	char buf[MW_TEXT], name[256];

	if (*mw_field_str(o, "class")) {
		mw_table_cell(t, mw_field_str(o, "name"));
		mw_table_cell(t, mw_field_str(o, "class"));
	} else {
		mw_table_cell(t, title(o, name, sizeof(name)));
		mw_table_cell(t, mw_field_str(o, "name"));
	}
	mw_table_cell(t, kind);
	mw_table_cellf(t, "%.0f", mw_field_number(stat, "count", 0));
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		mw_table_cell(t, mw_say_ns(stat, times[i], buf));
}

/* Kinds that never happened are left out; whoever has none has one row that says so. */
static void print_kinds(struct mw_table *t, struct json_object *o)
{
	struct json_object *kinds = mw_field_object(o, "kinds");
	size_t n = 0;

	if (kinds) {
		json_object_object_foreach (kinds, kind, stat) {
			if (mw_field_number(stat, "count", 0) > 0) {
				print_kind(t, o, kind, stat);
				n++;
			}
		}
	}
	if (n == 0)
		print_kind(t, o, "none", NULL);
}

static void print_histograms(struct json_object *o)
{
	static const char *const times[] = {"p50_ns", "p99_ns", "max_ns"};
	struct json_object *kinds = mw_field_object(o, "kinds");
	char name[256], text[ARRAY_SIZE(times)][MW_TEXT];

	if (!kinds)
		return;
	json_object_object_foreach (kinds, kind, stat) {
		struct json_object *hist = mw_field_array(stat, "hist");
		__u64 slots[MW_HIST_SLOTS] = {0};

		for (size_t i = 0; i < mw_field_length(hist) && i < MW_HIST_SLOTS; i++)
			slots[i] = json_object_get_uint64(json_object_array_get_idx(hist, i));
		if (mw_field_length(hist) == 0)
			continue;
		printf("\n%s %s: %.0f, p50 %s, p99 %s, max %s\n", title(o, name, sizeof(name)), kind,
		       mw_field_number(stat, "count", 0), mw_say_ns(stat, times[0], text[0]),
		       mw_say_ns(stat, times[1], text[1]), mw_say_ns(stat, times[2], text[2]));
		mw_hist_print(slots, MW_HIST_SLOTS, mw_terminal_width(stdout), stdout);
	}
}

int mw_print_pauses(struct json_object *of, bool histograms)
{
	_cleanup_(mw_table_freep) struct mw_table *t = mw_table_new(columns, ARRAY_SIZE(columns));
	_cleanup_free_ struct json_object **list = sorted(of);
	size_t n = list ? mw_field_length(of) : 0;
	int r;

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		print_kinds(t, list[i]);
	r = mw_table_print(t, stdout, mw_terminal_width(stdout));
	for (size_t i = 0; i < n; i++) {
		double covered = mw_field_number(list[i], "covered", -1);
		char name[256];

		if (covered >= 0)
			printf("%s: the known kinds cover %.0f %% of its memory stalls\n",
			       title(list[i], name, sizeof(name)), 100 * covered);
	}
	for (size_t i = 0; i < n && histograms; i++)
		print_histograms(list[i]);
	return r;
}

/* "; mostly high-reclaim, reclaiming at a memory.high (81 % of 3.2 s so far, at most 53 ms at once)" */
static void print_why(struct json_object *o)
{
	const char *kind = mostly(o), *reason = reason_of(kind);
	double all = stalled_ns(o);
	char text[MW_TEXT], longest[MW_TEXT];

	if (*kind && all > 0)
		printf("; mostly %s%s%s (%.0f %% of %s so far, at most %s at once)", kind, *reason ? ", " : "", reason,
		       100 * figure(o, kind, "total_ns") / all, mw_say_seconds(all / 1e9, text),
		       mw_say_seconds(longest_ns(o) / 1e9, longest));
	putchar('\n');
}

static bool stalled_lately(struct json_object *o)
{
	return mw_field_number(o, "stalled_share", 0) > 0 || mw_field_number(o, "reclaims_per_min", 0) > 0;
}

void mw_print_stalled(struct json_object *workers)
{
	_cleanup_free_ struct json_object **list = sorted(workers);
	size_t n = list ? mw_field_length(workers) : 0, shown = 0;
	char name[256], text[MW_TEXT];

	for (size_t i = 0; i < n && shown < NAMED_FIRST; i++) {
		if (!stalled_lately(list[i]))
			continue;
		printf("%s: stalled %.1f %% of the last minute, %.0f passes of reclaim",
		       title(list[i], name, sizeof(name)), 100 * mw_field_number(list[i], "stalled_share", 0),
		       mw_field_number(list[i], "reclaims_per_min", 0));
		print_why(list[i]);
		shown++;
	}
	if (n && !shown) {
		puts("nobody was stalled for memory in the last minute");
		if (stalled_ns(list[0]) > 0) {
			printf("before that, most of all %s: %s", title(list[0], name, sizeof(name)),
			       mw_say_seconds(stalled_ns(list[0]) / 1e9, text));
			print_why(list[0]);
		}
	}
	if (n)
		putchar('\n');
}

int mw_print_pause_groups(struct json_object *classes, struct json_object *host)
{
	_cleanup_(mw_table_freep) struct mw_table *t = mw_table_new(group_columns, ARRAY_SIZE(group_columns));
	size_t n = mw_field_length(classes);
	char text[256];

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < n + (host != NULL); i++) {
		struct json_object *o = i < n ? json_object_array_get_idx(classes, i) : host;

		mw_table_cell(t, title(o, text, sizeof(text)));
		mw_table_cellf(t, "%.0f", mw_field_number(o, "workers", 0));
		mw_table_cellf(t, "%.1f", 100 * mw_field_number(o, "stalled_share", 0));
		mw_table_cellf(t, "%.0f", mw_field_number(o, "reclaims_per_min", 0));
		mw_table_cell(t, mw_say_seconds(stalled_ns(o) / 1e9, text));
		mw_table_cell(t, mw_say_seconds(longest_ns(o) / 1e9, text));
		mw_table_cell(t, mostly(o));
	}
	putchar('\n');
	return mw_table_print(t, stdout, mw_terminal_width(stdout));
}
