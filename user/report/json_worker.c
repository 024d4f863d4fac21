/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The objects of ps, check and report leaks. */
#include "report/json.h"
#include "report/json_figures.h"
#include "report/json_out.h"
#include "util/clock.h"

struct json_object *mw_json_container(const struct mw_container *c)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_text(&o, "engine", c->engine);
	mw_json_text(&o, "id", c->id);
	mw_json_text(&o, "name", c->name);
	mw_json_text(&o, "image", c->image);
	mw_json_text(&o, "pod", c->pod);
	mw_json_text(&o, "namespace", c->namespace);
	return mw_json_end(&o);
}

struct json_object *mw_json_worker(const struct mw_worker *w)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_text(&o, "name", w->name);
	mw_json_text(&o, "class", w->class_name);
	mw_json_text(&o, "cgroup", w->cgroup ? w->cgroup : "");
	mw_json_u64(&o, "cgroup_id", w->cgroup_id);
	mw_json_u64(&o, "uid", w->uid);
	if (w->container)
		mw_json_put(&o, "container", mw_json_container(w->container));
	return mw_json_end(&o);
}

/* Limits as they stand in the cgroup; before the first look, as the profile wants them. */
static void put_limits(struct mw_json_out *o, const struct mw_worker *w)
{
	mw_json_limit(o, "max_bytes", w->usage.time_ns ? w->usage.max : w->limits.max);
	mw_json_limit(o, "high_bytes", w->usage.time_ns ? w->usage.high : w->limits.high);
}

static void put_known(struct mw_json_out *o, const char *key, __s64 value, bool known)
{
	if (known)
		mw_json_int(o, key, value);
	else
		mw_json_null(o, key);
}

/* By whom: the guard's own holds end by themselves. */
static void put_frozen(struct mw_json_out *o, const struct mw_worker *w)
{
	mw_json_bool(o, "frozen", w->frozen_by_admin || w->freeze.frozen);
	if (w->frozen_by_admin || w->freeze.frozen)
		mw_json_text(o, "frozen_by", w->frozen_by_admin ? "admin" : "memweir");
	else
		mw_json_null(o, "frozen_by");
}

/* Others that write its limits; what it has to be told at once is in the events. */
static struct json_object *conflicts(const struct mw_hold *h, __u64 now_ns)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_u64(&o, "count", h->conflicts);
	mw_json_u64(&o, "repairs", h->repairs);
	if (h->last_ns) {
		mw_json_text(&o, "file", mw_held_file(h->what));
		mw_json_limit(&o, "found_bytes", h->found);
		mw_json_text(&o, "by", h->by);
		put_known(&o, "by_pid", h->by_pid, h->by_pid);
		mw_json_u64(&o, "ago_ms", (now_ns - h->last_ns) / MW_NS_PER_MS);
	}
	return mw_json_end(&o);
}

/* Limits that are wanted and do not stand; null: they do. */
static void put_unmet(struct mw_json_out *o, const struct mw_unmet *u, __u64 now_ns)
{
	struct mw_json_out part;

	mw_json_u64(o, "limits_failed", u->total);
	if (!u->since_ns)
		return mw_json_null(o, "not_in_force");
	part = mw_json_begin(json_object_new_object());
	mw_json_limit(&part, "max_bytes", u->want);
	mw_json_text(&part, "why", mw_unmet_why(u));
	mw_json_u64(&part, "tries", u->tries);
	mw_json_u64(&part, "since_ms", now_ns > u->since_ns ? (now_ns - u->since_ns) / MW_NS_PER_MS : 0);
	mw_json_u64(&part, "next_ms", u->due_ns > now_ns ? (u->due_ns - now_ns) / MW_NS_PER_MS : 0);
	mw_json_put(o, "not_in_force", mw_json_end(&part));
}

struct json_object *mw_json_ps(const struct mw_worker *w, long pids, __u64 effective_low, __u64 now_ns)
{
	struct mw_json_out o = mw_json_begin(mw_json_worker(w));
	const struct mw_rates rates = mw_stalls_rates(w);
	__u64 age_ns = now_ns > w->usage.time_ns ? now_ns - w->usage.time_ns : 0;

