/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Where the memory of who grows comes from: found out in an action thread, one worker at a time, again and again. */
#include "daemon/sites.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "daemon/guard.h"
#include "daemon/objects.h"
#include "report/text.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define LOOK_NS	   (30 * MW_NS_PER_S) /* deadline of an action; ours has its own */
#define SOON_S	   120.0 /* its limit is so near: looked at in each check */
#define URGENT_NS  (4 * MW_NS_PER_S)
#define WATCHED_NS (10 * MW_NS_PER_S) /* what is known of its objects grows */
#define AGAIN_NS   (60 * MW_NS_PER_S)
#define NOTHING_NS (30 * MW_NS_PER_S) /* there was nothing to be found */
#define LOOK_PART  5 /* of the time between checks one look may follow another */
#define NEVER_SEEN 1e6 /* due so much: before who was */
#define LATE_NS                                                                                                        \
	(60 * MW_NS_PER_S) /* a look that takes longer hangs in the kernel: each of its parts has a deadline           \
			    */

static int look(void *arg, char *text, size_t size)
{
	(void)text, (void)size;
	return mw_sites_look(arg);
}

/* How long ago it was looked at, in shares of how often it is to be; < 1: it is not due. */
static double due(const struct mw_guard *g, const struct mw_worker *w, __u64 now_ns)
{
	const struct mw_trend *t = &w->trend;
	bool near = t->time_to_limit_s >= 0 && t->time_to_limit_s < SOON_S;
	__u64 every = near ? URGENT_NS : AGAIN_NS;

	if (t->verdict < MW_GROWING)
		return 0;
	if (!w->sites)
		return near ? 2 * NEVER_SEEN : NEVER_SEEN;
	if (w->sites->touched.begun == 1 && every > MW_TOUCHED_SOON_NS)
		every = MW_TOUCHED_SOON_NS;
	else if (!w->sites->list && every < NOTHING_NS)
		every = NOTHING_NS;
	if (g->objects && g->objects->cgroup_id == w->cgroup_id && every > WATCHED_NS)
		every = WATCHED_NS;
	return (double)(now_ns - w->sites->taken_ns) / (double)every;
}

/* The last three quarters of the time it grows: when that began is known to a part of a window only. */
static __u64 grows_since(const struct mw_worker *w)
{
	__u64 now_ns = mw_now_ns(), onset_ns = w->trend.onset_ns;

	return onset_ns && onset_ns < now_ns ? onset_ns + (now_ns - onset_ns) / 4 : 0;
}

/* What is known of its objects from outside, if it is the one that is watched. */
static void lend_objects(const struct mw_guard *g, const struct mw_worker *w, struct mw_sites_look *l)
{
	const struct mw_watch *watch = &w->sites->watch;
	__u64 now_ns = mw_now_ns();

	if (!g->objects || g->objects->cgroup_id != w->cgroup_id || !watch->began_ns)
		return;
	l->probes = g->objects->probes;
	l->otel = g->objects->otel;
	l->watched_ns = mw_watch_watched(watch, now_ns);
	l->watched_of_ns = mw_watch_of(watch, now_ns);
	l->watched_until_ns = watch->ended_ns ? watch->ended_ns : now_ns;
}

static int submit(struct mw_guard *g, struct mw_worker *w)
{
	struct mw_action a = mw_action_make(MW_ACTION_CALL, -1, 0, LOOK_NS);
	struct mw_sites_look *l = calloc(1, sizeof(*l));
	int r = l ? 0 : -ENOMEM;

	if (!w->sites)
		w->sites = calloc(1, sizeof(*w->sites));
	if (!g->remembered)
		g->remembered = mw_remembered_new(NULL);
	if (!l || !w->sites || !g->remembered) {
		free(l);
		return -ENOMEM;
	}
	l->kernel = g->kernel;
	l->cgroup_id = w->cgroup_id;
	l->cgroup_fd = fcntl(w->dir_fd, F_DUPFD_CLOEXEC, 3);
	l->before = w->sites->before;
	l->has_before = w->sites->has_before;
	l->touched = w->sites->touched;
	l->objects = TAKE_PTR(w->sites->objects);
	l->cgroup = strdup(w->cgroup);
	g->stacks = g->stacks ? g->stacks : calloc(1, sizeof(*g->stacks));
	l->stacks = g->stacks;
	l->since_ns = grows_since(w);
	lend_objects(g, w, l);
	l->remembered = g->remembered;
	if (l->since_ns && w->trend.rate_bytes_per_s > 0)
		l->grew = (__u64)(w->trend.rate_bytes_per_s * (double)(mw_now_ns() - l->since_ns) / MW_NS_PER_S);
	a.call = look;
	a.arg = l;
	a.slow = true;
	r = l->cgroup_fd < 0 ? -errno : !l->cgroup ? -ENOMEM : mw_actions_submit(g->actions, &a);
	if (r < 0) {
		l->before = (struct mw_heap){};
		mw_sites_look_free(l);
		return r;
	}
	w->sites->before = (struct mw_heap){}; /* comes back with the look */
	w->sites->has_before = false;
	return 0;
}

