/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What would have prevented it. Better nothing than what would not have helped. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "report/phrase.h"
#include "report/postmortem.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/size.h"

static const char *const kinds[] = {
	[MW_PREVENT_PROFILE] = "profile", [MW_PREVENT_LIMIT] = "limit", [MW_PREVENT_FIX] = "fix"};
_Static_assert(ARRAY_SIZE(kinds) == MW_PREVENT_MAX, "a name for each kind");

const char *mw_prevention_name(enum mw_prevention_kind kind)
{
	return (unsigned int)kind < MW_PREVENT_MAX ? kinds[kind] : "limit";
}

struct list {
	struct mw_prevention *at;
	size_t n;
};

static struct mw_phrase begin(struct list *l, enum mw_prevention_kind kind)
{
	/* The last place is written over when there are more: the best come first. */
	struct mw_prevention *p = &l->at[l->n < MW_PREVENTIONS ? l->n++ : MW_PREVENTIONS - 1];

	*p = (struct mw_prevention){.kind = kind};
	return mw_phrase_begin(p->text, sizeof(p->text));
}

static char *setting(struct list *l)
{
	return l->at[l->n - 1].setting;
}

#define SETTING sizeof(((struct mw_prevention *)0)->setting)

__u64 mw_limit_with_room(__u64 peak)
{
	__u64 want = peak + peak / 4, step = 1000000;

	while (want / step > 20) /* 64MB, 150MB, 1200MB: two digits and a half */
		step *= want / step > 40 ? 5 : 2;
	return (want + step - 1) / step * step;
}

/* Those of its class that are as near to their limits: then it is the class that is too small, not one worker. */
static bool class_is_near(const struct mw_scene *s)
{
	__u32 near = 0, all = 0;

	for (__u32 i = 0; i < s->n_near; i++) {
		if (strcmp(s->near[i].class_name, s->w->class_name) != 0)
			continue;
		all++;
		near += s->near[i].level >= MW_LEVEL_WARNING;
	}
	return all && near * 2 >= all;
}

static void say_set(struct list *l, const struct mw_scene *s, bool class, const char *key, __u64 bytes)
{
	char size[24];

	snprintf(setting(l), SETTING, "memweir set %s %s %s=%s%s", class ? "class" : "worker",
		 class ? s->w->class_name : s->w->name, key, mw_size_exact(bytes, size, sizeof(size)),
		 class ? " --save" : "");
}

/* A higher limit of its own, for one that needs it and does not simply grow. Not more than the host could give. */
static void suggest_limit(struct list *l, const struct mw_scene *s, const struct mw_course *c)
{
	__u64 limit = s->last->max, seen = s->w->peak > c->to ? s->w->peak : c->to;
	__u64 want = mw_limit_with_room(seen > limit && limit != MW_UNLIMITED ? seen : limit);
	bool class = class_is_near(s);
	struct mw_phrase p;

	if (limit == MW_UNLIMITED || !limit || (s->host_bytes && want > s->host_bytes / 2))
		return;
	p = begin(l, MW_PREVENT_PROFILE);
	mw_phrase_add(&p, "a limit that holds it: it had ");
	mw_phrase_size(&p, seen);
	mw_phrase_add(&p, ", and how much more it would have needed is cut off by the limit; try ");
	mw_phrase_size(&p, want);
	mw_phrase_add(&p, " and look at its peak again (memweir record, memweir calibrate)%s",
		      class ? "; others of its class are near theirs too" : "");
	say_set(l, s, class, "max_heap", want);
}

/* For one that grows on, more is only later. */
static void more_is_later(struct list *l, const struct mw_scene *s, const struct mw_course *c)
{
	__u64 limit = s->last->max != MW_UNLIMITED ? s->last->max : s->w->profile.max_heap;
	struct mw_phrase p;

	if (limit == MW_UNLIMITED || c->rate <= 0)
		return;
	p = begin(l, MW_PREVENT_LIMIT);
	mw_phrase_add(&p, "a higher limit only delays it: at ");
	mw_phrase_rate(&p, c->rate);
	mw_phrase_add(&p, " another ");
	mw_phrase_size(&p, limit);
	mw_phrase_add(&p, " last ");
	mw_phrase_duration(&p, (__u64)((double)limit / c->rate * MW_NS_PER_S));
}

