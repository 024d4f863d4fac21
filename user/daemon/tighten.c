/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A worker's profile: the configuration's word, less what its owner took it down to. */
#include <errno.h>
#include <string.h>

#include "daemon/guard.h"

int mw_life_profile(const struct mw_guard *g, const struct mw_worker *w, struct mw_profile *ret_profile)
{
	int r = mw_config_worker_profile(&g->cfg, w->class_name, w->name, ret_profile, NULL);

	if (r >= 0)
		mw_tight_apply(&w->tight, ret_profile);
	return r;
}

int mw_life_first_profile(const struct mw_guard *g, const struct mw_start *s, const char *name,
			  struct mw_tight *ret_tight, struct mw_profile *ret_profile, struct mw_error *err)
{
	const struct mw_class *cls = mw_config_class(&g->cfg, s->class_name);
	struct mw_tight tight = {0};
	struct mw_profile p;
	const char *key;
	int r = mw_config_worker_profile(&g->cfg, s->class_name, name, &p, err);

	if (r < 0)
		return r;
	key = s->uid ? mw_tight_exceeds(&p, &cls->profile) : NULL;
	if (key)
		return mw_fail(err, -EPERM,
			       "[worker %s] in the configuration has a looser %s than class %s: only root may use that "
			       "name",
			       name, key, s->class_name);
	r = mw_tight_take(&tight, &p, s->settings, s->n_settings, err);
	if (r < 0)
		return r;
	mw_tight_apply(&tight, &p);
	*ret_tight = tight;
	*ret_profile = p;
	return 0;
}

int mw_life_tighten(struct mw_guard *g, struct mw_worker *w, const struct mw_kv *kv, size_t n, struct mw_error *err)
{
	struct mw_profile base;
	int r;

	if (!w)
		return mw_fail(err, -ESRCH, "the worker has ended");
	r = mw_config_worker_profile(&g->cfg, w->class_name, w->name, &base, err);
	if (r >= 0)
		r = mw_tight_take(&w->tight, &base, kv, n, err);
	if (r < 0)
		return r;
	mw_life_settle(g, w, false);
	mw_place_protect(g);
	mw_state_save(g, w);
	return 0;
}
