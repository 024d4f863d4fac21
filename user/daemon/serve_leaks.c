/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* report leaks of everybody. */
#include "daemon/serve.h"
#include "daemon/serve_turns.h"
#include "report/json.h"
#include "util/clock.h"

static struct json_object *one(struct mw_guard *g, struct mw_worker *w, void *arg)
{
	(void)g, (void)arg;
	return mw_json_leak(w, mw_now_ns(), mw_wall_ns());
}

void mw_serve_leaks(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	static const struct mw_turns_kind kind = {
		.what = "a report of so many workers",
		.step = mw_turns_document_step,
		.answer = mw_turns_document_answer,
		.free = mw_turns_document_free,
	};

	(void)rest;
	mw_turns_document(g, r, &(struct mw_turns_document){.kind = &kind, .one = one});
}