static void suggest_fix(struct list *l, const struct mw_scene *s)
{
	struct mw_phrase p = begin(l, MW_PREVENT_FIX);

	if (s->w->sites && s->w->sites->top[0]) {
		mw_phrase_add(&p, "the code that keeps it: %s", s->w->sites->top);
		return;
	}
	mw_phrase_add(&p, "find what it keeps: nobody has sampled its heap; run it with --heap-sample, or set "
			  "heap_sample = yes in its class, and memweir report leaks names the line");
	snprintf(setting(l), SETTING, "memweir set class %s heap_sample=yes --save", s->w->class_name);
}

static void for_growth(struct list *l, const struct mw_scene *s, const struct mw_course *c)
{
	suggest_fix(l, s);
	more_is_later(l, s, c);
}

static void for_bin(struct list *l, const struct mw_scene *s)
{
	const struct mw_usage *u = s->last;
	struct mw_phrase p = begin(l, MW_PREVENT_FIX);

	if (u->shmem >= u->sock && u->shmem >= u->kernel)
		mw_phrase_add(&p, "delete or shrink what it keeps in tmpfs, memfd or shared memory: ");
	else if (u->sock >= u->kernel)
		mw_phrase_add(&p, "bound what waits in its sockets, or read it: ");
	else
		mw_phrase_add(&p, "look at its descriptors and threads, which are kernel memory: ");
	mw_phrase_size(&p, u->shmem >= u->sock && u->shmem >= u->kernel ? u->shmem
			   : u->sock >= u->kernel			? u->sock
									: u->kernel);
	mw_phrase_add(&p, " at the last look");
}

/* Own limits for whoever filled what is shared: then it meets its own first. */
static void for_neighbour(struct list *l, const struct mw_scene *s, const struct mw_neighbour *n)
{
	__u64 before = n->usage > n->grown ? n->usage - n->grown : n->usage;
	__u64 want = mw_limit_with_room(before > (1ULL << 20) ? before : 1ULL << 20);
	struct mw_phrase p = begin(l, MW_PREVENT_PROFILE);
	char size[24];

	mw_phrase_add(&p, "%s (%s) filled what they share: ", n->name, n->class_name);
	if (n->max == MW_UNLIMITED) {
		mw_phrase_add(&p, "it has no limit of its own; with one of ");
		mw_phrase_size(&p, want);
		mw_phrase_add(&p, ", a quarter over what it had before, it alone would have been stopped");
		snprintf(setting(l), SETTING, "memweir set worker %s max_heap=%s", n->name,
			 mw_size_exact(want, size, sizeof(size)));
	} else {
		mw_phrase_add(&p, "its own limit of ");
		mw_phrase_size(&p, n->max);
		mw_phrase_add(&p, " leaves it more than is there for all; limits that add up to no more than what is "
				  "shared let only the guilty one die");
	}
	(void)s;
}

static void for_idle(struct list *l, const struct mw_scene *s)
{
	for (__u32 i = 0; i < s->n_near; i++) {
		struct mw_phrase p;

		if (!s->near[i].idle || s->near[i].hibernated)
			continue;
		p = begin(l, MW_PREVENT_PROFILE);
		mw_phrase_add(&p, "%s was due to hibernate and had ", s->near[i].name);
		mw_phrase_size(&p, s->near[i].usage);
		mw_phrase_add(&p, ": with enable_hibernation it would have made room%s",
			      s->swap_bytes ? "" : ", once the host has swap");
		snprintf(setting(l), SETTING, "memweir set monitor enable_hibernation=yes --save");
		return;
	}
}

