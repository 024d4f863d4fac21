/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Whose objects are watched, and when: one worker at a time. */
#include "daemon/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/guard.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define SHARE	    0.01 /* of a processor */
#define DEADLINE_NS (60 * MW_NS_PER_S)
#define TURN_NS	    (120 * MW_NS_PER_S) /* where others wait */
#define AGAIN_NS    (60 * MW_NS_PER_S) /* it could not be attached: a program may have been started since */
#define NEVER_NS    (1ULL << 62)
#define SOON_S	    120.0 /* to its limit */
#define FULL	    (MW_OBJECTS_KEPT / 2) /* so many samples, and they are thinned out to a quarter */

static struct mw_watch_budget budget_of(const struct mw_guard *g)
{
	const struct mw_objects *o = g->objects;

	return (struct mw_watch_budget){g->cfg.monitor.object_calls_per_s, SHARE,
					o && o->checked ? o->check.call_ns : 0};
}

/*
 * Suspect, or growing and soon at its limit, and then as long as it grows; and nothing better is known of its objects.
 */
static bool is_wanted(const struct mw_guard *g, const struct mw_worker *w)
{
	const struct mw_trend *t = &w->trend;
	bool begun = g->objects && g->objects->cgroup_id == w->cgroup_id;
	bool near = t->verdict == MW_GROWING && (begun || (t->time_to_limit_s >= 0 && t->time_to_limit_s < SOON_S));

	return g->cfg.monitor.object_calls_per_s && w->profile.object_probe && !w->dry_run && w->sites &&
	       w->sites->taken_ns && w->sites->source != MW_SITES_HEAP && (t->verdict >= MW_SUSPECT || near) &&
	       !w->leaving && !w->ending && !w->frozen_by_admin;
}

/* Who has been watched least; who may not be now does not wait. */
static struct mw_worker *choose(struct mw_guard *g, __u64 now_ns, const struct mw_worker *but)
{
	struct mw_worker *w, *next, *best = NULL;

	HASH_ITER (by_id, g->workers.by_id, w, next) {
		if (w == but || !is_wanted(g, w) || w->sites->watch.due_ns > now_ns)
			continue;
		if (!best || w->sites->watch.watched_ns < best->sites->watch.watched_ns)
			best = w;
	}
	return best;
}

static int submit(struct mw_guard *g, struct mw_worker *w, enum mw_objects_what what)
{
	struct mw_action a = mw_action_make(MW_ACTION_CALL, -1, 0, DEADLINE_NS);
	struct mw_objects *o = g->objects;
	struct mw_objects_job *job = calloc(1, sizeof(*job));
	int r;

	if (!job)
		return -ENOMEM;
	*job = (struct mw_objects_job){.what = what,
				       .probes = o->probes,
				       .check = o->check,
				       .checked = o->checked,
				       .mean_bytes = o->mean_bytes,
				       .budget = budget_of(g),
				       .cgroup_id = o->cgroup_id,
				       .cgroup_fd = -1};
	if (what == MW_OBJECTS_ATTACH) {
		job->fresh = o->fresh;
		job->cgroup_fd = fcntl(w->dir_fd, F_DUPFD_CLOEXEC, 3);
	}
	a.call = mw_objects_job_run;
	a.arg = job;
	a.slow = true;
	r = what == MW_OBJECTS_ATTACH && job->cgroup_fd < 0 ? -errno : mw_actions_submit(g->actions, &a);
	if (r < 0)
		mw_objects_job_free(job);
	o->under_way = r >= 0;
	return r;
}

/* Nobody's any more: what is attached is let go. */
static void let_go(struct mw_guard *g)
{
	struct mw_objects *o = g->objects;

	if (o->attached && submit(g, NULL, MW_OBJECTS_DETACH) < 0)
		return; /* at the next beat */
	o->cgroup_id = 0;
}

static void begin_turn(struct mw_guard *g, struct mw_worker *w, __u64 now_ns)
{
	struct mw_objects *o = g->objects;
	__u32 sheds = w->sites->watch.sheds;

	w->sites->watch = (struct mw_watch){.sheds = sheds};
	o->fresh = true;
	o->cgroup_id = w->cgroup_id;
	o->turn_ns = now_ns;
	o->mean_bytes = MW_OBJECTS_MEAN;
}

void mw_objects_check(struct mw_guard *g, __u64 now_ns)
{
	struct mw_worker *w = g->objects ? mw_worker_by_id(&g->workers, g->objects->cgroup_id) : NULL, *other;

	if (g->objects && (g->objects->under_way || (w && g->objects->attached)))
		return;
	if (w && is_wanted(g, w) && now_ns - g->objects->turn_ns < TURN_NS && !w->sites->watch.shed)
		return; /* it pauses */
	other = choose(g, now_ns, w);
	if (!other)
		return;
	if (!g->objects)
		g->objects = calloc(1, sizeof(*g->objects));
	if (g->objects)
		begin_turn(g, other, now_ns);
}

static void thin(struct mw_guard *g, const struct mw_object_counts *c)
{
	struct mw_objects *o = g->objects;

	if (o->otel || (__s64)(c->taken - c->freed - c->reused - o->others) < FULL ||
	    o->mean_bytes * 4 > MW_HEAP_MEAN_MAX)
		return;
	o->mean_bytes *= 4;
	if (submit(g, NULL, MW_OBJECTS_THIN) < 0)
		o->mean_bytes /= 4; /* at the next beat */
}

