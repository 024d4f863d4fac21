/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The document of GET /v1/samples: what the daemon last saw of each worker, raw, for recordings. Written as text at
 * once: it is asked for as often as the daemon looks, and objects of each figure would cost several times as much.
 */
#ifndef MW_JSON_SAMPLE_H
#define MW_JSON_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/worker.h"
#include "report/json_text.h"

/* {"schema":1,...,"monitor":[5 numbers],"fields":[names],"workers":[ */
void mw_json_samples_begin(struct mw_json_text *t, const struct mw_monitor *m, __u64 now_ns, __u64 wall_ns);
/*
 * {"id":cgroup id,"sample":[time, then the fields],"check":[time, bytes, verdict]}; profile: + "name", "class",
 * "profile":[16 numbers, leak/record.h]. Without a look yet, nothing.
 */
void mw_json_sample(struct mw_json_text *t, struct mw_worker *w, bool profile);
/* The whole text, the caller's; NULL: no memory. */
char *mw_json_samples_end(struct mw_json_text *t);

#endif
