/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/ladder.h"

#include <stddef.h>

static const char *const names[] = {
	[MW_RUNG_NOTIFY] = "notify", [MW_RUNG_RECLAIM] = "reclaim", [MW_RUNG_LIFT] = "lift",
	[MW_RUNG_FREEZE] = "freeze", [MW_RUNG_KILL] = "kill",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == MW_RUNG_MAX, "a name for every rung");

const char *mw_rung_name(enum mw_rung rung)
{
	return (unsigned int)rung < MW_RUNG_MAX ? names[rung] : "unknown";
}

bool mw_rung_allowed(enum mw_rung rung, enum mw_policy policy)
{
	static const enum mw_policy least[] = {
		[MW_RUNG_NOTIFY] = MW_POLICY_OBSERVE, [MW_RUNG_RECLAIM] = MW_POLICY_PROTECT,
		[MW_RUNG_LIFT] = MW_POLICY_PROTECT,   [MW_RUNG_FREEZE] = MW_POLICY_STRICT,
		[MW_RUNG_KILL] = MW_POLICY_STRICT,
	};

	return (unsigned int)rung < MW_RUNG_MAX && policy >= least[rung];
}

/* A caller's now may be a little older than a step that began meanwhile. */
static __u64 since(__u64 then_ns, __u64 now_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

static __u32 index_of(const struct mw_ladder *l, __u32 i)
{
	return (l->head + MW_LADDER_KEPT - l->count + i) % MW_LADDER_KEPT;
}

const struct mw_step *mw_ladder_at(const struct mw_ladder *l, __u32 i)
{
	return &l->steps[index_of(l, i)];
}

/* The newest step on this rung: its place, or -1. */
static int newest(const struct mw_ladder *l, enum mw_rung rung)
{
	for (int i = l ? (int)l->count - 1 : -1; i >= 0; i--) {
		if (mw_ladder_at(l, (__u32)i)->rung == rung)
			return i;
	}
	return -1;
}

void mw_ladder_begin(struct mw_ladder *l, struct mw_step step)
{
	/* What was under way on this rung goes on as the new step. */
	mw_ladder_end(l, step.rung, step.before, step.level, step.began_ns);
	if (step.rung != MW_RUNG_NOTIFY && step.rung != MW_RUNG_LIFT)
		mw_ladder_end(l, MW_RUNG_NOTIFY, step.before, step.level, step.began_ns);
	l->steps[l->head] = step;
	l->head = (l->head + 1) % MW_LADDER_KEPT;
	if (l->count < MW_LADDER_KEPT)
		l->count++;
}

void mw_ladder_end(struct mw_ladder *l, enum mw_rung rung, __u64 after, enum mw_level level, __u64 now_ns)
{
	int i = newest(l, rung);
	struct mw_step *s;

	if (i < 0)
		return;
	s = &l->steps[index_of(l, (__u32)i)];
	if (s->ended)
		return;
	s->ended = true;
	s->after = after;
	s->level_after = level;
	s->took_ns = since(s->began_ns, now_ns);
}

void mw_ladder_look(struct mw_ladder *l, __u64 usage, enum mw_level level, __u64 grace_ns, __u64 now_ns)
{
	__u64 least = grace_ns > MW_NOTICE_NS ? grace_ns : MW_NOTICE_NS;
	int i = newest(l, MW_RUNG_NOTIFY);
	struct mw_step *s;

	if (i < 0)
		return;
	s = &l->steps[index_of(l, (__u32)i)];
	if (!s->ended && (level < s->level || since(s->began_ns, now_ns) >= least))
		mw_ladder_end(l, MW_RUNG_NOTIFY, usage, level, now_ns);
	/* The level fell in the middle of it: what it goes on to free is its doing too. */
	if (s->ended && (__u32)i + 1 == l->count && since(s->began_ns, now_ns) < least && usage < s->after) {
		s->after = usage;
		s->took_ns = since(s->began_ns, now_ns);
	}
}

bool mw_ladder_open(const struct mw_ladder *l)
{
	int i = newest(l, MW_RUNG_NOTIFY);

	return i >= 0 && !mw_ladder_at(l, (__u32)i)->ended;
}

bool mw_ladder_waits(const struct mw_ladder *l, __u64 grace_ns, __u64 now_ns)
{
	int i = newest(l, MW_RUNG_NOTIFY);
	const struct mw_step *s;

	if (i < 0)
		return false;
	s = mw_ladder_at(l, (__u32)i);
	return s->heard && since(s->began_ns, now_ns) < grace_ns;
}

const struct mw_step *mw_ladder_before(const struct mw_ladder *l, enum mw_rung rung)
{
	int i = newest(l, rung);
	__u64 began = i < 0 ? 0 : mw_ladder_at(l, (__u32)i)->began_ns;

	while (i-- > 0) {
		const struct mw_step *s = mw_ladder_at(l, (__u32)i);

		if (since(s->began_ns, began) >= MW_LADDER_RECENT_NS)
			return NULL;
		if (s->ended) /* a lift goes on until memory.high is back */
			return s;
	}
	return NULL;
}
