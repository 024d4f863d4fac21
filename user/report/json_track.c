/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/json_track.h"

#include "report/json_out.h"
#include "util/cleanup.h"
#include "util/clock.h"

static void listp(struct json_object **list)
{
	json_object_put(*list);
}

/* False: no memory, and value is let go. */
static bool add(struct json_object *list, struct json_object *value)
{
	if (value && json_object_array_add(list, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

struct json_object *mw_json_track_columns(void)
{
	static const char *const names[] = {"t_ms",	  "usage_bytes", "heap_bytes", "bin_bytes",
					    "high_bytes", "max_bytes",	 "stalled_ns"};
	_cleanup_(listp) struct json_object *list = json_object_new_array_ext(ARRAY_SIZE(names));

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!list || !add(list, json_object_new_string(names[i])))
			return NULL;
	return TAKE_PTR(list);
}

/* null is no object, and no failure. */
static bool add_limit(struct json_object *list, __u64 bytes)
{
	if (bytes == MW_UNLIMITED)
		return json_object_array_add(list, NULL) == 0;
	return add(list, json_object_new_uint64(bytes));
}

static __s64 ms_from(__u64 time_ns, __u64 zero_ns)
{
	return (__s64)(time_ns - zero_ns) / (__s64)MW_NS_PER_MS;
}

static struct json_object *point(const struct mw_look *l, __u64 zero_ns)
{
	_cleanup_(listp) struct json_object *list = json_object_new_array_ext(7);
	bool good = list && add(list, json_object_new_int64(ms_from(l->time_ns, zero_ns))) &&
		    add(list, json_object_new_uint64(l->usage)) && add(list, json_object_new_uint64(l->heap)) &&
		    add(list, json_object_new_uint64(l->bin)) && add_limit(list, l->high) && add_limit(list, l->max) &&
		    add(list, json_object_new_uint64(l->stalled_ns));

	return good ? TAKE_PTR(list) : NULL;
}

struct json_object *mw_json_track_points(const struct mw_look *looks, __u32 n)
{
	_cleanup_(listp) struct json_object *list = json_object_new_array_ext(n ? (int)n : 1);

	for (__u32 i = 0; i < n; i++)
		if (!list || !add(list, point(&looks[i], looks[n - 1].time_ns)))
			return NULL;
	return TAKE_PTR(list);
}

static struct json_object *mark(const struct mw_mark *m, __u64 zero_ns, __s64 offset_ns)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_int(&o, "t_ms", ms_from(m->time_ns, zero_ns));
	mw_json_when(&o, "time", m->time_ns + (__u64)offset_ns);
	mw_json_text(&o, "type", m->type);
	mw_json_text(&o, "text", m->text);
	mw_json_u64(&o, "value", m->value);
	mw_json_u64(&o, "count", m->count);
	return mw_json_end(&o);
}

struct json_object *mw_json_marks(const struct mw_mark *marks, size_t n, __u64 zero_ns, __s64 offset_ns)
{
	_cleanup_(listp) struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		if (!list || !add(list, mark(&marks[i], zero_ns, offset_ns)))
			return NULL;
	return TAKE_PTR(list);
}

struct json_object *mw_json_track_spark(const struct mw_track *t, __u32 n, __u64 step_ns, __u64 hold_ns, __u64 now_ns)
{
	_cleanup_(listp) struct json_object *list = json_object_new_array_ext(n ? (int)n : 1);
	struct mw_look looks[MW_TRACK_POINTS];
	__u32 have = mw_track_read(t, looks), i = 0;
	__u64 to_ns = now_ns - n * step_ns;

	for (__u32 k = 0; list && k < n; k++) {
		__u64 highest = 0, held;
		bool any = false;

		to_ns += step_ns;
		for (; i < have && looks[i].time_ns <= to_ns; i++) {
			if (looks[i].time_ns + step_ns <= to_ns) /* before the first step */
				continue;
			highest = looks[i].usage > highest ? looks[i].usage : highest;
			any = true;
		}
		held = i ? looks[i - 1].usage : 0;
		if (!any && i && to_ns - looks[i - 1].time_ns < hold_ns) {
			highest = held;
			any = true;
		}
		if (any ? !add(list, json_object_new_uint64(highest)) : json_object_array_add(list, NULL) < 0)
			return NULL;
	}
	return TAKE_PTR(list);
}
