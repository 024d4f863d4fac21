/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* How old what a site holds is, how much of it is held on to, and whether it is still touched. */
#include <stdlib.h>
#include <unistd.h>

#include "daemon/sites_impl.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* New marks; where the old ones are still to stand, they go on. */
static void observe(const struct mw_site_list *all, struct mw_sites_look *look, __u64 page)
{
	struct mw_pages *o = look->objects;

	o->n = 0;
	for (size_t i = 0; i < all->n; i++)
		mw_pages_choose(&look->now, all->at[i].life.site, page, o);
	mw_pages_mark("/proc", "/sys", page, mw_now_ns(), o);
}

void mw_sites_age(struct mw_site_list *all, struct mw_sites_look *look)
{
	const struct mw_heap *before = look->has_before ? &look->before : NULL;
	__u64 page = (__u64)sysconf(_SC_PAGESIZE), now_ns = mw_now_ns();
	struct mw_life lives[MW_SITES_SHOWN];
	bool looked;

	if (!look->objects)
		look->objects = calloc(1, sizeof(*look->objects));
	if (!all->n || !look->objects)
		return; /* then it is not known */
	for (size_t i = 0; i < all->n; i++)
		lives[i] = mw_pages_life(&look->now, before, all->at[i].from, now_ns);
	looked = mw_pages_look("/proc", "/sys", page, now_ns, look->objects, &look->now, lives, all->n);
	for (size_t i = 0; i < all->n; i++)
		all->at[i].life = lives[i];
	if (looked || !look->objects->since_ns)
		observe(all, look, page);
	look->life = lives[0];
}

void mw_sites_put_life(struct mw_json_out *o, const struct mw_site_found *s)
{
	const struct mw_life *l = &s->life;

	mw_json_seconds(o, "mean_age_s", l->site ? (double)l->mean_age_ns / MW_NS_PER_S : -1);
	mw_json_seconds(o, "oldest_s", l->site ? (double)l->oldest_ns / MW_NS_PER_S : -1);
	if (l->had_bytes)
		mw_json_double(o, "kept_share", (double)l->kept_bytes / (double)l->had_bytes, 3);
	else
		mw_json_null(o, "kept_share");
	mw_json_u64(o, "pages", l->pages);
	mw_json_seconds(o, "pages_span_s", l->pages ? (double)l->span_ns / MW_NS_PER_S : -1);
	if (l->touched_known && l->pages)
		mw_json_double(o, "untouched_share", (double)l->untouched / l->pages, 3);
	else
		mw_json_null(o, "untouched_share");
	if (l->pages)
		mw_json_double(o, "swapped_share", (double)l->swapped / l->pages, 3);
	else
		mw_json_null(o, "swapped_share");
}
