/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The object of report leaks: the verdict, what it stands on, and which code the memory comes from. */
#include <stdio.h>

#include "report/json.h"
#include "report/json_out.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* A list of sentences; "" is left out. */
static struct json_object *sentences(const char *one, const char *two, const char *three)
{
	const char *const texts[] = {one, two, three};
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < ARRAY_SIZE(texts) && list; i++) {
		struct json_object *text = texts[i][0] ? mw_json_string(texts[i]) : NULL;

		if (!texts[i][0] || (text && json_object_array_add(list, text) == 0))
			continue;
		json_object_put(text);
		json_object_put(list);
		list = NULL;
	}
	return list;
}

#define SIBLINGS_MIN 2

/* What the others of its class say for or against it. for_it: it alone grows. "": nothing. */
static const char *siblings(const struct mw_worker *w, bool for_it, char *buf, size_t size)
{
	bool alone = w->siblings_growing * 4 <= w->siblings;

	buf[0] = '\0';
	if (w->trend.verdict > MW_STEADY && w->siblings >= SIBLINGS_MIN && alone == for_it)
		snprintf(buf, size, "of %u others of its class %u grow%s%s", w->siblings, w->siblings_growing,
			 w->siblings_growing == 1 ? "s" : "", alone ? "" : ": the load, or the code of all of them");
	return buf;
}

struct json_object *mw_json_sites(const char *text)
{
	struct json_object *list = text ? json_tokener_parse(text) : NULL;

	return list ? list : json_object_new_array();
}

struct json_object *mw_json_leak(const struct mw_worker *w, __u64 now_ns, __u64 wall_ns)
{
	struct mw_json_out o = mw_json_begin(mw_json_worker(w));
	const struct mw_trend *t = &w->trend;
	char text[120], unwatched[240] = "";
	__u64 ago_ns = now_ns > t->onset_ns ? now_ns - t->onset_ns : 0;

	if (w->sites && w->sites->unwatched[0])
		snprintf(unwatched, sizeof(unwatched), "its objects are not watched: %s", w->sites->unwatched);
	mw_json_text(&o, "verdict", mw_trend_name(t->verdict));
	mw_json_double(&o, "rate_bytes_per_s", t->rate_bytes_per_s, 1);
	mw_json_when(&o, "onset", t->onset_ns && wall_ns > ago_ns ? wall_ns - ago_ns : 0);
	mw_json_u64(&o, "window_s", t->window_ns / MW_NS_PER_S);
	mw_json_seconds(&o, "time_to_limit_s", t->time_to_limit_s);
	mw_json_seconds(&o, "time_to_limit_low_s", t->soonest_s);
	mw_json_seconds(&o, "time_to_limit_high_s", t->latest_s);
	mw_json_double(&o, "confidence", t->confidence, 3);
	mw_json_put(&o, "evidence", sentences(t->evidence, siblings(w, true, text, sizeof(text)), ""));
	mw_json_put(&o, "against", sentences(t->against, siblings(w, false, text, sizeof(text)), unwatched));
	mw_json_put(&o, "sites", mw_json_sites(w->sites ? w->sites->json : NULL));
	return mw_json_end(&o);
}
