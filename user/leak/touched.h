/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * How much of a worker's memory is not touched any more: what tells a leak from a cache. Asked of the kernel's
 * multi-generational LRU, which is made for this (debugfs lru_gen): to age a cgroup walks the page tables of its
 * processes, moves what was used since the last time into the youngest generation but one and begins a new one, so that
 * what lies in generations older than a beginning of ours was not touched since then. Exact to the page, without a
 * fault or a hook in the worker; reclaim keeps all it knew and knows it better than before.
 *
 * Not asked: clear_refs, which takes from reclaim what it knew and, for soft-dirty, costs the worker a fault for each
 * page it writes; nor DAMON, whose sysfs has one setting for the whole host, so that who uses it would lose theirs.
 */
#ifndef MW_TOUCHED_H
#define MW_TOUCHED_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>

#define MW_TOUCHED_LISTS    32 /* cgroups of a worker times memory nodes; with more it is not known */
#define MW_TOUCHED_SOON_NS  10000000000ULL /* a first word after that, */
#define MW_TOUCHED_AFTER_NS 30000000000ULL /* another one after that, and a new beginning */

/* The LRU lists of one cgroup on one memory node. */
struct mw_touched_list {
	__u64 memcg, node; /* as lru_gen numbers them */
	__u64 youngest; /* generation */
	__u64 n; /* generations that are there: youngest - n + 1 is the oldest */
	__u64 pages[4]; /* anonymous and shmem ones of each, [0]: of the youngest */
};
struct mw_touched_lists {
	struct mw_touched_list at[MW_TOUCHED_LISTS];
	size_t n;
	bool too_many;
};

struct mw_touched {
	/* the beginning: generation from which on there is only what was touched or is new since */
	__u64 since_ns; /* CLOCK_MONOTONIC; 0: none yet */
	struct mw_touched_mark {
		__u64 memcg, node, from;
	} marks[MW_TOUCHED_LISTS];
	size_t n_marks;
	__u64 held_bytes; /* anonymous and shmem then, what was swapped out with it */
	unsigned words; /* since then */
	unsigned begun; /* so many beginnings so far */
	/* what came of the last one */
	bool known;
	__u64 span_ns; /* how long it was looked at */
	__u64 of_bytes; /* what was there when that began, */
	__u64 untouched_bytes; /* and of it what was not touched in that time, never more than of_bytes: */
	__u64 swapped_bytes; /* this part of it is out, which is what happens to what is not touched */
};

/*
 * lru_gen's text from f: the lists of the cgroup with this path (from the root, with a leading slash) and of those
 * below it. -ENOENT: it has none, -EBADMSG: a text that is not understood.
 */
int mw_touched_parse(FILE *f, const char *cgroup, struct mw_touched_lists *ret_lists);
/* Is it time to age and look again? */
bool mw_touched_due(const struct mw_touched *t, __u64 now_ns);
/*
 * The lists as they are just after they were aged, and what is swapped out: a word where there was a beginning, and a
 * new beginning.
 */
void mw_touched_take(struct mw_touched *t, const struct mw_touched_lists *l, __u64 page_bytes, __u64 swapped,
		     __u64 now_ns);

/*
 * Age and take, if it is time; swapped: bytes of it that are out now. Blocks: it walks the page tables of all its
 * processes (1 GB: 40 to 70 ms on an emulated processor) and reads the lists of all cgroups up to it, and then rests
 * for 200 times as long, whomever it is asked of; for an action thread. sys_root: "/sys". 0; -EAGAIN: not yet, or
 * resting; -EOPNOTSUPP: this kernel has no MGLRU, it is switched off, or it cannot see what programs touch; -EACCES,
 * -EPERM: no debugfs for us; -ENOENT: no lists of this cgroup.
 */
int mw_touched_look(const char *sys_root, const char *cgroup, __u64 swapped, struct mw_touched *t);
/* Whether the kernel can tell, for doctor: 0 or what mw_touched_look would say. */
int mw_touched_probe(const char *sys_root);

#endif
