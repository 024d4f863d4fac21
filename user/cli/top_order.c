/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Which workers are shown, in which order, and what about them needs attention. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/top_model.h"
#include "util/cleanup.h"

#define STALLED_SHARE 0.01 /* of the time: told */
#define STALLED_MUCH  0.1
#define NEAR_LIMIT    95.0 /* percent of max_heap */
#define PERCENT_STEP  5 /* a worker whose use wavers keeps its place */
#define LIMIT_STEP_S  5
#define WITHIN	      1e6
#define STALLS_STEP   0.02

static bool is_leak(const struct mw_top_worker *w)
{
	return w->verdict == MW_LEAK;
}

static bool is_suspect(const struct mw_top_worker *w)
{
	return w->verdict == MW_SUSPECT;
}

static bool is_growing(const struct mw_top_worker *w)
{
	return w->verdict == MW_GROWING;
}

static bool at_limit(const struct mw_top_worker *w)
{
	return w->level == MW_LEVEL_CRITICAL || w->percent >= NEAR_LIMIT;
}

static bool stalls_much(const struct mw_top_worker *w)
{
	return w->stalled_share >= STALLED_MUCH;
}

static bool stalls(const struct mw_top_worker *w)
{
	return w->stalled_share >= STALLED_SHARE;
}

static bool is_lifted(const struct mw_top_worker *w)
{
	return w->flags & MW_TOP_LIFTED;
}

static bool is_frozen(const struct mw_top_worker *w)
{
	return w->flags & MW_TOP_FROZEN;
}

static bool not_in_force(const struct mw_top_worker *w)
{
	return w->flags & MW_TOP_NOT_IN_FORCE;
}

static bool over_bin(const struct mw_top_worker *w)
{
	return w->flags & MW_TOP_OVER_BIN;
}

static bool near_limit(const struct mw_top_worker *w)
{
	return w->level == MW_LEVEL_HIBERNATE;
}

static bool is_warned(const struct mw_top_worker *w)
{
	return w->level == MW_LEVEL_WARNING;
}

/* The worst first: the first row that holds is a worker's place. */
static const struct {
	bool (*holds)(const struct mw_top_worker *w);
	const char *word;
	enum mw_top_mood mood;
} attention[] = {
	{at_limit, "at its limit", MW_TOP_BAD}, {is_leak, "leak", MW_TOP_BAD},
	{stalls_much, "stalls", MW_TOP_BAD},	{is_suspect, "suspect", MW_TOP_WARN},
	{is_lifted, "lifted", MW_TOP_WARN},	{near_limit, "near limit", MW_TOP_WARN},
	{is_frozen, "frozen", MW_TOP_WARN},	{not_in_force, "no limits", MW_TOP_WARN},
	{over_bin, "over bin", MW_TOP_WARN},	{stalls, "pauses", MW_TOP_NOTICE},
	{is_warned, "warning", MW_TOP_NOTICE},	{is_growing, "growing", MW_TOP_NOTICE},
};

static int place(const struct mw_top_worker *w)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(attention) && !attention[i].holds(w))
		i++;
	return (int)i;
}

const char *mw_top_attention(const struct mw_top_worker *w, enum mw_top_mood *ret_mood)
{
	int i = place(w);
	bool any = i < (int)ARRAY_SIZE(attention);

	*ret_mood = any ? attention[i].mood : MW_TOP_CALM;
	return any ? attention[i].word : "";
}

struct mw_top_sums mw_top_sums(const struct mw_top *m)
{
	struct mw_top_sums s = {0};
	enum mw_top_mood mood;

	for (size_t i = 0; i < m->n_workers; i++) {
		const struct mw_top_worker *w = m->workers[i];

		mw_top_attention(w, &mood);
		s.usage += w->usage;
		s.leaks += is_leak(w);
		s.suspects += is_suspect(w);
		s.critical += at_limit(w);
		s.stalled += stalls(w);
		s.frozen += is_frozen(w);
		s.lifted += is_lifted(w);
		s.alerts += mood >= MW_TOP_WARN;
	}
	return s;
}

/* ---- sorting: what is greater stands higher, unless it is reversed ---- */

static int compare(double a, double b)
{
	return (a > b) - (a < b);
}

static double worth_usage(const struct mw_top *m, const struct mw_top_worker *w)
{
	(void)m;
	return (double)w->usage;
}

