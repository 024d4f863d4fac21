/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* How near its limit a worker is: followed, told to who listens on the control socket, and to the worker itself. */
#include "core/cgroup.h"
#include "daemon/guard.h"
#include "daemon/pressure.h"
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
}

static void tell_worker(struct mw_guard *g, struct mw_worker *w, bool risen, __u64 now_ns)
{
	enum mw_told told = w->dry_run ? MW_TOLD : mw_pressure_tell(g->run_fd, w);
	char text[256];

	w->told_ns = now_ns;
	if (told == MW_TOLD && risen) /* a line for each step, not for each reminder */
		mw_tell(g->tell, LOG_INFO, "told", w, "%s", mw_text_told(w, text, sizeof(text)));
}

void mw_notice_look(struct mw_guard *g, struct mw_worker *w, __u64 now_ns)
{
	enum mw_level before = w->level;

	w->level = mw_verdict_level(&w->usage, &w->profile, &w->squeeze, &w->trend, before);
	if (w->level != before)
		say_level(g, w, before);
	if (w->pressure[0] && mw_level_due(w->level, before, w->told_ns, now_ns))
		tell_worker(g, w, w->level > before, now_ns);
}

void mw_notice_idle(struct mw_guard *g, struct mw_worker *w, unsigned *budget, __u64 now_ns)
{
	__u64 after = g->cfg.monitor.idle_after_ns, cpu_us;
	char stat[2048], text[256];

	if (!mw_advice_only(w, &g->cfg.monitor) || w->frozen_by_admin)
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
