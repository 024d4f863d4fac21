/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Which code a worker's memory comes from, as it was found out last. */
#ifndef MW_SITES_H
#define MW_SITES_H

#include <linux/types.h>
#include <stdbool.h>

#include "leak/account.h"
#include "leak/heap.h"
#include "leak/touched.h"

#define MW_SITES_TOP 320

struct mw_sites {
	__u64 taken_ns; /* CLOCK_MONOTONIC; 0: not yet */
	char *json; /* owned; an array for "sites" of reports; NULL: none */
	__u64 left_out_bytes; /* in none of them */
	char top[MW_SITES_TOP]; /* a sentence about the first of them; "": none */
	bool told; /* the log has it */
	struct mw_heap before; /* the reading growth is counted from */
	bool has_before;
	double heap_share; /* of what its heap grew by, of the site that grew most; 0: not known */
	__u32 heap_samples; /* on which that stands */
	struct mw_touched touched;
	struct mw_account account;
};
void mw_sites_free(struct mw_sites *s); /* it and its contents; NULL-safe */

#endif
