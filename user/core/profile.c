/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What follows from a profile. Pure functions. */
#include "core/config.h"

#include <errno.h>
#include <string.h>

#include "core/config_impl.h"

/* A huge page over a small memory.high makes its task sleep the kernel's full 2 s. */
#define THP_OFF_BELOW (64ULL << 20)

const char *const mw_policy_names[] = {"observe", "protect", "strict", NULL};
_Static_assert(sizeof(mw_policy_names) / sizeof(mw_policy_names[0]) == MW_POLICY_MAX + 1, "a name for every policy");

const char *const mw_thp_names[] = {"auto", "on", "off", NULL};
_Static_assert(sizeof(mw_thp_names) / sizeof(mw_thp_names[0]) == MW_THP_MAX + 1, "a name for every thp setting");

const char *mw_policy_name(enum mw_policy policy)
{
	return (unsigned int)policy < MW_POLICY_MAX ? mw_policy_names[policy] : "unknown";
}

int mw_policy_parse(const char *text, enum mw_policy *ret_policy)
{
	for (int i = 0; i < MW_POLICY_MAX; i++) {
		if (strcmp(text, mw_policy_names[i]) != 0)
			continue;
		*ret_policy = (enum mw_policy)i;
		return 0;
	}
	return -EINVAL;
}

static __u64 or_auto(__u64 value, __u64 automatic)
{
	return value == MW_AUTO ? automatic : value;
}

struct mw_limits mw_profile_limits(const struct mw_profile *p)
{
	bool unlimited = p->max_heap == MW_UNLIMITED;
	__u64 tenth = unlimited ? 0 : p->max_heap / 10;

	return (struct mw_limits){
		.max = p->max_heap,
		.high = unlimited ? MW_UNLIMITED : (__u64)((double)p->max_heap * p->hibernate_threshold + 0.5),
		.low = or_auto(p->low, tenth),
		.swap_max = or_auto(p->swap_max, p->max_heap),
		.oom_group = p->oom_group,
	};
}

bool mw_profile_thp_off(const struct mw_profile *p)
{
	return p->thp == MW_THP_OFF || (p->thp == MW_THP_AUTO && p->max_heap < THP_OFF_BELOW);
}

__u64 mw_profile_bin_auto(__u64 max_heap)
{
	return max_heap == MW_UNLIMITED ? MW_UNLIMITED : max_heap / 2;
}

bool mw_profile_same(const struct mw_profile *a, const struct mw_profile *b)
{
	return a->max_heap == b->max_heap && a->max_bin_heap == b->max_bin_heap && a->bin_follows == b->bin_follows &&
	       a->hibernate_threshold == b->hibernate_threshold && a->swap_max == b->swap_max && a->low == b->low &&
	       a->oom_group == b->oom_group && a->thp == b->thp && a->policy == b->policy &&
	       a->pause_budget_ns == b->pause_budget_ns && a->pace == b->pace &&
	       a->notify_grace_ns == b->notify_grace_ns && a->freeze_max_ns == b->freeze_max_ns &&
	       a->heap_sample == b->heap_sample && a->object_probe == b->object_probe &&
	       a->runtime_profile == b->runtime_profile && a->selectable == b->selectable && a->share == b->share &&
	       a->budget == b->budget;
}
