/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Arithmetic on bytes, times and limits that are read at different moments. */
#ifndef MW_AMOUNT_H
#define MW_AMOUNT_H

#include <linux/types.h>
#include <stdbool.h>

#include "memweir/abi.h"

/* a - b, 0 when figures of different moments would make it negative. */
static inline __u64 mw_less(__u64 a, __u64 b)
{
	return a > b ? a - b : 0;
}

/* No limit is set, or it reads "max". */
static inline bool mw_unlimited(__u64 limit)
{
	return !limit || limit == MW_UNLIMITED;
}

#endif
