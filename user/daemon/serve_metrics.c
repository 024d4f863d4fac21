/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * GET /metrics, written in turns: each worker in one go, from its last sample, then the classes, then the guard itself.
 * What is added up over workers counts each of them once, also one that ends meanwhile: a counter never goes back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/metrics_cost.h"
#include "daemon/serve.h"
#include "daemon/serve_turns.h"
#include "report/metrics.h"
#include "util/clock.h"

/* Written or still being read: some 3 MB each of 2,000 workers. Users cannot keep root from its own. */
#define ROOTS_MOST  4
#define OTHERS_MOST 2

struct mw_scrape {
	struct mw_guard *guard;
	uid_t reader;
	__u64 number;
	bool begun, guard_due;
	bool whole; /* the host's figures too, for root */
	enum mw_metrics_format format;
	struct mw_metrics_now now;
	struct mw_turns_list workers;
	struct mw_metrics_out *out;
	struct mw_parts *answer;
	unsigned int *open;
	struct mw_class_pauses *classes;
	size_t n_classes, classes_done;
};

static void scrape_free(void *state)
{
	struct mw_scrape *s = state;

	if (s->guard->scrape == s)
		s->guard->scrape = NULL;
	if (s->open)
		--*s->open;
	mw_turns_list_free(&s->workers);
	mw_metrics_out_free(s->out);
	mw_parts_free(s->answer);
	free(s->classes);
	free(s);
}

/* The class's sums; those of one that is new begin with nothing. NULL: no memory. */
static struct mw_class_pauses *class_of(struct mw_scrape *s, const char *name)
{
	struct mw_class_pauses *classes;

	for (size_t i = 0; i < s->n_classes; i++) {
		if (strcmp(s->classes[i].name, name) == 0)
			return &s->classes[i];
	}
	classes = reallocarray(s->classes, s->n_classes + 1, sizeof(*classes));
	if (!classes)
		return NULL;
	s->classes = classes;
	classes = &classes[s->n_classes++];
	memset(classes, 0, sizeof(*classes));
	memcpy(classes->name, name, strnlen(name, sizeof(classes->name) - 1));
	return classes;
}

static struct mw_class_pauses *class_for(struct mw_guard *g, struct mw_scrape *s, const struct mw_worker *w)
{
	struct mw_class_totals *t = mw_totals_class(&g->totals, w->class_name);

	return t ? class_of(s, t->name) : NULL;
}

/* Nobody else's turn can come between these: from here on whoever ends is either written already, or counted then. */
static int begin(struct mw_guard *g, struct mw_scrape *s)
{
	s->begun = true;
	s->number = ++g->scrapes;
	g->scrape = s;
	s->now = (struct mw_metrics_now){.now_ns = mw_now_ns(), .boot_offset_ns = g->boot_offset_ns};
	for (size_t i = 0; s->whole && i < g->cfg.n_classes; i++) /* also those that nobody is in */
		mw_totals_class(&g->totals, g->cfg.classes[i].name);
	for (size_t i = 0; s->whole && i < g->totals.n; i++) {
		struct mw_class_pauses *class = class_of(s, g->totals.of[i].name);

		if (!class)
			return -ENOMEM;
		memcpy(class->pauses, g->totals.of[i].pauses, sizeof(class->pauses));
	}
	return mw_turns_list(g, s->reader, false, &s->workers);
}

void mw_scrape_ended(struct mw_guard *g, const struct mw_worker *w, const struct mw_pause_stat stats[MW_PAUSE_MAX])
{
	struct mw_class_pauses *class =
		g->scrape && g->scrape->whole && w->scrape != g->scrape->number ? class_for(g, g->scrape, w) : NULL;

	if (class)
		mw_pauses_add(class->pauses, stats);
}

