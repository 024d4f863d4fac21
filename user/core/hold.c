/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/hold.h"

#include "core/config_impl.h"
#include "util/cleanup.h"

static const struct {
	const char *file, *property;
} names[] = {
	[MW_LIMIT_MAX] = {"memory.max", "MemoryMax"},
	[MW_LIMIT_HIGH] = {"memory.high", "MemoryHigh"},
	[MW_LIMIT_LOW] = {"memory.low", "MemoryLow"},
	[MW_LIMIT_SWAP_MAX] = {"memory.swap.max", "MemorySwapMax"},
};
_Static_assert(ARRAY_SIZE(names) == MW_LIMIT_KIND_MAX, "names for each limit");

const char *mw_held_file(enum mw_limit_kind what)
{
	return (unsigned)what < MW_LIMIT_KIND_MAX ? names[what].file : "?";
}

const char *mw_held_property(enum mw_limit_kind what)
{
	return (unsigned)what < MW_LIMIT_KIND_MAX ? names[what].property : "?";
}

static __u64 *field(struct mw_limits *l, enum mw_limit_kind what)
{
	switch (what) {
	case MW_LIMIT_MAX:
		return &l->max;
	case MW_LIMIT_HIGH:
		return &l->high;
	case MW_LIMIT_LOW:
		return &l->low;
	default:
		return &l->swap_max;
	}
}

__u64 mw_held_get(const struct mw_limits *l, enum mw_limit_kind what)
{
	return *field((struct mw_limits *)l, what);
}

void mw_held_set(struct mw_limits *l, enum mw_limit_kind what, __u64 value)
{
	*field(l, what) = value;
}

void mw_hold_profile(struct mw_profile *p, const struct mw_limits *theirs)
{
	if (theirs->max >= p->max_heap)
		return;
	p->max_heap = theirs->max;
	if (p->bin_follows)
		p->max_bin_heap = mw_profile_bin_auto(p->max_heap);
}

void mw_hold_limits(struct mw_limits *ours, const struct mw_limits *theirs)
{
	for (enum mw_limit_kind i = 0; i < MW_LIMIT_KIND_MAX; i++) {
		__u64 *mine = field(ours, i), other = mw_held_get(theirs, i);

		if (i == MW_LIMIT_LOW ? other > *mine : other < *mine)
			*mine = other;
	}
}

__u64 mw_hold_conflict(struct mw_hold *h, __u64 now_ns)
{
	bool quiet = !h->last_ns || now_ns - h->last_ns >= MW_HOLD_QUIET_NS;
	__u64 wait = quiet ? 0 : h->wait_ns;

	h->conflicts++;
	h->last_ns = now_ns;
	h->repair_ns = now_ns + wait;
	h->wait_ns = wait ? 2 * wait : MW_HOLD_FIRST_NS;
	if (h->wait_ns > MW_HOLD_LAST_NS)
		h->wait_ns = MW_HOLD_LAST_NS;
	return h->repair_ns;
}
