/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The last minute of an incident's worker as a story: what was recorded, in the order it happened, and what follows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/json_out.h"
#include "report/json_track.h"
#include "report/phrase.h"
#include "report/postmortem.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define MOMENTS (MW_HISTORY_MARKS + 6)

struct moment {
	__u64 time_ns;
	int order; /* of those at the same time */
	const char *what;
	char text[MW_MARK_TEXT + 40];
};

struct moments {
	struct moment at[MOMENTS];
	size_t n;
};

static void listp(struct json_object **list)
{
	json_object_put(*list);
}

static struct moment *add(struct moments *m, __u64 time_ns, const char *what)
{
	struct moment *one = &m->at[m->n < MOMENTS ? m->n++ : MOMENTS - 1];

	*one = (struct moment){.time_ns = time_ns, .order = (int)m->n, .what = what};
	return one;
}

static void say_share(struct mw_phrase *p, const struct mw_look *l)
{
	mw_phrase_size(p, l->usage);
	if (l->max == MW_UNLIMITED || !l->max)
		return;
	mw_phrase_add(p, ", %.0f %% of memory.max of ", 100.0 * (double)l->usage / (double)l->max);
	mw_phrase_size(p, l->max);
}

static void add_look(struct moments *m, const struct mw_look *l, const char *what, const char *how)
{
	struct moment *one = add(m, l->time_ns, what);
	struct mw_phrase p = mw_phrase_begin(one->text, sizeof(one->text));

	mw_phrase_add(&p, "%s", how);
	say_share(&p, l);
}

/* What the points themselves tell of. */
static void add_looks(struct moments *m, const struct mw_scene *s)
{
	const struct mw_look *l = s->looks, *top = l;
	const struct mw_look *end = s->n_looks ? &l[s->n_looks - 1] : l;
	bool over = false;

	if (!s->n_looks)
		return;
	add_look(m, l, "recorded", "the recording begins: ");
	for (__u32 i = 0; i < s->n_looks; i++) {
		top = l[i].usage > top->usage ? &l[i] : top;
		if (i && !over && l[i].high != MW_UNLIMITED && l[i].usage >= l[i].high && l[i - 1].usage < l[i].high) {
			struct moment *one = add(m, l[i].time_ns, "high");
			struct mw_phrase p = mw_phrase_begin(one->text, sizeof(one->text));

			mw_phrase_add(&p, "over its soft limit of ");
			mw_phrase_size(&p, l[i].high);
			over = true;
		}
	}
	if (top->usage > end->usage + (1ULL << 20) && top != l)
		add_look(m, top, "peak", "its highest: ");
	add_look(m, end, "last-look", "last seen with ");
}

static void add_marks(struct moments *m, const struct mw_incident_more *more)
{
	for (size_t i = 0; i < more->n_marks && i < MW_HISTORY_MARKS; i++) {
		const struct mw_mark *k = &more->marks[i];
		struct moment *one = add(m, k->time_ns, k->type);

		if (k->count > 1)
			snprintf(one->text, sizeof(one->text), "%u within a second: %s", k->count, k->text);
		else
			snprintf(one->text, sizeof(one->text), "%s", k->text);
	}
}

static bool ends(const struct mw_incident_more *more)
{
	for (size_t i = 0; i < more->n_marks; i++)
		if (strcmp(more->marks[i].type, "died") == 0)
			return true;
	return false;
}

static int by_time(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->order - y->order;
}

static struct json_object *moment_json(const struct moment *m, const struct mw_scene *s, __s64 offset_ns)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_int(&o, "t_ms", (__s64)(m->time_ns - s->end_ns) / (__s64)MW_NS_PER_MS);
	mw_json_when(&o, "time", m->time_ns + (__u64)offset_ns);
	mw_json_text(&o, "what", m->what);
	mw_json_text(&o, "text", m->text);
	return mw_json_end(&o);
}

static struct json_object *timeline(const struct mw_scene *s, const struct mw_incident_more *more)
{
	_cleanup_(listp) struct json_object *list = json_object_new_array();
	_cleanup_free_ struct moments *m = calloc(1, sizeof(*m));

