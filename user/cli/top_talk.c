/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/top_talk.h"

#include <stdio.h>
#include <string.h>

#include "cli/call.h"
#include "cli/field.h"
#include "util/cleanup.h"
#include "util/clock.h"

enum {
	HEALTH_MS = 5000,
	LIST_MS = 60000, /* budget, and what the stream does not tell */
	LIST_SOON_MS = 5000, /* while there is a worker without a name, or no stream */
	LEVEL_MS = 4000,
	REPORT_MS = 5000,
	FEW = 3, /* workers without a name: asked for one by one */
	PASTS = 60, /* workers in one question for their past */
};

static __u64 wall_ms(void)
{
	return mw_wall_ns() / MW_NS_PER_MS;
}

/* ---- what the daemon says ---- */

static void on_live(const char *data, void *arg)
{
	struct mw_top_talk *t = arg;

	t->dirty |= mw_top_live(&t->model, data) == 0;
}

static void on_lost(void *arg)
{
	struct mw_top_talk *t = arg;

	mw_top_away(&t->model);
	t->list_ms = 0;
	t->dirty = true;
}

static void keep(struct json_object **kept, struct json_object *doc)
{
	json_object_put(*kept);
	*kept = json_object_get(doc);
}

/* What an action did, or would do. */
static void on_told(struct mw_top_talk *t, struct json_object *doc, const char *error)
{
	const char *text = doc ? mw_field_str(doc, "text") : error;

	mw_top_told(&t->ui, doc, *text ? text : "done");
	t->report_ms = 0;
}

static void on_answer(enum mw_feed_kind kind, struct json_object *doc, const char *error, void *arg)
{
	struct mw_top_talk *t = arg;

	t->dirty = true;
	if (kind == MW_FEED_DRY || kind == MW_FEED_ACT)
		on_told(t, doc, error);
	else if (!doc)
		return; /* the first line says that the daemon is away */
	else if (kind == MW_FEED_LISTED)
		t->listed |= mw_top_listed(&t->model, doc, wall_ms(), true) == 0;
	else if (kind == MW_FEED_ONE)
		mw_top_listed(&t->model, doc, wall_ms(), false);
	else if (kind == MW_FEED_HEALTH)
		mw_top_health(&t->model, doc);
	else if (kind == MW_FEED_LEVEL)
		mw_top_levelled(&t->model, doc, wall_ms());
	else if (kind == MW_FEED_HISTORY)
		mw_top_history(&t->model, doc);
	else if (kind == MW_FEED_REPORT)
		keep(&t->document, doc);
	else if (kind == MW_FEED_MARKS)
		keep(&t->marks, doc);
}

/* ---- what the daemon is asked ---- */

static void ask(struct mw_top_talk *t, enum mw_feed_kind kind, const char *path, __u64 now)
{
	if (path && !mw_feed_busy(t->feed, kind))
		mw_feed_ask(t->feed, kind, "GET", path, NULL, now);
}

/* Whose name is not known: one by one while they are few, else everybody's. */
static void ask_names(struct mw_top_talk *t, __u64 now)
{
	const struct mw_top *m = &t->model;
	__u64 every = m->streaming && (t->listed && !m->n_unnamed) ? LIST_MS : LIST_SOON_MS;
	char path[64];

	if (t->listed && m->n_unnamed && m->n_unnamed <= FEW) {
		size_t i = 0;

		while (i < m->n_workers && *m->workers[i]->name)
			i++;
		snprintf(path, sizeof(path), "/v1/workers?cgroup_id=%llu", m->workers[i]->id);
		if (m->workers[i]->id != t->one_id)
			ask(t, MW_FEED_ONE, path, now);
		t->one_id = m->workers[i]->id;
	}
	if (t->list_ms && now - t->list_ms < every)
		return;
	t->list_ms = now;
	ask(t, MW_FEED_LISTED, "/v1/workers", now);
}

