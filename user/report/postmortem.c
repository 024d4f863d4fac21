/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Who killed it, and what led there. */
#include "report/postmortem.h"

#include "util/cleanup.h"
#include "util/clock.h"

#define LEAST_BYTES  (1ULL << 20) /* less than this is no growth */
#define BURST_NS     (10 * MW_NS_PER_S) /* what most of a rise fits into is a burst */
#define BURST_PART   0.6
#define STEADY_LOOKS 8 /* growth is told of from so many on */

static const char *const killers[] = {
	[MW_BY_NONE] = "none",
	[MW_BY_OWN_MAX] = "memory-max",
	[MW_BY_CLASS] = "class-limit",
	[MW_BY_TREE] = "tree-limit",
	[MW_BY_ABOVE] = "limit-above",
	[MW_BY_HOST] = "host-oom",
	[MW_BY_HOST_OR_ABOVE] = "host-or-limit-above",
	[MW_BY_SQUEEZE] = "strict-squeeze",
	[MW_BY_BIN] = "strict-bin",
	[MW_BY_ADMIN] = "admin",
	[MW_BY_SIGNAL] = "signal",
	[MW_BY_UNSEEN] = "unseen",
};
_Static_assert(ARRAY_SIZE(killers) == MW_BY_MAX, "a name for each killer");

static const char *const leds[] = {
	[MW_LED_UNKNOWN] = "unknown", [MW_LED_NOTHING] = "nothing",	[MW_LED_LEVEL] = "level",
	[MW_LED_GROWTH] = "growth",   [MW_LED_LEAK] = "leak",		[MW_LED_BURST] = "burst",
	[MW_LED_BIN] = "bin",	      [MW_LED_NEIGHBOUR] = "neighbour",
};
_Static_assert(ARRAY_SIZE(leds) == MW_LED_MAX, "a name for each of what leads there");

const char *mw_by_name(enum mw_by killer)
{
	return (unsigned int)killer < MW_BY_MAX ? killers[killer] : "none";
}

const char *mw_led_name(enum mw_led led)
{
	return (unsigned int)led < MW_LED_MAX ? leds[led] : "unknown";
}

static enum mw_by of_host_oom(const struct mw_scene *s)
{
	switch (s->limit) {
	case MW_LIMIT_CLASS:
		return MW_BY_CLASS;
	case MW_LIMIT_TREE:
		return MW_BY_TREE;
	case MW_LIMIT_ANCESTOR:
		return MW_BY_ABOVE;
	case MW_LIMIT_HOST:
		return MW_BY_HOST;
	default:
		return MW_BY_HOST_OR_ABOVE;
	}
}

enum mw_by mw_by_of(const struct mw_scene *s)
{
	switch (s->inc->reason) {
	case MW_REASON_HEAP_SIZE:
		return MW_BY_OWN_MAX;
	case MW_REASON_HOST_OOM:
		return of_host_oom(s);
	case MW_REASON_SQUEEZE:
		return MW_BY_SQUEEZE;
	case MW_REASON_BIN_LIMIT:
		return s->inc->saved_bytes ? MW_BY_NONE : MW_BY_BIN;
	case MW_REASON_ADMIN:
		return MW_BY_ADMIN;
	case MW_REASON_SIGNAL:
		return MW_BY_SIGNAL;
	case MW_REASON_UNSEEN:
		return MW_BY_UNSEEN;
	default:
		return MW_BY_NONE;
	}
}

bool mw_scene_lives(const struct mw_scene *s)
{
	switch (s->inc->reason) {
	case MW_REASON_LIFT:
	case MW_REASON_FREEZE:
	case MW_REASON_HIBERNATE:
		return true;
	default:
		return s->inc->reason == MW_REASON_BIN_LIMIT && s->inc->saved_bytes;
	}
}

/* The shared limit was filled by another one: it grew most, and the dead one hardly did. */
static const struct mw_neighbour *who_filled(const struct mw_scene *s, __u64 own_rise)
{
	const struct mw_neighbour *most = NULL;
	enum mw_by k = mw_by_of(s);

	if (k < MW_BY_CLASS || k > MW_BY_HOST_OR_ABOVE)
		return NULL;
	for (__u32 i = 0; i < s->n_near; i++)
		if (s->near[i].grown >= LEAST_BYTES && (!most || s->near[i].grown > most->grown))
			most = &s->near[i];
	return most && most->grown > 2 * own_rise ? most : NULL;
}

/* The lowest point, the later one of two as low: the rise began there. */
static __u32 lowest(const struct mw_scene *s)
{
	__u32 at = 0;

	for (__u32 i = 1; i < s->n_looks; i++)
		if (s->looks[i].usage <= s->looks[at].usage)
			at = i;
	return at;
}

/* Where the rise was over, but for half a percent: at its limit a worker may be held for long before it dies. */
static __u32 top_of(const struct mw_scene *s, __u32 low, __u64 rise)
{
	__u32 i = low, end = s->n_looks - 1;

	while (i < end && s->looks[i].usage + rise / 200 < s->looks[end].usage)
		i++;
	return i;
}

