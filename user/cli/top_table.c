/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The table of workers: what its columns say, and which of them there is room for. */
#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "cli/top_view.h"
#include "util/cleanup.h"
#include "util/size.h"
#include "util/table.h"

enum { GAP = 1, CELL = 512 };

struct cell {
	const struct mw_canvas *canvas;
	const struct mw_top *model;
	const struct mw_top_worker *worker;
	int width;
	enum mw_top_look look; /* changed by what the cell says */
	char *text; /* CELL bytes */
};

static void cell_name(struct cell *c)
{
	if (*c->worker->name)
		snprintf(c->text, CELL, "%s", c->worker->name);
	else
		snprintf(c->text, CELL, "cgroup %llu", c->worker->id);
}

const char *mw_top_left(double s, char *buf, size_t size)
{
	if (s < 0)
		snprintf(buf, size, "%s", "");
	else if (s < 120)
		snprintf(buf, size, "%.0f s", s);
	else if (s < 7200)
		snprintf(buf, size, "%.0f min", s / 60);
	else if (s < 172800)
		snprintf(buf, size, "%.0f h", s / 3600);
	else
		snprintf(buf, size, "%.0f d", s / 86400 < 9999 ? s / 86400 : 9999);
	return buf;
}

enum mw_top_look mw_top_look_of(enum mw_top_mood mood)
{
	return mood == MW_TOP_BAD ? MW_LOOK_BAD : mood == MW_TOP_WARN ? MW_LOOK_WARN : MW_LOOK_PLAIN;
}

/* "leak, 51 s"; what has no name is fine. */
static void cell_what(struct cell *c)
{
	enum mw_top_mood mood;
	const char *word = mw_top_attention(c->worker, &mood);
	char left[32];

	mw_top_left(c->worker->verdict > MW_STEADY ? c->worker->limit_s : -1, left, sizeof(left));
	snprintf(c->text, CELL, "%s%s%s", *word ? word : "ok", *left ? ", " : "", left);
	c->look = *word ? mw_top_look_of(mood) : MW_LOOK_GOOD;
}

static void cell_percent(struct cell *c)
{
	snprintf(c->text, CELL, "%.1f", c->worker->percent < 9999 ? c->worker->percent : 9999);
}

static void cell_used(struct cell *c)
{
	mw_size_format(c->worker->usage, c->text, CELL);
}

static void cell_max(struct cell *c)
{
	mw_size_format(c->worker->max, c->text, CELL);
}

static void cell_bar(struct cell *c)
{
	double p = c->worker->percent;

	mw_top_bar(c->canvas, p, c->width, c->text, CELL);
	c->look = p >= 95 ? MW_LOOK_BAD : p >= 85 ? MW_LOOK_WARN : MW_LOOK_GOOD;
}

static void cell_trend(struct cell *c)
{
	mw_top_spark(c->canvas, c->model, c->worker, c->width, c->text, CELL);
}

static void cell_growth(struct cell *c)
{
	double rate = mw_top_growth(c->model, c->worker);

	if (rate > -500 && rate < 500)
		snprintf(c->text, CELL, "0");
	else
		mw_say_rate(rate, c->text);
}

static void cell_stalls(struct cell *c)
{
	snprintf(c->text, CELL, "%.1f", 100 * c->worker->stalled_share);
	if (c->worker->stalled_share >= 0.01)
		c->look = c->worker->stalled_share >= 0.1 ? MW_LOOK_BAD : MW_LOOK_WARN;
}

static void cell_class(struct cell *c)
{
	snprintf(c->text, CELL, "%s", c->worker->class_name);
}

