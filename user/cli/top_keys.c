/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/top_keys.h"

#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"

#define CTRL(letter) ((letter)&0x1f)

static const struct mw_top_act acts[] = {
	{'h', "hibernate",
	 "gives back what it does not use now; it goes on running, and waits for each page it needs again"},
	{'f', "freeze", "stops, all its processes, until somebody thaws it; who waits for its answers goes on waiting"},
	{'t', "thaw", "goes on where it was frozen"},
};

typedef enum mw_top_do (*key_fn)(struct mw_top *m, struct mw_top_ui *ui, long value);

/* ---- moving ---- */

static size_t row_of(const struct mw_top *m, __u64 id)
{
	for (size_t i = 0; i < m->n_rows; i++)
		if (m->rows[i]->id == id)
			return i;
	return 0;
}

struct mw_top_worker *mw_top_chosen(const struct mw_top *m, const struct mw_top_ui *ui)
{
	if (ui->mode == MW_TOP_WORKER)
		return mw_top_find(m, ui->chosen);
	return m->n_rows ? m->rows[ui->chosen ? row_of(m, ui->chosen) : 0] : NULL;
}

/* The worker rows away; at the very top nobody is held, so that the worst is always the chosen one. */
static void move_rows(const struct mw_top *m, struct mw_top_ui *ui, long by)
{
	size_t at = ui->chosen ? row_of(m, ui->chosen) : 0;

	if (!m->n_rows)
		return;
	if (by < 0)
		at = at > (size_t)-by ? at - (size_t)-by : 0;
	else
		at = at + (size_t)by < m->n_rows ? at + (size_t)by : m->n_rows - 1;
	ui->chosen = at ? m->rows[at]->id : 0;
}

static enum mw_top_do move(struct mw_top *m, struct mw_top_ui *ui, long by)
{
	if (ui->mode == MW_TOP_LIST)
		move_rows(m, ui, by);
	else
		ui->scroll = ui->scroll + by < 0 ? 0 : ui->scroll + (int)by;
	return MW_DO_DRAW;
}

static enum mw_top_do page(struct mw_top *m, struct mw_top_ui *ui, long by)
{
	return move(m, ui, by * (ui->page > 2 ? ui->page - 1 : 1));
}

static enum mw_top_do end(struct mw_top *m, struct mw_top_ui *ui, long by)
{
	return move(m, ui, by * 1000000);
}

/* ---- the rest ---- */

static enum mw_top_do sort(struct mw_top *m, struct mw_top_ui *ui, long by)
{
	if (ui->mode != MW_TOP_LIST)
		return MW_DO_NOTHING;
	m->sort = (enum mw_top_sort)by;
	ui->chosen = 0;
	return MW_DO_DRAW;
}

static enum mw_top_do sort_next(struct mw_top *m, struct mw_top_ui *ui, long by)
{
	return sort(m, ui, ((long)m->sort + by + MW_TOP_SORT_MAX) % MW_TOP_SORT_MAX);
}

static enum mw_top_do reverse(struct mw_top *m, struct mw_top_ui *ui, long value)
{
	(void)value;
	if (ui->mode != MW_TOP_LIST)
		return MW_DO_NOTHING;
	m->reverse = !m->reverse;
	ui->chosen = 0;
	return MW_DO_DRAW;
}

static enum mw_top_do filter(struct mw_top *m, struct mw_top_ui *ui, long value)
{
	(void)value;
	if (ui->mode != MW_TOP_LIST)
		return MW_DO_NOTHING;
	ui->typing = true;
	memcpy(ui->filter_before, m->filter, sizeof(ui->filter_before));
	return MW_DO_DRAW;
}

static enum mw_top_do class_next(struct mw_top *m, struct mw_top_ui *ui, long value)
{
	(void)value;
	if (ui->mode != MW_TOP_LIST)
		return MW_DO_NOTHING;
	mw_top_next_class(m);
	ui->chosen = 0;
	return MW_DO_DRAW;
}

