/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Whose limit a paused task met, and who filled what lies below it: a worker may wait because another one grew. Pure;
 * what the workers did lately is in their tracks.
 */
#ifndef MW_CULPRIT_H
#define MW_CULPRIT_H

#include <linux/types.h>
#include <stddef.h>

#include "core/stalls.h"
#include "core/worker.h"

#define MW_CULPRIT_WINDOW_NS 10000000000ULL
#define MW_CULPRIT_LEAST     (1ULL << 20) /* less growth than this fills nothing */

struct mw_cause {
	enum mw_limit_of limit;
	const char *path; /* of the cgroup with the limit: length bytes of the worker's path; NULL: none or the host */
	size_t length;
	const char *file; /* "memory.high" or "memory.max"; NULL: one of them */
	__u64 bytes; /* the limit; MW_UNLIMITED: not known */
	const struct mw_worker *culprit; /* NULL: nobody grew, or the limit is the worker's own */
	__u64 grown, span_ns; /* by so much, in this time */
};

/*
 * Whose limit is it? length: how much of cgroup, the worker's path, is the path of the cgroup with the limit. root: the
 * tree of ours, without a leading slash; the classes are right below it.
 */
enum mw_limit_of mw_limit_at(const char *cgroup, size_t length, const char *root);
/* The same where the kernel names no cgroup: by the kind of the pause. */
enum mw_limit_of mw_limit_unnamed(enum mw_pause_kind kind);

/* How much a worker grew in the window before now; one younger than that grew all it has. */
__u64 mw_grown(const struct mw_worker *w, __u64 now_ns, __u64 *ret_span_ns);
/* Fills culprit, grown and span_ns of cause: the one below its limit (the host: any) that grew most. */
void mw_culprit_find(const struct mw_workers *ws, __u64 now_ns, struct mw_cause *cause);

#endif
