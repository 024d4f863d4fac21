/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The part of memweir-symbols that has no rights: the allocators in files that are open. */
#ifndef MW_FIND_H
#define MW_FIND_H

#include "symbols/allocators.h"
#include "symbols/open.h"

/* -ENOMEM. A file that cannot be read has none. */
int mw_find_allocators(struct mw_opened *o, struct mw_allocators *ret_allocators);

/* From the note of a static probe to what it says; false: it is none of ours, or broken. Exposed for tests. */
struct mw_usdt {
	enum mw_allocator_fn fn;
	__u64 address, base, semaphore; /* as they were when it was linked */
	const char *arguments;
};
bool mw_usdt_read(const char *desc, size_t n, struct mw_usdt *ret);

#endif
