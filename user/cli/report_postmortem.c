/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/report_postmortem.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "cli/report.h"
#include "util/cleanup.h"
#include "util/table.h"

#define TEXT_MAX 2048

/* Columns of so many bytes of UTF-8 without anything wide: what is clean is counted by its characters. */
static size_t columns_of(const char *text, size_t n)
{
	size_t columns = 0;

	for (size_t i = 0; i < n; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

void mw_print_wrapped(const char *text, size_t column, size_t indent)
{
	char clean[TEXT_MAX];
	const char *at = mw_text_clean(text, 0, clean, sizeof(clean));
	bool first = true;

	while (*at) {
		size_t n = strcspn(at, " "), wide = columns_of(at, n);

		if (!first && column + 1 + wide > MW_POSTMORTEM_WIDTH) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)n, at);
		column += wide;
		first = false;
		at += n + strspn(at + n, " ");
	}
	putchar('\n');
}

static void print_line(const char *title, const char *value)
{
	if (!*value || strcmp(value, "-") == 0)
		return;
	printf("  %-10s ", title);
	mw_print_wrapped(value, 13, 13);
}

static void print_pause(struct json_object *p)
{
	const char *limit = mw_field_str(p, "limit");
	char when[MW_TEXT], length[MW_TEXT], comm[64], line[320];

	snprintf(line, sizeof(line), "%s  %s %s, %.0f pages freed (%s)%s%s", mw_say_time(p, "time", when),
		 mw_say_ns(p, "duration_ns", length), mw_field_str(p, "kind"), mw_field_number(p, "pages", 0),
		 mw_text_clean(mw_field_str(p, "comm"), 0, comm, sizeof(comm)), *limit ? ", limit: " : "", limit);
	print_line("paused", line);
}

static void print_pauses(struct json_object *inc)
{
	struct json_object *pauses = mw_field_object(inc, "pauses"), *last = mw_field_array(inc, "last_pauses");
	char total[MW_TEXT], longest[MW_TEXT], line[256];

	if (pauses) {
		json_object_object_foreach (pauses, kind, stat) {
			if (mw_field_number(stat, "count", 0) <= 0)
				continue;
			snprintf(line, sizeof(line), "%.60s x %.0f, %s in all, %s at most", kind,
				 mw_field_number(stat, "count", 0), mw_say_ns(stat, "total_ns", total),
				 mw_say_ns(stat, "max_ns", longest));
			print_line("pauses", line);
		}
	}
	for (size_t i = 0; i < mw_field_length(last); i++)
		print_pause(json_object_array_get_idx(last, i));
}

static void print_facts(struct json_object *inc)
{
	static const char *const sizes[][2] = {{"limit", "limit_bytes"},
					       {"at the end", "usage_bytes"},
					       {"peak", "peak_bytes"},
					       {"saved", "saved_bytes"}};
	char buf[MW_TEXT];

	print_line("killed by", mw_field_str(inc, "killed_by"));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		print_line(sizes[i][0], mw_say_bytes(inc, sizes[i][1], buf));
	print_line("lived", mw_say_seconds(mw_field_number(inc, "lifetime_s", -1), buf));
	print_line("cgroup", mw_field_str(inc, "cgroup"));
	print_line("id", mw_field_str(inc, "id"));
	print_pauses(inc);
}

/* Nobody killed it: it was acted on, or ended by itself. */
static bool lives(struct json_object *inc)
{
	return !strcmp(mw_field_str(mw_field_object(inc, "cause"), "code"), "none");
}

static void print_cause(struct json_object *inc)
{
	struct json_object *cause = mw_field_object(inc, "cause");
	char head[128];

	if (!*mw_field_str(cause, "text"))
		return;
	printf("\ncause: %s", mw_text_clean(mw_field_str(cause, "code"), 0, head, sizeof(head)));
	if (strcmp(mw_field_str(cause, "led_by"), "nothing") != 0)
		printf(", led by %s", mw_text_clean(mw_field_str(cause, "led_by"), 0, head, sizeof(head)));
	fputs("\n  ", stdout);
	mw_print_wrapped(mw_field_str(cause, "text"), 2, 2);
}

static void print_timeline(struct json_object *inc)
{
	struct json_object *list = mw_field_array(inc, "timeline");
	char what[64], text[TEXT_MAX];

	if (!mw_field_length(list))
		return;
	puts(lives(inc) ? "\ntimeline, seconds before" : "\ntimeline, seconds before the end");
	for (size_t i = 0; i < mw_field_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);

		printf("  %8.1f  ", mw_field_number(one, "t_ms", 0) / 1000);
		snprintf(text, sizeof(text), "%.60s: %.1900s",
			 mw_text_clean(mw_field_str(one, "what"), 0, what, sizeof(what)), mw_field_str(one, "text"));
		mw_print_wrapped(text, 12, 14);
	}
}

static void print_neighbours(struct json_object *inc)
{
	struct json_object *list = mw_field_array(inc, "neighbours");
	char name[128], size[MW_TEXT];

	if (!mw_field_length(list))
		return;
	puts("\nwho else was near, and why not them");
	for (size_t i = 0; i < mw_field_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		double percent = mw_field_number(one, "percent", -1);

		printf("  %s (%s)  %s", mw_text_clean(mw_field_str(one, "name"), 40, name, sizeof(name)),
		       mw_field_str(one, "class"), mw_say_bytes(one, "usage_bytes", size));
		if (percent >= 0)
			printf("  %.0f %%", percent);
		printf("  %s\n    ", mw_field_str(one, "level"));
		mw_print_wrapped(mw_field_str(one, "why_not"), 4, 4);
	}
}

static void print_prevention(struct json_object *inc)
{
	struct json_object *list = mw_field_array(inc, "prevention");
	char clean[256];

	if (!list || (lives(inc) && !mw_field_length(list)))
		return;
	puts(lives(inc) ? "\nwhat would help" : "\nwhat would have prevented it");
	if (!mw_field_length(list))
		puts("  nothing that memweir knows of");
	for (size_t i = 0; i < mw_field_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		int n = printf("  %zu. %s: ", i + 1,
			       mw_text_clean(mw_field_str(one, "kind"), 20, clean, sizeof(clean)));

		mw_print_wrapped(mw_field_str(one, "text"), n > 0 ? (size_t)n : 0, 5);
		if (*mw_field_str(one, "setting"))
			printf("     $ %s\n", mw_text_clean(mw_field_str(one, "setting"), 0, clean, sizeof(clean)));
	}
}

void mw_print_incident(struct json_object *inc)
{
	char buf[MW_TEXT], clean[256];

	printf("%s  %s", mw_say_time(inc, "time", buf),
	       mw_text_clean(mw_field_str(inc, "name"), 0, clean, sizeof(clean)));
	printf(" (%s): %s\n  ", mw_field_str(inc, "class"), mw_field_str(inc, "reason"));
	mw_print_wrapped(mw_field_str(inc, "why"), 2, 2);
	print_cause(inc);
	mw_print_usage(inc);
	print_timeline(inc);
	print_neighbours(inc);
	print_prevention(inc);
	puts("\nfacts");
	print_facts(inc);
	mw_print_sites(inc);
}
