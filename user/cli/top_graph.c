/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Pictures out of characters: bars, sparklines, a curve. */
#include <stdio.h>
#include <string.h>

#include "cli/top_view.h"
#include "util/cleanup.h"
#include "util/size.h"

#define STEPS 8 /* heights of one character */

static const char *const blocks[STEPS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const ascii[STEPS] = {"_", ".", "-", "~", "=", "+", "*", "#"};
static const char *const parts[STEPS] = {"▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"}; /* from the left */

#define SPARK_LEAST (1 << 20) /* bytes: less than that, or than a tenth of what is used, is no movement */

static const char *step_of(const struct mw_canvas *c, int i)
{
	i = i < 0 ? 0 : i >= STEPS ? STEPS - 1 : i;
	return c->blocks ? blocks[i] : ascii[i];
}

static void append(char *buf, size_t size, const char *text)
{
	size_t at = strlen(buf);

	if (at + strlen(text) < size)
		memcpy(buf + at, text, strlen(text) + 1);
}

/* The highest of the seconds from..to - 1 ago, MW_TOP_NONE when none is known. */
static __u64 highest(const struct mw_top *m, const struct mw_top_worker *w, unsigned from, unsigned to)
{
	__u64 top = MW_TOP_NONE;

	for (unsigned i = from; i < to || i == from; i++) {
		__u64 v = mw_top_ago(m, w->past, i);

		if (v != MW_TOP_NONE && (top == MW_TOP_NONE || v > top))
			top = v;
	}
	return top;
}

void mw_top_spark(const struct mw_canvas *c, const struct mw_top *m, const struct mw_top_worker *w, int n, char *buf,
		  size_t size)
{
	__u64 low = MW_TOP_NONE, high = 0, span;

	buf[0] = '\0';
	for (unsigned i = 0; i < MW_TOP_POINTS; i++) {
		__u64 v = mw_top_ago(m, w->past, i);

		low = v < low ? v : low;
		high = v != MW_TOP_NONE && v > high ? v : high;
	}
	span = low == MW_TOP_NONE ? 1 : high - low;
	span = span < high / 10 ? high / 10 : span;
	span = span < SPARK_LEAST ? SPARK_LEAST : span;
	for (int i = n; i > 0; i--) {
		__u64 v = highest(m, w, (unsigned)((i - 1) * MW_TOP_POINTS / n), (unsigned)(i * MW_TOP_POINTS / n));

		append(buf, size, v == MW_TOP_NONE ? " " : step_of(c, (int)((v - low) * (STEPS - 1) / span)));
	}
}

void mw_top_bar(const struct mw_canvas *c, double percent, int n, char *buf, size_t size)
{
	double share = percent < 0 ? 0 : percent > 100 ? 1 : percent / 100;
	int eighths = (int)(share * n * STEPS + 0.5);

	buf[0] = '\0';
	for (int i = 0; i < n; i++) {
		int here = eighths - i * STEPS;

		if (!c->blocks)
			append(buf, size, here >= STEPS / 2 ? "#" : ".");
		else
			append(buf, size, here >= STEPS ? parts[STEPS - 1] : here > 0 ? parts[here - 1] : " ");
	}
}

/* What the highest row stands for: the limit unless it is far away, else a bit more than the highest point. */
static __u64 ceiling(const struct mw_top *m, const struct mw_top_worker *w)
{
	__u64 top = highest(m, w, 0, MW_TOP_POINTS), limit = w->max != MW_UNLIMITED ? w->max : w->high;

	top = top == MW_TOP_NONE ? w->usage : top;
	if (limit != MW_UNLIMITED && limit && top > limit / 4)
		return top > limit ? top : limit;
	return top + top / 8 + 1;
}

/* The row of the curve a limit lies in, from below; -1: it is not seen. */
static int row_of(__u64 bytes, __u64 top, int rows)
{
	__u64 row = top ? bytes * (__u64)rows / top : 0;

	if (bytes == MW_UNLIMITED || bytes > top)
		return -1;
	return row >= (__u64)rows ? rows - 1 : (int)row;
}

void mw_top_curve(struct mw_canvas *c, const struct mw_top *m, const struct mw_top_worker *w, int row, int end, int top,
		  int rows)
{
	enum { MARGIN = 11, LINE = 6 * MW_TOP_POINTS };
	int columns = c->width - MARGIN - 7 < MW_TOP_POINTS ? c->width - MARGIN - 7 : MW_TOP_POINTS;
	__u64 found = ceiling(m, w), scale = found ? found : 1;
	int max_row = row_of(w->max, scale, rows), high_row = row_of(w->high, scale, rows);

	for (int r = rows - 1; r >= 0; r--) {
		int at = top + rows - 1 - r, line = r == max_row || r == high_row;
		char text[MW_PIECE_MAX] = "", label[32];

		if (at < row || at >= end || columns < 10)
			continue;
		mw_size_format(scale * (__u64)(r + 1) / (__u64)rows, label, sizeof(label));
		if (r == rows - 1 || r == rows / 2 - 1)
			mw_canvas_putf(c, at, 0, MARGIN - 1, MW_LOOK_DIM, "%*s", MARGIN - 1, label);
		for (int i = columns; i > 0; i--) {
			__u64 v = mw_top_ago(m, w->past, (unsigned)i - 1);
			int here = v == MW_TOP_NONE ? 0 : (int)(v * (__u64)(rows * STEPS) / scale) - r * STEPS;

			append(text, sizeof(text),
			       here > 0 ? step_of(c, here - 1)
			       : line	? c->blocks ? "┄" : "-"
					: " ");
		}
		mw_canvas_put(c, at, MARGIN, columns, r >= max_row && max_row >= 0 ? MW_LOOK_BAD : MW_LOOK_PLAIN, text);
		if (line)
			mw_canvas_put(c, at, MARGIN + columns + 1, 0, MW_LOOK_DIM, r == max_row ? "max" : "high");
	}
}