static enum mw_top_do open_worker(struct mw_top *m, struct mw_top_ui *ui, long value)
{
	const struct mw_top_worker *w = mw_top_chosen(m, ui);

	(void)value;
	if (ui->mode != MW_TOP_LIST || !w || !*w->name)
		return MW_DO_NOTHING;
	ui->chosen = w->id;
	ui->mode = MW_TOP_WORKER;
	ui->scroll = 0;
	return MW_DO_OPEN;
}

static enum mw_top_do help(struct mw_top *m, struct mw_top_ui *ui, long value)
{
	(void)m, (void)value;
	if (ui->mode == MW_TOP_HELP)
		return MW_DO_NOTHING;
	ui->before = ui->mode;
	ui->mode = MW_TOP_HELP;
	ui->scroll = 0;
	return MW_DO_DRAW;
}

/* One step out; out of the table nothing but the filter and the class are left to undo. */
static enum mw_top_do back(struct mw_top *m, struct mw_top_ui *ui, long value)
{
	(void)value;
	if (ui->mode == MW_TOP_LIST)
		m->filter[0] = m->only_class[0] = '\0';
	ui->mode = ui->mode == MW_TOP_HELP ? ui->before : MW_TOP_LIST;
	ui->scroll = 0;
	return MW_DO_DRAW;
}

static enum mw_top_do quit(struct mw_top *m, struct mw_top_ui *ui, long value)
{
	return ui->mode == MW_TOP_LIST ? MW_DO_QUIT : back(m, ui, value);
}

static enum mw_top_do repaint(struct mw_top *m, struct mw_top_ui *ui, long value)
{
	(void)m, (void)ui, (void)value;
	return MW_DO_REPAINT;
}

static enum mw_top_do act(struct mw_top *m, struct mw_top_ui *ui, long i)
{
	const struct mw_top_worker *w = mw_top_chosen(m, ui);

	if (ui->mode == MW_TOP_HELP || !w || !*w->name || ui->asking != MW_ASK_NONE)
		return MW_DO_NOTHING;
	/* Held: the question is of the row the cursor was on, wherever that goes meanwhile. */
	ui->chosen = w->id;
	ui->act = &acts[i];
	ui->asking = MW_ASK_DRY;
	ui->dry[0] = '\0';
	memcpy(ui->act_on, w->name, sizeof(ui->act_on));
	return MW_DO_DRY;
}

static const struct {
	unsigned key;
	const char *name, *help; /* NULL: another key of the row above */
	key_fn fn;
	long value;
} keys[] = {
	{MW_KEY_UP, "j k, arrows", "one row down, up", move, -1},
	{'k', NULL, NULL, move, -1},
	{MW_KEY_DOWN, NULL, NULL, move, 1},
	{'j', NULL, NULL, move, 1},
	{MW_KEY_PAGE_UP, "PgUp PgDn, space", "a page up, down", page, -1},
	{MW_KEY_PAGE_DOWN, NULL, NULL, page, 1},
	{' ', NULL, NULL, page, 1},
	{CTRL('b'), NULL, NULL, page, -1},
	{CTRL('f'), NULL, NULL, page, 1},
	{MW_KEY_HOME, "Home End, g G", "to the first, the last", end, -1},
	{MW_KEY_END, NULL, NULL, end, 1},
	{'g', NULL, NULL, end, -1},
	{'G', NULL, NULL, end, 1},
	{MW_KEY_ENTER, "Enter", "one worker: curve, verdict, pauses, code, what was done, incidents", open_worker, 0},
	{MW_KEY_RIGHT, NULL, NULL, open_worker, 0},
	{MW_KEY_ESCAPE, "Esc, left", "back; in the table: all workers again", back, 0},
	{MW_KEY_LEFT, NULL, NULL, back, 0},
	{'/', "/", "filter by a part of name, class, level or verdict, as you type", filter, 0},
	{'c', "c", "one class after the other, then all again", class_next, 0},
	{'s', "s S", "next, previous sort key", sort_next, 1},
	{'S', NULL, NULL, sort_next, -1},
	{'A', "A", "sort by attention: leaks and who meets a limit first (as it starts)", sort, MW_TOP_BY_ATTENTION},
	{'U', "U", "sort by usage", sort, MW_TOP_BY_USAGE},
	{'P', "P", "sort by percent of max_heap", sort, MW_TOP_BY_PERCENT},
	{'R', "R", "sort by growth over the last half minute", sort, MW_TOP_BY_GROWTH},
	{'W', "W", "sort by share of time stalled for memory", sort, MW_TOP_BY_STALLS},
	{'N', "N", "sort by name", sort, MW_TOP_BY_NAME},
	{'C', "C", "sort by class", sort, MW_TOP_BY_CLASS},
	{'r', "r", "the other way round", reverse, 0},
	{'h', "h", "hibernate the worker: reclaim what it does not use", act, 0},
	{'f', "f", "freeze it", act, 1},
	{'t', "t", "thaw it", act, 2},
	{'?', "?", "this text", help, 0},
	{CTRL('l'), "Ctrl-L", "paint the screen anew", repaint, 0},
	{'q', "q", "out of this screen; out of the table: end", quit, 0},
};

