/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* recommendations[]: what the guard would do about a worker if it were allowed to. */
#ifndef MW_JSON_ADVICE_H
#define MW_JSON_ADVICE_H

#include <json-c/json.h>

#include "core/worker.h"

/* Acting is left to people: enable_hibernation is off, or the policy is observe. */
bool mw_advice_only(const struct mw_worker *w, const struct mw_monitor *m);
/* Append w's {action, worker, bytes, idle_s (or null), text}: none or more. */
void mw_json_advise(struct json_object *list, const struct mw_worker *w, const struct mw_monitor *m, __u64 now_ns);

#endif
