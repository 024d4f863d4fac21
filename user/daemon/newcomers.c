/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "daemon/newcomers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/guard.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define LOOK_NS	     (10 * MW_NS_PER_S) /* deadline of an action; none of ours looks at it */
#define AGAIN_NS     (20 * MW_NS_PER_MS) /* the queue of actions had no room */
#define TURN_NS	     (50 * MW_NS_PER_MS) /* of the loop, for those who were looked at */
#define COOKIE_FACTS 1 /* no cgroup has these ids: a look of each kind at a time */
#define COOKIE_ASK   2

/*
 * The state file of a container comes a little after its cgroup, on a slow host a good deal. After QUICK_ASKS what
 * rules say of any cgroup and process counts too; the rest is for engines that take their time.
 */
static const __u64 ask_again_ns[] = {10 * MW_NS_PER_MS, 30 * MW_NS_PER_MS, 100 * MW_NS_PER_MS, 300 * MW_NS_PER_MS,
				     1 * MW_NS_PER_S,	3 * MW_NS_PER_S,   10 * MW_NS_PER_S,   30 * MW_NS_PER_S};
#define QUICK_ASKS 5

/* ---- the timer ---- */

static int on_timer(sd_event_source *src, uint64_t usec, void *arg)
{
	(void)src, (void)usec;
	mw_newcomers_judge(arg);
	mw_newcomers_pump(arg);
	return 0;
}

static void wake_in(struct mw_guard *g, __u64 in_ns)
{
	struct mw_newcomers *n = &g->newcomers;

	if (!g->event)
		return; /* the loop's first beat comes at once */
	if (!n->timer) {
		if (sd_event_add_time_relative(g->event, &n->timer, CLOCK_MONOTONIC, in_ns / 1000, 1000, on_timer, g) <
		    0)
			n->timer = NULL;
		return;
	}
	sd_event_source_set_time_relative(n->timer, in_ns / 1000);
	sd_event_source_set_enabled(n->timer, SD_EVENT_ONESHOT);
}

static bool submit(struct mw_guard *g, int (*call)(void *arg, char *text, size_t size), void *arg, __u64 cookie)
{
	struct mw_action a = mw_action_make(MW_ACTION_CALL, -1, cookie, LOOK_NS);

	a.call = call;
	a.arg = arg;
	a.slow = true;
	if (mw_actions_submit(g->actions, &a) == 0)
		return true;
	wake_in(g, AGAIN_NS);
	return false;
}

/* ---- who is on the way ---- */

void mw_newcomers_scan_in(struct mw_newcomers *n, __u64 in_ns)
{
	__u64 due = mw_now_ns() + in_ns;

	if (!n->scan_due_ns || due < n->scan_due_ns)
		n->scan_due_ns = due;
}

static void arrive(struct mw_newcomers *n, struct mw_arrival who)
{
	n->told++;
	if (n->n == MW_NEWCOMERS_QUEUE) {
		n->dropped++;
		mw_newcomers_scan_in(n, MW_NEWCOMERS_LEFT_OUT_NS);
		return;
	}
	n->queue[(n->first + n->n++) % MW_NEWCOMERS_QUEUE] = who;
}

void mw_newcomers_event(struct mw_guard *g, const struct mw_event *e)
{
	if (!g->newcomers.on) /* told before the rules went */
		return;
	arrive(&g->newcomers, (struct mw_arrival){(pid_t)e->pid, e->flags, e->time_ns, e->cgroup_id});
	mw_newcomers_pump(g);
}

void mw_newcomers_child(struct mw_guard *g, const struct mw_worker *w, const struct mw_event *e)
{
	if (!g->newcomers.needs.parents || (pid_t)e->pid == w->main_pid)
		return;
	arrive(&g->newcomers, (struct mw_arrival){(pid_t)e->pid, MW_NEWCOMER_EXEC, e->time_ns, e->cgroup_id});
	mw_newcomers_pump(g);
}

void mw_newcomers_announce(struct mw_guard *g, pid_t pid)
{
	if (!g->newcomers.on)
		return;
	arrive(&g->newcomers, (struct mw_arrival){pid, MW_NEWCOMER_EXEC | MW_NEWCOMER_CGROUP, mw_now_ns(), 0});
	mw_newcomers_pump(g);
}

/* ---- the three looks ---- */

/* There are pids of a scan that were not looked at. */
static bool is_scanned(const struct mw_newcomers *n)
{
	return n->scan && n->scan->ready && n->scan->next < n->scan->n;
}

