/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the recorder holds: the last minute of one worker with what happened, and of many the line of their usage. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/serve.h"
#include "daemon/serve_turns.h"
#include "report/json.h"
#include "report/json_out.h"
#include "report/json_track.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define NAMES_MAX 200

void mw_serve_history(struct mw_guard *g, struct mw_request *r, const struct mw_worker *w)
{
	struct mw_json_out o = mw_json_begin(mw_json_document(mw_wall_ns()));
	struct mw_look looks[MW_TRACK_POINTS];
	struct mw_mark marks[MW_HISTORY_MARKS];
	__u32 n = mw_track_read(w->track, looks);
	__u64 now_ns = mw_now_ns(), zero_ns = n ? looks[n - 1].time_ns : now_ns;
	size_t n_marks = mw_recorder_marks(g->recorder, w->cgroup_id,
					   zero_ns > MW_TRACK_WINDOW_NS ? zero_ns - MW_TRACK_WINDOW_NS : 0, marks,
					   ARRAY_SIZE(marks));

	mw_json_text(&o, "name", w->name);
	mw_json_text(&o, "class", w->class_name);
	mw_json_text(&o, "cgroup", w->cgroup);
	mw_json_u64(&o, "cgroup_id", w->cgroup_id);
	mw_json_u64(&o, "interval_ms", MW_TRACK_INTERVAL_NS / MW_NS_PER_MS);
	mw_json_put(&o, "columns", mw_json_track_columns());
	mw_json_put(&o, "points", mw_json_track_points(looks, n));
	mw_json_put(&o, "marks", mw_json_marks(marks, n_marks, zero_ns, (__s64)(mw_wall_ns() - now_ns)));
	mw_serve_json(r, 200, mw_json_end(&o));
}

/* Of the names that were asked for, in a turn each time. */
struct sparks {
	struct json_object *doc, *list;
	uid_t reader;
	__u32 points;
	char *names; /* owned; next: the one to do next, NULL: that was all */
	char *next;
};

static void sparks_free(void *state)
{
	struct sparks *s = state;

	json_object_put(s->doc);
	free(s->names);
	free(s);
}

/* Who is not there, or not this reader's, is left out: he may have ended just now. */
static bool add_one(struct mw_guard *g, struct sparks *s, const char *name)
{
	const struct mw_worker *w = mw_worker_by_name(&g->workers, name);
	__u64 step_ns = MW_TRACK_WINDOW_NS / s->points;
	struct json_object *one;
	struct mw_json_out o;

	if (!w || (s->reader && w->uid != s->reader))
		return true;
	o = mw_json_begin(json_object_new_object());
	mw_json_text(&o, "name", w->name);
	mw_json_u64(&o, "cgroup_id", w->cgroup_id);
	mw_json_u64(&o, "interval_ms", step_ns / MW_NS_PER_MS);
	mw_json_put(&o, "usage_bytes",
		    mw_json_track_spark(w->track, s->points, step_ns, 2 * g->cfg.monitor.sample_interval_ns,
					mw_now_ns()));
	one = mw_json_end(&o);
	if (one && json_object_array_add(s->list, one) == 0)
		return true;
	json_object_put(one);
	return false;
}

static int sparks_step(struct mw_guard *g, void *state, __u64 until_ns)
{
	struct sparks *s = state;

	while (s->next) {
		if (!add_one(g, s, strsep(&s->next, ",")))
			return -ENOMEM;
		if (s->next && mw_now_ns() >= until_ns)
			return 1;
	}
	return 0;
}

static void sparks_answer(struct mw_guard *g, void *state, struct mw_request *r)
{
	struct sparks *s = state;

	(void)g;
	mw_serve_json(r, 200, TAKE_PTR(s->doc));
}

static const struct mw_turns_kind sparks_kind = {"histories", sparks_step, sparks_answer, sparks_free};

static size_t count_names(const char *names)
{
	size_t n = 1;

	while ((names = strchr(names, ',')))
		n += *names++ == ',';
	return n;
}

/* Between 1 and what is kept; 0: it is no such number. */
static __u32 parse_points(const char *text)
{
	char *end;
	unsigned long n;

	if (!text)
		return 60;
	n = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && n >= 1 && n <= MW_TRACK_POINTS ? (__u32)n : 0;
}

void mw_serve_histories(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	const char *names = mw_request_query(r, "workers");
	__u32 points = parse_points(mw_request_query(r, "points"));
	struct sparks *s;

	(void)rest;
	if (!points)
		return mw_serve_error(r, -EINVAL, "points: expected a number from 1 to 120");
	if (!names || !names[0] || count_names(names) > NAMES_MAX)
		return mw_serve_error(r, -EINVAL, "workers: expected 1 to 200 names, with commas in between");
	s = calloc(1, sizeof(*s));
	if (s) {
		*s = (struct sparks){.doc = mw_json_document(mw_wall_ns()),
				     .list = json_object_new_array(),
				     .reader = mw_serve_reader(r),
				     .points = points,
				     .names = strdup(names)};
		s->next = s->names;
	}
	if (s && (!s->doc || !s->list || !s->names || json_object_object_add(s->doc, "workers", s->list) < 0)) {
		sparks_free(s);
		s = NULL;
	}
	mw_turns_add(g, r, &sparks_kind, s);
}
