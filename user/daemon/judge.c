/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Growth: each sample is shown to the judge of leaks, each check asks it. */
#include "daemon/guard.h"
#include "leak/judge.h"
#include "report/text.h"

static __u64 used(const struct mw_worker *w)
{
	return w->usage.heap + w->usage.bin;
}

void mw_judge_sample(struct mw_worker *w)
{
	mw_leak_sample(&w->leak, w->usage.time_ns, used(w), w->profile.max_heap);
}

void mw_judge_check(struct mw_guard *g, struct mw_worker *w)
{
	mw_series_push(&w->history, (struct mw_point){w->usage.time_ns, used(w)});
	w->line = mw_trend_line(&w->history, w->profile.max_heap);
	w->trend = g->cfg.monitor.method == MW_METHOD_REGRESSION ? w->line : mw_leak_judge(&w->leak, &w->line);
}

/* Each step up once, and again when it was steady in between. */
void mw_judge_say(struct mw_guard *g, struct mw_worker *w)
{
	enum mw_trend_verdict v = w->trend.verdict;
	char text[512];

	if (v > w->trend_told)
		mw_tell(g->tell, LOG_WARNING, mw_trend_name(v), w, "%s", mw_text_trend(w, text, sizeof(text)));
	if (v > w->trend_told || v == MW_STEADY)
		w->trend_told = v;
}
