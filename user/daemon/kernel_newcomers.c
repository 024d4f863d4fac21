/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Who is in no worker yet: what of such the kernel side tells. */
#include "daemon/kernel_private.h"

int mw_kernel_newcomers_read(struct mw_kernel *k, struct mw_newcomer_map *ret_counts)
{
	struct mw_newcomer_map counts;
	__u32 zero = 0;

	if (!k->object || !mw_kernel_has(k, MW_CAP_NEWCOMERS))
		return -EOPNOTSUPP;
	if (bpf_map_lookup_elem(k->maps[MAP_NEWCOMERS], &zero, &counts))
		return -errno;
	*ret_counts = counts;
	return 0;
}

int mw_kernel_newcomers_want(struct mw_kernel *k, __u32 wanted, __u32 per_s)
{
	struct mw_newcomer_map counts = {};
	__u32 zero = 0;
	int r = mw_kernel_newcomers_read(k, &counts);

	if (r < 0)
		return r;
	/* A count or two of this very moment may be lost: they are for people. */
	counts.wanted = wanted;
	counts.per_s = per_s;
	return bpf_map_update_elem(k->maps[MAP_NEWCOMERS], &zero, &counts, BPF_ANY) ? -errno : 0;
}
