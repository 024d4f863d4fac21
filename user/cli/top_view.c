/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The whole screen: the first lines, what is below them, and the last line. */
#include "cli/top_view.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/size.h"

static void draw_title(struct mw_canvas *c, const struct mw_top *m, const struct mw_top_link *link)
{
	time_t now = (time_t)(link->now_ms / 1000);
	char clock[32], age[32];
	struct tm tm;

	mw_canvas_putf(c, 0, 0, 0, MW_LOOK_TITLE, "memweir%s%s on %s%s", *m->host.version ? " " : "", m->host.version,
		       m->host.name, m->host.dry_run ? ", dry run: nothing is limited" : "");
	if (!link->stale && gmtime_r(&now, &tm) && strftime(clock, sizeof(clock), "%H:%M:%S UTC", &tm) &&
	    c->width > 12) {
		mw_canvas_putf(c, 0, c->width - 14, 0, MW_LOOK_TITLE, "  %s", clock);
	} else if (link->stale && link->since_ms) {
		mw_top_left((double)(link->now_ms - link->since_ms) / 1000, age, sizeof(age));
		mw_canvas_putf(c, 0, 0, 0, MW_LOOK_BAD, "stale since %s: %s", age, link->why);
	} else if (link->stale) {
		mw_canvas_putf(c, 0, 0, 0, MW_LOOK_BAD, "%s", link->why);
	}
}

static void draw_sums(struct mw_canvas *c, const struct mw_top *m, const struct mw_top_sums *s, int row)
{
	char usage[32], budget[32], free_[32], total[32], of[64] = "", host[96] = "";

	mw_size_format(s->usage, usage, sizeof(usage));
	if (m->host.budget != MW_UNLIMITED)
		snprintf(of, sizeof(of), " of %s budget", mw_size_format(m->host.budget, budget, sizeof(budget)));
	if (m->host.mem_total)
		snprintf(host, sizeof(host), ", host has %s of %s left",
			 mw_size_format(m->host.mem_available, free_, sizeof(free_)),
			 mw_size_format(m->host.mem_total, total, sizeof(total)));
	mw_canvas_putf(c, row, 0, 0, MW_LOOK_PLAIN, "%zu worker%s, %s in use%s%s", m->n_workers,
		       m->n_workers == 1 ? "" : "s", usage, of, host);
}

/* "3 alerts: 1 at limit, 1 leak, 1 suspect; lost 2". */
static void draw_alerts(struct mw_canvas *c, const struct mw_top *m, const struct mw_top_sums *s, int row)
{
	const struct {
		size_t n;
		const char *one;
	} counts[] = {{s->critical, "at limit"}, {s->leaks, "leak"},	{s->suspects, "suspect"},
		      {s->stalled, "stalled"},	 {s->lifted, "lifted"}, {s->frozen, "frozen"}};
	char text[256];
	size_t at;
	int col;

	at = (size_t)snprintf(text, sizeof(text), s->alerts ? "%zu alert%s" : "nothing needs attention", s->alerts,
			      s->alerts == 1 ? "" : "s");
	for (size_t i = 0, any = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (counts[i].n)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%zu %s", any++ ? ", " : ": ",
					       counts[i].n, counts[i].one);
	col = mw_canvas_put(c, row, 0, 0,
			    s->critical || s->leaks ? MW_LOOK_BAD
			    : s->alerts		    ? MW_LOOK_WARN
						    : MW_LOOK_GOOD,
			    text);
	if (m->host.lost)
		mw_canvas_putf(c, row, col, 0, MW_LOOK_WARN, "; lost %llu", m->host.lost);
}

/* Long sentences over a few rows, from above; their number. */
static int draw_wrapped(struct mw_canvas *c, int row, int most, enum mw_top_look look, const char *text)
{
	int n = 0;

	for (; *text && n < most; n++) {
		size_t take = mw_canvas_wrap(text, c->width - 1);

		mw_canvas_fill(c, row + n, 0, look);
		mw_canvas_putf(c, row + n, 0, 0, look, "%.*s", (int)take, text);
		text += take;
		text += strspn(text, " ");
	}
	return n;
}

