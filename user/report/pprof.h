/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A profile of memory in use as pprof and what reads its files want it: the message Profile of profile.proto, gzipped.
 * Addresses are those of the module's file, since profiles of many processes may come together: each module is a
 * mapping from 0 on.
 */
#ifndef MW_PPROF_H
#define MW_PPROF_H

#include <linux/types.h>
#include <stddef.h>

#include "symbols/symbols.h"

struct mw_pprof;

/* Of a stack: text, or a number where text is NULL. */
struct mw_pprof_label {
	const char *key, *text;
	__s64 number;
};

/* wall_ns: when it was taken, since 1970. comment: what it is of, for people. NULL: no memory. */
struct mw_pprof *mw_pprof_new(__u64 wall_ns, const char *comment);
void mw_pprof_free(struct mw_pprof *p); /* NULL-safe */
/* A stack, innermost first as mw_symbols has it, what it holds, and at most 16 labels. objects 0: not known. */
void mw_pprof_sample(struct mw_pprof *p, const struct mw_frame *frames, size_t n, __u64 objects, __u64 bytes,
		     const struct mw_pprof_label *labels, size_t n_labels);
/* The file, the caller's (free). Nothing can be added any more. 0, -ENOMEM. */
int mw_pprof_end(struct mw_pprof *p, void **ret_bytes, size_t *ret_n);

#endif
