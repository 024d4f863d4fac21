/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What streams, writers and batches share: one operation of a limiter that may be missing. */
#ifndef MW_LIB_OPERATION_H
#define MW_LIB_OPERATION_H

#include <memweir/limiter.h>

static inline int mw_operation(struct memweir_limiter *limiter)
{
	return limiter ? memweir_limiter_check(limiter) : 0;
}

#endif
