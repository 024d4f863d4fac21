/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* One look at where a worker's memory comes from. Blocks; for an action thread. */
#ifndef MW_DAEMON_SITES_H
#define MW_DAEMON_SITES_H

#include "daemon/kernel.h"
#include "daemon/kernel_objects.h"
#include "daemon/stacks.h"
#include "leak/heap.h"
#include "leak/sites.h"
#include "symbols/remember.h"

struct mw_sites_look {
	struct mw_kernel *kernel; /* may be read from any thread */
	__u64 cgroup_id;
	int cgroup_fd; /* owned */
	struct mw_heap before; /* owned; an earlier reading, where has_before */
	bool has_before;
	struct mw_pages *objects; /* owned; as it was; and as it is then */
	char *cgroup; /* owned; path from the cgroup root */
	struct mw_touched touched; /* as it was; and as it is then */
	struct mw_stacks *stacks; /* of all who grow; whoever looks has them to itself. NULL: none */
	__u64 since_ns, grew; /* it grows since about then, by so many bytes */
	struct mw_object_probes *probes; /* that have samples of this worker; NULL: none */
	bool otel; /* through a sampler of its own */
	__u64 watched_ns, watched_of_ns, watched_until_ns;
	struct mw_remembered *remembered; /* of processes that may have ended; any thread */
	__u64 ask_until_ns; /* CLOCK_MONOTONIC; who has no names by then is left with addresses */
	/* what comes of it */
	enum mw_sites_source source;
	struct mw_heap now; /* owned; empty: no process of it has a sampler */
	struct mw_kept *list, *lines; /* held; NULL: nothing is known */
	char top[MW_SITES_TOP];
	__u64 left_out_bytes; /* in no site of list */
	struct mw_account account;
	struct mw_life life;
	double heap_share;
	__u32 heap_samples;
};
/*
 * Object by object where its processes are sampled (memweir/heap.h), or watched from outside; else what the kernel side
 * saw of who touches new memory. 0, -ENODATA: neither has anything; -ENOMEM, -errno of the cgroup.
 */
int mw_sites_look(struct mw_sites_look *look);
void mw_sites_look_free(struct mw_sites_look *look); /* it and its contents; NULL-safe */

#endif
