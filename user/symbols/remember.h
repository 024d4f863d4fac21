/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What processes had mapped, kept while they live, so that their addresses have names when they have ended: from the
 * files, found by path and known again by build id, and from names that were found before. Bounded in bytes; who was
 * not seen for longest goes first. Of a process nobody looked at while it lived nothing is known.
 */
#ifndef MW_REMEMBER_H
#define MW_REMEMBER_H

#include "symbols/ask.h"

struct mw_remembered;

/* program: memweir-symbols, NULL: where it was installed. NULL: no memory. Any thread may use it at any time. */
struct mw_remembered *mw_remembered_new(const char *program);
void mw_remembered_free(struct mw_remembered *r); /* NULL-safe; nobody may be in it */

/*
 * Look at a process: at once when it is new, and then at intervals as long as it was known, up to a minute, since it
 * may run another program or load a library. now_ns: CLOCK_MONOTONIC. 0: nothing was due; 1: it was read; 2: and
 * memweir-symbols was started for build ids of files that were not seen before. Where that failed build ids are
 * missing and all else is kept. Blocks. -ESRCH, -ENOMEM, -EACCES.
 */
int mw_remember(struct mw_remembered *r, pid_t pid, __u64 now_ns);

/*
 * mw_symbols_ask about q->pid, as it is or, when it has ended, as it was remembered; then *ret_ended, and files are
 * looked for in the root folder of root_pid, who should be of the same container (0: the host's). What is known
 * already is not asked again. Who has the pid of the one that is meant, and began at another time than q->start_ticks
 * (the low 32 bits; 0: not known), is not asked: that one has ended. Blocks. -ESRCH also where nothing is remembered of
 * it.
 */
int mw_remembered_ask(struct mw_remembered *r, const struct mw_symbols_question *q, pid_t root_pid, bool *ret_ended,
		      struct mw_symbols *ret_symbols, struct mw_error *err);

size_t mw_remembered_bytes(struct mw_remembered *r); /* at most MW_REMEMBERED_BYTES and one process */
#define MW_REMEMBERED_BYTES (768UL << 10)

#endif
