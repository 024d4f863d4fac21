/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Growth sites: the largest of a worker with their stacks; and clearing up after workers that are gone. */
#include <string.h>

#include "daemon/kernel_private.h"
#include "daemon/kernel_walk.h"

/* Put row into rows[0..used), sorted by pages, largest first, at most n. Returns the new used. */
static size_t keep_largest(struct mw_site_row *rows, size_t used, size_t n, const struct mw_site_row *row)
{
	size_t at = used < n ? used : n;

	while (at > 0 && rows[at - 1].site.pages < row->site.pages) {
		if (at < n)
			rows[at] = rows[at - 1];
		at--;
	}
	if (at < n)
		rows[at] = *row;
	return used < n ? used + 1 : n;
}

struct taking {
	__u64 cgroup_id;
	struct mw_site_row *rows; /* NULL: they are only summed */
	size_t n, used;
	__u64 pages; /* of those with a user stack */
};

static int take(const void *at, void *value, void *arg)
{
	const struct mw_site_key *key = at;
	const struct mw_site *site = value;
	struct taking *t = arg;

	if (key->cgroup_id != t->cgroup_id)
		return 0;
	t->pages += key->stack_id >= 0 ? site->pages : 0;
	if (t->rows) {
		struct mw_site_row row = {.site = *site, .stack_id = key->stack_id};

		t->used = keep_largest(t->rows, t->used, t->n, &row);
	}
	return 0;
}

static int take_all(struct mw_kernel *k, struct taking *t)
{
	if (!k->object || !mw_kernel_has(k, MW_CAP_GROWTH))
		return -EOPNOTSUPP;
	return mw_map_walk(k->maps[MAP_SITES], sizeof(struct mw_site_key), sizeof(struct mw_site), take, t);
}

/* Where the stack of a site is. False: it has none. */
static bool place_of(__s64 stack_id, enum map_id *ret_map, __u32 *ret_id)
{
	bool second = stack_id >= MW_SECOND_STACK;

	*ret_map = second ? MAP_STACKS2 : MAP_STACKS;
	*ret_id = (__u32)(second ? stack_id - MW_SECOND_STACK : stack_id);
	return stack_id >= 0;
}

int mw_kernel_sites_read(struct mw_kernel *k, __u64 cgroup_id, struct mw_site_row *rows, size_t n)
{
	struct taking t = {.cgroup_id = cgroup_id, .rows = rows, .n = n};
	int r = take_all(k, &t);

	if (r < 0)
		return r;
	for (size_t i = 0; i < t.used; i++) {
		enum map_id map;
		__u32 id;

		memset(rows[i].frames, 0, sizeof(rows[i].frames));
		if (place_of(rows[i].stack_id, &map, &id))
			bpf_map_lookup_elem(k->maps[map], &id, rows[i].frames);
	}
	return (int)t.used;
}

int mw_kernel_sites_sum(struct mw_kernel *k, __u64 cgroup_id, __u64 *ret_pages)
{
	struct taking t = {.cgroup_id = cgroup_id};
	int r = take_all(k, &t);

	if (r < 0)
		return r;
	*ret_pages = t.pages;
	return 0;
}

/* Delete a key after the walk has passed it, so that the walk goes on from one that exists. */
static void delete_passed(int map, const void *key, bool passed)
{
	if (passed)
		bpf_map_delete_elem(map, key);
}

static bool worker_gone(struct mw_kernel *k, __u64 id)
{
	struct mw_worker_info info;

	return mw_kernel_worker_info(k, id, &info) == -ENOENT;
}

static void sweep_members(struct mw_kernel *k)
{
	__u64 key, last = 0, worker;
	bool drop = false;

	while (bpf_map_get_next_key(k->maps[MAP_MEMBERS], last ? &last : NULL, &key) == 0) {
		delete_passed(k->maps[MAP_MEMBERS], &last, drop);
		drop = bpf_map_lookup_elem(k->maps[MAP_MEMBERS], &key, &worker) == 0 && worker_gone(k, worker);
		last = key;
	}
	delete_passed(k->maps[MAP_MEMBERS], &last, drop);
}

/* Stacks of one map that a living site still names, by their id. */
struct named {
	bool *used;
	__u32 n;
};

static void sweep_sites(struct mw_kernel *k, struct named named[MAP_MAX])
{
	struct mw_site_key key, last = {};
	bool drop = false;

	while (bpf_map_get_next_key(k->maps[MAP_SITES], last.cgroup_id ? &last : NULL, &key) == 0) {
		enum map_id map;
		__u32 id;

		delete_passed(k->maps[MAP_SITES], &last, drop);
		drop = worker_gone(k, key.cgroup_id);
		if (!drop && place_of(key.stack_id, &map, &id) && id < named[map].n)
			named[map].used[id] = true;
		last = key;
	}
	delete_passed(k->maps[MAP_SITES], &last, drop);
}

static void sweep_stacks(int map, const struct named *named)
{
	bool walking = false, drop = false;
	__u32 id, last = 0;

	while (bpf_map_get_next_key(map, walking ? &last : NULL, &id) == 0) {
		delete_passed(map, &last, drop);
		drop = id < named->n && !named->used[id];
		last = id;
		walking = true;
	}
	delete_passed(map, &last, drop);
}

/*
 * What removed workers left in members, growth_sites and growth_stacks. It is
 * harmless there, so it goes in one walk for many workers. A stack whose site
 * is being made at this moment may go with it: that site then has no frames.
 */
void mw_sweep(struct mw_kernel *k)
{
	static const enum map_id maps[] = {MAP_STACKS, MAP_STACKS2};
	struct named named[MAP_MAX] = {};

	sweep_members(k);
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		struct bpf_map_info info = {};
		__u32 size = sizeof(info);

		if (bpf_obj_get_info_by_fd(k->maps[maps[i]], &info, &size))
			continue;
		named[maps[i]].used = calloc(info.max_entries, sizeof(bool));
		named[maps[i]].n = named[maps[i]].used ? info.max_entries : 0;
	}
	sweep_sites(k, named);
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		sweep_stacks(k->maps[maps[i]], &named[maps[i]]);
		free(named[maps[i]].used);
	}
}
