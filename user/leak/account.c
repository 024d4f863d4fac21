/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/account.h"

#include "util/amount.h"

__u64 mw_account_rest(const struct mw_account *a)
{
	return mw_less(a->current, a->anon + a->cache + a->shmem + a->kernel + a->sock);
}

__u64 mw_account_kernel_rest(const struct mw_account *a)
{
	return mw_less(a->kernel, a->slab + a->page_tables + a->stacks + a->per_cpu + a->vmalloc);
}
