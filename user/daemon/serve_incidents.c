/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Incidents: a list of them, or what there is about one worker. Each is a file of some 30 KB, and fifty may be asked
 * for: they are read and written again one after the other, in turns of the loop. In brief the newest are in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/serve.h"
#include "daemon/serve_ps.h"
#include "daemon/serve_turns.h"
#include "report/json.h"
#include "report/json_advice.h"
#include "report/json_out.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define MEMBER_INCIDENTS 200 /* the newest ones, among which a member's own are looked for */
#define LIST		 50
#define OF_ONE		 20

static const char marks[] = ",\"incidents\":[]}";
#define LIST_BEGINS 0, 14
#define COMMA	    0, 1
#define LIST_ENDS   14, 2

struct gathering {
	char cursor[MW_INCIDENT_ID_SIZE];
	char name[MW_NAME_SIZE]; /* of a worker; "": any */
	bool one; /* what there is about that worker */
	bool brief;
	uid_t reader;
	size_t most, n, looked; /* n: are in list */
	struct mw_parts *list;
	struct mw_kept *marks;
};

static void gathering_free(void *state)
{
	struct gathering *s = state;

	mw_parts_free(s->list);
	mw_kept_drop(s->marks);
	free(s);
}

static int comma(struct gathering *s)
{
	return s->n++ ? mw_parts_add(s->list, s->marks, COMMA) : 0;
}

/* Takes brief, NULL: there was no memory for it. */
static int add_brief(struct gathering *s, struct mw_kept *brief)
{
	int r = brief ? comma(s) : -ENOMEM;

	if (r == 0)
		r = mw_parts_add(s->list, brief, 0, brief->size);
	mw_kept_drop(brief);
	return r;
}

static int add(struct gathering *s, struct json_object *doc)
{
	struct mw_parts *parts = mw_json_parts(doc);
	int r = parts ? comma(s) : -ENOMEM;

	if (r == 0)
		r = mw_parts_append(s->list, parts);
	mw_parts_free(parts);
	return r;
}

/* The next one that is asked for. 1: it is in the list, or none for this reader; 0: there is none; -errno. */
static int gather_one(struct mw_guard *g, struct gathering *s)
{
	struct json_object *doc;
	int r = 0;

	if (s->brief && !s->name[0] && !s->reader) {
		struct mw_kept *brief = mw_incidents_brief_before(g->incidents, s->cursor);

		r = brief ? add_brief(s, brief) : 0;
		return r < 0 ? r : brief != NULL;
	}
	doc = mw_incidents_before(g->incidents, s->name[0] ? s->name : NULL, s->cursor);
	if (!doc)
		return 0;
	if (mw_json_is_for(doc, s->reader))
		r = s->brief ? add_brief(s, mw_incident_brief(doc)) : add(s, doc);
	json_object_put(doc);
	return r < 0 ? r : 1;
}

static int gathering_step(struct mw_guard *g, void *state, __u64 until_ns)
{
	struct gathering *s = state;
	size_t look_at = s->reader ? MEMBER_INCIDENTS : 0;

	while ((!s->most || s->n < s->most) && (!look_at || s->looked < look_at)) {
		int r = gather_one(g, s);

		if (r <= 0)
			return r;
		s->looked++;
		if (mw_now_ns() >= until_ns)
			return 1;
	}
	return 0;
}

/* head's members, then the list; takes head. */
static void answer_with(struct gathering *s, struct mw_request *r, struct json_object *head)
{
	struct mw_parts *answer = head ? mw_json_parts(head) : NULL;
	int rc = answer ? 0 : -ENOMEM;

	json_object_put(head);
	if (rc == 0) {
		mw_parts_cut(answer, 1); /* } */
		rc = mw_parts_add(answer, s->marks, LIST_BEGINS);
	}
	if (rc == 0)
		rc = mw_parts_append(answer, s->list);
	if (rc == 0)
		rc = mw_parts_add(answer, s->marks, LIST_ENDS);
	if (rc == 0)
		return mw_request_answer_parts(r, 200, "application/json", answer);
	mw_parts_free(answer);
	mw_serve_error(r, rc, "no memory for so many incidents");
}

