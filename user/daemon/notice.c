/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* How near its limit a worker is: followed, told to who listens on the control socket, and to the worker itself. */
#include <stdlib.h>

#include "core/cgroup.h"
#include "daemon/guard.h"
#include "daemon/pressure.h"
#include "daemon/recording.h"
#include "report/json.h"
#include "report/json_advice.h"
#include "report/text.h"
#include "util/clock.h"

static void say_level(struct mw_guard *g, const struct mw_worker *w, enum mw_level before)
{
	struct json_object *doc = mw_json_level(w);
	char when[40];

	if (!doc)
		return;
	json_object_object_add(doc, "type", json_object_new_string("level"));
	json_object_object_add(doc, "time", json_object_new_string(mw_json_time(mw_wall_ns(), when, sizeof(when))));
	json_object_object_add(doc, "before", json_object_new_string(mw_level_name(before)));
	mw_tell_json(g->tell, "level", doc, true);
	mw_recording_level(g, w, before);
}

/* Room for a ladder comes with its first step: most workers never need one. Without memory nothing is kept of it. */
static void step(struct mw_worker *w, enum mw_rung rung, __u64 before_bytes, bool heard)
{
	if (!w->ladder)
		w->ladder = calloc(1, sizeof(*w->ladder));
	if (w->ladder)
		mw_ladder_begin(w->ladder, (struct mw_step){.rung = rung,
							    .heard = heard,
							    .level = w->level,
							    .wall_ns = mw_wall_ns(),
							    .began_ns = mw_now_ns(),
							    .before = before_bytes});
}

static void tell_worker(struct mw_guard *g, struct mw_worker *w, bool risen, __u64 now_ns)
{
	enum mw_told told = w->dry_run ? MW_TOLD : mw_pressure_tell(g->run_fd, w);
	char text[256];

	w->told_ns = now_ns;
	w->told_times = risen ? 1 : w->told_times + 1;
	/* A higher level while the last byte is unread is the same notice: it is still on its way. */
	if (risen && !w->dry_run && (told == MW_TOLD || (told == MW_TOLD_UNREAD && !mw_ladder_open(w->ladder))))
		step(w, MW_RUNG_NOTIFY, w->usage.current, told == MW_TOLD);
	if (told == MW_TOLD && risen) /* a line for each step, not for each reminder */
		mw_tell(g->tell, LOG_INFO, "told", w, "%s", mw_text_told(w, text, sizeof(text)));
}

/* The trend is judged at checks: what has freed a tenth since the last one is on that line no more. */
static bool left_the_line(const struct mw_worker *w)
{
	__u64 newest = w->history.count ? mw_series_at(&w->history, w->history.count - 1).bytes : 0;

	return w->usage.heap + w->usage.bin < newest - newest / 10;
}

void mw_notice_look(struct mw_guard *g, struct mw_worker *w, __u64 now_ns)
{
	static const struct mw_trend none = {.time_to_limit_s = -1};
	enum mw_level before = w->level;

	w->level = mw_verdict_level(&w->usage, &w->profile, &w->squeeze, left_the_line(w) ? &none : &w->line, before);
	if (w->level != before)
		say_level(g, w, before);
	/* A hibernated one is not reminded: it would only touch what is swapped out. */
	if (w->pressure[0] && (w->level > before || !w->hibernated) &&
	    mw_level_due(w->level, before, w->told_ns, w->told_times, now_ns))
		tell_worker(g, w, w->level > before, now_ns);
	mw_ladder_look(w->ladder, w->usage.current, w->level, w->profile.notify_grace_ns, now_ns);
}

void mw_notice_now(struct mw_guard *g, struct mw_worker *w, __u64 now_ns)
{
	if (w->pressure[0])
		tell_worker(g, w, true, now_ns);
}

bool mw_notice_waits(const struct mw_worker *w, __u64 now_ns)
{
	return mw_ladder_waits(w->ladder, w->profile.notify_grace_ns, now_ns);
}

void mw_notice_step(struct mw_worker *w, enum mw_rung rung, __u64 before_bytes)
{
	step(w, rung, before_bytes, false);
}

void mw_notice_stepped(struct mw_worker *w, enum mw_rung rung, __u64 after_bytes)
{
	mw_ladder_end(w->ladder, rung, after_bytes, w->level, mw_now_ns());
}

void mw_notice_idle(struct mw_guard *g, struct mw_worker *w, unsigned *budget, __u64 now_ns)
{
	__u64 after = g->cfg.monitor.idle_after_ns, cpu_us;
	char stat[2048], text[256];

	if (!mw_advice_only(w, &g->cfg.monitor) || w->frozen_by_admin || w->freeze.frozen)
		after = 0;
	if (!mw_idle_candidate(&w->idle, w->usage.anon, after) || !*budget || !mw_idle_due(&w->idle, after, now_ns))
		return;
	--*budget;
	if (mw_cgroup_read(w->dir_fd, "cpu.stat", stat, sizeof(stat)) < 0 || mw_keyed_u64(stat, "usage_usec", &cpu_us))
		return;
	if (!mw_idle_look(&w->idle, cpu_us, w->usage.anon, after, now_ns) || w->idle.told)
		return;
	w->idle.told = true;
	mw_tell(g->tell, LOG_NOTICE, "hibernate-recommended", w, "%s", mw_text_idle(w, now_ns, text, sizeof(text)));
}
