/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/freeze.h"

#include "core/ladder.h"

void mw_freeze_ask(struct mw_freeze *h, __u64 freeze_max_ns, __u64 now_ns)
{
	*h = (struct mw_freeze){.under_way = true, .asked_ns = now_ns, .until_ns = now_ns + freeze_max_ns};
}

void mw_freeze_began(struct mw_freeze *h)
{
	h->frozen = h->under_way;
}

void mw_freeze_over(struct mw_freeze *h, struct mw_squeeze_state *s, enum mw_freeze_end end, __u64 before, __u64 now_ns)
{
	bool stood = h->frozen;

	*h = (struct mw_freeze){.asked_ns = h->asked_ns, .ended_ns = stood ? now_ns : 0};
	if (!stood && end != MW_FREEZE_CANNOT) /* it may be tried again */
		h->asked_ns = 0;
	if (!stood || !s->lifted || before <= s->usage_at_lift)
		return;
	s->usage_at_lift = s->least = before;
	s->least_ns = now_ns;
}

bool mw_freeze_late(const struct mw_freeze *h, __u64 now_ns)
{
	return h->under_way && now_ns >= h->until_ns + MW_FREEZE_LATE_NS;
}

enum mw_squeeze mw_freeze_next(const struct mw_freeze *h, const struct mw_usage *u, const struct mw_profile *p,
			       enum mw_squeeze verdict, __u64 now_ns)
{
	if (h->under_way && !mw_freeze_late(h, now_ns))
		return MW_SQUEEZE_NONE;
	if (verdict != MW_SQUEEZE_KILL)
		return verdict;
	if (p->freeze_max_ns && mw_rung_allowed(MW_RUNG_FREEZE, p->policy) &&
	    (!h->asked_ns || now_ns - h->asked_ns >= MW_FREEZE_AGAIN_NS))
		return MW_SQUEEZE_FREEZE;
	if (u->time_ns < h->ended_ns + MW_SQUEEZE_KILL_NS)
		return MW_SQUEEZE_NONE;
	return MW_SQUEEZE_KILL;
}
