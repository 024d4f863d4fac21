/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Every kind of thing the daemon tells: a row each. Events, the journal's fields, its catalog
 * (scripts/deploy/memweir.catalog) and memweir-journal(7) go by this table.
 */
#ifndef MW_REPORT_KINDS_H
#define MW_REPORT_KINDS_H

#include <stddef.h>

enum mw_told_flags {
	MW_TOLD_LOG = 1, /* it has a line in the log; else it is for who follows events */
	MW_TOLD_ALWAYS = 2, /* no flood suppresses it */
	MW_TOLD_USAGE = 4, /* with usage, maximum and percent of the worker */
	MW_TOLD_GROWTH = 8, /* with its rate and when it meets its limit */
	MW_TOLD_PROCESS = 16, /* with its main process */
};

struct mw_told_kind {
	const char *name; /* "memory-high": type of an event, MEMWEIR_EVENT */
	const char *message_id; /* 32 hex digits; NULL: never in the log */
	int priority; /* of syslog; where it depends on the outcome, the usual one */
	unsigned flags;
	const char *subject; /* the catalog's */
};

const struct mw_told_kind *mw_told_at(size_t i); /* NULL behind the last */
const struct mw_told_kind *mw_told_find(const char *name); /* NULL: there is none */
const struct mw_told_kind *mw_told_of(const char *name); /* the first row, "daemon", where there is none */

#endif
