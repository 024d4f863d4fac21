/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What documents about workers need from files. */
#ifndef MW_SERVE_PS_H
#define MW_SERVE_PS_H

#include <json-c/json.h>

#include "daemon/guard.h"

#define MW_LOOKUPS_PARENTS 64

/* Protection is worked out once for each parent directory. */
struct mw_lookups {
	struct mw_guard *g;
	__u64 deadline_ns; /* processes of no more workers are counted then */
	size_t n_parents;
	struct mw_parent {
		char *path; /* owned */
		__u64 low;
	} parents[MW_LOOKUPS_PARENTS];
};

/*
 * For a document that is written in one go: within 50 ms, the loop must go on with 15 000 workers too. Counts of
 * processes that do not fit are the last known.
 */
void mw_lookups_begin(struct mw_lookups *l, struct mw_guard *g);
void mw_lookups_end(struct mw_lookups *l);
long mw_lookups_pids(struct mw_lookups *l, struct mw_worker *w); /* its processes now, or the last known */
struct json_object *mw_lookups_ps(struct mw_lookups *l, struct mw_worker *w); /* one of ps */

#endif
