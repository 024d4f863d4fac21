/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What became of sampled objects: how old they are, how much of what a site held is held still, and whether their pages
 * are there, swapped out or touched any more. Asked without a hook on free: the sampler's records say what lives, and
 * /proc/PID/pagemap what stands at its addresses.
 *
 * Whether a page was touched is said by page_idle (CONFIG_IDLE_PAGE_TRACKING): the page is marked, and at the next look
 * the mark stands or is gone. Reclaim keeps what it knew. A page has other objects on it too: one in use by a neighbour
 * counts as used, so that what is untouched is at least that much. Without page_idle only what is swapped out is known.
 */
#ifndef MW_PAGES_H
#define MW_PAGES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "leak/heap.h"

#define MW_PAGES_SITES	  5
#define MW_PAGES_OF_SITE  64 /* pages of a site: a share known to 6 points, one standard deviation */
#define MW_PAGES_PAGES	  (MW_PAGES_SITES * MW_PAGES_OF_SITE)
#define MW_PAGES_SPAN_MIN 10000000000ULL /* a mark is given so long at the least */

/* What is known of one site. */
struct mw_life {
	__u64 site; /* mw_heap_site_id; 0: nothing is known */
	__u64 mean_age_ns, oldest_ns; /* of what it holds, by bytes; age */
	__u64 had_bytes,
		kept_bytes; /* at the reading growth is counted from, and of that now; 0: it held nothing then */
	/* of pages of its objects, marked and found again with the same object on them */
	bool touched_known;
	__u64 span_ns;
	__u32 pages, swapped;
	__u32 untouched; /* those swapped out, and the others whose mark stands; only the former if touched is not
			    known */
};

/* Pages under observation between two looks. */
struct mw_pages {
	__u64 since_ns; /* 0: none */
	bool marked; /* there is a page_idle */
	__u32 n;
	struct mw_pages_page {
		__u64 site, address, time_ns; /* the object's */
		__u64 at; /* of the page, virtual */
		__u64 frame; /* where it stood then; 0: swapped out */
		pid_t pid;
	} pages[MW_PAGES_PAGES];
	struct mw_life last[MW_PAGES_SITES]; /* what was found out last, of whom marks still stand for too short */
};

/* Ages and what is kept, from objects alone. before: an earlier reading, or NULL. */
struct mw_life mw_pages_life(const struct mw_heap *now, const struct mw_heap *before, const struct mw_heap_site *site,
			     __u64 now_ns);
/* One page of each of up to MW_PAGES_OF_SITE objects of a site, spread over all of them; frames are not asked yet. */
void mw_pages_choose(const struct mw_heap *h, __u64 site, __u64 page_bytes, struct mw_pages *o);
/*
 * Ask where the chosen pages stand and mark them; those that are not there are left out. proc_root "/proc", sys_root
 * "/sys". Blocks: for an action thread.
 */
void mw_pages_mark(const char *proc_root, const char *sys_root, __u64 page_bytes, __u64 now_ns, struct mw_pages *o);
/*
 * What became of them, into those of n lives whose site is theirs. Before MW_PAGES_SPAN_MIN: false, and what was
 * found out last.
 */
bool mw_pages_look(const char *proc_root, const char *sys_root, __u64 page_bytes, __u64 now_ns, struct mw_pages *o,
		   const struct mw_heap *now, struct mw_life *lives, size_t n);

#endif
