/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The screens of top as pieces of text with a place and a look, for a terminal of some width and height. Pure: the
 * model and what is being done in, pieces out; top_screen.c puts them onto the terminal.
 */
#ifndef MW_TOP_VIEW_H
#define MW_TOP_VIEW_H

#include <stdio.h>

#include "cli/top_keys.h"
#include "cli/top_model.h"

enum mw_top_look {
	MW_LOOK_PLAIN,
	MW_LOOK_DIM,
	MW_LOOK_TITLE, /* of the screen */
	MW_LOOK_HEAD, /* of columns and sections */
	MW_LOOK_GOOD,
	MW_LOOK_WARN,
	MW_LOOK_BAD,
	MW_LOOK_CHOSEN, /* the row the cursor is on; with a mood, what has it keeps that */
	MW_LOOK_ASK, /* a question, an answer that must be read */
	MW_LOOK_MAX,
};

#define MW_PIECE_MAX 256 /* bytes of one */

struct mw_piece {
	int row, col, width; /* width: columns it takes */
	enum mw_top_look look;
	char text[MW_PIECE_MAX];
};

struct mw_canvas {
	int width, height;
	bool utf8; /* else '?' for what is not ASCII */
	bool blocks; /* bars of block characters; a font of few glyphs has none */
	struct mw_piece *pieces;
	size_t n, room;
};

/* Of an empty screen; keeps what memory it has. */
void mw_canvas_begin(struct mw_canvas *c, int width, int height);
void mw_canvas_free(struct mw_canvas *c);
/* text, cleaned, at a place, in at most width columns (0: up to the right edge). What is outside is left out. Returns
 * the columns it took. */
int mw_canvas_put(struct mw_canvas *c, int row, int col, int width, enum mw_top_look look, const char *text);
int mw_canvas_putf(struct mw_canvas *c, int row, int col, int width, enum mw_top_look look, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* How many bytes of text, which is longer than width columns, go onto one row: whole words, if any. */
size_t mw_canvas_wrap(const char *text, int width);
/* Spaces of a look up to the right edge. */
void mw_canvas_fill(struct mw_canvas *c, int row, int col, enum mw_top_look look);
/* One row as it would be seen, without its looks and without spaces at its end. Returns buf. */
char *mw_canvas_row(const struct mw_canvas *c, int row, char *buf, size_t size);

/* How the daemon is reached. */
struct mw_top_link {
	bool stale; /* what is shown is of since_ms */
	__u64 since_ms, now_ms; /* unix ms */
	char why[160];
};

/* The screen. ui's first row, page and scrolling are brought into bounds. document: of the worker that is looked at,
 * /v1/report/NAME, NULL: not there yet; marks: its /v1/workers/NAME/history, or NULL. */
void mw_top_draw(struct mw_canvas *c, const struct mw_top *m, struct mw_top_ui *ui, const struct mw_top_link *link,
		 struct json_object *document, struct json_object *marks);

/* Its parts. From row on, to row end (not drawn); scrolled ones return the rows they would take in full. */
void mw_top_draw_table(struct mw_canvas *c, const struct mw_top *m, struct mw_top_ui *ui, int row, int end);
int mw_top_draw_worker(struct mw_canvas *c, const struct mw_top *m, const struct mw_top_worker *w,
		       struct json_object *document, struct json_object *marks, int row, int end, int scroll);
int mw_top_draw_help(struct mw_canvas *c, int row, int end, int scroll);
/* The table as lines of text, all rows: for what is no terminal. 0 or -EIO. */
int mw_top_print(const struct mw_top *m, int width, bool utf8, FILE *out);

/* n characters for the worker's last minute, its newest at the right, between its lowest and highest. */
void mw_top_spark(const struct mw_canvas *c, const struct mw_top *m, const struct mw_top_worker *w, int n, char *buf,
		  size_t size);
/* A bar of n columns filled to percent. */
void mw_top_bar(const struct mw_canvas *c, double percent, int n, char *buf, size_t size);
/* The last minute with high and max as lines, rows high. */
void mw_top_curve(struct mw_canvas *c, const struct mw_top *m, const struct mw_top_worker *w, int row, int end, int top,
		  int rows);
enum mw_top_look mw_top_look_of(enum mw_top_mood mood);
/* "51 s", "12 min", "3 h", "4 d"; "" below 0. Returns buf. */
const char *mw_top_left(double s, char *buf, size_t size);

#endif
