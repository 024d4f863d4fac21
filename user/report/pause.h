/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Pauses as documents: the figures of a worker, of a group of workers, and one pause. See json.h for the rules. */
#ifndef MW_REPORT_PAUSE_H
#define MW_REPORT_PAUSE_H

#include <json-c/json.h>

#include "core/culprit.h"
#include "core/worker.h"

/*
 * report pauses, a worker: what mw_json_worker has + kinds{KIND:{count,total_ns,max_ns,p50_ns,p90_ns,p99_ns,hist[]}}
 * with every kind, covered (part of memstall that is in the known kinds, 0..1, null without memstall), stalled_share
 * (task-seconds stalled per second of the last minute), reclaims_per_min. hist ends with the last slot that is filled.
 */
struct json_object *mw_json_pauses(const struct mw_worker *w, const struct mw_pause_stat stats[MW_PAUSE_MAX]);
struct json_object *mw_json_pause_kinds(const struct mw_pause_stat stats[MW_PAUSE_MAX]); /* kinds alone */

/* Several workers, added up. */
struct mw_pause_group {
	char name[MW_NAME_SIZE]; /* of a class; "" for the host */
	__u64 workers;
	struct mw_pause_stat stats[MW_PAUSE_MAX];
	double reclaims_per_min, stalled_share;
};
void mw_pause_group_add(struct mw_pause_group *group, const struct mw_worker *w,
			const struct mw_pause_stat stats[MW_PAUSE_MAX]);
/* name (null for the host), workers, and the figures of a worker. */
struct json_object *mw_json_pause_group(const struct mw_pause_group *group);

/* An event of mw_json_event + limit ("worker", "class", "tree", "ancestor", "host" or null), culprit (a name or null).
 */
struct json_object *mw_json_pause_event(const struct mw_event *e, const struct mw_worker *w,
					const struct mw_cause *cause, __s64 boot_offset_ns);
/* The last pauses of a worker over its budget, oldest first: time, kind, duration_ns, pages, tid, comm, limit. */
struct json_object *mw_json_last_pauses(const struct mw_worker *w, __s64 boot_offset_ns);

#endif
