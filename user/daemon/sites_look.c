/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>

#include "core/cgroup.h"
#include "daemon/sites_impl.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define ASK_NS (20 * MW_NS_PER_S) /* for the names of all its processes */
#define GROWN  (1ULL << 20)
#define ENOUGH 20 /* samples' worth of growth, to go by that alone */
#define LITTLE 4 /* part of the growth: who is sampled, and explains less of it */

/* Shares of a growth too small say nothing. */
static void concentrate(const struct mw_site_list *all, struct mw_sites_look *look)
{
	const struct mw_site_found *s = &all->at[0];
	__u64 samples;

	if (all->total < GROWN || !s->from || s->from->grown_bytes <= 0 || !s->samples || s->bytes < s->samples)
		return;
	samples = s->grown / (s->bytes / s->samples); /* those of the growth */
	look->heap_share = (double)s->grown / (double)all->total;
	look->heap_samples = samples < s->samples ? (__u32)samples : s->samples;
}

/* Where that fails, it is not known. */
static void touch(struct mw_sites_look *look)
{
	__u64 swapped;

	if (mw_cgroup_read_u64(look->cgroup_fd, "memory.swap.current", &swapped) < 0)
		swapped = 0; /* built without swap */
	mw_touched_look("/sys", look->cgroup, swapped, &look->touched);
}

/*
 * What grew since the first look tells a leak best from what comes and goes, once that is enough; until then what is
 * left of all that was allocated since the growth began, so that what was there before is not taken for it. true: the
 * former.
 */
static bool order(struct mw_sites_look *look)
{
	struct mw_heap *now = &look->now;
	__u64 before = look->has_before ? look->before.live_bytes : now->live_bytes;
	__u64 grown = now->live_bytes > before ? now->live_bytes - before : 0;
	bool enough = grown / ENOUGH >= now->live_bytes / now->samples;

	if (enough)
		mw_heap_compare(now, &look->before);
	mw_heap_sort_by_growth(now);
	return enough;
}

/* It grows, but not by what its code allocates: shared memory, kernel memory, a heap that is not malloc's. */
static bool is_elsewhere(const struct mw_sites_look *look)
{
	__s64 sum = 0;

	for (size_t i = 0; i < look->now.n_sites; i++)
		sum += look->now.sites[i].grown_bytes;
	return sum < (__s64)(look->grew / LITTLE);
}

/* Of who has an allocator inside only its arenas are sampled: they say nothing of who keeps what. */
static bool is_sampled(const struct mw_heap *now)
{
	return now->samples >= MW_SITES_SAMPLES && !(now->n_silent && now->n_silent == now->n_processes);
}

/* From whichever source says most. */
static int take(struct mw_sites_look *look, struct mw_site_list *all)
{
	bool sampled = is_sampled(&look->now), enough = sampled && order(look);
	int r = 0;

	if (!sampled && mw_sites_take_objects(look, all) >= 0) {
		look->source = MW_SITES_WATCHED;
	} else if (!sampled || (!enough && is_elsewhere(look))) {
		r = mw_sites_take_stacks(look, all) < 0 ? mw_sites_take_growth(look->kernel, look->cgroup_id, all) : 0;
		look->source = MW_SITES_GROWTH;
	}
	if (!sampled || all->n)
		return r;
	mw_sites_take_heap(&look->now, all);
	mw_sites_age(all, look);
	look->source = MW_SITES_HEAP;
	if (all->n && look->has_before)
		concentrate(all, look);
	return 0;
}

int mw_sites_look(struct mw_sites_look *look)
{
	struct mw_site_list *all = calloc(1, sizeof(*all));
	int r;

	look->ask_until_ns = mw_now_ns() + ASK_NS;
	touch(look);
	look->now.want_objects = true;
	look->now.taken_ns = mw_now_ns();
	look->now.since_ns = look->since_ns;
	r = all ? mw_heap_read_cgroup("/proc", look->cgroup_fd, &look->now, NULL) : -ENOMEM;
	if (r >= 0)
		r = take(look, all);
	if (all)
		mw_sites_account(all, look);
	for (size_t i = 0; r >= 0 && i < all->n; i++) {
		if (!all->at[i].named)
			mw_sites_name(look, all, i);
	}
	if (r >= 0 || r == -ENODATA || r == -EOPNOTSUPP) {
		struct json_object *lines = mw_sites_lines(look, look->top);

		if (r >= 0 || json_object_array_length(lines))
			r = mw_sites_say(all, lines, look);
		else
			json_object_put(lines);
	}
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
	mw_kept_drop(look->list);
	mw_kept_drop(look->lines);
	free(look->cgroup);
	free(look->objects);
	free(look);
}
