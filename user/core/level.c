/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/level.h"

static const char *const names[] = {
	[MW_LEVEL_OK] = "ok",
	[MW_LEVEL_WARNING] = "warning",
	[MW_LEVEL_HIBERNATE] = "hibernate-now",
	[MW_LEVEL_CRITICAL] = "critical",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == MW_LEVEL_MAX, "a name for every level");

const char *mw_level_name(enum mw_level level)
{
	return (unsigned int)level < MW_LEVEL_MAX ? names[level] : "unknown";
}

/* Half a byte of grace, as mw_verdict_check has it: both speak of the same boundary. */
static bool reaches(const struct mw_usage *u, const struct mw_profile *p, double share, bool hold)
{
	double from = (double)p->max_heap * share * (hold ? MW_LEVEL_HOLD : 1);

	return p->max_heap && p->max_heap != MW_UNLIMITED && (double)(u->heap + u->bin) + 0.5 >= from;
}

static bool meets_soon(const struct mw_trend *t, bool hold)
{
	return t->verdict > MW_STEADY && t->time_to_limit_s >= 0 &&
	       t->time_to_limit_s <= (hold ? MW_LEVEL_HOLD_S : MW_LEVEL_SOON_S);
}

enum mw_level mw_verdict_level(const struct mw_usage *u, const struct mw_profile *p, const struct mw_squeeze_state *s,
			       const struct mw_trend *t, enum mw_level previous)
{
	if (reaches(u, p, MW_LEVEL_CRITICAL_SHARE, previous >= MW_LEVEL_CRITICAL) ||
	    meets_soon(t, previous >= MW_LEVEL_CRITICAL))
		return MW_LEVEL_CRITICAL;
	if (s->lifted || reaches(u, p, p->hibernate_threshold, previous >= MW_LEVEL_HIBERNATE))
		return MW_LEVEL_HIBERNATE;
	if (reaches(u, p, 0.9 * p->hibernate_threshold, previous >= MW_LEVEL_WARNING))
		return MW_LEVEL_WARNING;
	return MW_LEVEL_OK;
}

bool mw_level_due(enum mw_level level, enum mw_level previous, __u64 told_ns, unsigned times, __u64 now_ns)
{
	unsigned doubled = times ? times - 1 : 0;

	if (level == MW_LEVEL_OK || level < previous)
		return false;
	if (doubled > MW_TELL_DOUBLED_MAX)
		doubled = MW_TELL_DOUBLED_MAX;
	return level > previous || !told_ns || now_ns >= told_ns + (MW_TELL_AGAIN_NS << doubled);
}
