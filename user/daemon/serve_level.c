/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* How near its limit a worker is. */
#include <stdio.h>

#include "daemon/serve.h"
#include "report/json.h"
#include "util/clock.h"

void mw_serve_level(struct mw_guard *g, struct mw_request *r, struct mw_worker *w)
{
	struct json_object *doc = mw_json_document(mw_wall_ns()), *level;
	char name[MW_NAME_SIZE];

	snprintf(name, sizeof(name), "%s", w->name);
	mw_guard_sample(g, MW_SAMPLE_ALL, mw_now_ns());
	w = mw_worker_by_name(&g->workers, name); /* it may have ended just now */
	level = w ? mw_json_level(w) : NULL;
	if (!w) {
		json_object_put(doc);
		return mw_serve_unknown(r, name);
	}
	json_object_object_foreach (level, key, value)
		json_object_object_add(doc, key, json_object_get(value));
	json_object_put(level);
	mw_serve_json(r, 200, doc);
}