/* How much of the rise came in the last ten seconds before its top; where that began. */
static __u32 burst_from(const struct mw_scene *s, __u32 low, __u32 top, __u64 rise)
{
	const struct mw_look *l = s->looks, *end = &l[top];
	__u32 i = top;

	while (i > low && end->time_ns - l[i - 1].time_ns <= BURST_NS &&
	       (double)(end->usage - (l[i].usage < end->usage ? l[i].usage : end->usage)) < BURST_PART * (double)rise)
		i--;
	return i;
}

/* Killed at a limit that the last look did not see it near: what came in between. */
static __u64 unseen(const struct mw_scene *s)
{
	const struct mw_look *end = &s->looks[s->n_looks - 1];
	__u64 max = mw_by_of(s) == MW_BY_OWN_MAX ? end->max : MW_UNLIMITED;

	return max != MW_UNLIMITED && max > end->usage + max / 20 ? max - end->usage : 0;
}

static bool is_bin(const struct mw_scene *s, __u32 low, __u64 rise)
{
	const struct mw_look *from = &s->looks[low], *end = &s->looks[s->n_looks - 1];

	return end->bin > from->bin && end->bin - from->bin > rise / 2 && end->bin - from->bin >= LEAST_BYTES;
}

/* Did half of the rise come in the first half of its time, within a factor of two? */
static bool is_steady(const struct mw_scene *s, __u32 low, __u32 end)
{
	const struct mw_look *l = s->looks;
	__u32 mid = (low + end) / 2;
	__u64 rise = l[end].usage - l[low].usage;
	__u64 first = l[mid].usage > l[low].usage ? l[mid].usage - l[low].usage : 0;

	return end - low >= STEADY_LOOKS && first * 4 >= rise && first * 4 <= 3 * rise;
}

/* Who ended by itself, by a signal or on request did so for its memory only where that was near its limit. */
static bool matters(const struct mw_scene *s)
{
	enum mw_by by = mw_by_of(s);
	__u64 limit = s->last->max != MW_UNLIMITED ? s->last->max : s->w->profile.max_heap;

	if (s->inc->reason == MW_REASON_LIFT || (by != MW_BY_SIGNAL && by != MW_BY_ADMIN && by != MW_BY_NONE))
		return true;
	return limit != MW_UNLIMITED && s->last->current >= limit / 10 * 8;
}

/* What was told of it counts too: at its limit a leak does not grow any more. */
static bool leaks(const struct mw_worker *w)
{
	return w->trend.verdict >= MW_SUSPECT || w->trend_told >= MW_SUSPECT;
}

static double rate_of(const struct mw_course *c)
{
	return c->span_ns ? (double)(c->to - c->from) * MW_NS_PER_S / (double)c->span_ns : 0;
}

struct mw_course mw_course_of(const struct mw_scene *s)
{
	struct mw_course c = {.led = MW_LED_UNKNOWN};
	const struct mw_look *end;
	__u64 rise, limit;
	__u32 low, top;

	if (!matters(s)) {
		c.led = MW_LED_NOTHING;
		return c;
	}
	if (s->n_looks < 2) {
		c.who = who_filled(s, 0);
		c.led = c.who ? MW_LED_NEIGHBOUR : MW_LED_UNKNOWN;
		return c;
	}
	end = &s->looks[s->n_looks - 1];
	low = lowest(s);
	c.from = s->looks[low].usage;
	c.to = end->usage;
	c.unseen = unseen(s);
	rise = c.to - c.from;
	top = top_of(s, low, rise);
	c.span_ns = s->looks[top].time_ns - s->looks[low].time_ns;
	limit = end->max != MW_UNLIMITED ? end->max : s->w->profile.max_heap;
	c.who = who_filled(s, rise);
	if (c.who) {
		c.led = MW_LED_NEIGHBOUR;
	} else if (is_bin(s, low, rise)) {
		c.led = MW_LED_BIN;
	} else if (c.unseen > rise) {
		c.led = MW_LED_BURST;
		c.from = end->usage;
		c.to = end->usage + c.unseen;
		c.span_ns = s->end_ns > end->time_ns ? s->end_ns - end->time_ns : 0;
	} else if (leaks(s->w) && (s->w->trend.rate_bytes_per_s > 0 || rate_of(&c) > 0)) {
		c.led = MW_LED_LEAK;
		c.rate = s->w->trend.verdict >= MW_SUSPECT && s->w->trend.rate_bytes_per_s > 0
				 ? s->w->trend.rate_bytes_per_s
				 : rate_of(&c);
	} else if (rise < LEAST_BYTES || (limit != MW_UNLIMITED && rise < limit / 20)) {
		c.led = MW_LED_LEVEL;
		c.from = c.to;
		c.span_ns = end->time_ns - s->looks[0].time_ns;
	} else if (is_steady(s, low, top)) {
		c.led = MW_LED_GROWTH;
		c.rate = rate_of(&c);
	} else {
		__u32 from = burst_from(s, low, top, rise);

		c.led = MW_LED_BURST;
		c.from = s->looks[from].usage;
		c.span_ns = s->looks[top].time_ns - s->looks[from].time_ns;
	}
	return c;
}
