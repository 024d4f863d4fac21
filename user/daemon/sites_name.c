/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the code of a site is called. */
#include <errno.h>
#include <string.h>

#include "core/cgroup.h"
#include "daemon/sites_impl.h"
#include "report/json_out.h"
#include "util/clock.h"

#define FRAMES 64 /* of each site, inlined ones counted */
#define ASK_MS 8000

static struct json_object *frame_json(const struct mw_frame *f)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_text(&o, "function", f->function);
	mw_json_text(&o, "file", f->file);
	mw_json_u64(&o, "line", f->line);
	mw_json_text(&o, "module", f->module);
	mw_json_text(&o, "build_id", f->build_id);
	mw_json_u64(&o, "offset", f->offset);
	mw_json_bool(&o, "inlined", f->inlined);
	return mw_json_end(&o);
}

bool mw_sites_add(struct json_object *list, struct json_object *item)
{
	if (list && item && json_object_array_add(list, item) == 0)
		return true;
	json_object_put(item);
	return false;
}

/* Of a process that ended before anybody looked, or that may not be looked at: addresses. */
static void name_bare(struct mw_site_found *s)
{
	s->named = json_object_new_array();
	for (unsigned i = 0; i < s->n_frames && i < FRAMES; i++) {
		const struct mw_frame f = {
			.function = "", .file = "", .module = "", .build_id = "", .offset = s->frames[i].pc};

		mw_sites_add(s->named, frame_json(&f));
	}
}

static void name_all(struct mw_site_found *s, const struct mw_symbols *symbols, size_t first)
{
	s->named = json_object_new_array();
	for (unsigned i = 0; i < s->n_frames; i++) {
		const struct mw_place *p = &symbols->places[first + i];

		for (size_t j = 0; j < p->n && json_object_array_length(s->named) < FRAMES; j++)
			mw_sites_add(s->named, frame_json(&symbols->frames[p->first + j]));
	}
}

/* Somebody of the same cgroup, so that paths mean the same. 0: all have ended. */
static pid_t root_of(const struct mw_sites_look *look)
{
	pid_t pid = 0;

	return mw_cgroup_pids(look->cgroup_fd, true, &pid, 1) > 0 ? pid : 0;
}

/* One question for all sites of a process. */
void mw_sites_name(const struct mw_sites_look *look, struct mw_site_list *all, pid_t pid)
{
	struct mw_address addresses[MW_SITES_SHOWN * MW_STACK_DEPTH];
	struct mw_symbols_question q = {.pid = pid, .addresses = addresses, .timeout_ms = ASK_MS};
	struct mw_symbols symbols = {};
	struct mw_error err = {};
	bool ended = false;
	size_t first = 0;
	int r;

	for (size_t i = 0; i < all->n; i++) {
		if (all->at[i].pid != pid || all->at[i].named)
			continue;
		memcpy(addresses + q.n, all->at[i].frames, all->at[i].n_frames * sizeof(*addresses));
		q.n += all->at[i].n_frames;
	}
	r = mw_now_ns() > look->ask_until_ns
		    ? -ETIMEDOUT
		    : mw_remembered_ask(look->remembered, &q, root_of(look), &ended, &symbols, &err);
	for (size_t i = 0; i < all->n; i++) {
		if (all->at[i].pid != pid || all->at[i].named)
			continue;
		all->at[i].ended = ended;
		if (r < 0)
			name_bare(&all->at[i]);
		else
			name_all(&all->at[i], &symbols, first);
		first += all->at[i].n_frames;
	}
	mw_symbols_free(&symbols);
}
