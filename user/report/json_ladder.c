/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* ladder[] of a worker's report: the steps that were taken and what each brought. */
#include "report/json.h"
#include "report/json_out.h"
#include "util/clock.h"

static void put_outcome(struct mw_json_out *o, const struct mw_step *s)
{
	static const char *const keys[] = {"after_bytes", "took_ms", "level_after", "fell"};

	if (!s->ended) {
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			mw_json_null(o, keys[i]);
		return;
	}
	mw_json_u64(o, keys[0], s->after);
	mw_json_u64(o, keys[1], s->took_ns / MW_NS_PER_MS);
	mw_json_text(o, keys[2], mw_level_name(s->level_after));
	mw_json_bool(o, keys[3], s->level_after < s->level);
}

static struct json_object *step(const struct mw_step *s)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_text(&o, "rung", mw_rung_name(s->rung));
	if (s->rung == MW_RUNG_NOTIFY)
		mw_json_bool(&o, "heard", s->heard);
	else
		mw_json_null(&o, "heard");
	mw_json_when(&o, "time", s->wall_ns);
	mw_json_text(&o, "level", mw_level_name(s->level));
	mw_json_u64(&o, "before_bytes", s->before);
	put_outcome(&o, s);
	return mw_json_end(&o);
}

struct json_object *mw_json_ladder(const struct mw_worker *w)
{
	struct json_object *list = json_object_new_array();

	for (__u32 i = 0; list && w->ladder && i < w->ladder->count; i++) {
		struct json_object *one = step(mw_ladder_at(w->ladder, i));

		if (!one || json_object_array_add(list, one)) {
			json_object_put(one);
			json_object_put(list);
			return NULL;
		}
	}
	return list;
}