/* The next one: who was told of before who was found by a scan. */
static bool next_arrival(struct mw_newcomers *n, struct mw_arrival *ret)
{
	struct mw_proc_scan *s = n->scan;

	if (n->n) {
		*ret = n->queue[n->first];
		n->first = (n->first + 1) % MW_NEWCOMERS_QUEUE;
		n->n--;
		return true;
	}
	if (!is_scanned(n))
		return false;
	*ret = (struct mw_arrival){s->pids[s->next++], MW_NEWCOMER_EXEC | MW_NEWCOMER_CGROUP, 0, 0};
	return true;
}

static void start_batch(struct mw_guard *g)
{
	struct mw_newcomers *n = &g->newcomers;
	struct mw_facts_batch *b;

	if (n->batch || (!n->n && !is_scanned(n)))
		return;
	b = calloc(1, sizeof(*b));
	if (!b)
		return; /* at the next beat */
	b->mount = g->mount;
	b->attributes = g->cfg.monitor.class_carriers;
	while (b->n < MW_NEWCOMERS_BATCH && next_arrival(n, &b->who[b->n]))
		b->n++;
	if (submit(g, mw_look_facts, b, COOKIE_FACTS)) {
		n->batch = b;
		return;
	}
	mw_newcomers_scan_in(
		n, MW_NEWCOMERS_LEFT_OUT_NS); /* hundreds of actions are waiting: nobody is lost, a scan finds them */
	n->dropped += b->n;
	free(b);
}

static void start_ask(struct mw_guard *g)
{
	struct mw_newcomers *n = &g->newcomers;
	__u64 now = mw_now_ns(), next = 0;
	struct mw_asking *a;

	for (size_t i = 0; i < MW_NEWCOMERS_ASKS && !n->asking; i++) {
		if (!n->asks[i].cgroup || n->asks[i].due_ns > now)
			continue;
		a = calloc(1, sizeof(*a));
		if (!a)
			return;
		a->mount = g->mount;
		a->place = i;
		snprintf(a->cgroup, sizeof(a->cgroup), "%s", n->asks[i].cgroup);
		if (!submit(g, mw_look_container, a, COOKIE_ASK)) {
			free(a);
			return;
		}
		n->asking = a;
	}
	for (size_t i = 0; i < MW_NEWCOMERS_ASKS && !n->asking && !(n->batch && n->batch->ready); i++)
		if (n->asks[i].cgroup && (!next || n->asks[i].due_ns < next))
			next = n->asks[i].due_ns;
	if (next)
		wake_in(g, next > now ? next - now : 0);
}

static void start_scan(struct mw_guard *g)
{
	struct mw_newcomers *n = &g->newcomers;
	__u64 now = mw_now_ns();
	struct mw_proc_scan *s;

	if (!n->on || n->scan || !n->scan_due_ns || n->scan_due_ns > now)
		return;
	s = calloc(1, sizeof(*s));
	if (!s || !submit(g, mw_look_scan, s, COOKIE_FACTS)) {
		free(s);
		return; /* at the next beat */
	}
	n->scan = s;
	n->scan_due_ns = 0;
	n->scanned_ns = now;
	n->n_asked = 0;
}

static void end_scan(struct mw_newcomers *n)
{
	if (n->scan)
		free(n->scan->pids);
	free(n->scan);
	n->scan = NULL;
}

/* What a thread has is dropped when it is through. */
void mw_newcomers_let_go(struct mw_newcomers *n)
{
	size_t asked = n->asking ? n->asking->place : MW_NEWCOMERS_ASKS;

	n->n = 0;
	n->scan_due_ns = 0;
	if (n->scan && n->scan->ready)
		end_scan(n);
	for (size_t i = 0; i < MW_NEWCOMERS_ASKS; i++) {
		if (i == asked)
			continue;
		free(n->asks[i].cgroup);
		n->asks[i] = (struct mw_container_ask){0};
	}
}

void mw_newcomers_pump(struct mw_guard *g)
{
	start_scan(g);
	start_batch(g);
	start_ask(g);
}

/* ---- what they bring ---- */

/* In this scan; of more cgroups than there is room for some are asked for again. */
static bool was_asked(struct mw_newcomers *n, __u64 id)
{
	for (unsigned i = 0; i < n->n_asked && i < MW_NEWCOMERS_ASKS; i++)
		if (n->asked[i] == id)
			return true;
	n->asked[n->n_asked++ % MW_NEWCOMERS_ASKS] = id;
	return false;
}

