/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Where the teller's lines go: into the journal with fields where stderr is the journal, else to stderr as text. Floods
 * of one kind and worker are cut, counted, and told. Never blocks.
 */
#ifndef MW_TELL_LOG_H
#define MW_TELL_LOG_H

#include <linux/types.h>

#include "report/entry.h"

struct mw_log;

int mw_log_new(const char *journal_socket, struct mw_log **ret_log); /* 0 or -ENOMEM; the path is not copied */
void mw_log_free(struct mw_log *l);
/*
 * One line. l NULL: to stderr as text. place: what floods are told apart by where there is no worker (an address, the
 * format). w, fact: may be NULL.
 */
void mw_log_line(struct mw_log *l, const struct mw_told_kind *kind, const void *place, int priority,
		 const struct mw_worker *w, const struct mw_fact *fact, const char *text);
/* What was suppressed and is over by now is told, a few at a time. To be called now and then. */
void mw_log_tick(struct mw_log *l, __u64 now_ns);

struct mw_log_counts {
	__u64 lost; /* neither the journal nor stderr took them */
	__u64 suppressed; /* of a flood */
	__u64 without_fields; /* the journal did not take the entry, and got the plain line */
};
struct mw_log_counts mw_log_counts(const struct mw_log *l);

#endif