static void for_shared(struct list *l, const struct mw_scene *s, const struct mw_course *c)
{
	struct mw_phrase p;

	if (c->who)
		for_neighbour(l, s, c->who);
	else if (c->led == MW_LED_LEAK || c->led == MW_LED_GROWTH)
		for_growth(l, s, c);
	for_idle(l, s);
	if (s->last->max == MW_UNLIMITED && !c->who && s->w->profile.policy == MW_POLICY_OBSERVE) {
		p = begin(l, MW_PREVENT_PROFILE);
		mw_phrase_add(&p, "policy observe sets no limits: with protect it would have met one of its own first");
		snprintf(setting(l), SETTING, "memweir set class %s policy=protect --save", s->w->class_name);
	}
	if (mw_by_of(s) == MW_BY_HOST && !s->swap_bytes && s->host_bytes) {
		p = begin(l, MW_PREVENT_LIMIT);
		mw_phrase_add(&p, "the host has no swap: what is not touched had nowhere to go; zram or a swap file "
				  "gives time to act");
	}
}

static void for_squeeze(struct list *l, const struct mw_scene *s, const struct mw_course *c)
{
	struct mw_phrase p;

	if (c->led == MW_LED_LEAK || c->led == MW_LED_GROWTH)
		for_growth(l, s, c);
	else
		suggest_limit(l, s, c);
	p = begin(l, MW_PREVENT_PROFILE);
	mw_phrase_add(&p, "policy protect would have let it go on up to its hard limit");
	if (c->led == MW_LED_LEAK && c->rate > 0 && s->last->max != MW_UNLIMITED && s->last->max > c->to) {
		mw_phrase_add(&p, ", for ");
		mw_phrase_duration(&p, (__u64)((double)(s->last->max - c->to) / c->rate * MW_NS_PER_S));
	}
	snprintf(setting(l), SETTING, "memweir set class %s policy=protect --save", s->w->class_name);
}

static void for_signal(struct list *l, const struct mw_scene *s)
{
	int signo = s->inc->signal ? s->inc->signal : mw_status_signal(s->inc->wait_status);
	struct mw_phrase p = begin(l, MW_PREVENT_FIX);

	if (signo == SIGKILL)
		mw_phrase_add(&p, "find who sends SIGKILL: its service manager, its supervisor, a person");
	else
		mw_phrase_add(&p,
			      "look at its own log or core dump: a memory limit kills with SIGKILL and nothing else");
}

static void for_own_max(struct list *l, const struct mw_scene *s, const struct mw_course *c)
{
	if (c->led == MW_LED_LEAK || c->led == MW_LED_GROWTH)
		return for_growth(l, s, c);
	if (c->led == MW_LED_BIN)
		for_bin(l, s);
	else
		suggest_limit(l, s, c);
}

size_t mw_prevent(const struct mw_scene *s, struct mw_prevention ret_list[MW_PREVENTIONS])
{
	struct mw_course c = mw_course_of(s);
	struct list l = {.at = ret_list};

	switch (mw_by_of(s)) {
	case MW_BY_OWN_MAX:
		for_own_max(&l, s, &c);
		break;
	case MW_BY_CLASS:
	case MW_BY_TREE:
	case MW_BY_ABOVE:
	case MW_BY_HOST:
	case MW_BY_HOST_OR_ABOVE:
		for_shared(&l, s, &c);
		break;
	case MW_BY_SQUEEZE:
		for_squeeze(&l, s, &c);
		break;
	case MW_BY_BIN:
		for_bin(&l, s);
		break;
	case MW_BY_SIGNAL:
		for_signal(&l, s);
		break;
	case MW_BY_ADMIN: /* a wish; but it may have been for a leak */
		if (c.led == MW_LED_LEAK && s->w->sites && s->w->sites->top[0])
			suggest_fix(&l, s);
		break;
	case MW_BY_NONE: /* an orderly end; or it lives, and may be helped in time */
		if (mw_scene_lives(s) && (c.led == MW_LED_LEAK || c.led == MW_LED_GROWTH))
			for_growth(&l, s, &c);
		break;
	default: /* one that nobody saw: not known */
		break;
	}
	return l.n;
}
