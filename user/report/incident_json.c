/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* An incident as a document: what was known of the worker when it happened. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "report/incident.h"
#include "report/json.h"
#include "report/json_out.h"
#include "report/postmortem.h"
#include "report/pause.h"
#include "util/clock.h"

#define STAT_LINES 256 /* the kernel has some 60; memory.stat of a container is not to fill the disk */

static const char *const memcg_event_names[] = {
	[MW_MEMCG_LOW] = "low", [MW_MEMCG_HIGH] = "high",	  [MW_MEMCG_MAX] = "max",
	[MW_MEMCG_OOM] = "oom", [MW_MEMCG_OOM_KILL] = "oom_kill", [MW_MEMCG_OOM_GROUP_KILL] = "oom_group_kill",
};
_Static_assert(sizeof(memcg_event_names) / sizeof(memcg_event_names[0]) == MW_MEMCG_EVENT_MAX,
	       "a name for every memory.events counter");

/* "20261121T200501Z-web-7": sorts by time, and says whose it is without being opened. */
static void put_id(struct mw_json_out *o, const struct mw_incident *inc, const struct mw_worker *w)
{
	time_t seconds = (time_t)(inc->wall_ns / MW_NS_PER_S);
	char stamp[32], id[MW_INCIDENT_ID_SIZE];
	struct tm t = {0};

	gmtime_r(&seconds, &t);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &t);
	snprintf(id, sizeof(id), "%s-%s", stamp, w->name);
	mw_json_text(o, "id", id);
}

static struct json_object *curve_point(const struct mw_look *p, __u64 end_ns)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_double(&o, "t_s", -(double)(end_ns - p->time_ns) / MW_NS_PER_S, 1);
	mw_json_u64(&o, "bytes", p->usage);
	return mw_json_end(&o);
}

/* The same line as in recorder, for those who know no other. */
static struct json_object *curve(const struct mw_look *looks, __u32 n, const struct mw_usage *last)
{
	__u64 end_ns = n ? looks[n - 1].time_ns : 0;
	struct json_object *list = json_object_new_array();

	if (last->time_ns > end_ns)
		end_ns = last->time_ns;
	for (__u32 i = 0; list && i < n; i++) {
		struct json_object *point = curve_point(&looks[i], end_ns);

		if (point && !json_object_array_add(list, point))
			continue;
		json_object_put(point);
		json_object_put(list);
		return NULL;
	}
	return list;
}

/* "anon 4096\nfile 0\n..." as an object; a line that is not a name and a number is left out. */
static struct json_object *memory_stat(const char *text)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	int lines = 0;

	for (; text && *text && lines < STAT_LINES; lines++) {
		const char *end = strchr(text, '\n');
		size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
		char key[64];

		if (n && n < sizeof(key) && text[n] == ' ' && isdigit((unsigned char)text[n + 1])) {
			memcpy(key, text, n);
			key[n] = '\0';
			mw_json_u64(&o, key, strtoull(text + n, NULL, 10));
		}
		text = end ? end + 1 : NULL;
	}
	return mw_json_end(&o);
}

static struct json_object *events(const struct mw_usage *last)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	for (int i = 0; i < MW_MEMCG_EVENT_MAX; i++)
		mw_json_u64(&o, memcg_event_names[i], last->events[i]);
	return mw_json_end(&o);
}

static void put_end(struct mw_json_out *o, const struct mw_incident *inc)
{
	bool exited = inc->wait_status >= 0 && WIFEXITED(inc->wait_status);

	if (inc->killed_by[0])
		mw_json_text(o, "killed_by", inc->killed_by);
	else
		mw_json_null(o, "killed_by");
	if (inc->signal)
		mw_json_int(o, "signal", inc->signal);
	else
		mw_json_null(o, "signal");
	if (exited)
		mw_json_int(o, "exit_status", WEXITSTATUS(inc->wait_status));
	else
		mw_json_null(o, "exit_status");
	mw_json_u64(o, "saved_bytes", inc->saved_bytes);
}

static void put_memory(struct mw_json_out *o, const struct mw_incident *inc, const struct mw_worker *w,
		       const struct mw_usage *last)
{
	__u64 lived_ns = inc->wall_ns > w->started_wall_ns ? inc->wall_ns - w->started_wall_ns : 0;

	mw_json_limit(o, "limit_bytes", last->time_ns ? last->max : w->limits.max);
	mw_json_u64(o, "usage_bytes", last->current);
	mw_json_u64(o, "heap_bytes", last->heap);
	mw_json_u64(o, "bin_bytes", last->bin);
	mw_json_u64(o, "peak_bytes", w->peak);
	if (w->started_wall_ns)
		mw_json_double(o, "lifetime_s", (double)lived_ns / MW_NS_PER_S, 1);
	else
		mw_json_null(o, "lifetime_s");
}

struct json_object *mw_incident_json(const struct mw_incident *inc, const struct mw_worker *w,
				     const struct mw_usage *last, const char *stat_text,
				     const struct mw_pause_stat *pauses, const struct mw_incident_more *more)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	struct mw_look looks[MW_TRACK_POINTS];
	__u32 n = mw_track_read(w->track, looks);

	if (!last)
		last = &w->usage;
	put_id(&o, inc, w);
	mw_json_when(&o, "time", inc->wall_ns);
	mw_json_text(&o, "reason", mw_reason_name(inc->reason));
	mw_json_text(&o, "why", inc->why);
	mw_json_text(&o, "name", w->name);
	mw_json_text(&o, "class", w->class_name);
	mw_json_text(&o, "cgroup", w->cgroup ? w->cgroup : "");
	mw_json_u64(&o, "cgroup_id", w->cgroup_id);
	mw_json_u64(&o, "uid", w->uid);
	if (w->container)
		mw_json_put(&o, "container", mw_json_container(w->container));
	put_end(&o, inc);
	put_memory(&o, inc, w, last);
	mw_json_put(&o, "curve", curve(looks, n, last));
	mw_json_put(&o, "memory_stat", memory_stat(stat_text));
	mw_json_put(&o, "events", events(last));
	mw_json_put(&o, "pauses", pauses ? mw_json_pause_kinds(pauses) : json_object_new_object());
	mw_json_sites(&o, w->sites);
	mw_json_put(&o, "last_pauses", mw_json_last_pauses(w, (__s64)(w->started_wall_ns - w->started_ns)));
	if (more) {
		struct mw_scene scene = more->scene;

		scene.inc = inc;
		scene.w = w;
		scene.last = last;
		scene.looks = looks;
		scene.n_looks = n;
		mw_json_story(&o, &scene, more);
	}
	return mw_json_end(&o);
}
