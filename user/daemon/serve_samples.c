/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Raw figures for recordings. No look is made for them: whoever records asks as often as the monitor looks, and gets
 * what it saw. About a microsecond a worker.
 */
#include <errno.h>
#include <string.h>

#include "daemon/serve.h"
#include "report/json_sample.h"
#include "util/cleanup.h"
#include "util/clock.h"

void mw_serve_samples(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	uid_t reader = mw_serve_reader(r);
	bool profiles = mw_request_query(r, "profiles") != NULL;
	_cleanup_free_ char *text = NULL;
	struct mw_json_text t;
	struct mw_worker *w;

	(void)rest;
	mw_json_samples_begin(&t, &g->cfg.monitor, mw_now_ns(), mw_wall_ns());
	for (w = g->workers.by_id; w; w = w->by_id.next)
		if (!reader || w->uid == reader)
			mw_json_sample(&t, w, profiles);
	text = mw_json_samples_end(&t);
	if (!text)
		return mw_serve_error(r, -ENOMEM, "no memory for so many samples");
	mw_request_answer(r, 200, "application/json", text, strlen(text));
}