static void ask_for(struct mw_guard *g, const struct mw_arrival *who, const struct mw_facts *f)
{
	struct mw_newcomers *n = &g->newcomers;
	struct mw_container_ask *place = NULL;

	if (!who->at_ns && was_asked(n, f->ids[0]))
		return;
	for (size_t i = 0; i < MW_NEWCOMERS_ASKS; i++) {
		struct mw_container_ask *a = &n->asks[i];

		if (a->cgroup && strcmp(a->cgroup, f->cgroup) == 0) { /* told of once more: its own program begins */
			if (who->at_ns)
				a->who = *who;
			a->tries = 0;
			a->due_ns = a->due_ns < mw_now_ns() ? a->due_ns : mw_now_ns();
			return;
		}
		if ((!a->cgroup && (!place || place->cgroup)) || (a->tries > QUICK_ASKS && !place && !n->asking))
			place = a; /* a free one, else of one that is hardly a container's */
	}
	if (place) {
		free(place->cgroup);
		*place = (struct mw_container_ask){strdup(f->cgroup), *who, mw_now_ns(), 0};
	}
	if (!place || !place->cgroup) {
		n->dropped++;
		mw_newcomers_scan_in(n, MW_NEWCOMERS_LEFT_OUT_NS);
	}
}

static void judge_one(struct mw_guard *g, const struct mw_arrival *who, const struct mw_facts *f, int status)
{
	struct mw_newcomers *n = &g->newcomers;

	if (status < 0)
		n->gone++;
	else if (!f->executable[0])
		return;
	else if ((who->flags & MW_NEWCOMER_CGROUP) && !(who->flags & MW_NEWCOMER_NO_CONTAINER) && n->needs.containers &&
		 mw_admit_is_container(g, f))
		ask_for(g, who, f);
	else
		mw_admit_process(g, who, f);
}

/* As many of the batch as one turn of the loop has time for: others want to be served too. */
void mw_newcomers_judge(struct mw_guard *g)
{
	struct mw_newcomers *n = &g->newcomers;
	struct mw_facts_batch *b = n->batch;
	__u64 began = mw_now_ns(), now = began;

	if (!b || !b->ready)
		return;
	while (n->on && b->next < b->n && now - began < TURN_NS && n->taking < MW_NEWCOMERS_TAKEN) {
		judge_one(g, &b->who[b->next], &b->facts[b->next], b->status[b->next]);
		b->next++;
		now = mw_now_ns();
		mw_keeper_beat(g->keeper, now); /* each may take milliseconds */
	}
	if (n->on && b->next < b->n) {
		if (n->taking < MW_NEWCOMERS_TAKEN) /* else the next one that is through says go on */
			wake_in(g, 0);
		return;
	}
	n->batch = NULL;
	free(b);
	if (n->scan && n->scan->ready && !is_scanned(n))
		end_scan(n);
	mw_newcomers_pump(g);
}

static void ask_done(struct mw_guard *g, struct mw_asking *a, int status)
{
	struct mw_newcomers *n = &g->newcomers;
	struct mw_container_ask *ask = &n->asks[a->place];
	bool open = status < 0 && status != -ENODEV && n->on;

	n->asking = NULL;
	if (status == 0 && n->on)
		mw_admit_container(g, a, ask->who.at_ns);
	if (open && ask->tries == QUICK_ASKS) {
		ask->who.flags |= MW_NEWCOMER_NO_CONTAINER;
		arrive(n, ask->who);
	}
	if (open && ask->tries < ARRAY_SIZE(ask_again_ns)) {
		ask->due_ns = mw_now_ns() + ask_again_ns[ask->tries++];
	} else {
		free(ask->cgroup);
		*ask = (struct mw_container_ask){0};
	}
	mw_container_free(&a->container);
	free(a);
}

bool mw_newcomers_done(struct mw_guard *g, const struct mw_action_result *r)
{
	struct mw_newcomers *n = &g->newcomers;

	if (r->arg && r->arg == n->batch)
		n->batch->ready = true;
	else if (r->arg && r->arg == n->asking)
		ask_done(g, n->asking, r->status);
	else if (!r->arg || r->arg != n->scan)
		return false;
	else if (r->status < 0 || !n->on)
		end_scan(n);
	else
		n->scan->ready = true;
	mw_newcomers_judge(g);
	mw_newcomers_pump(g);
	return true;
}

void mw_newcomers_close(struct mw_guard *g)
{
	g->newcomers.timer = sd_event_source_disable_unref(g->newcomers.timer);
	/* Nobody listens: the ring is for what happens to workers until the next daemon comes. */
	if (g->kernel && g->newcomers.on && mw_kernel_has(g->kernel, MW_CAP_NEWCOMERS))
		mw_kernel_newcomers_want(g->kernel, 0, 0);
}

void mw_newcomers_free(struct mw_guard *g)
{
	struct mw_newcomers *n = &g->newcomers;

	end_scan(n);
	free(n->batch);
	if (n->asking)
		mw_container_free(&n->asking->container);
	free(n->asking);
	for (size_t i = 0; i < MW_NEWCOMERS_ASKS; i++)
		free(n->asks[i].cgroup);
	free(n->queue);
	free(n->counts);
	*n = (struct mw_newcomers){0};
}
