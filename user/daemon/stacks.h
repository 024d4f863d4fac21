/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Who called whom when new memory was charged: copies of stacks, of the workers that grow, unwound while their
 * processes live and kept as addresses and names. What was copied itself is not kept. For the action thread that looks
 * at sites, one at a time.
 */
#ifndef MW_DAEMON_STACKS_H
#define MW_DAEMON_STACKS_H

#include <json-c/json.h>

#include "daemon/kernel.h"
#include "symbols/stacks.h"

#define MW_STACKS_KEPT 24 /* of a worker; the lightest make room */

/* Copies with the same callers. */
struct mw_stack_sum {
	pid_t pid;
	__u64 started_ns; /* since boot */
	char comm[MW_COMM_SIZE];
	__u64 pages; /* they stand for */
	__u32 copies;
	struct mw_unwound unwound; /* of one of them */
	struct json_object *named; /* owned; array of frames; NULL: not yet */
};

struct mw_stack_worker {
	__u64 cgroup_id;
	__u64 pages; /* of all that was unwound, also of what had to make room */
	__u32 copies;
	size_t n;
	struct mw_stack_sum at[MW_STACKS_KEPT]; /* heaviest first after mw_stacks_look */
	struct mw_stack_worker *next;
};

struct mw_stacks {
	struct mw_stack_worker *workers;
};
void mw_stacks_free(struct mw_stacks *s); /* it and its contents; NULL-safe */

/*
 * Ask for copies of the worker of a look, wait a little for the first, take what came for it and others meanwhile,
 * unwind it. NULL: nothing is known of it.
 */
struct mw_sites_look;
const struct mw_stack_worker *mw_stacks_look(const struct mw_sites_look *look);

__u64 mw_stacks_start(const struct mw_stack_sum *s); /* when its process began, as /proc says it */
bool mw_stacks_lives(const struct mw_stack_sum *s); /* is its process there still */

/* stacks_sum.c: what they are called; and equal ones made one. Pure, but for memory. */
struct mw_stack_worker *mw_stacks_find(struct mw_stacks *s, __u64 cgroup_id, bool make); /* NULL: none, or no memory */
void mw_stacks_forget(struct mw_stacks *s, struct mw_stack_worker *w);
/* named is taken over from sum. */
void mw_stacks_add(struct mw_stack_worker *w, struct mw_stack_sum *sum);
void mw_stacks_merge(struct mw_stack_worker *w); /* those with the same names */
void mw_stacks_sort(struct mw_stack_worker *w); /* by pages, most first */

#endif