static void write_worker(struct mw_guard *g, struct mw_scrape *s, struct mw_worker *w)
{
	struct mw_pause_stat stats[MW_PAUSE_MAX];
	struct mw_class_pauses *class;
	bool paused = w->stalls && mw_kernel_pauses_read(g->kernel, w->cgroup_id, stats) >= 0;

	w->scrape = s->number;
	s->now.now_ns = mw_now_ns();
	mw_metrics_worker(s->out, w, paused ? stats : NULL, &s->now);
	class = s->whole ? class_for(g, s, w) : NULL;
	if (class)
		mw_metrics_count(class, w, paused ? stats : NULL);
}

/* One class of those that are left. */
static void write_class(struct mw_guard *g, struct mw_scrape *s)
{
	const struct mw_class_pauses *class = &s->classes[s->classes_done++];

	mw_metrics_class(s->out, mw_totals_class(&g->totals, class->name), class, &s->now);
}

static int write_guard(struct mw_guard *g, struct mw_scrape *s)
{
	struct mw_metrics_guard *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	mw_metrics_cost(g, all);
	mw_metrics_guard(s->out, all);
	free(all);
	return 0;
}

static int go_on(struct mw_guard *g, struct mw_scrape *s, __u64 until_ns)
{
	struct mw_worker *w;
	int r;

	if (!s->begun && (r = begin(g, s)) < 0)
		return r;
	while (!s->answer && (w = mw_turns_next(g, &s->workers))) {
		write_worker(g, s, w);
		if (mw_now_ns() >= until_ns)
			return 1;
	}
	while (s->classes_done < s->n_classes) {
		write_class(g, s);
		if (mw_now_ns() >= until_ns)
			return 1;
	}
	if (s->whole && !s->guard_due) { /* it takes a millisecond: a turn of its own */
		s->guard_due = true;
		return 1;
	}
	r = s->whole ? write_guard(g, s) : 0;
	s->answer = r == 0 ? mw_metrics_out_end(s->out) : NULL;
	return s->answer ? 0 : -ENOMEM;
}

static __u64 cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (__u64)t.tv_sec * MW_NS_PER_S + (__u64)t.tv_nsec;
}

static int step(struct mw_guard *g, void *state, __u64 until_ns)
{
	struct mw_scrape *s = state;
	__u64 began = cpu_ns();
	int r = go_on(g, s, until_ns);

	g->scrape_ns += cpu_ns() - began;
	return r;
}

static void answer(struct mw_guard *g, void *state, struct mw_request *r)
{
	struct mw_scrape *s = state;
	struct mw_parts *parts = s->answer;

	s->answer = NULL;
	g->scrape_bytes = parts->size;
	parts->users = s->open; /* it counts until it has been read */
	s->open = NULL;
	mw_request_answer_parts(r, 200, mw_metrics_content_type(s->format), parts);
}

void mw_serve_metrics(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	static const struct mw_turns_kind kind = {.what = "metrics of so many workers",
						  .step = step,
						  .answer = answer,
						  .free = scrape_free};
	uid_t reader = mw_serve_reader(r);
	unsigned int *open = &g->scrapes_open[reader != 0];
	struct mw_scrape *s;

	(void)rest;
	if (*open >= (reader ? OTHERS_MOST : ROOTS_MOST)) {
		g->scrapes_refused++;
		return mw_serve_error(r, -EAGAIN, "too many answers like this one are being read: try again");
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return mw_turns_add(g, r, &kind, NULL);
	s->guard = g;
	s->reader = reader;
	s->open = open;
	++*open;
	s->whole = reader == 0;
	s->format = mw_metrics_accept(mw_request_header(r, "Accept"));
	s->out = mw_metrics_out_new(&mw_metric_rows[0].family, sizeof(mw_metric_rows[0]), MW_M_MAX,
				    s->format == MW_METRICS_OPEN);
	if (!s->out) {
		scrape_free(s);
		s = NULL;
	}
	mw_turns_add(g, r, &kind, s);
}