/* What stands at the bottom, and where it begins. Text is built and shown by the same calls. */
static void bottom_text(const struct mw_top *m, const struct mw_top_ui *ui, char *text, size_t size,
			enum mw_top_look *ret_look)
{
	*ret_look = MW_LOOK_ASK;
	switch (ui->asking) {
	case MW_ASK_DRY:
		snprintf(text, size, "%s %s: asking what it would do (Esc: leave it)", ui->act->name, ui->act_on);
		return;
	case MW_ASK_CONFIRM:
		snprintf(text, size, "%s %s? It %s. Dry run: %s. Do it? [y/N]", ui->act->name, ui->act_on,
			 ui->act->will, ui->dry);
		return;
	case MW_ASK_DOING:
		snprintf(text, size, "%s %s: under way", ui->act->name, ui->act_on);
		return;
	case MW_ASK_NONE:
		break;
	}
	if (ui->typing) {
		snprintf(text, size, "/%s_   %zu of %zu (Enter: keep, Esc: leave)", m->filter, m->n_rows, m->n_workers);
	} else if (*ui->message) {
		snprintf(text, size, "%s", ui->message);
		*ret_look = ui->mood == MW_TOP_BAD ? MW_LOOK_BAD : MW_LOOK_ASK;
	} else {
		*ret_look = MW_LOOK_DIM;
		text[0] = '\0';
	}
}

static void draw_hints(struct mw_canvas *c, const struct mw_top *m, const struct mw_top_ui *ui, int row)
{
	char text[256], shown[80] = "";
	bool narrowed = *m->filter || *m->only_class;

	if (ui->mode == MW_TOP_LIST) {
		if (narrowed)
			snprintf(shown, sizeof(shown), "%zu of %zu%s%.24s%s%.24s  ", m->n_rows, m->n_workers,
				 *m->filter ? " /" : "", m->filter, *m->only_class ? " class " : "", m->only_class);
		snprintf(text, sizeof(text), "%s? help  Enter look  / filter  s sort: %s%s  h f t act  q quit", shown,
			 mw_top_sort_name(m->sort), m->reverse ? ", reversed" : "");
	} else {
		snprintf(text, sizeof(text), "q back  j k scroll%s",
			 ui->mode == MW_TOP_WORKER ? "  h hibernate  f freeze  t thaw  ? help" : "");
	}
	mw_canvas_put(c, row, 0, 0, MW_LOOK_DIM, text);
}

/* Returns the row it begins at. */
static int draw_bottom(struct mw_canvas *c, const struct mw_top *m, const struct mw_top_ui *ui)
{
	enum mw_top_look look;
	struct mw_canvas measure = {.width = c->width, .height = 0};
	char text[1200];
	int rows, most = c->height > 12 ? 6 : c->height / 2;

	bottom_text(m, ui, text, sizeof(text), &look);
	if (!*text) {
		draw_hints(c, m, ui, c->height - 1);
		return c->height - 1;
	}
	rows = draw_wrapped(&measure, 0, most, look, text);
	draw_wrapped(c, c->height - rows, most, look, text);
	return c->height - rows;
}

static void bound(int *scroll, int rows, int page)
{
	int last = rows > page ? rows - page : 0;

	*scroll = *scroll > last ? last : *scroll < 0 ? 0 : *scroll;
}

int mw_top_draw_help(struct mw_canvas *c, int row, int end, int scroll)
{
	const char *key, *help;
	int at = row - scroll, n = 0;

	for (; mw_top_key_row((size_t)n, &key, &help); n++, at++) {
		if (at < row || at >= end)
			continue;
		mw_canvas_put(c, at, 0, 18, MW_LOOK_TITLE, key);
		mw_canvas_put(c, at, 19, 0, MW_LOOK_PLAIN, help);
	}
	return n;
}

void mw_top_draw(struct mw_canvas *c, const struct mw_top *m, struct mw_top_ui *ui, const struct mw_top_link *link,
		 struct json_object *document, struct json_object *marks)
{
	struct mw_top_sums sums = mw_top_sums(m);
	int row = 1, end = draw_bottom(c, m, ui), rows = 0, before = ui->scroll;
	size_t n = 0;

	draw_title(c, m, link);
	if (c->height >= 8)
		draw_sums(c, m, &sums, row++);
	if (c->height >= 6)
		draw_alerts(c, m, &sums, row++);
	if (ui->mode == MW_TOP_LIST)
		return mw_top_draw_table(c, m, ui, row, end);
	ui->page = end - row;
	/* Once more where it had been scrolled too far. */
	for (int twice = 0; twice < 2; twice++) {
		size_t had = c->n;

		if (ui->mode == MW_TOP_HELP)
			rows = mw_top_draw_help(c, row, end, ui->scroll);
		else
			rows = mw_top_draw_worker(c, m, mw_top_find(m, ui->chosen), document, marks, row, end,
						  ui->scroll);
		bound(&ui->scroll, rows, end - row);
		if (ui->scroll == before)
			break;
		before = ui->scroll;
		n = had;
		c->n = n;
	}
}
