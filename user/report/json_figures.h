/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Figures that workers report (core/figures.h), from their JSON and into ours. */
#ifndef MW_JSON_FIGURES_H
#define MW_JSON_FIGURES_H

#include <json-c/json.h>

#include "core/figures.h"
#include "util/error.h"

/*
 * From a worker, who may send anything: a number that is missing is 0, a member that has no row is passed over, so that
 * library and daemon may be of different ages. -EINVAL with what is wrong and where; *ret_figures is as it was then.
 */
int mw_json_figures_read(struct json_object *o, struct mw_figures *ret_figures, struct mw_error *err);
/*
 * pools[], limiters[], requests (or null) as they came, and age_ms, stale, pid. NULL only on no memory; r is not NULL.
 */
struct json_object *mw_json_figures(const struct mw_reported *r, __u64 now_ns);

#endif