	if (!list || !m)
		return NULL;
	add_marks(m, more);
	add_looks(m, s);
	if (more->unwatched[0])
		snprintf(add(m, s->n_looks ? s->looks[s->n_looks - 1].time_ns : s->end_ns, "unwatched")->text,
			 sizeof(m->at[0].text), "%s", more->unwatched);
	if (!ends(more))
		snprintf(add(m, s->end_ns, mw_reason_name(s->inc->reason))->text, sizeof(m->at[0].text), "%.220s",
			 s->inc->why);
	qsort(m->at, m->n, sizeof(m->at[0]), by_time);
	for (size_t i = 0; i < m->n; i++) {
		struct json_object *one = moment_json(&m->at[i], s, more->offset_ns);

		if (one && json_object_array_add(list, one) == 0)
			continue;
		json_object_put(one);
		return NULL;
	}
	return TAKE_PTR(list);
}

static struct json_object *recorder(const struct mw_scene *s, const struct mw_incident_more *more)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	__u64 end_ns = s->n_looks ? s->looks[s->n_looks - 1].time_ns : 0;

	mw_json_u64(&o, "interval_ms", MW_TRACK_INTERVAL_NS / MW_NS_PER_MS);
	mw_json_put(&o, "columns", mw_json_track_columns());
	mw_json_put(&o, "points", mw_json_track_points(s->looks, s->n_looks));
	mw_json_when(&o, "ended", end_ns ? end_ns + (__u64)more->offset_ns : 0);
	if (end_ns)
		mw_json_int(&o, "ended_ms", (__s64)(end_ns - s->end_ns) / (__s64)MW_NS_PER_MS);
	else
		mw_json_null(&o, "ended_ms");
	if (more->unwatched[0])
		mw_json_text(&o, "note", more->unwatched);
	else
		mw_json_null(&o, "note");
	return mw_json_end(&o);
}

static struct json_object *cause(const struct mw_scene *s)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	struct mw_course c = mw_course_of(s);
	char text[1024];

	mw_json_text(&o, "code", mw_by_name(mw_by_of(s)));
	mw_json_text(&o, "led_by", mw_led_name(c.led));
	mw_json_text(&o, "text", mw_cause_text(s, text, sizeof(text)));
	return mw_json_end(&o);
}

static struct json_object *neighbour(const struct mw_scene *s, const struct mw_neighbour *n)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	char text[320];

	mw_json_text(&o, "name", n->name);
	mw_json_text(&o, "class", n->class_name);
	mw_json_u64(&o, "usage_bytes", n->usage);
	if (n->max == MW_UNLIMITED || !n->max)
		mw_json_null(&o, "percent");
	else
		mw_json_double(&o, "percent", 100.0 * (double)n->usage / (double)n->max, 1);
	mw_json_text(&o, "level", mw_level_name(n->level));
	mw_json_text(&o, "why_not", mw_why_not_text(s, n, text, sizeof(text)));
	return mw_json_end(&o);
}

static struct json_object *prevention(const struct mw_prevention *p)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_text(&o, "kind", mw_prevention_name(p->kind));
	mw_json_text(&o, "text", p->text);
	if (p->setting[0])
		mw_json_text(&o, "setting", p->setting);
	return mw_json_end(&o);
}

/* NULL where one of them is. */
static struct json_object *append(struct json_object *list, struct json_object *one)
{
	if (list && one && json_object_array_add(list, one) == 0)
		return list;
	json_object_put(one);
	json_object_put(list);
	return NULL;
}

void mw_json_story(struct mw_json_out *o, const struct mw_scene *s, const struct mw_incident_more *more)
{
	struct json_object *near = json_object_new_array(), *prevent = json_object_new_array();
	struct mw_prevention list[MW_PREVENTIONS];
	size_t n = mw_prevent(s, list);

	for (__u32 i = 0; near && i < s->n_near; i++)
		near = append(near, neighbour(s, &s->near[i]));
	for (size_t i = 0; prevent && i < n; i++)
		prevent = append(prevent, prevention(&list[i]));
	mw_json_put(o, "recorder", recorder(s, more));
	mw_json_put(o, "timeline", timeline(s, more));
	mw_json_put(o, "cause", cause(s));
	mw_json_put(o, "neighbours", near);
	mw_json_put(o, "prevention", prevent);
}
