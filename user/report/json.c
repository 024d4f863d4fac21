/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "report/json_out.h"
#include "util/clock.h"

static const char *const event_names[] = {
	[MW_EVENT_NONE] = "none",	  [MW_EVENT_FORK] = "fork",
	[MW_EVENT_EXEC] = "exec",	  [MW_EVENT_EXIT] = "exit",
	[MW_EVENT_ATTACH] = "attach",	  [MW_EVENT_MKDIR] = "mkdir",
	[MW_EVENT_RELEASE] = "release",	  [MW_EVENT_NEAR_HIGH] = "near-high",
	[MW_EVENT_THROTTLE] = "throttle", [MW_EVENT_PAUSE] = "pause",
	[MW_EVENT_OOM] = "oom",		  [MW_EVENT_LIMIT] = "limit",
	[MW_EVENT_NEWCOMER] = "newcomer",
};
_Static_assert(sizeof(event_names) / sizeof(event_names[0]) == MW_EVENT_MAX, "a name for every event");

static const char *const pause_names[] = {
	[MW_PAUSE_MEMSTALL] = "memstall",
	[MW_PAUSE_HIGH_THROTTLE] = "high-throttle",
	[MW_PAUSE_HIGH_RECLAIM] = "high-reclaim",
	[MW_PAUSE_MAX_RECLAIM] = "max-reclaim",
	[MW_PAUSE_GLOBAL_RECLAIM] = "global-reclaim",
	[MW_PAUSE_NODE_RECLAIM] = "node-reclaim",
	[MW_PAUSE_RECLAIM_THROTTLE] = "reclaim-throttle",
	[MW_PAUSE_COMPACTION] = "compaction",
	[MW_PAUSE_THRASH] = "thrash",
	[MW_PAUSE_SWAP_IN] = "swap-in",
	[MW_PAUSE_OOM] = "oom",
	[MW_PAUSE_OTHER] = "other",
};
_Static_assert(sizeof(pause_names) / sizeof(pause_names[0]) == MW_PAUSE_MAX, "a name for every kind of pause");

const char *mw_event_name(enum mw_event_type type)
{
	return (unsigned int)type < MW_EVENT_MAX ? event_names[type] : "unknown";
}

const char *mw_pause_name(enum mw_pause_kind kind)
{
	return (unsigned int)kind < MW_PAUSE_MAX ? pause_names[kind] : "unknown";
}

const char *mw_json_time(__u64 wall_ns, char *buf, size_t size)
{
	time_t seconds = (time_t)(wall_ns / MW_NS_PER_S);
	unsigned int ms = (unsigned int)(wall_ns % MW_NS_PER_S / MW_NS_PER_MS);
	struct tm t = {0};

	gmtime_r(&seconds, &t);
	snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
		 t.tm_min, t.tm_sec, ms);
	return buf;
}

struct json_object *mw_json_document(__u64 wall_ns)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	char text[40];

	mw_json_u64(&o, "schema", 1);
	mw_json_text(&o, "timestamp", mw_json_time(wall_ns, text, sizeof(text)));
	return mw_json_end(&o);
}

__u64 mw_hist_quantile(const struct mw_pause_stat *s, double q)
{
	__u64 total = 0, seen = 0, rank;
	double exact;

	for (int i = 0; i < MW_HIST_SLOTS; i++)
		total += s->hist[i];
	if (!total)
		return 0;
	/* The smallest rank at or above q of all, less what 0.07 * 100 = 7.000000000000001 has too much. */
	exact = q * (double)total * (1 - 1e-12);
	rank = exact > 0 ? (__u64)exact : 0;
	rank += (double)rank < exact;
	for (int i = 0; i < MW_HIST_SLOTS - 1; i++) {
		seen += s->hist[i];
		if (seen && seen >= rank) {
			__u64 largest = (2ULL << i) - 1;

			return largest < s->max_ns ? largest : s->max_ns;
		}
	}
	return s->max_ns; /* the last slot has no upper end */
}

bool mw_json_is_for(struct json_object *doc, uid_t reader)
{
	struct json_object *v;

	return reader == 0 || (json_object_object_get_ex(doc, "uid", &v) && json_object_is_type(v, json_type_int) &&
			       json_object_get_int64(v) == (int64_t)reader);
}

/* Whose event it is: the worker where it is known, else what the record itself says. */
static void event_worker(struct mw_json_out *o, const struct mw_event *e, const struct mw_worker *w)
{
	mw_json_text(o, "name", w ? w->name : e->worker);
	if (w) {
		mw_json_text(o, "class", w->class_name);
		mw_json_text(o, "cgroup", w->cgroup ? w->cgroup : "");
		if (w->container)
			mw_json_put(o, "container", mw_json_container(w->container));
	} else {
		mw_json_null(o, "class");
		mw_json_null(o, "cgroup");
	}
	mw_json_u64(o, "cgroup_id", e->cgroup_id);
	mw_json_u64(o, "uid", w ? w->uid : 0);
}

struct json_object *mw_json_event(const struct mw_event *e, const struct mw_worker *w, __s64 boot_offset_ns)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_text(&o, "type", mw_event_name(e->type));
	mw_json_when(&o, "time", e->time_ns + (__u64)boot_offset_ns);
	event_worker(&o, e, w);
	mw_json_u64(&o, "pid", e->pid);
	mw_json_u64(&o, "tid", e->tid);
	mw_json_text(&o, "comm", e->comm);
	if (e->type == MW_EVENT_PAUSE || e->type == MW_EVENT_THROTTLE)
		mw_json_text(&o, "kind", mw_pause_name(e->kind));
	else
		mw_json_null(&o, "kind");
	mw_json_u64(&o, "duration_ns", e->duration_ns);
	mw_json_u64(&o, "value", e->value);
	mw_json_u64(&o, "seq", e->seq);
	if (e->type == MW_EVENT_OOM)
		mw_json_text(&o, "limit", e->flags & MW_OOM_MEMCG ? "memcg" : "host");
	if (e->type == MW_EVENT_LIMIT) {
		mw_json_text(&o, "file", mw_held_file(e->flags));
		mw_json_limit(&o, "old_bytes", e->limit_id);
		mw_json_limit(&o, "new_bytes", e->value);
	}
	return mw_json_end(&o);
}
