/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The sentences: the cause, and why none of the others. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "report/phrase.h"
#include "report/postmortem.h"
#include "util/cleanup.h"
#include "util/clock.h"

static void add_limit(struct mw_phrase *p, __u64 bytes)
{
	if (bytes == MW_UNLIMITED || !bytes)
		return;
	mw_phrase_add(p, " of ");
	mw_phrase_size(p, bytes);
}

static void by_own_max(struct mw_phrase *p, const struct mw_scene *s)
{
	mw_phrase_add(p, "the kernel killed it at its own memory.max");
	add_limit(p, s->last->max);
}

static void by_class(struct mw_phrase *p, const struct mw_scene *s)
{
	mw_phrase_add(p, "the kernel killed it because all workers of class %s together met the limit",
		      s->w->class_name);
	add_limit(p, s->limit_bytes);
}

static void by_tree(struct mw_phrase *p, const struct mw_scene *s)
{
	mw_phrase_add(p, "the kernel killed it because all workers together met the budget");
	add_limit(p, s->limit_bytes);
}

static void by_above(struct mw_phrase *p, const struct mw_scene *s)
{
	mw_phrase_add(p, "the kernel killed it at the memory.max");
	add_limit(p, s->limit_bytes);
	mw_phrase_add(p, " of %s, which contains it and is not memweir's",
		      s->limit_path[0] ? s->limit_path : "a cgroup");
}

static void by_host(struct mw_phrase *p, const struct mw_scene *s)
{
	(void)s;
	mw_phrase_add(p, "the host was out of memory and the kernel killed it; its own limit was not met");
}

static void by_host_or_above(struct mw_phrase *p, const struct mw_scene *s)
{
	(void)s;
	mw_phrase_add(p, "the kernel killed it though its own limit was not met: the host, or a cgroup that contains "
			 "it, was out of memory");
}

static void by_squeeze(struct mw_phrase *p, const struct mw_scene *s)
{
	mw_phrase_add(p, "memweir killed it (policy %s): it stayed over its soft limit",
		      mw_policy_name(s->w->profile.policy));
	add_limit(p, s->w->limits.high);
	mw_phrase_add(p, " and nothing %scould be freed",
		      mw_squeeze_freed(&s->w->squeeze, s->last->current, s->w->limits.high) ? "more " : "");
}

static void by_bin(struct mw_phrase *p, const struct mw_scene *s)
{
	mw_phrase_add(p, "memweir killed it (policy %s): its bin stayed over max_bin_heap",
		      mw_policy_name(s->w->profile.policy));
	add_limit(p, s->w->profile.max_bin_heap);
}

static void by_admin(struct mw_phrase *p, const struct mw_scene *s)
{
	mw_phrase_add(p, "it was killed on request%s%s", s->inc->killed_by[0] ? ": " : "", s->inc->killed_by);
}

static void by_signal(struct mw_phrase *p, const struct mw_scene *s)
{
	int signo = s->inc->signal ? s->inc->signal : mw_status_signal(s->inc->wait_status);
	const char *name = sigabbrev_np(signo);

	mw_phrase_add(p, "signal %d%s%s%s ended it, sent by neither memweir nor the kernel's OOM killer", signo,
		      name ? " (SIG" : "", name ? name : "", name ? ")" : "");
}

static void by_unseen(struct mw_phrase *p, const struct mw_scene *s)
{
	(void)s;
	mw_phrase_add(p, "it ended while no daemon ran, and its cgroup is gone: how it ended is not known");
}

static void by_nobody(struct mw_phrase *p, const struct mw_scene *s)
{
	mw_phrase_add(p, "%s", mw_scene_lives(s) ? "it lives" : "it ended by itself");
}

static void (*const killed[])(struct mw_phrase *p, const struct mw_scene *s) = {
	[MW_BY_NONE] = by_nobody,     [MW_BY_OWN_MAX] = by_own_max,
	[MW_BY_CLASS] = by_class,     [MW_BY_TREE] = by_tree,
	[MW_BY_ABOVE] = by_above,     [MW_BY_HOST] = by_host,
	[MW_BY_SQUEEZE] = by_squeeze, [MW_BY_HOST_OR_ABOVE] = by_host_or_above,
	[MW_BY_BIN] = by_bin,	      [MW_BY_ADMIN] = by_admin,
	[MW_BY_SIGNAL] = by_signal,   [MW_BY_UNSEEN] = by_unseen,
};
_Static_assert(ARRAY_SIZE(killed) == MW_BY_MAX, "a sentence for each killer");

static void add_span(struct mw_phrase *p, const struct mw_course *c)
{
	mw_phrase_add(p, " from ");
	mw_phrase_size(p, c->from);
	mw_phrase_add(p, " to ");
	mw_phrase_size(p, c->to);
	mw_phrase_add(p, " in ");
	mw_phrase_duration(p, c->span_ns);
}

static void add_rate(struct mw_phrase *p, const struct mw_course *c, const char *how)
{
	mw_phrase_add(p, "; before that it grew%s", how);
	add_span(p, c);
	mw_phrase_add(p, ", ");
	mw_phrase_rate(p, c->rate);
}

static void add_burst(struct mw_phrase *p, const struct mw_scene *s, const struct mw_course *c)
{
	if (!c->unseen || c->from != s->looks[s->n_looks - 1].usage) {
		mw_phrase_add(p, "; it grew in a burst,");
		return add_span(p, c);
	}
	mw_phrase_add(p, "; the last look saw ");
	mw_phrase_size(p, c->from);
	mw_phrase_add(p, ", so the last ");
	mw_phrase_size(p, c->unseen);
	mw_phrase_add(p, " came in less than ");
	mw_phrase_duration(p, c->span_ns);
}

