/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The curve of an incident: a column a second, eight rows, memory.high and memory.max as lines through it. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "cli/report_postmortem.h"
#include "util/cleanup.h"
#include "util/size.h"
#include "util/table.h"

#define COLUMNS 60
#define ROWS	8
#define LABEL	11 /* columns left of it */

enum { T_MS, USAGE, HIGH = 4, MAX = 5 }; /* places in a point of the recorder */

struct chart {
	double usage[COLUMNS]; /* the highest of each column; < 0: nobody looked */
	double high, max, top; /* as they stood last; < 0: none */
	double from_s; /* of the first column, before the last look */
	bool any;
};

static double number_at(struct json_object *point, size_t i)
{
	struct json_object *v = json_object_array_get_idx(point, i);

	return json_object_is_type(v, json_type_int) ? json_object_get_double(v) : -1;
}

static void put(struct chart *c, double t_s, double bytes)
{
	size_t column = t_s <= c->from_s ? 0 : (size_t)((t_s - c->from_s) / -c->from_s * COLUMNS);

	column = column < COLUMNS ? column : COLUMNS - 1;
	c->usage[column] = bytes > c->usage[column] ? bytes : c->usage[column];
	c->top = bytes > c->top ? bytes : c->top;
	c->any = true;
}

static void read_points(struct chart *c, struct json_object *points)
{
	size_t n = mw_field_length(points);
	struct json_object *last = n ? json_object_array_get_idx(points, n - 1) : NULL;

	for (size_t i = 0; i < n; i++) {
		struct json_object *p = json_object_array_get_idx(points, i);

		if (json_object_is_type(p, json_type_array) && number_at(p, USAGE) >= 0)
			put(c, (double)json_object_get_int64(json_object_array_get_idx(p, T_MS)) / 1000,
			    number_at(p, USAGE));
	}
	if (!json_object_is_type(last, json_type_array))
		return;
	c->high = number_at(last, HIGH);
	c->max = number_at(last, MAX);
}

/* Of an incident that was written before there was a recorder. */
static void read_curve(struct chart *c, struct json_object *curve)
{
	for (size_t i = 0; i < mw_field_length(curve); i++) {
		struct json_object *p = json_object_array_get_idx(curve, i);

		put(c, mw_field_number(p, "t_s", 0), mw_field_number(p, "bytes", 0));
	}
}

static double first_of(struct json_object *points, struct json_object *curve)
{
	struct json_object *p = json_object_array_get_idx(points ? points : curve, 0);
	double s = points ? (double)json_object_get_int64(json_object_array_get_idx(p, T_MS)) / 1000
			  : mw_field_number(p, "t_s", 0);

	return s < -10 ? s : -10; /* a short one is not drawn out */
}

/* A column that no look fell into goes on as the one before; before the first there is nothing. */
static void fill(struct chart *c)
{
	for (size_t i = 1; i < COLUMNS; i++)
		if (c->usage[i] < 0)
			c->usage[i] = c->usage[i - 1];
}

static size_t row_of(const struct chart *c, double bytes)
{
	double row = bytes / c->top * ROWS;

	return row >= ROWS ? ROWS - 1 : (size_t)row;
}

static void print_cell(const struct chart *c, size_t column, size_t row, bool utf8)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const ascii[] = {" ", ".", ".", ":", ":", "+", "+", "#", "#"};
	double part = c->usage[column] < 0 ? 0 : c->usage[column] / c->top * ROWS - (double)row;
	size_t eighths = part >= 1 ? 8 : part > 0 ? (size_t)(part * 8 + 0.5) : 0;
	const char *line = NULL;

	if (c->max >= 0 && row_of(c, c->max) == row)
		line = utf8 ? "━" : "=";
	else if (c->high >= 0 && row_of(c, c->high) == row)
		line = utf8 ? "╌" : "-";
	fputs(!eighths && line ? line : (utf8 ? blocks : ascii)[eighths], stdout);
}

static void print_row(const struct chart *c, size_t row, bool utf8)
{
	char size[24] = "";

	if (row == ROWS - 1)
		mw_size_format((__u64)c->top, size, sizeof(size));
	else if (row == 0)
		snprintf(size, sizeof(size), "0 B");
	printf("  %*s %s", LABEL - 4, size, utf8 ? "│" : "|");
	for (size_t column = 0; column < COLUMNS; column++)
		print_cell(c, column, row, utf8);
	if (c->max >= 0 && row_of(c, c->max) == row)
		fputs(" max", stdout);
	if (c->high >= 0 && row_of(c, c->high) == row)
		fputs(" high", stdout);
	putchar('\n');
}

static void print_axis(const struct chart *c, struct json_object *recorder)
{
	char span[MW_TEXT], size[24], high[24];
	double ended_s = mw_field_number(recorder, "ended_ms", 0) / 1000;

	printf("  %*s -%s%*s\n", LABEL - 4, "", mw_say_seconds(-c->from_s, span), COLUMNS - 1 - (int)strlen(span),
	       "0 s");
	if (c->max >= 0 || c->high >= 0)
		printf("  %*s max %s, high %s\n", LABEL - 4, "",
		       c->max >= 0 ? mw_size_format((__u64)c->max, size, sizeof(size)) : "none",
		       c->high >= 0 ? mw_size_format((__u64)c->high, high, sizeof(high)) : "none");
	if (ended_s < -1)
		printf("  %*s 0 s: the last look, %s before the end\n", LABEL - 4, "", mw_say_seconds(-ended_s, span));
}

void mw_print_usage(struct json_object *inc)
{
	struct json_object *recorder = mw_field_object(inc, "recorder"), *points = mw_field_array(recorder, "points");
	struct json_object *curve = mw_field_array(inc, "curve");
	struct chart c = {.high = -1, .max = -1};
	bool utf8 = mw_locale_utf8();

	points = mw_field_length(points) ? points : NULL;
	if (!points && !mw_field_length(curve))
		return;
	for (size_t i = 0; i < COLUMNS; i++)
		c.usage[i] = -1;
	c.from_s = first_of(points, curve);
	if (points) {
		read_points(&c, points);
	} else {
		read_curve(&c, curve);
		c.max = mw_field_number(inc, "limit_bytes", -1);
	}
	if (!c.any)
		return;
	fill(&c);
	c.top = c.max > c.top ? c.max : c.top > 0 ? c.top : 1;
	c.top = c.high > c.top ? c.high : c.top;
	puts("\nusage");
	for (size_t row = ROWS; row > 0; row--)
		print_row(&c, row - 1, utf8);
	print_axis(&c, recorder);
}
