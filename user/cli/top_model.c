/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/top_model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/field.h"
#include "cli/top_impl.h"
#include "util/cleanup.h"

#define STALLS_OVER    10 /* seconds the share of stalls is taken over */
#define FORGET_MS      25000 /* the daemon names all workers every ten seconds */
#define GROWTH_SECONDS 30

void mw_top_init(struct mw_top *m)
{
	*m = (struct mw_top){.host.budget = MW_UNLIMITED};
	for (size_t i = 0; i < ARRAY_SIZE(m->levels); i++)
		m->levels[i] = i < MW_LEVEL_MAX ? (enum mw_level)i : MW_LEVEL_OK;
	for (size_t i = 0; i < ARRAY_SIZE(m->verdicts); i++)
		m->verdicts[i] = i < MW_TREND_MAX ? (enum mw_trend_verdict)i : MW_STEADY;
}

void mw_top_free(struct mw_top *m)
{
	for (size_t i = 0; i < m->n_workers; i++)
		free(m->workers[i]);
	free(m->workers);
	free(m->rows);
	*m = (struct mw_top){0};
}

/* ---- the workers ---- */

/* Where id is, or would be. */
static size_t place_of(const struct mw_top *m, __u64 id)
{
	size_t low = 0, high = m->n_workers;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (m->workers[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct mw_top_worker *mw_top_find(const struct mw_top *m, __u64 id)
{
	size_t at = place_of(m, id);

	return at < m->n_workers && m->workers[at]->id == id ? m->workers[at] : NULL;
}

struct mw_top_worker *mw_top_named(const struct mw_top *m, const char *name)
{
	for (size_t i = 0; *name && i < m->n_workers; i++)
		if (strcmp(m->workers[i]->name, name) == 0)
			return m->workers[i];
	return NULL;
}

/* Both lists have the same room: every worker may be a row. */
static bool make_room(struct mw_top *m)
{
	size_t room = m->room ? m->room * 2 : 64;
	void *grown;

	if (m->n_workers < m->room)
		return true;
	grown = reallocarray(m->workers, room, sizeof(m->workers[0]));
	if (!grown)
		return false;
	m->workers = grown;
	grown = reallocarray(m->rows, room, sizeof(m->rows[0]));
	if (!grown)
		return false;
	m->rows = grown;
	m->room = room;
	return true;
}

struct mw_top_worker *mw_top_worker(struct mw_top *m, __u64 id)
{
	struct mw_top_worker *w = mw_top_find(m, id);
	size_t at = place_of(m, id);

	if (w || !id || m->n_workers >= MW_TOP_WORKERS || !make_room(m))
		return w;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->id = id;
	w->high = w->max = MW_UNLIMITED;
	w->limit_s = -1;
	memset(w->past, 0xff, sizeof(w->past));
	memset(w->stalls, 0xff, sizeof(w->stalls));
	memmove(m->workers + at + 1, m->workers + at, (m->n_workers - at) * sizeof(m->workers[0]));
	m->workers[at] = w;
	m->n_workers++;
	m->n_unnamed++;
	return w;
}

static void drop(struct mw_top *m, size_t at)
{
	m->n_unnamed -= !*m->workers[at]->name;
	for (size_t i = 0; i < m->n_rows; i++)
		if (m->rows[i] == m->workers[at])
			memmove(m->rows + i, m->rows + i + 1, (--m->n_rows - i) * sizeof(m->rows[0]));
	free(m->workers[at]);
	memmove(m->workers + at, m->workers + at + 1, (--m->n_workers - at) * sizeof(m->workers[0]));
}

void mw_top_forget(struct mw_top *m, __u64 before_ms)
{
	for (size_t i = m->n_workers; i-- > 0;)
		if (m->workers[i]->seen_ms < before_ms)
			drop(m, i);
}

/* ---- the past ---- */

__u64 mw_top_ago(const struct mw_top *m, const __u64 list[MW_TOP_POINTS], unsigned i)
{
	return i < MW_TOP_POINTS ? list[(m->head + MW_TOP_POINTS - i) % MW_TOP_POINTS] : MW_TOP_NONE;
}

static void step(struct mw_top *m)
{
	unsigned before = m->head;

	m->head = (m->head + 1) % MW_TOP_POINTS;
	for (size_t i = 0; i < m->n_workers; i++) {
		struct mw_top_worker *w = m->workers[i];

		/* Who did not change is not told again. */
		w->past[m->head] = m->gap ? MW_TOP_NONE : w->past[before];
		w->stalls[m->head] = m->gap ? MW_TOP_NONE : w->stalls[before];
	}
}

void mw_top_move_to(struct mw_top *m, __u64 t_ms)
{
	__u64 seconds = t_ms / 1000, last = m->head_ms / 1000, n = seconds > last ? seconds - last : 0;

	if (m->head_ms && t_ms + MW_TOP_POINTS * 1000ULL < m->head_ms)
		m->gap = true, n = MW_TOP_POINTS; /* the clock was set back: nothing of it can be trusted */
	for (__u64 i = 0; m->head_ms && i < n && i < MW_TOP_POINTS; i++)
		step(m);
	m->head_ms = t_ms;
	m->gap = false;
}

void mw_top_note(struct mw_top *m, struct mw_top_worker *w)
{
	w->past[m->head] = w->usage;
	w->stalls[m->head] = w->stalled_ns;
}

static void judge_stalls(struct mw_top *m, struct mw_top_worker *w)
{
	__u64 now = mw_top_ago(m, w->stalls, 0), before;

	for (unsigned i = STALLS_OVER; now != MW_TOP_NONE && i > 0; i--) {
		before = mw_top_ago(m, w->stalls, i);
		if (before == MW_TOP_NONE)
			continue;
		w->stalled_share = now > before ? (double)(now - before) / (i * 1e9) : 0;
		return;
	}
}

double mw_top_growth(const struct mw_top *m, const struct mw_top_worker *w)
{
	__u64 now = mw_top_ago(m, w->past, 0), before;

	for (unsigned i = GROWTH_SECONDS; now != MW_TOP_NONE && i > 0; i--) {
		before = mw_top_ago(m, w->past, i);
		if (before != MW_TOP_NONE)
			return ((double)now - (double)before) / i;
	}
	return 0;
}

void mw_top_away(struct mw_top *m)
{
	m->gap = true;
	m->streaming = false;
	for (size_t i = 0; i < m->n_workers; i++)
		m->workers[i]->streamed = false;
}

/* ---- the stream ---- */

/* Columns by their names: a newer daemon may have more of them, in another order. */
enum column {
	COL_ID,
	COL_USAGE,
	COL_HEAP,
	COL_BIN,
	COL_HIGH,
	COL_MAX,
	COL_PERCENT,
	COL_LEVEL,
	COL_VERDICT,
	COL_STALLED,
	COL_FLAGS,
	N_COLUMNS
};
static const char *const column_names[] = {"cgroup_id",	 "usage_bytes", "heap_bytes", "bin_bytes",
					   "high_bytes", "max_bytes",	"percent",    "level",
					   "verdict",	 "stalled_ns",	"flags"};
_Static_assert(ARRAY_SIZE(column_names) == N_COLUMNS, "a name for every column");

static void places_of(struct json_object *columns, size_t places[N_COLUMNS])
{
	for (size_t c = 0; c < N_COLUMNS; c++) {
		places[c] = columns ? SIZE_MAX : c;
		for (size_t i = 0; i < mw_field_length(columns); i++) {
			const char *name = json_object_get_string(json_object_array_get_idx(columns, i));

			if (name && strcmp(name, column_names[c]) == 0)
				places[c] = i;
		}
	}
}

static struct json_object *cell(struct json_object *row, size_t place)
{
	return place < mw_field_length(row) ? json_object_array_get_idx(row, place) : NULL;
}

static __u64 number(struct json_object *row, size_t place, __u64 otherwise)
{
	struct json_object *v = cell(row, place);
	int64_t n = v ? json_object_get_int64(v) : -1;

	return n < 0 ? otherwise : (__u64)n;
}

static void take_row(struct mw_top *m, struct json_object *row, const size_t p[N_COLUMNS], __u64 t_ms)
{
	struct mw_top_worker *w = NULL;

	if (json_object_is_type(row, json_type_array))
		w = mw_top_worker(m, number(row, p[COL_ID], 0));
	if (!w)
		return;
	w->usage = number(row, p[COL_USAGE], 0);
	w->heap = number(row, p[COL_HEAP], 0);
	w->bin = number(row, p[COL_BIN], 0);
	w->high = number(row, p[COL_HIGH], MW_UNLIMITED);
	w->max = number(row, p[COL_MAX], MW_UNLIMITED);
	w->percent = json_object_get_double(cell(row, p[COL_PERCENT]));
	w->level = m->levels[number(row, p[COL_LEVEL], 0) % ARRAY_SIZE(m->levels)];
	w->verdict = m->verdicts[number(row, p[COL_VERDICT], 0) % ARRAY_SIZE(m->verdicts)];
	w->stalled_ns = number(row, p[COL_STALLED], 0);
	w->flags = (w->flags & MW_TOP_NOT_IN_FORCE) | (unsigned)number(row, p[COL_FLAGS], 0);
	w->seen_ms = t_ms;
	w->streamed = true;
	mw_top_note(m, w);
}

static void learn_names(struct mw_top *m, struct json_object *doc)
{
	struct json_object *levels = mw_field_array(doc, "levels"), *verdicts = mw_field_array(doc, "verdicts");

	for (size_t i = 0; i < mw_field_length(levels) && i < ARRAY_SIZE(m->levels); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(levels, i));

		for (int l = 0; name && l < MW_LEVEL_MAX; l++)
			if (strcmp(name, mw_level_name(l)) == 0)
				m->levels[i] = l;
	}
	for (size_t i = 0; i < mw_field_length(verdicts) && i < ARRAY_SIZE(m->verdicts); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(verdicts, i));

		for (int v = 0; name && v < MW_TREND_MAX; v++)
			if (strcmp(name, mw_trend_name(v)) == 0)
				m->verdicts[i] = v;
	}
}

static void take_gone(struct mw_top *m, struct json_object *gone)
{
	for (size_t i = 0; i < mw_field_length(gone); i++) {
		__u64 id = (__u64)json_object_get_int64(json_object_array_get_idx(gone, i));
		size_t at = place_of(m, id);

		if (at < m->n_workers && m->workers[at]->id == id)
			drop(m, at);
	}
}

int mw_top_live(struct mw_top *m, const char *data)
{
	_cleanup_json_ struct json_object *doc = json_tokener_parse(data);
	struct json_object *rows = mw_field_array(doc, "rows");
	size_t places[N_COLUMNS];
	__u64 t_ms;

	if (!rows || !mw_field_u64(doc, "t", &t_ms) || !t_ms)
		return -EBADMSG;
	m->streaming = true;
	learn_names(m, doc);
	mw_top_move_to(m, t_ms);
	places_of(mw_field_array(doc, "columns"), places);
	for (size_t i = 0; i < mw_field_length(rows); i++)
		take_row(m, json_object_array_get_idx(rows, i), places, t_ms);
	take_gone(m, mw_field_array(doc, "gone"));
	for (size_t i = 0; i < m->n_workers; i++)
		judge_stalls(m, m->workers[i]);
	/* "gone" says it at once; this is for who went while nobody was connected. */
	mw_top_forget(m, t_ms > FORGET_MS ? t_ms - FORGET_MS : 0);
	return 0;
}
