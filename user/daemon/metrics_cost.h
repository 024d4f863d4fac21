/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the guard itself costs, and loses. */
#ifndef MW_METRICS_COST_H
#define MW_METRICS_COST_H

#include "daemon/guard.h"
#include "report/metrics.h"

/* Reads some thirty small files and asks the kernel about each program: a millisecond. */
void mw_metrics_cost(struct mw_guard *g, struct mw_metrics_guard *ret_cost);

#endif
