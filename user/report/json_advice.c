/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/json_advice.h"

#include "report/json_out.h"
#include "report/phrase.h"
#include "util/clock.h"

bool mw_advice_only(const struct mw_worker *w, const struct mw_monitor *m)
{
	return !m->enable_hibernation || w->profile.policy == MW_POLICY_OBSERVE;
}

void mw_json_advise(struct json_object *list, const struct mw_worker *w, const struct mw_monitor *m, __u64 now_ns)
{
	__u64 idle_ns = w->idle.told && now_ns > w->idle.since_ns ? now_ns - w->idle.since_ns : 0;
	struct mw_json_out o;
	struct json_object *one;
	struct mw_phrase p;
	char text[256];

	if (!mw_advice_only(w, m) || (!idle_ns && !w->check.hibernate))
		return;
	p = mw_phrase_begin(text, sizeof(text));
	mw_phrase_add(&p, "hibernate %s: ", w->name);
	if (idle_ns) {
		mw_phrase_size(&p, w->usage.anon);
		mw_phrase_add(&p, " idle for ");
		mw_phrase_duration(&p, idle_ns);
	} else {
		mw_phrase_add(&p, "%.1f %% of its limit", w->check.percent);
	}
	o = mw_json_begin(json_object_new_object());
	mw_json_text(&o, "action", "hibernate");
	mw_json_text(&o, "worker", w->name);
	mw_json_u64(&o, "bytes", w->usage.anon);
	if (idle_ns)
		mw_json_u64(&o, "idle_s", idle_ns / MW_NS_PER_S);
	else
		mw_json_null(&o, "idle_s");
	mw_json_text(&o, "text", text);
	one = mw_json_end(&o);
	if (one)
		json_object_array_add(list, one);
}
