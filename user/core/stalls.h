/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What is kept of a worker's pauses. A worker that never paused has none of it. */
#ifndef MW_STALLS_H
#define MW_STALLS_H

#include <linux/types.h>
#include <stdbool.h>

#include "core/rate.h"
#include "memweir/abi.h"

#define MW_PAUSES_KEPT 16 /* the last that were over the budget, for incidents */

/* Whose limit a task met. */
enum mw_limit_of {
	MW_LIMIT_NONE, /* no limit: a refault, a swap-in; or not known */
	MW_LIMIT_WORKER, /* the worker's own */
	MW_LIMIT_CLASS, /* of all workers of its class */
	MW_LIMIT_TREE, /* of all workers of ours */
	MW_LIMIT_ANCESTOR, /* another one above */
	MW_LIMIT_HOST, /* no limit: the host is short of memory */
	MW_LIMIT_OF_MAX,
};
const char *mw_limit_of_name(enum mw_limit_of limit); /* "tree"; NULL for NONE */

struct mw_pause {
	__u64 time_ns, duration_ns, pages;
	enum mw_pause_kind kind;
	enum mw_limit_of limit;
	__u32 tid;
	char comm[MW_COMM_SIZE];
};

struct mw_stalls {
	struct mw_tally tally; /* of the last reading */
	struct mw_rate rate;
	struct mw_rates rates; /* at the last reading */
	bool often; /* it reclaims often: said once, until it is over */
	struct mw_reading often_since; /* the reading it was said at */
	struct mw_pause last[MW_PAUSES_KEPT];
	__u32 head, count;
	__u64 limit_id; /* the limit last met, and how much of the worker's path is the path of its cgroup */
	__u32 limit_length;
};

struct mw_worker;
/* The worker's, made when it has none; NULL: no memory. */
struct mw_stalls *mw_stalls_of(struct mw_worker *w);
void mw_stalls_note(struct mw_stalls *s, const struct mw_event *e, enum mw_limit_of limit);
/* i = 0 is the oldest kept; i < count. */
const struct mw_pause *mw_stalls_at(const struct mw_stalls *s, __u32 i);
/* Zeros for a worker that never paused. */
struct mw_rates mw_stalls_rates(const struct mw_worker *w);

#endif
