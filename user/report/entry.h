/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A told fact as an entry of the journal: which fields it has. Pure. */
#ifndef MW_ENTRY_H
#define MW_ENTRY_H

#include <linux/types.h>

#include "core/worker.h"
#include "report/kinds.h"
#include "util/journal.h"

/* What a fact has besides its worker's own figures; what is 0, NULL or "" is no field. */
struct mw_fact {
	const char *reason; /* why it died or was acted on; kind of a pause */
	__u64 pause_ns;
	pid_t pid; /* whom it is about, where that is not the worker's main process */
	const char *incident; /* id */
	const char *worker, *class_name; /* where there is no struct mw_worker any more */
	__u64 suppressed; /* lines */
	const char *suppressed_kind;
};

/* w and fact may be NULL. The order of fields is this: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, MESSAGE_ID, MEMWEIR_…. */
void mw_entry_make(struct mw_entry *e, const struct mw_told_kind *kind, int priority, const struct mw_worker *w,
		   const struct mw_fact *fact, const char *text);

#endif