/* "frozen,lifted". */
static void cell_state(struct cell *c)
{
	static const struct {
		unsigned flag;
		const char *word;
	} words[] = {{MW_TOP_FROZEN, "frozen"},	    {MW_TOP_HIBERNATED, "hibernated"},
		     {MW_TOP_LIFTED, "lifted"},	    {MW_TOP_NOT_IN_FORCE, "not-in-force"},
		     {MW_TOP_OVER_BIN, "over-bin"}, {MW_TOP_PACED, "paced"},
		     {MW_TOP_DRY_RUN, "dry-run"}};
	size_t at = 0;

	c->text[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (c->worker->flags & words[i].flag)
			at += (size_t)snprintf(c->text + at, CELL - at, "%s%s", at ? "," : "", words[i].word);
}

/* In the order they stand in. importance: 1 is what is left on the narrowest terminal; there have to be as many as
 * least columns, and up to most are given while there is room. */
static const struct {
	const char *title;
	int least, most, importance;
	bool right;
	int sort; /* the key that this column is sorted by, -1: none */
	void (*say)(struct cell *c);
} columns[] = {
	{"WORKER", 12, 40, 1, false, MW_TOP_BY_NAME, cell_name},
	{"CLASS", 9, 14, 7, false, MW_TOP_BY_CLASS, cell_class},
	{"WHAT", 16, 16, 2, false, MW_TOP_BY_ATTENTION, cell_what},
	{"USED", 9, 9, 4, true, MW_TOP_BY_USAGE, cell_used},
	{"%MAX", 5, 6, 3, true, MW_TOP_BY_PERCENT, cell_percent},
	{"", 8, 20, 6, false, -1, cell_bar},
	{"LAST MIN", 8, 60, 5, false, -1, cell_trend},
	{"GROWTH", 11, 11, 9, true, MW_TOP_BY_GROWTH, cell_growth},
	{"STALL", 6, 6, 8, true, MW_TOP_BY_STALLS, cell_stalls},
	{"MAX", 9, 9, 11, true, -1, cell_max},
	{"STATE", 12, 24, 10, false, -1, cell_state},
};
enum { N = ARRAY_SIZE(columns), NAME = 0 };

/* How wide each column is, 0: there is no room for it. */
struct layout {
	int widths[N];
};

static int used(const struct layout *l)
{
	int sum = 0;

	for (int i = 0; i < N; i++)
		sum += l->widths[i] ? l->widths[i] + GAP : 0;
	return sum;
}

/* What is left goes to names that are cut, then to the others, a column each in turn. */
static void grow(struct layout *l, int width, int name_most)
{
	for (bool grown = true; grown;) {
		grown = false;
		while (l->widths[NAME] < name_most && l->widths[NAME] < columns[NAME].most && used(l) < width + GAP)
			l->widths[NAME]++;
		for (int i = 1; i < N; i++) {
			if (!l->widths[i] || l->widths[i] >= columns[i].most || used(l) >= width + GAP)
				continue;
			l->widths[i]++;
			grown = true;
		}
	}
}

static struct layout lay_out(int width, int name_most)
{
	struct layout l = {0};

	l.widths[NAME] = columns[NAME].least < width ? columns[NAME].least : width;
	for (int importance = 2; importance <= N; importance++) {
		for (int i = 0; i < N; i++)
			if (columns[i].importance == importance)
				l.widths[i] = used(&l) + columns[i].least <= width ? columns[i].least : 0;
	}
	grow(&l, width, name_most);
	return l;
}

static void draw_head(struct mw_canvas *c, const struct mw_top *m, const struct layout *l, int row)
{
	int col = 0;

	mw_canvas_fill(c, row, 0, MW_LOOK_HEAD);
	for (int i = 0; i < N; i++) {
		const char *mark = columns[i].sort == (int)m->sort ? m->reverse ? "^" : "v" : "";
		char text[64];

		if (!l->widths[i])
			continue;
		snprintf(text, sizeof(text), "%s%s", columns[i].title, mark);
		mw_canvas_putf(c, row, col, l->widths[i], MW_LOOK_HEAD, "%*s", columns[i].right ? l->widths[i] : 0,
			       text);
		col += l->widths[i] + GAP;
	}
}

static void draw_worker(struct mw_canvas *c, const struct mw_top *m, const struct layout *l, int row,
			const struct mw_top_worker *w, bool chosen)
{
	char text[CELL];
	int col = 0;

	if (chosen)
		mw_canvas_fill(c, row, 0, MW_LOOK_CHOSEN);
	for (int i = 0; i < N; i++) {
		struct cell cell = {c, m, w, l->widths[i], MW_LOOK_PLAIN, text};
		int pad = 0;

		if (!l->widths[i])
			continue;
		columns[i].say(&cell);
		if (columns[i].right)
			pad = l->widths[i] - (int)mw_text_width(text);
		mw_canvas_put(c, row, col + (pad > 0 ? pad : 0), l->widths[i] - (pad > 0 ? pad : 0),
			      chosen ? MW_LOOK_CHOSEN : cell.look, text);
		col += l->widths[i] + GAP;
	}
}

static int longest_name(const struct mw_top *m, size_t from, size_t to)
{
	size_t most = 0;

	for (size_t i = from; i < to && i < m->n_rows; i++)
		most = mw_text_width(m->rows[i]->name) > most ? mw_text_width(m->rows[i]->name) : most;
	return (int)most;
}

/* The row the cursor is on, and the page brought to where it is seen. */
static size_t scroll(const struct mw_top *m, struct mw_top_ui *ui, int page)
{
	size_t at = 0;

	while (ui->chosen && at < m->n_rows && m->rows[at]->id != ui->chosen)
		at++;
	if (at == m->n_rows)
		at = ui->chosen = 0; /* it has gone, or is filtered away */
	ui->page = page;
	if (at < ui->first)
		ui->first = at;
	if (page > 0 && at >= ui->first + (size_t)page)
		ui->first = at - (size_t)page + 1;
	if (ui->first + (size_t)page > m->n_rows)
		ui->first = m->n_rows > (size_t)page ? m->n_rows - (size_t)page : 0;
	return at;
}

void mw_top_draw_table(struct mw_canvas *c, const struct mw_top *m, struct mw_top_ui *ui, int row, int end)
{
	int page = end - row - 1;
	size_t at = scroll(m, ui, page > 0 ? page : 0);
	struct layout l = lay_out(c->width, longest_name(m, ui->first, ui->first + (size_t)ui->page));

	draw_head(c, m, &l, row);
	for (int i = 0; i < page && ui->first + (size_t)i < m->n_rows; i++) {
		size_t r = ui->first + (size_t)i;

		draw_worker(c, m, &l, row + 1 + i, m->rows[r], r == at);
	}
	if (!m->n_rows && page > 0)
		mw_canvas_put(c, row + 1, 0, 0, MW_LOOK_DIM,
			      m->n_workers ? "no worker fits the filter (Esc: all of them)" : "no workers under guard");
}

/* A screen of one row for each: nothing is held for all of them at once. */
int mw_top_print(const struct mw_top *m, int width, bool utf8, FILE *out)
{
	struct layout l = lay_out(width, longest_name(m, 0, m->n_rows));
	struct mw_canvas c = {.utf8 = utf8, .blocks = utf8};
	char line[4096];

	for (size_t i = 0; i <= m->n_rows; i++) {
		mw_canvas_begin(&c, width, 1);
		if (i)
			draw_worker(&c, m, &l, 0, m->rows[i - 1], false);
		else
			draw_head(&c, m, &l, 0);
		fprintf(out, "%s\n", mw_canvas_row(&c, 0, line, sizeof(line)));
	}
	mw_canvas_free(&c);
	return ferror(out) ? -1 : 0;
}
