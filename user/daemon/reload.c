/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Settings that changed, read again or set: each worker gets what is now its own. */
#include <string.h>

#include "daemon/guard.h"
#include "daemon/otlp.h"
#include "daemon/recording.h"
#include "daemon/serve_tcp.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* The growth rule looks at more checks, or fewer: the newest stay. */
static void keep_history(struct mw_guard *g, struct mw_worker *w)
{
	int r = 0;

	if (w->history.capacity != g->cfg.monitor.max_history)
		r = mw_series_resize(&w->history, g->cfg.monitor.max_history);
	if (r < 0)
		mw_say(g->tell, LOG_ERR, "worker %s: its growth is judged over %u checks as before: %s", w->name,
		       w->history.capacity, strerror(-r));
}

void mw_life_settle(struct mw_guard *g, struct mw_worker *w, bool all)
{
	struct mw_profile p;
	bool others, was_limited;

	if (mw_life_profile(g, w, &p) < 0)
		return; /* its class is gone from the configuration: it keeps what it has */
	if (w->before.known)
		mw_hold_profile(&p, &w->before.limits);
	if (!all && mw_profile_same(&p, &w->profile))
		return;
	/* what kernel side, breaker and keeper have to know; limits alone are only written */
	others = all || p.policy != w->profile.policy || p.pause_budget_ns != w->profile.pause_budget_ns;
	was_limited = mw_life_limited(w);
	mw_breaker_let_go(g->breaker, w->slot); /* it may be within its limits now, or another's to judge */
	mw_limits_settle(w, &p);
	if (others)
		mw_life_enlist(g, w);
	if (mw_life_limited(w))
		mw_act_limits(g, w);
	else if (was_limited) /* policy observe from now on */
		mw_act_put_back(g, w);
}

/* Settings changed: each worker gets what is now its own. */
void mw_life_apply(struct mw_guard *g)
{
	bool all = g->near_high_told != g->cfg.monitor.near_high;
	struct mw_worker *w, *next;

	g->near_high_told = g->cfg.monitor.near_high;
	mw_place_protect(g);
	mw_newcomers_apply(g);
	mw_keeper_busy(g->keeper, mw_now_ns() + 20 * MW_NS_PER_S); /* thousands of workers may change */
	HASH_ITER (by_id, g->workers.by_id, w, next) {
		keep_history(g, w);
		mw_life_settle(g, w, all);
	}
}

int mw_guard_reload(struct mw_guard *g, struct mw_error *err)
{
	struct mw_config fresh, old = g->cfg;
	_cleanup_close_ int tcp_fd = -1;
	int r;

	mw_keeper_busy(g->keeper, mw_now_ns() + 10 * MW_NS_PER_S); /* a directory on a slow disk is no death */
	r = mw_guard_load_config(g, &fresh, err);
	if (r < 0)
		return r;
	if (fresh.monitor.max_workers != old.monitor.max_workers) {
		mw_say(g->tell, LOG_WARNING, "reload: max_workers stays %u until a restart", old.monitor.max_workers);
		fresh.monitor.max_workers = old.monitor.max_workers;
	}
	memcpy(fresh.tree.root, old.tree.root,
	       sizeof(old.tree.root)); /* these hold what is there: they change with a restart */
	memcpy(fresh.tree.state_dir, old.tree.state_dir, sizeof(old.tree.state_dir));
	memcpy(fresh.tree.run_dir, old.tree.run_dir, sizeof(old.tree.run_dir));
	memcpy(fresh.tree.group, old.tree.group, sizeof(old.tree.group));
	r = mw_serve_tcp_open(g, &fresh, &tcp_fd, err);
	g->cfg = fresh;
	if (r >= 0)
		r = mw_place_classes(g, err);
	if (r < 0) {
		g->cfg = old;
		mw_config_free(&fresh);
		return r;
	}
	mw_config_free(&old);
	mw_serve_tcp_take(g, TAKE_FD(tcp_fd));
	mw_last_good_keep(g);
	mw_life_apply(g);
	mw_newcomers_rescan(g);
	mw_loop_rearm(g);
	mw_say(g->tell, LOG_NOTICE, "configuration read again: %zu classes", g->cfg.n_classes);
	return 0;
}
