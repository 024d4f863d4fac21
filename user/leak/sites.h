/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Which code a worker's memory comes from, as it was found out last. */
#ifndef MW_SITES_H
#define MW_SITES_H

#include <linux/types.h>
#include <stdbool.h>

#include "leak/account.h"
#include "leak/heap.h"
#include "leak/pages.h"
#include "leak/touched.h"
#include "leak/watch.h"
#include "util/kept.h"

#define MW_SITES_TOP 320

/* What a finding stands on, the best first. */
enum mw_sites_source {
	MW_SITES_NONE,
	MW_SITES_HEAP, /* a sampler of ours in the process */
	MW_SITES_WATCHED, /* its allocator, or a sampler of its own, probed from outside */
	MW_SITES_GROWTH, /* who touches new memory, as the kernel charges it */
};

struct mw_sites {
	__u64 taken_ns; /* CLOCK_MONOTONIC; 0: not yet */
	struct mw_kept *list, *lines; /* held; "sites" and "lines" of reports as they are written; NULL: none */
	__u64 left_out_bytes; /* in none of them */
	char top[MW_SITES_TOP]; /* a sentence about the first of them; "": none */
	bool told; /* the log has it */
	bool refused_told; /* and that what looks like samples in its processes is none that is read */
	struct mw_heap before; /* the reading growth is counted from */
	bool has_before;
	double heap_share; /* of what its heap grew by, of the site that grew most; 0: not known */
	__u32 heap_samples; /* on which that stands */
	struct mw_pages *objects; /* owned; pages of sampled objects under observation; NULL: none */
	struct mw_life life; /* of the site that grew most */
	struct mw_touched touched;
	struct mw_account account, first; /* now, and at the first look */
	enum mw_sites_source source; /* of list */
	struct mw_watch watch; /* object by object, from outside */
	char unwatched[200]; /* why its objects are not known so; "": they are, or nobody has tried */
};
void mw_sites_free(struct mw_sites *s); /* it and its contents; NULL-safe */

#endif
