/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/top_view.h"
#include "util/table.h"

void mw_canvas_begin(struct mw_canvas *c, int width, int height)
{
	c->width = width;
	c->height = height;
	c->n = 0;
}

void mw_canvas_free(struct mw_canvas *c)
{
	free(c->pieces);
	c->pieces = NULL;
	c->n = c->room = 0;
}

/* NULL on no memory: that piece is not seen, the next screen has it. */
static struct mw_piece *next_piece(struct mw_canvas *c)
{
	size_t room = c->room ? c->room * 2 : 256;
	struct mw_piece *grown;

	if (c->n == c->room) {
		grown = reallocarray(c->pieces, room, sizeof(c->pieces[0]));
		if (!grown)
			return NULL;
		c->pieces = grown;
		c->room = room;
	}
	return &c->pieces[c->n++];
}

/* A '?' for each character, not for each byte of it. */
static void only_ascii(char *text)
{
	char *to = text;

	for (const char *s = text; *s; s++) {
		if ((unsigned char)*s < 0x80)
			*to++ = *s;
		else if (((unsigned char)*s & 0xc0) != 0x80)
			*to++ = '?';
	}
	*to = '\0';
}

int mw_canvas_put(struct mw_canvas *c, int row, int col, int width, enum mw_top_look look, const char *text)
{
	int room = c->width - col;
	struct mw_piece *p;

	width = width && width < room ? width : room;
	if (row < 0 || row >= c->height || col < 0 || width <= 0 || !*text)
		return 0;
	p = next_piece(c);
	if (!p)
		return 0;
	p->row = row;
	p->col = col;
	p->look = look;
	mw_text_clean(text, (size_t)width, p->text, sizeof(p->text));
	if (!c->utf8)
		only_ascii(p->text);
	p->width = (int)mw_text_width(p->text);
	return p->width;
}

int mw_canvas_putf(struct mw_canvas *c, int row, int col, int width, enum mw_top_look look, const char *fmt, ...)
{
	char text[2 * MW_PIECE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return mw_canvas_put(c, row, col, width, look, text);
}

void mw_canvas_fill(struct mw_canvas *c, int row, int col, enum mw_top_look look)
{
	char spaces[MW_PIECE_MAX];

	memset(spaces, ' ', sizeof(spaces) - 1);
	spaces[sizeof(spaces) - 1] = '\0';
	while (col < c->width) {
		int n = mw_canvas_put(c, row, col, MW_PIECE_MAX - 1, look,
				      spaces + (c->width - col < MW_PIECE_MAX ? MW_PIECE_MAX - 1 - (c->width - col)
									      : 0));

		if (n <= 0)
			return;
		col += n;
	}
}

/* Later pieces lie over earlier ones, as on the terminal. */
char *mw_canvas_row(const struct mw_canvas *c, int row, char *buf, size_t size)
{
	enum { CELL = 16, CELLS = 512 };
	static const char space[] = " ";
	char cells[CELLS][CELL];
	int width = c->width < CELLS ? c->width : CELLS, last = 0;
	size_t at = 0;

	for (int i = 0; i < width; i++)
		memcpy(cells[i], space, sizeof(space));
	for (size_t i = 0; i < c->n; i++) {
		const char *s = c->pieces[i].text;
		int col = c->pieces[i].col;

		while (c->pieces[i].row == row && *s && col < width) {
			char one[CELL] = "";
			size_t n = 1;
			int w;

			while (((unsigned char)s[n] & 0xc0) == 0x80 && n < 4)
				n++;
			memcpy(one, s, n);
			w = (int)mw_text_width(one);
			if (w == 0 && col > 0 && strlen(cells[col - 1]) + n < CELL)
				strcat(cells[col - 1], one);
			else
				memcpy(cells[col], one, sizeof(one));
			if (w == 2 && col + 1 < width)
				cells[col + 1][0] = '\0';
			col += w;
			s += n;
		}
	}
	for (int i = 0; i < width; i++)
		last = strcmp(cells[i], " ") != 0 && cells[i][0] ? i + 1 : last;
	for (int i = 0; i < last && at + CELL < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s", cells[i]);
	buf[at] = '\0';
	return buf;
}

size_t mw_canvas_wrap(const char *text, int width)
{
	size_t n = strlen(text), most = width > 8 ? (size_t)width : 8;

	if (n <= most)
		return n;
	for (n = most; n > most / 2 && text[n] != ' '; n--)
		;
	if (text[n] != ' ')
		n = most;
	while (n > 1 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--; /* not within a character */
	return n;
}
