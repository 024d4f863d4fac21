/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the recorder holds of a worker, as JSON: in incidents and in GET /v1/workers/NAME/history. New references. */
#ifndef MW_JSON_TRACK_H
#define MW_JSON_TRACK_H

#include <json-c/json.h>

#include "core/recorder.h"

#define MW_HISTORY_MARKS 64 /* of one worker, in one document */

/* ["t_ms","usage_bytes",...] */
struct json_object *mw_json_track_columns(void);
/* A list for each, in the order of the columns; t_ms: 0 is the newest, negative before. Limits that are none: null. */
struct json_object *mw_json_track_points(const struct mw_look *looks, __u32 n);
/*
 * {"t_ms","time","type","text","value","count"} each; t_ms: before (or behind) zero_ns. offset_ns: wall - monotonic.
 */
struct json_object *mw_json_marks(const struct mw_mark *marks, size_t n, __u64 zero_ns, __s64 offset_ns);
/*
 * The highest usage in each of n steps up to now, the oldest first; null where nobody looked. What was seen counts for
 * hold_ns: looks may be further apart than steps.
 */
struct json_object *mw_json_track_spark(const struct mw_track *t, __u32 n, __u64 step_ns, __u64 hold_ns, __u64 now_ns);

#endif
