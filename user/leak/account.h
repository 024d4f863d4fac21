/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What a worker was charged, what of it is in use, and what the code that is shown accounts for; what is left over is
 * said with it. All of one moment, bytes.
 */
#ifndef MW_ACCOUNT_H
#define MW_ACCOUNT_H

#include <linux/types.h>
#include <stdbool.h>

#include "leak/files.h"

struct mw_account {
	bool known; /* false: nobody has looked */
	/* by the kernel side, since the worker is watched; what was given back is in it */
	bool charged_known;
	__u64 charged;
	__u64 charged_placed; /* of it, with the code that first touched it */
	/* memory.current and memory.stat, memory.swap.current */
	bool used_known;
	__u64 current, anon, cache, shmem, kernel, sock, swapped; /* cache: file less shmem */
	__u64 came_back; /* of anonymous memory that was swapped out, since the cgroup is there */
	/* of kernel, by memory.stat; what they leave of it are pages of pipes, sockets and the like */
	__u64 slab, page_tables, stacks, per_cpu, vmalloc;
	bool files_known; /* looked at where shmem or kernel memory is worth it */
	struct mw_files files;
	/* the samples inside its processes: allocated and not freed, which need not have been touched */
	bool sampled_known;
	__u64 sampled, sampled_shown; /* of it, by the sites that are shown */
	__u32 samples;
	__u64 lost; /* allocated and not followed, freed or not */
	__u32 n_processes, n_without; /* with a sampler and without */
	__u32 n_silent; /* of n_processes: much memory, and no object of it came to the sampler */
	__u32 n_refused; /* of those without: they have something that is called as a sampler's memory is */
	__u64 without; /* anon and swapped of those without; what they share after a fork counts for each */
};

/* What memory.stat's parts leave of memory.current: charges in advance of each processor, figures of two moments. */
__u64 mw_account_rest(const struct mw_account *a);
__u64 mw_account_kernel_rest(const struct mw_account *a); /* the same of kernel */

#endif
