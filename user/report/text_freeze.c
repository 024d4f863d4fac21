/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/text_freeze.h"

#include "report/phrase.h"

static const char *const ends[] = {
	[MW_FREEZE_NONE] = "",
	[MW_FREEZE_BEGAN] = "it is frozen",
	[MW_FREEZE_CANNOT] = "it cannot be thawed by the keeper, or has no cgroup.freeze",
	[MW_FREEZE_ELSE] = "somebody else had frozen it",
	[MW_FREEZE_TIME] = "its time was over",
	[MW_FREEZE_ENOUGH] = "it is under its memory.high",
	[MW_FREEZE_RELEASED] = "something else is wanted of it",
	[MW_FREEZE_THAWED] = "somebody else thawed it",
	[MW_FREEZE_KEPT] = "somebody else froze it too",
};
_Static_assert(sizeof(ends) / sizeof(ends[0]) == MW_FREEZE_MAX, "words for every end");

static struct mw_phrase worker_line(const struct mw_worker *w, char *buf, size_t size)
{
	struct mw_phrase p = mw_phrase_begin(buf, size);

	mw_phrase_add(&p, "worker %s (%s) ", w->name, w->class_name);
	return p;
}

static void add_freed(struct mw_phrase *p, __u64 freed)
{
	if (freed)
		mw_phrase_size(p, freed);
	else
		mw_phrase_add(p, "nothing");
}

const char *mw_text_freeze_begin(const struct mw_worker *w, __u64 used, char *buf, size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "%s for ", w->dry_run ? "would be frozen" : "frozen");
	mw_phrase_duration(&p, w->profile.freeze_max_ns);
	mw_phrase_add(&p, " at most: ");
	mw_phrase_size(&p, used);
	mw_phrase_add(&p, ", over its memory.high of ");
	mw_phrase_size(&p, w->limits.high);
	mw_phrase_add(&p, ", and nothing was freed");
	return buf;
}

const char *mw_text_freeze_end(const struct mw_worker *w, enum mw_freeze_end end, __u64 freed, __u64 took_ns, char *buf,
			       size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "%s ", end == MW_FREEZE_KEPT ? "left frozen" : "thawed");
	mw_phrase_add(&p, "after ");
	mw_phrase_duration(&p, took_ns);
	mw_phrase_add(&p, ": %s, ", (unsigned int)end < MW_FREEZE_MAX ? ends[end] : "");
	add_freed(&p, freed);
	mw_phrase_add(&p, " freed while it stood still, ");
	mw_phrase_size(&p, w->usage.current);
	mw_phrase_add(&p, " left");
	return buf;
}

const char *mw_text_freeze_not(const struct mw_worker *w, enum mw_freeze_end end, char *buf, size_t size)
{
	struct mw_phrase p = worker_line(w, buf, size);

	mw_phrase_add(&p, "not frozen: %s", (unsigned int)end < MW_FREEZE_MAX ? ends[end] : "");
	return buf;
}

const char *mw_text_freeze_why(const struct mw_worker *w, __u64 used, __u64 freed, __u64 took_ns, char *buf,
			       size_t size)
{
	struct mw_phrase p = mw_phrase_begin(buf, size);

	mw_phrase_add(&p, "%s stayed over its soft limit of ", w->name);
	mw_phrase_size(&p, w->limits.high);
	mw_phrase_add(&p, " (memory.high) with ");
	mw_phrase_size(&p, used);
	mw_phrase_add(&p, ", so memweir froze it for ");
	mw_phrase_duration(&p, took_ns);
	mw_phrase_add(&p, " (%s); ", mw_policy_name(w->profile.policy));
	add_freed(&p, freed);
	mw_phrase_add(&p, " was freed meanwhile");
	return buf;
}
