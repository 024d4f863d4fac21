/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What plan takes from a worker that runs. */
#ifndef MW_CLI_PLAN_H
#define MW_CLI_PLAN_H

#include <linux/types.h>
#include <memweir/plan.h>

#include "cli/verb.h"

struct plan_worker {
	struct memweir_plan_seen seen;
	__u64 limit; /* memory.max; MW_UNLIMITED */
	bool whole; /* memory.stat could not be read: memory_bytes is all that is charged */
};

/* connections: that it has; 0: counted. A failure is said; MW_EXIT_OK or MW_EXIT_FAILURE. */
int mw_plan_worker(const struct mw_cli *cli, const char *name, __u64 connections, struct plan_worker *ret_worker);

#endif
