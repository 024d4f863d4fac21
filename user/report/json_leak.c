/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The object of report leaks: the verdict, what it stands on, and which code the memory comes from. */
#include <stdio.h>

#include "report/json.h"
#include "report/json_out.h"
#include "util/clock.h"

/* One more; "" is left out. A failure leaves NULL. */
static void add(struct json_object **list, const char *sentence)
{
	struct json_object *text = *list && sentence[0] ? mw_json_string(sentence) : NULL;

	if (!*list || !sentence[0] || (text && json_object_array_add(*list, text) == 0))
		return;
	json_object_put(text);
	json_object_put(*list);
	*list = NULL;
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

/* All that speaks for the verdict, or against it. */
static struct json_object *sentences(const struct mw_worker *w, bool for_it)
{
	struct json_object *list = json_object_new_array();
	char text[MW_EVIDENCE_TEXT];
	bool against;

	add(&list, for_it ? w->trend.evidence : w->trend.against);
	for (int i = 0; i < MW_EVIDENCE_MAX; i++) {
		mw_evidence_say(&w->evidence, (enum mw_evidence_fact)i, &against, text, sizeof(text));
		add(&list, against != for_it ? text : "");
	}
	add(&list, siblings(w, for_it, text, sizeof(text)));
	if (!for_it && w->sites && w->sites->unwatched[0]) {
		snprintf(text, sizeof(text), "its objects are not watched: %s", w->sites->unwatched);
		add(&list, text);
	}
	return list;
}

static void put_list(struct mw_json_out *o, const char *key, struct mw_kept *list)
{
	mw_json_put(o, key, list ? mw_json_kept(list) : json_object_new_array());
}

void mw_json_sites(struct mw_json_out *o, const struct mw_sites *sites)
{
	put_list(o, "sites", sites ? sites->list : NULL);
	put_list(o, "lines", sites ? sites->lines : NULL);
	if (sites && sites->list)
		mw_json_u64(o, "sites_left_out_bytes", sites->left_out_bytes);
	else
		mw_json_null(o, "sites_left_out_bytes");
}

struct json_object *mw_json_leak(const struct mw_worker *w, __u64 now_ns, __u64 wall_ns)
{
	struct mw_json_out o = mw_json_begin(mw_json_worker(w));
	const struct mw_trend *t = &w->trend;
	__u64 ago_ns = now_ns > t->onset_ns ? now_ns - t->onset_ns : 0;

	mw_json_text(&o, "verdict", mw_trend_name(t->verdict));
	mw_json_double(&o, "rate_bytes_per_s", t->rate_bytes_per_s, 1);
	mw_json_when(&o, "onset", t->onset_ns && wall_ns > ago_ns ? wall_ns - ago_ns : 0);
	mw_json_u64(&o, "window_s", t->window_ns / MW_NS_PER_S);
	mw_json_seconds(&o, "time_to_limit_s", t->time_to_limit_s);
	mw_json_seconds(&o, "time_to_limit_low_s", t->soonest_s);
	mw_json_seconds(&o, "time_to_limit_high_s", t->latest_s);
	mw_json_double(&o, "confidence", t->confidence, 3);
	mw_json_put(&o, "evidence", sentences(w, true));
	mw_json_put(&o, "against", sentences(w, false));
	if (w->sites && w->sites->account.known)
		mw_json_put(&o, "account", mw_json_account(&w->sites->account));
	else
		mw_json_null(&o, "account");
	mw_json_sites(&o, w->sites);
	return mw_json_end(&o);
}