/* Which kind of it, where that is known. */
static void add_bin(struct mw_phrase *p, const struct mw_scene *s, const struct mw_course *c)
{
	mw_phrase_add(p, "; most of what it grew by");
	add_span(p, c);
	mw_phrase_add(p, " is bin: shmem ");
	mw_phrase_size(p, s->last->shmem);
	mw_phrase_add(p, ", sockets ");
	mw_phrase_size(p, s->last->sock);
	mw_phrase_add(p, ", kernel ");
	mw_phrase_size(p, s->last->kernel);
}

static void add_neighbour(struct mw_phrase *p, const struct mw_course *c)
{
	mw_phrase_add(p, "; %s (%s) filled it, +", c->who->name, c->who->class_name);
	mw_phrase_size(p, c->who->grown);
	mw_phrase_add(p, " in ");
	mw_phrase_duration(p, c->who->span_ns);
	if (c->to > c->from) {
		mw_phrase_add(p, ", while this one grew ");
		mw_phrase_size(p, c->to - c->from);
	}
}

static void add_course(struct mw_phrase *p, const struct mw_scene *s, const struct mw_course *c)
{
	switch (c->led) {
	case MW_LED_LEVEL:
		mw_phrase_add(p, "; it had stood at ");
		mw_phrase_size(p, c->to);
		mw_phrase_add(p, " for ");
		mw_phrase_duration(p, c->span_ns);
		break;
	case MW_LED_GROWTH:
		add_rate(p, c, " steadily");
		break;
	case MW_LED_LEAK:
		add_rate(p, c, s->w->trend.verdict == MW_LEAK ? " as a leak does," : " as a leak may,");
		if (s->w->sites && s->w->sites->top[0])
			mw_phrase_add(p, "; %s", s->w->sites->top);
		break;
	case MW_LED_BURST:
		add_burst(p, s, c);
		break;
	case MW_LED_BIN:
		add_bin(p, s, c);
		break;
	case MW_LED_NEIGHBOUR:
		add_neighbour(p, c);
		break;
	case MW_LED_NOTHING:
		break;
	default:
		mw_phrase_add(p, "; too little was recorded of it to say what led there");
		break;
	}
}

const char *mw_cause_text(const struct mw_scene *s, char *buf, size_t size)
{
	struct mw_phrase p = mw_phrase_begin(buf, size);
	struct mw_course c = mw_course_of(s);
	enum mw_by k = mw_by_of(s);

	killed[k](&p, s);
	if (k != MW_BY_NONE || c.led != MW_LED_UNKNOWN)
		add_course(&p, s, &c);
	return buf;
}

/* Of its own limit: why it did not meet it. */
static void add_own(struct mw_phrase *p, const struct mw_neighbour *n)
{
	if (n->max == MW_UNLIMITED) {
		mw_phrase_add(p, "it has no limit of its own to meet");
		return;
	}
	mw_phrase_add(p, "its own limit was not reached: %.0f %% of ",
		      n->max ? 100.0 * (double)n->usage / (double)n->max : 0.0);
	mw_phrase_size(p, n->max);
}

/* The kernel goes by processes, not by cgroups, so that the larger worker need not be the one. */
static void add_chosen(struct mw_phrase *p, const struct mw_scene *s, const struct mw_neighbour *n)
{
	__u64 dead = s->last->current, mine = n->usage;

	if (dead && mine <= dead)
		mw_phrase_add(p, "the kernel takes the largest: %s had %.1f times as much", s->w->name,
			      mine ? (double)dead / (double)mine : 0.0);
	else
		mw_phrase_add(p, "it had more, but the kernel goes by the largest single process and its "
				 "oom_score_adj, not by the sum of a worker");
	if (n->low && n->low != MW_UNLIMITED && mine <= n->low)
		mw_phrase_add(p, "; nothing is reclaimed from it either, it is within its memory.low");
}

const char *mw_why_not_text(const struct mw_scene *s, const struct mw_neighbour *n, char *buf, size_t size)
{
	struct mw_phrase p = mw_phrase_begin(buf, size);

	switch (mw_by_of(s)) {
	case MW_BY_CLASS:
	case MW_BY_TREE:
	case MW_BY_ABOVE:
	case MW_BY_HOST:
	case MW_BY_HOST_OR_ABOVE:
		add_chosen(&p, s, n);
		break;
	case MW_BY_SQUEEZE:
		if (n->high == MW_UNLIMITED)
			mw_phrase_add(&p, "it has no soft limit");
		else if (n->usage > n->high)
			mw_phrase_add(&p, "it was over its soft limit too, and is judged for itself");
		else
			mw_phrase_add(&p, "its own soft limit was not reached: %.0f %% of it",
				      n->high ? 100.0 * (double)n->usage / (double)n->high : 0.0);
		break;
	case MW_BY_BIN:
		mw_phrase_add(&p, "its bin is ");
		mw_phrase_size(&p, n->bin);
		if (n->max_bin != MW_UNLIMITED) {
			mw_phrase_add(&p, " of ");
			mw_phrase_size(&p, n->max_bin);
		}
		break;
	default:
		add_own(&p, n);
		break;
	}
	return buf;
}