static void add_worker(struct mw_guard *g, struct json_object *doc, struct mw_worker *w)
{
	_cleanup_(mw_lookups_end) struct mw_lookups l = {0};
	struct json_object *advice = json_object_new_array();

	mw_lookups_begin(&l, g);
	json_object_object_add(doc, "worker", mw_lookups_ps(&l, w));
	json_object_object_add(doc, "leak", mw_json_leak(w, mw_now_ns(), mw_wall_ns()));
	json_object_object_add(doc, "pauses", mw_serve_pauses_of(g, w));
	json_object_object_add(doc, "ladder", mw_json_ladder(w));
	mw_json_advise(advice, w, &g->cfg.monitor, mw_now_ns());
	json_object_object_add(doc, "recommendations", advice);
}

static void gathering_answer(struct mw_guard *g, void *state, struct mw_request *r)
{
	struct gathering *s = state;
	struct mw_worker *w = s->one ? mw_worker_by_name(&g->workers, s->name) : NULL;
	struct json_object *doc;

	if (w) {
		mw_guard_sample(g, MW_SAMPLE_ALL, mw_now_ns());
		w = mw_worker_by_name(&g->workers, s->name); /* it may have ended just now */
	}
	if (w && s->reader && w->uid != s->reader) /* and its name be another's */
		w = NULL;
	if (s->one && !w && !s->n)
		return mw_serve_error(
			r, -ENOENT,
			"no worker under guard, no incident and no dead worker with incidents has this name");
	doc = mw_json_document(mw_wall_ns());
	if (w && doc)
		add_worker(g, doc, w);
	answer_with(s, r, doc);
}

static const struct mw_turns_kind gathering_kind = {"so many incidents", gathering_step, gathering_answer,
						    gathering_free};

static void gather(struct mw_guard *g, struct mw_request *r, const char *name, size_t most, bool one, bool brief)
{
	struct gathering *s = calloc(1, sizeof(*s));

	if (s) {
		*s = (struct gathering){.cursor = MW_INCIDENTS_NEWEST,
					.one = one,
					.brief = brief,
					.reader = mw_serve_reader(r),
					.most = most,
					.list = mw_parts_new(),
					.marks = mw_kept_new(marks, sizeof(marks) - 1)};
		snprintf(s->name, sizeof(s->name), "%s", name ? name : "");
		if (name && strlen(name) >= sizeof(s->name))
			s->cursor[0] = '\0'; /* nobody has such a name: there is nothing before it */
	}
	if (s && (!s->list || !s->marks)) {
		gathering_free(s);
		s = NULL;
	}
	mw_turns_add(g, r, &gathering_kind, s);
}

void mw_serve_incidents(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	const char *limit = mw_request_query(r, "limit");

	(void)rest;
	gather(g, r, mw_request_query(r, "worker"), limit ? strtoul(limit, NULL, 10) : LIST, false,
	       mw_request_query(r, "brief"));
}

void mw_serve_one(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	struct mw_worker *w = mw_worker_by_name(&g->workers, rest);
	struct json_object *doc, *incident, *list;

	if (w && !mw_serve_may(g, r, MW_RIGHT_LOOK, "report", w))
		return;
	incident = w ? NULL : mw_incidents_get(g->incidents, rest);
	if (!incident || !mw_json_is_for(incident, mw_serve_reader(r))) {
		json_object_put(incident);
		return gather(g, r, rest, OF_ONE, true, false);
	}
	doc = mw_json_document(mw_wall_ns());
	list = json_object_new_array();
	json_object_array_add(list, incident);
	json_object_object_add(doc, "incidents", list);
	mw_serve_json(r, 200, doc);
}
