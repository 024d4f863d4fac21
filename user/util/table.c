/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util/cleanup.h"

#define GAP	  2 /* spaces between columns */
#define SHRINK_TO 8 /* a column is not cut below this */
#define CELL_MAX  1024 /* bytes of one cell */

struct mw_table {
	const struct mw_column *columns;
	size_t n_columns;
	char **cells; /* clean text, ours */
	size_t n_cells, room;
	bool no_memory;
};

/* ---- text ---- */

struct range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t c, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (c >= r[i].first && c <= r[i].last)
			return true;
	}
	return false;
}

/* Never printed: C0, DEL, C1, line separators, what turns the writing direction, tags. */
static bool is_hostile(uint32_t c)
{
	static const struct range hostile[] = {{0x00, 0x1f},	 {0x7f, 0x9f},	    {0x061c, 0x061c},
					       {0x200e, 0x200f}, {0x2028, 0x202e},  {0x2066, 0x2069},
					       {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};

	return in_ranges(c, hostile, ARRAY_SIZE(hostile));
}

/* Columns on a terminal. The few ranges that matter, since wcwidth needs a loaded locale. */
static size_t char_width(uint32_t c)
{
	static const struct range none[] = {{0x0300, 0x036f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200d},
					    {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}};
	static const struct range wide[] = {{0x1100, 0x115f},	{0x2e80, 0x303e},   {0x3041, 0xa4cf},
					    {0xac00, 0xd7a3},	{0xf900, 0xfaff},   {0xfe30, 0xfe6f},
					    {0xff00, 0xff60},	{0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
					    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

	if (c < 0x300)
		return 1;
	if (in_ranges(c, none, ARRAY_SIZE(none)))
		return 0;
	return in_ranges(c, wide, ARRAY_SIZE(wide)) ? 2 : 1;
}

/* One character at s (not the NUL). Its bytes; 0 for broken UTF-8 (overlong, surrogate, cut off). */
static size_t decode(const unsigned char *s, uint32_t *ret_char)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
	uint32_t c;

	if (n <= 1) {
		*ret_char = s[0];
		return n;
	}
	c = s[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_char = c;
	return n;
}

/* The character at s as it will be printed: where its bytes are, how many, how wide. Returns the bytes of s it takes.
 */
static size_t next_char(const char *s, const char **ret_bytes, size_t *ret_n, size_t *ret_width)
{
	uint32_t c = 0;
	size_t n = decode((const unsigned char *)s, &c);

	if (n == 0 || is_hostile(c)) {
		*ret_bytes = "?";
		*ret_n = 1;
		*ret_width = 1;
		return n ? n : 1;
	}
	*ret_bytes = s;
	*ret_n = n;
	*ret_width = char_width(c);
	return n;
}

size_t mw_text_width(const char *text)
{
	size_t total = 0, n, width;
	const char *bytes;

	while (*text) {
		text += next_char(text, &bytes, &n, &width);
		total += width;
	}
	return total;
}

bool mw_locale_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

char *mw_text_clean(const char *text, size_t max_width, char *buf, size_t size)
{
	bool cut = max_width && mw_text_width(text) > max_width;
	const char *dots = cut ? mw_locale_utf8() ? "…" : "~" : "";
	size_t room = cut ? max_width - 1 : SIZE_MAX, at = 0, n, width;
	const char *bytes;

	while (*text) {
		text += next_char(text, &bytes, &n, &width);
		if (width > room || at + n + strlen(dots) >= size)
			break;
		memcpy(buf + at, bytes, n);
		at += n;
		room -= width;
	}
	snprintf(buf + at, size - at, "%s", dots);
	return buf;
}

/* ---- table ---- */

struct mw_table *mw_table_new(const struct mw_column *columns, size_t n_columns)
{
	struct mw_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->columns = columns;
	t->n_columns = n_columns;
	return t;
}

void mw_table_free(struct mw_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

void mw_table_cell(struct mw_table *t, const char *text)
{
	char clean[CELL_MAX];
	char *copy;

	if (t->n_cells == t->room) {
		size_t room = t->room ? 2 * t->room : 16 * t->n_columns;
		char **cells = reallocarray(t->cells, room, sizeof(*cells));

		if (!cells) {
			t->no_memory = true;
			return;
		}
		t->cells = cells;
		t->room = room;
	}
	copy = strdup(text && *text ? mw_text_clean(text, 0, clean, sizeof(clean)) : "-");
	if (copy)
		t->cells[t->n_cells++] = copy;
	else
		t->no_memory = true;
}

void mw_table_cellf(struct mw_table *t, const char *fmt, ...)
{
	char text[CELL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mw_table_cell(t, text);
}

size_t mw_table_rows(const struct mw_table *t)
{
	return t->n_cells / t->n_columns;
}

/* Take columns away from those that may shrink, the widest first, until the line fits. */
static void shrink(const struct mw_table *t, size_t *widths, size_t limit)
{
	size_t total = (t->n_columns - 1) * GAP;

	for (size_t c = 0; c < t->n_columns; c++)
		total += widths[c];
	while (total > limit) {
		size_t widest = t->n_columns;

		for (size_t c = 0; c < t->n_columns; c++) {
			if (t->columns[c].shrink && widths[c] > SHRINK_TO &&
			    (widest == t->n_columns || widths[c] > widths[widest]))
				widest = c;
		}
		if (widest == t->n_columns)
			return; /* wider than the terminal: it will wrap */
		widths[widest]--;
		total--;
	}
}

static void print_cell(const struct mw_table *t, size_t column, const char *text, size_t width, FILE *out)
{
	char cut[CELL_MAX];
	size_t pad;

	mw_text_clean(text, width, cut, sizeof(cut));
	pad = mw_text_width(cut) < width ? width - mw_text_width(cut) : 0;
	if (t->columns[column].right)
		fprintf(out, "%*s%s", (int)pad, "", cut);
	else if (column + 1 < t->n_columns)
		fprintf(out, "%s%*s", cut, (int)pad, "");
	else
		fputs(cut, out); /* no blanks at the end of a line */
	fprintf(out, "%*s", column + 1 < t->n_columns ? GAP : 0, "");
}

int mw_table_print(const struct mw_table *t, FILE *out, size_t width)
{
	_cleanup_free_ size_t *widths = calloc(t->n_columns, sizeof(*widths));
	size_t n_cells = mw_table_rows(t) * t->n_columns;

	if (t->no_memory || !widths)
		return -ENOMEM;
	for (size_t c = 0; c < t->n_columns; c++)
		widths[c] = mw_text_width(t->columns[c].title);
	for (size_t i = 0; i < n_cells; i++) {
		size_t w = mw_text_width(t->cells[i]), c = i % t->n_columns;

		widths[c] = w > widths[c] ? w : widths[c];
	}
	if (width)
		shrink(t, widths, width);
	for (size_t c = 0; c < t->n_columns; c++)
		print_cell(t, c, t->columns[c].title, widths[c], out);
	fputc('\n', out);
	for (size_t i = 0; i < n_cells; i++) {
		size_t c = i % t->n_columns;

		print_cell(t, c, t->cells[i], widths[c], out);
		if (c + 1 == t->n_columns)
			fputc('\n', out);
	}
	return ferror(out) ? -EIO : 0;
}

size_t mw_terminal_width(FILE *out)
{
	struct winsize size;

	if (!isatty(fileno(out)) || ioctl(fileno(out), TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}
