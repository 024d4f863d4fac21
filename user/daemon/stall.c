/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the pause counters say: how often each worker reclaims, what part of the time it is stalled. */
#include "daemon/guard.h"
#include "report/text.h"

static void add_up(const struct mw_pause_key *key, const struct mw_pause_stat *stat, void *arg)
{
	struct mw_guard *g = arg;
	struct mw_worker *w = mw_worker_by_id(&g->workers, key->cgroup_id);
	struct mw_stalls *s = w && stat->count ? mw_stalls_of(w) : NULL;

	if (s)
		mw_tally_add(&s->tally, key->kind, stat);
}

static void say_often(struct mw_guard *g, struct mw_worker *w)
{
	struct mw_stalls *s = w->stalls;
	bool often = mw_rate_often(&s->rates, g->cfg.monitor.reclaim_alert, s->often);
	char text[384];

	if (often && !s->often) {
		s->often_since = s->rate.newest;
		mw_tell(g->tell, LOG_WARNING, "frequent-reclaim", w, "%s", mw_text_often(w, text, sizeof(text)));
	} else if (!often && s->often && g->cfg.monitor.reclaim_alert) { /* with 0 nobody asks any more */
		mw_tell(g->tell, LOG_INFO, "reclaim-normal", w, "%s", mw_text_often_over(w, text, sizeof(text)));
	}
	s->often = often;
}

/*
 * A reading goes through the room for all workers there may be, which costs more than all else that is done for a few
 * idle ones: not while nobody has paused, unless somebody is new and may have counters of an earlier guard.
 */
static bool read_all(struct mw_guard *g)
{
	bool due = mw_kernel_pauses_moved(g->kernel);
	struct mw_worker *w;

	for (w = g->workers.by_id; w && !due; w = w->by_id.next)
		due = !w->stalls && !w->quiet_ns;
	if (!due)
		return true;
	for (w = g->workers.by_id; w; w = w->by_id.next) {
		if (w->stalls)
			w->stalls->tally = (struct mw_tally){0};
	}
	return mw_kernel_pauses_each(g->kernel, add_up, g) >= 0;
}

void mw_stall_check(struct mw_guard *g, __u64 now_ns)
{
	struct mw_worker *w;

	if (!g->workers.count || !read_all(g))
		return;
	for (w = g->workers.by_id; w; w = w->by_id.next) {
		struct mw_reading reading;

		if (!w->stalls) {
			w->quiet_ns = now_ns;
			continue;
		}
		reading = mw_tally_reading(&w->stalls->tally, now_ns);
		mw_rate_push(&w->stalls->rate, &reading);
		w->stalls->rates = mw_rate_now(&w->stalls->rate);
		say_often(g, w);
	}
}
