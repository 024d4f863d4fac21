/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Growth: each sample is shown to the judge of leaks, each check asks it. */
#include <stdlib.h>

#include "daemon/guard.h"
#include "leak/judge.h"
#include "report/text.h"
#include "util/amount.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define THINK_NS 2000000ULL /* after a look at all: who grows is thought about once a minute, and some must wait */

static __u64 used(const struct mw_worker *w)
{
	return w->usage.heap + w->usage.bin;
}

void mw_judge_sample(struct mw_guard *g, struct mw_worker *w)
{
	mw_leak_sample(&w->leak, w->usage.time_ns, used(w), w->profile.max_heap);
	if (mw_leak_due(&w->leak))
		g->judge_due = true;
}

static struct mw_worker *longest_due(struct mw_guard *g)
{
	struct mw_worker *w, *next, *first = NULL;

	HASH_ITER (by_id, g->workers.by_id, w, next) {
		__u64 due = mw_leak_due(&w->leak);

		if (due && (!first || due < mw_leak_due(&first->leak)))
			first = w;
	}
	return first;
}

void mw_judge_think(struct mw_guard *g)
{
	__u64 until = g->judge_due ? mw_now_ns() + THINK_NS : 0;

	while (g->judge_due && mw_now_ns() < until) {
		struct mw_worker *w = longest_due(g);

		if (w)
			mw_leak_think(&w->leak);
		else
			g->judge_due = false;
	}
}

/* What is known besides its course. */
static struct mw_evidence evidence_of(struct mw_worker *w)
{
	struct mw_kinds now = mw_kinds_of(&w->usage);
	struct mw_evidence e = {.grows = w->trend.verdict > MW_STEADY};
	const struct mw_kinds *before;

	mw_kinds_note(&w->kinds, &now);
	mw_kinds_onset(&w->kinds, e.grows ? w->trend.onset_ns : 0);
	before = mw_kinds_before(&w->kinds);
	if (!before)
		return (struct mw_evidence){0};
	e.grown = mw_kinds_compare(before, &now);
	e.heap_before = (__u64)before->kib[MW_KIND_HEAP] << 10;
	e.shmem = w->usage.shmem;
	if (w->sites) {
		e.touched_known = w->sites->touched.known;
		e.span_ns = w->sites->touched.span_ns;
		e.of_bytes = w->sites->touched.of_bytes;
		e.untouched_bytes = w->sites->touched.untouched_bytes;
		e.swapped_bytes = w->sites->touched.swapped_bytes;
		e.site_share = w->sites->heap_share;
		e.site_samples = w->sites->heap_samples;
		e.site = w->sites->life;
		e.swap_known = w->sites->first.used_known && w->sites->account.used_known;
		e.went_out = mw_less(w->sites->account.swapped, w->sites->first.swapped);
		e.came_back = mw_less(w->sites->account.came_back, w->sites->first.came_back);
	}
	return e;
}

void mw_judge_check(struct mw_guard *g, struct mw_worker *w)
{
	mw_series_push(&w->history, (struct mw_point){w->usage.time_ns, used(w)});
	w->line = mw_trend_line(&w->history, w->profile.max_heap);
	w->trend = g->cfg.monitor.method == MW_METHOD_REGRESSION ? w->line : mw_leak_judge(&w->leak, &w->line);
	w->evidence = evidence_of(w);
	mw_evidence_weigh(&w->evidence, &w->trend);
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

/* Does one instance grow, or all of them: then it is the load or the code. */
void mw_judge_siblings(struct mw_guard *g)
{
	_cleanup_free_ struct counts {
		__u32 all, growing;
	} *counts = calloc(g->cfg.n_classes + 1, sizeof(*counts));
	struct mw_worker *w, *next;

	if (!counts)
		return; /* as at the check before */
	for (int counted = 0; counted < 2; counted++) {
		HASH_ITER (by_id, g->workers.by_id, w, next) {
			const struct mw_class *c = mw_config_class(&g->cfg, w->class_name);
			struct counts *of = &counts[c ? (size_t)(c - g->cfg.classes) : g->cfg.n_classes];
			bool grows = w->trend.verdict > MW_STEADY;

			if (counted) {
				w->siblings = of->all - 1;
				w->siblings_growing = of->growing - grows;
			} else {
				of->all++;
				of->growing += grows;
			}
		}
	}
}