	put_known(&o, "pids", pids, pids >= 0);
	mw_json_text(&o, "owner", mw_owner_name(w->owner));
	if (w->unit)
		mw_json_text(&o, "unit", w->unit->name);
	else
		mw_json_null(&o, "unit");
	mw_json_text(&o, "policy", mw_policy_name(w->profile.policy));
	mw_json_text(&o, "class_from", mw_class_from_name(w->class_from));
	if (w->rule[0])
		mw_json_text(&o, "rule", w->rule);
	else
		mw_json_null(&o, "rule");
	mw_json_u64(&o, "usage_bytes", w->usage.current);
	mw_json_u64(&o, "heap_bytes", w->usage.heap);
	mw_json_u64(&o, "bin_bytes", w->usage.bin);
	put_limits(&o, w);
	mw_json_double(&o, "percent", w->check.percent, 2);
	mw_json_text(&o, "status", mw_status_name(w->check.status));
	mw_json_text(&o, "level", mw_level_name(w->level));
	mw_json_text(&o, "verdict", mw_trend_name(w->trend.verdict));
	put_known(&o, "sample_age_ms", (__s64)(age_ns / MW_NS_PER_MS), w->usage.time_ns);
	mw_json_u64(&o, "peak_bytes", w->peak);
	put_known(&o, "main_pid", w->main_pid, w->main_pid > 0 && !w->main_gone);
	mw_json_text(&o, "command", w->command);
	mw_json_when(&o, "started", w->started_wall_ns);
	mw_json_u64(&o, "restarts", w->restarts);
	mw_json_bool(&o, "lifted", w->squeeze.lifted);
	put_frozen(&o, w);
	mw_json_bool(&o, "hibernated", w->hibernated);
	mw_json_limit(&o, "effective_low_bytes", effective_low);
	mw_json_u64(&o, "paced_reclaims", w->pace.reclaims);
	mw_json_u64(&o, "paced_bytes", w->pace.bytes);
	mw_json_u64(&o, "paced_ns", w->pace.took_ns);
	mw_json_double(&o, "reclaims_per_min", rates.reclaims_per_min, 1);
	mw_json_double(&o, "stalled_share", rates.stalled_share, 5);
	mw_json_put(&o, "conflicts", conflicts(&w->hold, now_ns));
	put_unmet(&o, &w->unmet, now_ns);
	mw_json_u64(&o, "worst_pause_ns", w->stalls ? w->stalls->tally.worst_ns : 0);
	/* As wanted; what stands in the cgroup is above. libmemweir goes by these. */
	mw_json_limit(&o, "max_heap_bytes", w->profile.max_heap);
	mw_json_limit(&o, "max_bin_heap_bytes", w->profile.max_bin_heap);
	mw_json_double(&o, "hibernate_threshold", w->profile.hibernate_threshold, 4);
	if (w->reported)
		mw_json_put(&o, "figures", mw_json_figures(w->reported, now_ns));
	else
		mw_json_null(&o, "figures");
	return mw_json_end(&o);
}

struct json_object *mw_json_brief(const struct mw_worker *w)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_text(&o, "name", w->name);
	mw_json_text(&o, "class", w->class_name);
	mw_json_u64(&o, "cgroup_id", w->cgroup_id);
	mw_json_u64(&o, "usage_bytes", w->usage.current);
	mw_json_u64(&o, "heap_bytes", w->usage.heap);
	mw_json_u64(&o, "bin_bytes", w->usage.bin);
	put_limits(&o, w);
	mw_json_limit(&o, "max_heap_bytes", w->profile.max_heap);
	mw_json_double(&o, "hibernate_threshold", w->profile.hibernate_threshold, 4);
	mw_json_double(&o, "percent", w->check.percent, 2);
	mw_json_text(&o, "level", mw_level_name(w->level));
	mw_json_text(&o, "verdict", mw_trend_name(w->trend.verdict));
	mw_json_bool(&o, "lifted", w->squeeze.lifted);
	mw_json_bool(&o, "frozen", w->frozen_by_admin || w->freeze.frozen);
	mw_json_bool(&o, "hibernated", w->hibernated);
	return mw_json_end(&o);
}

struct json_object *mw_json_check(const struct mw_worker *w)
{
	struct mw_json_out o = mw_json_begin(mw_json_worker(w));

	mw_json_u64(&o, "heap_bytes", w->usage.heap);
	mw_json_u64(&o, "bin_bytes", w->usage.bin);
	mw_json_double(&o, "percent", w->check.percent, 2);
	mw_json_text(&o, "status", mw_status_name(w->check.status));
	mw_json_bool(&o, "over_bin", w->check.over_bin);
	mw_json_bool(&o, "hibernate", w->check.hibernate);
	return mw_json_end(&o);
}

struct json_object *mw_json_level(const struct mw_worker *w)
{
	struct mw_json_out o = mw_json_begin(mw_json_worker(w));

	mw_json_text(&o, "level", mw_level_name(w->level));
	mw_json_double(&o, "percent", w->check.percent, 2);
	mw_json_limit(&o, "max_bytes", w->profile.max_heap);
	mw_json_limit(&o, "high_bytes", w->limits.high);
	mw_json_u64(&o, "usage_bytes", w->usage.current);
	mw_json_u64(&o, "heap_bytes", w->usage.heap);
	mw_json_u64(&o, "bin_bytes", w->usage.bin);
	mw_json_bool(&o, "lifted", w->squeeze.lifted);
	mw_json_seconds(&o, "time_to_limit_s", (w->line.verdict ? &w->line : &w->trend)->time_to_limit_s);
	return mw_json_end(&o);
}
