/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>

#include "daemon/sites_impl.h"
#include "util/cleanup.h"

int mw_sites_look(struct mw_sites_look *look)
{
	struct mw_site_list *all = calloc(1, sizeof(*all));
	int r = all ? mw_heap_read_cgroup("/proc", look->cgroup_fd, &look->now, NULL) : -ENOMEM;

	if (r >= 0 && look->now.samples >= MW_SITES_SAMPLES) {
		mw_heap_sort(&look->now);
		if (look->has_before) {
			mw_heap_compare(&look->now, &look->before);
			mw_heap_sort_by_growth(&look->now);
		}
		mw_sites_take_heap(&look->now, look->has_before, all);
		look->source = MW_SITES_HEAP;
	} else if (r >= 0 && mw_sites_take_objects(look, all) >= 0) {
		look->source = MW_SITES_WATCHED;
	}
	if (r >= 0 && !all->n) {
		r = mw_sites_take_growth(look->kernel, look->cgroup_id, all);
		look->source = look->source == MW_SITES_HEAP ? MW_SITES_HEAP : MW_SITES_GROWTH;
	}
	for (size_t i = 0; r >= 0 && i < all->n; i++) {
		if (!all->at[i].named)
			mw_sites_name(all, all->at[i].pid);
	}
	if (r >= 0)
		r = mw_sites_say(all, look);
	free(all);
	return r;
}

void mw_sites_look_free(struct mw_sites_look *look)
{
	if (!look)
		return;
	mw_close(&look->cgroup_fd);
	mw_heap_free(&look->before);
	mw_heap_free(&look->now);
	free(look->json);
	free(look);
}