static double worth_percent(const struct mw_top *m, const struct mw_top_worker *w)
{
	(void)m;
	return w->percent;
}

static double worth_stalls(const struct mw_top *m, const struct mw_top_worker *w)
{
	(void)m;
	return w->stalled_share;
}

/* Whole steps, within what a place of the table has room for. */
static double steps(double value, double step)
{
	double n = value / step;

	return n >= WITHIN ? WITHIN : n > 0 ? (double)(long)n : 0;
}

/* The row of the table; in it those of a leak by the time that is left, the others by what they use. */
static double worth_attention(const struct mw_top *m, const struct mw_top_worker *w)
{
	double within = steps(w->percent, PERCENT_STEP);
	size_t places = ARRAY_SIZE(attention) - (size_t)w->attention;

	(void)m;
	if (is_leak(w) || is_suspect(w))
		within = w->limit_s >= 0 ? WITHIN - steps(w->limit_s, LIMIT_STEP_S) : within;
	else if (stalls(w))
		within = steps(w->stalled_share, STALLS_STEP);
	return (double)places * 10 * WITHIN + within;
}

static const struct {
	const char *name;
	double (*worth)(const struct mw_top *m, const struct mw_top_worker *w); /* NULL: by text */
} sorts[] = {
	[MW_TOP_BY_ATTENTION] = {"attention", worth_attention},
	[MW_TOP_BY_USAGE] = {"usage", worth_usage},
	[MW_TOP_BY_PERCENT] = {"percent", worth_percent},
	[MW_TOP_BY_GROWTH] = {"growth", mw_top_growth},
	[MW_TOP_BY_STALLS] = {"stalls", worth_stalls},
	[MW_TOP_BY_NAME] = {"name", NULL},
	[MW_TOP_BY_CLASS] = {"class", NULL},
};
_Static_assert(ARRAY_SIZE(sorts) == MW_TOP_SORT_MAX, "a row for every sort key");

const char *mw_top_sort_name(enum mw_top_sort by)
{
	return (unsigned)by < MW_TOP_SORT_MAX ? sorts[by].name : "unknown";
}

int mw_top_sort_parse(const char *name, enum mw_top_sort *ret_by)
{
	for (size_t i = 0; i < ARRAY_SIZE(sorts); i++) {
		if (strcmp(sorts[i].name, name) == 0) {
			*ret_by = (enum mw_top_sort)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int by_row(const void *a, const void *b, void *arg)
{
	const struct mw_top_worker *x = *(struct mw_top_worker *const *)a, *y = *(struct mw_top_worker *const *)b;
	const struct mw_top *m = arg;
	int order = 0;

	if (sorts[m->sort].worth)
		order = -compare(sorts[m->sort].worth(m, x), sorts[m->sort].worth(m, y));
	else if (m->sort == MW_TOP_BY_CLASS)
		order = strcmp(x->class_name, y->class_name);
	else
		order = strcmp(x->name, y->name);
	if (m->reverse)
		order = -order;
	if (!order)
		order = strcmp(x->name, y->name);
	return order ? order : (x->id > y->id) - (x->id < y->id);
}

static bool wanted(const struct mw_top *m, const struct mw_top_worker *w)
{
	enum mw_top_mood mood;

	if (*m->only_class && strcmp(m->only_class, w->class_name) != 0)
		return false;
	return !*m->filter || strcasestr(w->name, m->filter) || strcasestr(w->class_name, m->filter) ||
	       strcasestr(mw_level_name(w->level), m->filter) || strcasestr(mw_trend_name(w->verdict), m->filter) ||
	       strcasestr(mw_top_attention(w, &mood), m->filter);
}

void mw_top_order(struct mw_top *m)
{
	m->n_rows = 0;
	for (size_t i = 0; i < m->n_workers; i++) {
		m->workers[i]->attention = place(m->workers[i]);
		if (wanted(m, m->workers[i]))
			m->rows[m->n_rows++] = m->workers[i];
	}
	if (m->n_rows)
		qsort_r(m->rows, m->n_rows, sizeof(m->rows[0]), by_row, m);
}

void mw_top_next_class(struct mw_top *m)
{
	const char *next = "";

	for (size_t i = 0; i < m->n_workers; i++) {
		const char *c = m->workers[i]->class_name;

		if (strcmp(c, m->only_class) > 0 && (!*next || strcmp(c, next) < 0))
			next = c;
	}
	memmove(m->only_class, next, strlen(next) + 1);
}
