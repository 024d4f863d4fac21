/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Aligned tables and clean text. What is printed may come from a worker (its name,
 * its command line): control characters never reach the terminal.
 */
#ifndef MW_TABLE_H
#define MW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct mw_column {
	const char *title;
	bool right; /* numbers */
	bool shrink; /* may be cut, with an ellipsis, to fit a terminal */
};

struct mw_table;

/* columns must outlive the table. NULL on no memory. */
struct mw_table *mw_table_new(const struct mw_column *columns, size_t n_columns);
void mw_table_free(struct mw_table *t); /* NULL-safe */
static inline void mw_table_freep(struct mw_table **t)
{
	mw_table_free(*t);
}

/*
 * The next cell; a row is full after n_columns of them and the next one begins. NULL
 * or "" prints "-". No memory is remembered and told by mw_table_print.
 */
void mw_table_cell(struct mw_table *t, const char *text);
void mw_table_cellf(struct mw_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
size_t mw_table_rows(const struct mw_table *t); /* full ones */

/* Title and rows. width: columns of the terminal, 0: as wide as need be. 0, -ENOMEM, -EIO. */
int mw_table_print(const struct mw_table *t, FILE *out, size_t width);

/* Width of out when it is a terminal, else 0. */
size_t mw_terminal_width(FILE *out);
/* Whether the environment's locale is UTF-8 (without loading a locale). */
bool mw_locale_utf8(void);

/* Columns text takes on a terminal, after cleaning. */
size_t mw_text_width(const char *text);
/*
 * text with control characters, bidirectional overrides and broken UTF-8 each
 * replaced by "?", cut to max_width columns (0: not) with an ellipsis. Returns buf; cut to size between characters.
 */
char *mw_text_clean(const char *text, size_t max_width, char *buf, size_t size);

#endif
