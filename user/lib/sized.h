/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Structures that begin with their size, across versions of the public headers. */
#ifndef MW_LIB_SIZED_H
#define MW_LIB_SIZED_H

#include <stddef.h>

/*
 * Options from a caller: of his size, into ours. from may be NULL (all 0). What ours has and his has
 * not becomes 0. -EINVAL: a size that cannot be; -E2BIG: his has members that ours has not, and they are not 0.
 */
int mw_sized_in(void *ours, size_t our_size, const void *from);

/* Results to a caller: as much of ours as he has room for; what he has beyond becomes 0. -EINVAL as above. */
int mw_sized_out(void *to, const void *ours, size_t our_size);

#endif
