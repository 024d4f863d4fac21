/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Incidents: the record of an abnormal death or of an intervention. One JSON file each in
 * STATE_DIR/incidents/ID.json, 0600, at most max_incidents (the oldest go), written
 * as tmp + fsync + rename, so that it outlives cgroup, daemon and a crash in the middle.
 */
#ifndef MW_INCIDENT_H
#define MW_INCIDENT_H

#include <json-c/json.h>
#include <linux/types.h>
#include <stddef.h>

#include "core/worker.h"
#include "util/error.h"

struct mw_incident {
	enum mw_reason reason;
	__u64 wall_ns;
	char why[256]; /* a sentence */
	char killed_by[64]; /* "kernel (memory.max)", "memweir (strict)", "admin uid 0", "signal 11" or "" */
	int signal; /* 0: none */
	int wait_status; /* -1: unknown */
	__u64 saved_bytes; /* interventions that free memory */
};

#define MW_INCIDENT_ID_SIZE   96 /* "20261121T200501Z-" + name + suffix + NUL */
#define MW_INCIDENT_MAX_BYTES (256U << 10) /* a larger file is none of ours */
/* Kept in memory while they cannot be written; when there are more the oldest of them is lost, and counted. */
#define MW_INCIDENTS_WAITING 64

struct mw_incidents; /* the store: directory descriptor, index of ids. Its functions may be called from any thread. */

/*
 * Opens STATE_DIR/incidents (both 0700, made when missing; the parent must be there). Files that are none of ours,
 * unreadable or broken are counted and skipped, never fatal; nothing is removed before something is written. -EPERM
 * when incidents/ is another user's.
 */
int mw_incidents_open(const char *state_dir, __u32 max_incidents, struct mw_incidents **ret_store,
		      struct mw_error *err);
void mw_incidents_close(struct mw_incidents *store); /* tries once more to write what waits */

/*
 * The JSON object of one incident: id, time, reason, why, name, class, cgroup, cgroup_id, killed_by, signal,
 * exit_status, saved_bytes, limit_bytes, usage_bytes, heap_bytes, bin_bytes, peak_bytes, lifetime_s, curve[{t_s,
 * bytes}] (t_s: seconds before the last look, 0 or negative), memory_stat{}, events{}, pauses{KIND:{...}}, sites[],
 * last_pauses[] (see mw_json_last_pauses); recorder{interval_ms, columns[], points[][], ended, ended_ms, note},
 * timeline[{t_ms, time, what, text}], cause{code, led_by, text}, neighbours[{name, class, usage_bytes, percent, level,
 * why_not}], prevention[{kind, text, setting}]; t_ms there: before the incident. more NULL: without these. What is not
 * known is null. last NULL: w's last look. stat_text: raw memory.stat or NULL. pauses: MW_PAUSE_MAX or NULL.
 */
struct mw_incident_more; /* report/postmortem.h */
struct json_object *mw_incident_json(const struct mw_incident *inc, const struct mw_worker *w,
				     const struct mw_usage *last, const char *stat_text,
				     const struct mw_pause_stat *pauses, const struct mw_incident_more *more);
/*
 * The same in two steps: everything that document says, copied in one piece, and the document made of it later, also in
 * another thread and when w is gone. NULL: no memory.
 */
struct mw_incident_facts;
struct mw_incident_facts *mw_incident_facts(const struct mw_incident *inc, const struct mw_worker *w,
					    const char *stat_text, const struct mw_pause_stat *pauses,
					    const struct mw_incident_more *more);
struct json_object *mw_incident_facts_json(const struct mw_incident_facts *facts);
void mw_incident_facts_free(struct mw_incident_facts *facts); /* NULL-safe; the document stays */
/*
 * Write it (blocking: call from a worker thread). doc, from mw_incident_json, is only read. ret_id:
 * "20261121T200501Z-web-7", made unique by a suffix ("-2"), also across restarts. What could not be written earlier
 * goes first. When it cannot be written (a full disk: -ENOSPC), nothing half written stays, and it waits in memory,
 * listed like the others, until a later call writes it. -EINVAL, -E2BIG: not a document of mw_incident_json, or over
 * MW_INCIDENT_MAX_BYTES; not kept.
 */
int mw_incidents_write(struct mw_incidents *store, struct json_object *doc, char *ret_id, size_t size,
		       struct mw_error *err);
/* Write what waits (blocking). 0, or -errno of the first that still could not be. */
int mw_incidents_flush(struct mw_incidents *store);
__u32 mw_incidents_waiting(struct mw_incidents *store);
/*
 * Array of incidents, newest first, at most n (0: all), of one worker (NULL: any). New reference. Reads no more
 * files than it returns, but for broken ones and those of workers whose names begin alike.
 */
struct json_object *mw_incidents_list(struct mw_incidents *store, const char *worker, size_t n);
/* One after the other: the newest before cursor, which becomes its id. NULL: that was the last. */
#define MW_INCIDENTS_NEWEST "~" /* behind every digit */
struct json_object *mw_incidents_before(struct mw_incidents *store, const char *worker,
					char cursor[MW_INCIDENT_ID_SIZE]);
/*
 * The same in brief, as text: id, time, reason, why, name, class, killed_by, signal, exit_status, saved_bytes,
 * limit_bytes, usage_bytes, lifetime_s, cause. Of the newest it is in memory: no file is read. New holder.
 */
struct mw_kept *mw_incidents_brief_before(struct mw_incidents *store, char cursor[MW_INCIDENT_ID_SIZE]);
struct mw_kept *mw_incident_brief(struct json_object *doc); /* of a document; NULL: no memory */
/* One by id. NULL when there is none. */
struct json_object *mw_incidents_get(struct mw_incidents *store, const char *id);
/* Files that could not be read, written or removed so far, and incidents lost for it. */
__u64 mw_incidents_failures(const struct mw_incidents *store);

#endif