void mw_objects_tick(struct mw_guard *g, __u64 now_ns)
{
	struct mw_objects *o = g->objects;
	struct mw_watch_budget budget;
	struct mw_object_counts c = {0};
	struct mw_worker *w;
	enum mw_watch_do what;

	if (!o || o->under_way || (!o->cgroup_id && !o->attached))
		return;
	w = mw_worker_by_id(&g->workers, o->cgroup_id);
	if (!w || !is_wanted(g, w) || o->attached != (w->sites->watch.phase == MW_WATCH_OPEN)) {
		if (w && w->sites)
			w->sites->watch.phase = MW_WATCH_PAUSED;
		return let_go(g);
	}
	if (o->probes)
		mw_object_probes_counts(o->probes, &c);
	budget = budget_of(g);
	what = mw_watch_step(&w->sites->watch, &budget, now_ns, mw_object_calls(&c), c.run_ns);
	if (what == MW_WATCH_ATTACH && submit(g, w, MW_OBJECTS_ATTACH) < 0)
		mw_watch_refused(&w->sites->watch, now_ns + MW_NS_PER_S);
	else if (what == MW_WATCH_DETACH && submit(g, w, MW_OBJECTS_DETACH) < 0)
		w->sites->watch.phase = MW_WATCH_OPEN; /* again at the next beat */
	else if (what == MW_WATCH_NOTHING)
		thin(g, &c);
}

/* Why its objects are not known: told once, and kept for reports. */
static void say_unwatched(struct mw_guard *g, struct mw_worker *w, const char *why)
{
	struct mw_sites *s = w->sites;
	char text[sizeof(s->unwatched)];
	bool known;

	snprintf(text, sizeof(text), "%.*s", (int)sizeof(text) - 1, why);
	known = strcmp(s->unwatched, text) == 0;
	memcpy(s->unwatched, text, sizeof(text));
	if (!known)
		mw_tell(g->tell, LOG_NOTICE, "unwatched", w, "worker %s (%s) is not watched object by object: %s",
			w->name, w->class_name, why);
}

static void say_shed(struct mw_guard *g, struct mw_worker *w)
{
	char why[120];

	/* Without the number, which differs each time: told once. */
	snprintf(why, sizeof(why), "more than %u calls of its allocator a second", g->cfg.monitor.object_calls_per_s);
	if (strcmp(w->sites->unwatched, why) != 0)
		mw_tell(g->tell, LOG_NOTICE, "watch-shed", w,
			"worker %s (%s) is watched no longer: %llu calls of its allocator a second, expected at most "
			"%u",
			w->name, w->class_name, w->sites->watch.rate, g->cfg.monitor.object_calls_per_s);
	snprintf(w->sites->unwatched, sizeof(w->sites->unwatched), "%s", why);
}

static void attached(struct mw_guard *g, struct mw_worker *w, const struct mw_objects_job *job, int status,
		     const char *text)
{
	struct mw_watch_budget budget = budget_of(g);
	struct mw_watch *watch = &w->sites->watch;

	if (status < 0) {
		mw_watch_refused(watch, job->checked && !job->check.ok ? NEVER_NS : mw_now_ns() + AGAIN_NS);
		say_unwatched(g, w, text);
		return;
	}
	if (job->burst) {
		mw_watch_burst(watch, &budget, job->since_ns, job->done_ns, job->calls);
		say_shed(g, w);
		return;
	}
	if (!watch->began_ns)
		mw_tell(g->tell, LOG_INFO, "watched", w,
			"worker %s (%s) is watched object by object now and then%s: %u of its processes", w->name,
			w->class_name, job->otel ? ", through a sampler of its own (otel_memory)" : "",
			job->n_processes);
	w->sites->unwatched[0] = '\0';
	mw_watch_opened(watch, job->since_ns, job->calls, job->own_ns);
}

bool mw_objects_done(struct mw_guard *g, const struct mw_action_result *r)
{
	struct mw_objects_job *job = r->arg;
	struct mw_objects *o = g->objects;
	struct mw_watch_budget budget;
	struct mw_object_counts c;
	struct mw_worker *w;

	if (r->call != mw_objects_job_run)
		return false;
	o->under_way = false;
	o->probes = job->probes;
	o->check = job->check;
	o->checked = job->checked;
	budget = budget_of(g);
	w = mw_worker_by_id(&g->workers, job->cgroup_id);
	w = w && w->sites ? w : NULL;
	if (job->counted)
		o->others = job->others;
	if (job->what == MW_OBJECTS_ATTACH) {
		o->fresh = o->fresh && !job->counted;
		o->attached = r->status >= 0 && !job->burst;
		o->otel = job->otel;
		if (w)
			attached(g, w, job, r->status, r->text);
	} else if (job->what == MW_OBJECTS_DETACH) {
		o->attached = false;
		mw_object_probes_counts(o->probes, &c);
		if (w && w->sites->watch.phase == MW_WATCH_CLOSING) {
			mw_watch_closed(&w->sites->watch, &budget, job->done_ns, mw_object_calls(&c), c.run_ns);
			if (w->sites->watch.shed)
				say_shed(g, w);
		}
	}
	mw_objects_job_free(job);
	return true;
}

void mw_objects_close(struct mw_guard *g)
{
	if (g->objects)
		mw_object_probes_close(g->objects->probes);
	free(g->objects);
	g->objects = NULL;
}