bool mw_top_key_row(size_t i, const char **ret_key, const char **ret_help)
{
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		if (!keys[k].name || i--)
			continue;
		*ret_key = keys[k].name;
		*ret_help = keys[k].help;
		return true;
	}
	return false;
}

/* While the filter is typed, every character is part of it. */
static enum mw_top_do type(struct mw_top *m, struct mw_top_ui *ui, unsigned key)
{
	size_t n = strlen(m->filter);

	if (key == MW_KEY_ENTER || key == MW_KEY_DOWN || key == MW_KEY_UP)
		ui->typing = false;
	else if (key == MW_KEY_ESCAPE)
		memcpy(m->filter, ui->filter_before, sizeof(m->filter)), ui->typing = false;
	else if (key == MW_KEY_BACKSPACE && n)
		m->filter[n - 1] = '\0';
	else if (key == CTRL('u'))
		m->filter[0] = '\0';
	else if (key >= ' ' && key < 0x7f && n + 1 < sizeof(m->filter))
		m->filter[n] = (char)key, m->filter[n + 1] = '\0';
	ui->chosen = 0;
	return MW_DO_DRAW;
}

/* Nothing but a y is a yes. */
static enum mw_top_do answer(struct mw_top_ui *ui, unsigned key)
{
	if (key == 'y' || key == 'Y') {
		ui->asking = MW_ASK_DOING;
		return MW_DO_ACT;
	}
	ui->asking = MW_ASK_NONE;
	snprintf(ui->message, sizeof(ui->message), "%s: nothing was done", ui->act_on);
	ui->mood = MW_TOP_CALM;
	return MW_DO_DRAW;
}

enum mw_top_do mw_top_key(struct mw_top *m, struct mw_top_ui *ui, unsigned key)
{
	if (ui->asking == MW_ASK_CONFIRM)
		return answer(ui, key);
	if (ui->asking == MW_ASK_DRY && (key == MW_KEY_ESCAPE || key == 'n')) {
		ui->asking = MW_ASK_NONE;
		return MW_DO_DRAW;
	}
	if (ui->typing)
		return type(m, ui, key);
	ui->message[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].key == key)
			return keys[i].fn(m, ui, keys[i].value);
	return MW_DO_DRAW;
}

void mw_top_told(struct mw_top_ui *ui, bool good, const char *text)
{
	if (ui->asking == MW_ASK_DRY && good) {
		snprintf(ui->dry, sizeof(ui->dry), "%s", text);
		ui->asking = MW_ASK_CONFIRM;
		return;
	}
	if (ui->asking == MW_ASK_NONE)
		return; /* not wanted any more */
	snprintf(ui->message, sizeof(ui->message), "%s %.63s: %.400s", ui->act->name, ui->act_on, text);
	ui->mood = good ? MW_TOP_CALM : MW_TOP_BAD;
	ui->asking = MW_ASK_NONE;
}
