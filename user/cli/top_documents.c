/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the model takes from the daemon's other documents, and from the host. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/field.h"
#include "cli/top_impl.h"
#include "util/cleanup.h"

static void take_flags(struct mw_top_worker *w, struct json_object *o)
{
	static const struct {
		const char *key;
		unsigned flag;
	} flags[] = {{"frozen", MW_TOP_FROZEN}, {"lifted", MW_TOP_LIFTED}, {"hibernated", MW_TOP_HIBERNATED}};

	for (size_t i = 0; !w->streamed && i < ARRAY_SIZE(flags); i++)
		w->flags = mw_field_bool(o, flags[i].key) ? w->flags | flags[i].flag : w->flags & ~flags[i].flag;
	w->flags = mw_field_object(o, "not_in_force") ? w->flags | MW_TOP_NOT_IN_FORCE
						      : w->flags & ~(unsigned)MW_TOP_NOT_IN_FORCE;
}

static void take_figures(struct mw_top_worker *w, struct json_object *o)
{
	if (!mw_field_u64(o, "usage_bytes", &w->usage))
		w->usage = 0;
	mw_field_u64(o, "heap_bytes", &w->heap);
	mw_field_u64(o, "bin_bytes", &w->bin);
	if (!mw_field_u64(o, "high_bytes", &w->high))
		w->high = MW_UNLIMITED;
	if (!mw_field_u64(o, "max_bytes", &w->max))
		w->max = MW_UNLIMITED;
	w->percent = mw_field_number(o, "percent", 0);
	w->stalled_share = mw_field_number(o, "stalled_share", 0);
	for (int i = 0; i < MW_LEVEL_MAX; i++)
		if (strcmp(mw_field_str(o, "level"), mw_level_name(i)) == 0)
			w->level = i;
	for (int i = 0; i < MW_TREND_MAX; i++)
		if (strcmp(mw_field_str(o, "verdict"), mw_trend_name(i)) == 0)
			w->verdict = i;
}

static void take_worker(struct mw_top *m, struct json_object *o, __u64 now_ms)
{
	struct mw_top_worker *w;
	__u64 id;

	if (!mw_field_u64(o, "cgroup_id", &id) || !*mw_field_str(o, "name"))
		return;
	w = mw_top_worker(m, id);
	if (!w)
		return;
	m->n_unnamed -= !*w->name;
	snprintf(w->name, sizeof(w->name), "%s", mw_field_str(o, "name"));
	snprintf(w->class_name, sizeof(w->class_name), "%s", mw_field_str(o, "class"));
	/* What the stream says of it is newer than an answer that was made in turns. */
	if (!w->streamed) {
		take_figures(w, o);
		w->seen_ms = now_ms;
	}
	take_flags(w, o);
	if (!w->streamed)
		mw_top_note(m, w);
}

int mw_top_listed(struct mw_top *m, struct json_object *doc, __u64 now_ms, bool whole)
{
	struct json_object *list = mw_field_array(doc, "workers");
	__u64 budget;

	if (!list)
		return -EBADMSG;
	if (!m->streaming && whole)
		mw_top_move_to(m, now_ms);
	for (size_t i = 0; i < mw_field_length(list); i++)
		take_worker(m, json_object_array_get_idx(list, i), now_ms);
	if (whole)
		m->host.budget = mw_field_u64(doc, "budget_bytes", &budget) ? budget : MW_UNLIMITED;
	if (whole && !m->streaming)
		mw_top_forget(m, now_ms);
	return 0;
}

/* Only where nothing is known yet: what was seen is not written over. The newest of the list is now. */
static void take_past(struct mw_top *m, struct mw_top_worker *w, struct json_object *one)
{
	struct json_object *list = mw_field_array(one, "usage_bytes"), *v;
	size_t n = mw_field_length(list);
	double interval_s = mw_field_number(one, "interval_ms", 1000) / 1000;

	for (unsigned i = 0; i < MW_TOP_POINTS && n && interval_s > 0; i++) {
		__u64 *at = &w->past[(m->head + MW_TOP_POINTS - i) % MW_TOP_POINTS];
		size_t back = (size_t)(i / interval_s);

		v = back < n ? json_object_array_get_idx(list, n - 1 - back) : NULL;
		if (*at == MW_TOP_NONE && v && json_object_get_int64(v) >= 0)
			*at = (__u64)json_object_get_int64(v);
	}
}

void mw_top_history(struct mw_top *m, struct json_object *doc)
{
	struct json_object *list = mw_field_array(doc, "workers");

	for (size_t i = 0; i < mw_field_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		struct mw_top_worker *w;
		__u64 id;

		w = mw_field_u64(one, "cgroup_id", &id) ? mw_top_find(m, id) : NULL;
		if (w)
			take_past(m, w, one);
	}
}

void mw_top_health(struct mw_top *m, struct json_object *doc)
{
	static const char *const lost[] = {"events_lost", "copies_lost", "bad_records", "breaker_lost",
					   "log_lines_lost"};
	__u64 n;

	m->host.lost = 0;
	for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
		m->host.lost += mw_field_u64(doc, lost[i], &n) ? n : 0;
	m->host.dry_run = mw_field_bool(doc, "dry_run");
	snprintf(m->host.version, sizeof(m->host.version), "%s", mw_field_str(doc, "version"));
}

void mw_top_levelled(struct mw_top *m, struct json_object *doc, __u64 now_ms)
{
	struct mw_top_worker *w;
	__u64 id;

	w = mw_field_u64(doc, "cgroup_id", &id) ? mw_top_find(m, id) : NULL;
	if (!w)
		return;
	w->limit_s = mw_field_number(doc, "time_to_limit_s", -1);
	w->limit_asked_ms = now_ms;
}

void mw_top_meminfo(struct mw_top *m, const char *text)
{
	static const struct {
		const char *key;
		size_t offset;
	} keys[] = {{"MemTotal:", offsetof(struct mw_top_host, mem_total)},
		    {"MemAvailable:", offsetof(struct mw_top_host, mem_available)}};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *at = strstr(text, keys[i].key);

		if (at)
			*(__u64 *)((char *)&m->host + keys[i].offset) =
				strtoull(at + strlen(keys[i].key), NULL, 10) * 1024;
	}
}
