/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the code of a site is called. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "daemon/sites_impl.h"
#include "report/json_out.h"
#include "util/clock.h"

#define FRAMES 64 /* of each site, inlined ones counted */
#define ASK_MS 8000

void mw_sites_put_why(struct mw_json_out *o, const struct mw_site_found *s)
{
	if (s->why[0])
		mw_json_text(o, "unnamed", s->why);
	else
		mw_json_null(o, "unnamed");
}

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

/* Its pid is of the past, or another process's now. */
static bool has_ended(const struct mw_site_found *s)
{
	__u64 ticks;
	int r = mw_proc_start_ticks("/proc", s->pid, &ticks);

	return r == -ESRCH || (r >= 0 && s->start_ticks && !mw_proc_same_start(ticks, s->start_ticks));
}

/* It has no names yet, and is of the same process. */
static bool is_asked(const struct mw_site_found *s, const struct mw_site_found *of)
{
	return !s->named && s->pid == of->pid && s->start_ticks == of->start_ticks;
}

static int ask(const struct mw_sites_look *look, const struct mw_symbols_question *q, bool *ret_ended,
	       struct mw_symbols *ret_symbols, struct mw_error *err)
{
	if (mw_now_ns() > look->ask_until_ns) {
		(void)mw_fail(err, -ETIMEDOUT, "there was no time left to ask");
		return -ETIMEDOUT;
	}
	return mw_remembered_ask(look->remembered, q, root_of(look), ret_ended, ret_symbols, err);
}

/* One question for all sites of a process. */
void mw_sites_name(const struct mw_sites_look *look, struct mw_site_list *all, size_t first)
{
	struct mw_address addresses[MW_SITES_SHOWN * MW_STACK_DEPTH];
	const struct mw_site_found of = all->at[first];
	struct mw_symbols_question q = {.pid = of.pid,
					.start_ticks = of.start_ticks,
					.addresses = addresses,
					.timeout_ms = ASK_MS};
	struct mw_symbols symbols = {};
	struct mw_error err = {};
	bool ended = has_ended(&of);
	size_t place = 0;
	int r;

	for (size_t i = 0; i < all->n; i++) {
		if (!is_asked(&all->at[i], &of))
			continue;
		memcpy(addresses + q.n, all->at[i].frames, all->at[i].n_frames * sizeof(*addresses));
		q.n += all->at[i].n_frames;
	}
	r = ask(look, &q, &ended, &symbols, &err);
	for (size_t i = 0; i < all->n; i++) {
		struct mw_site_found *s = &all->at[i];

		if (!is_asked(s, &of))
			continue;
		s->ended = ended;
		if (r < 0) {
			name_bare(s);
			snprintf(s->why, sizeof(s->why), "%.*s", (int)sizeof(s->why) - 1, err.text);
		} else {
			name_all(s, &symbols, place);
		}
		place += s->n_frames;
	}
	mw_symbols_free(&symbols);
}