/* The one among the first rows of whom it is longest ago. */
static void ask_level(struct mw_top_talk *t, __u64 wall, __u64 now)
{
	struct mw_top_worker *oldest = NULL;
	_cleanup_free_ char *path = NULL;

	if (mw_feed_busy(t->feed, MW_FEED_LEVEL))
		return;
	for (size_t i = 0; i < t->model.n_rows && i < MW_TOP_LOOKED_AT; i++) {
		struct mw_top_worker *w = t->model.rows[i];

		if (w->verdict > MW_STEADY && *w->name && w->limit_asked_ms + LEVEL_MS < wall &&
		    (!oldest || w->limit_asked_ms < oldest->limit_asked_ms))
			oldest = w;
	}
	if (!oldest)
		return;
	oldest->limit_asked_ms = wall;
	path = mw_call_path("/v1/workers", oldest->name, "level");
	ask(t, MW_FEED_LEVEL, path, now);
}

/* What rows in sight did before top was started. */
static void ask_pasts(struct mw_top_talk *t, __u64 now)
{
	char path[PASTS * (MW_NAME_SIZE + 1) + 64] = "/v1/history?points=60&workers=";
	size_t at = strlen(path), n = 0, first = t->ui.first;

	if (mw_feed_busy(t->feed, MW_FEED_HISTORY) || !t->model.head_ms)
		return;
	for (size_t i = first; i < first + (size_t)t->ui.page && i < t->model.n_rows && n < PASTS; i++) {
		struct mw_top_worker *w = t->model.rows[i];

		if (w->told_past || !*w->name)
			continue;
		w->told_past = true;
		at += (size_t)snprintf(path + at, sizeof(path) - at, "%s%s", n++ ? "," : "", w->name);
	}
	if (n)
		ask(t, MW_FEED_HISTORY, path, now);
}

void mw_top_talk_worker(struct mw_top_talk *t, __u64 now)
{
	const struct mw_top_worker *w = mw_top_find(&t->model, t->ui.chosen);
	_cleanup_free_ char *report = NULL, *marks = NULL;

	if (!w || !*w->name)
		return;
	if (strcmp(t->document_of, w->name) != 0) {
		keep(&t->document, NULL);
		keep(&t->marks, NULL);
		memcpy(t->document_of, w->name, sizeof(t->document_of));
	}
	t->report_ms = now;
	report = mw_call_path("/v1/report", w->name, NULL);
	marks = mw_call_path("/v1/workers", w->name, "history");
	ask(t, MW_FEED_REPORT, report, now);
	ask(t, MW_FEED_MARKS, marks, now);
}

void mw_top_talk_act(struct mw_top_talk *t, bool dry, __u64 now)
{
	_cleanup_free_ char *path = mw_call_path("/v1/workers", t->ui.act_on, t->ui.act->name);
	enum mw_feed_kind kind = dry ? MW_FEED_DRY : MW_FEED_ACT;

	if (mw_feed_busy(t->feed, kind))
		mw_top_told(&t->ui, false, "the last one is under way still");
	else if (path)
		mw_feed_ask(t->feed, kind, "POST", path, dry ? "{\"dry_run\":true}" : "{\"dry_run\":false}", now);
}

void mw_top_talk_ask(struct mw_top_talk *t, __u64 now)
{
	if (!t->health_ms || now - t->health_ms >= HEALTH_MS) {
		t->health_ms = now;
		ask(t, MW_FEED_HEALTH, "/healthz", now);
	}
	ask_names(t, now);
	ask_level(t, wall_ms(), now);
	ask_pasts(t, now);
	if (t->ui.mode == MW_TOP_WORKER && (!t->report_ms || now - t->report_ms >= REPORT_MS))
		mw_top_talk_worker(t, now);
}

int mw_top_talk_begin(struct mw_top_talk *t)
{
	const struct mw_feed_calls calls = {on_live, on_answer, on_lost, t};

	t->feed = mw_feed_new(t->cli->socket, &calls);
	return t->feed ? 0 : -ENOMEM;
}

void mw_top_talk_end(struct mw_top_talk *t)
{
	mw_feed_free(t->feed);
	t->feed = NULL;
	keep(&t->document, NULL);
	keep(&t->marks, NULL);
}