/*
 * Reading a process's memory may wait for who stands behind it (a file server of its own), and cannot be given up: no
 * second look is sent after it, and that is said.
 */
static void tell_late(struct mw_guard *g, __u64 now_ns)
{
	struct mw_worker *w = mw_worker_by_id(&g->workers, g->sites_of);

	if (!g->sites_since_ns || g->sites_late_told || now_ns - g->sites_since_ns < LATE_NS)
		return;
	g->sites_late_told = true;
	mw_tell(g->tell, LOG_WARNING, "look-hangs", w,
		"the look at where the memory of worker %s comes from hangs for %llu s in the kernel, which waits for "
		"something of its processes: until it ends, nobody's places are looked at anew; limits, pauses and "
		"verdicts "
		"go on",
		w ? w->name : "that has ended", (now_ns - g->sites_since_ns) / MW_NS_PER_S);
}

void mw_sites_check(struct mw_guard *g, __u64 now_ns)
{
	struct mw_worker *w, *next, *first = NULL;
	double most = 1;

	HASH_ITER (by_id, g->workers.by_id, w, next) {
		double d = due(g, w, now_ns);

		if (w->sites && w->trend.verdict == MW_STEADY && !g->sites_since_ns) {
			mw_sites_free(w->sites); /* the next growth is another one */
			w->sites = NULL;
			mw_kernel_copies_want(g->kernel, w->cgroup_id, 0, 0);
		}
		if (d >= most) {
			most = d;
			first = w;
		}
	}
	tell_late(g, now_ns);
	if (!first || g->sites_since_ns || submit(g, first) < 0)
		return;
	g->sites_since_ns = now_ns;
	g->sites_of = first->cgroup_id;
	g->sites_late_told = false;
}

/* Who is suspected is told of with its place, once. */
static void tell(struct mw_guard *g, struct mw_worker *w)
{
	char text[512];

	if (w->sites->told || !w->sites->top[0] || w->trend.verdict < MW_SUSPECT)
		return;
	w->sites->told = true;
	mw_tell(g->tell, LOG_WARNING, "leak-site", w, "%s", mw_text_site(w, text, sizeof(text)));
}

/* Once: a program that pretends goes on doing so. */
static void tell_refused(struct mw_guard *g, struct mw_worker *w, const struct mw_heap *now)
{
	if (!now->n_refused || w->sites->refused_told)
		return;
	w->sites->refused_told = true;
	mw_tell(g->tell, LOG_WARNING, "heap-refused", w,
		"worker %s (%s): what %u of its processes have in place of a heap sampler's memory is not read: %s",
		w->name, w->class_name, now->n_refused, now->refused);
}

static void take(struct mw_guard *g, struct mw_worker *w, struct mw_sites_look *l, int status)
{
	struct mw_sites *s = w->sites;

	s->taken_ns = mw_now_ns();
	tell_refused(g, w, &l->now);
	if (l->has_before || l->now.n_sites) {
		s->before = l->has_before ? l->before : l->now;
		*(l->has_before ? &l->before : &l->now) = (struct mw_heap){};
		s->has_before = true;
	}
	s->touched = l->touched;
	s->account = l->account;
	if (!s->first.known)
		s->first = l->account;
	s->objects = TAKE_PTR(l->objects);
	s->life = l->life;
	mw_heap_drop_objects(&s->before); /* growth is counted without them */
	if (status < 0)
		return; /* what was known before stays */
	if (s->source == MW_SITES_WATCHED && l->source == MW_SITES_GROWTH)
		return; /* what was seen while it was watched says more */
	s->source = l->source;
	mw_kept_drop(s->list);
	mw_kept_drop(s->lines);
	s->list = TAKE_PTR(l->list);
	s->lines = TAKE_PTR(l->lines);
	s->left_out_bytes = l->left_out_bytes;
	memcpy(s->top, l->top, sizeof(s->top));
	s->heap_share = l->heap_share;
	s->heap_samples = l->heap_samples;
	tell(g, w);
}

bool mw_sites_done(struct mw_guard *g, const struct mw_action_result *r)
{
	struct mw_sites_look *l = r->arg;
	struct mw_worker *w;

	if (r->call != look)
		return false;
	g->sites_since_ns = 0;
	w = mw_worker_by_id(&g->workers, l->cgroup_id);
	if (w && w->sites)
		take(g, w, l, r->status);
	else /* it ended meanwhile, and the look may have asked after that */
		mw_kernel_copies_want(g->kernel, l->cgroup_id, 0, 0);
	mw_sites_look_free(l);
	/* Many may grow at once, and those who have little time left are not to wait for the next checks. */
	if (mw_now_ns() - g->last_check_ns < g->cfg.monitor.check_interval_ns / LOOK_PART)
		mw_sites_check(g, mw_now_ns());
	return true;
}
