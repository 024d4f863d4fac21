/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What a look at sites accounts for, beside what the kernel says is in use. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "daemon/sites_impl.h"
#include "util/amount.h"
#include "util/cleanup.h"

#define WORTH (4ULL << 20) /* of shmem and kernel memory */

static void take_charged(struct mw_sites_look *look, struct mw_account *a)
{
	__u64 page = (__u64)sysconf(_SC_PAGESIZE), placed = 0;
	struct mw_worker_info info;

	if (!look->kernel || mw_kernel_sites_sum(look->kernel, look->cgroup_id, &placed) < 0 ||
	    mw_kernel_worker_info(look->kernel, look->cgroup_id, &info) < 0)
		return;
	a->charged_known = true;
	a->charged = info.charged_pages * page;
	/* The walk came first: what was charged in between is in the sum, not in the part. */
	a->charged_placed = placed * page < a->charged ? placed * page : a->charged;
}

static void take_used(struct mw_sites_look *look, struct mw_account *a)
{
	struct mw_sample s;

	if (mw_cgroup_sample(look->cgroup_fd, &s) < 0 || !s.usage)
		return; /* without the v2 memory controller */
	a->used_known = true;
	a->current = s.usage;
	a->anon = s.anon;
	a->shmem = s.shmem;
	a->cache = mw_less(s.file, s.shmem);
	a->kernel = s.kernel;
	a->sock = s.sock;
	a->swapped = s.swap_usage;
}

/* Of memory.stat what a sample does not carry. Keys that a kernel does not have leave their part with the rest. */
static void take_stat(struct mw_sites_look *look, struct mw_account *a)
{
	const struct {
		const char *key;
		__u64 *part;
	} parts[] = {
		{"slab", &a->slab},	      {"pagetables", &a->page_tables},
		{"kernel_stack", &a->stacks}, {"workingset_refault_anon", &a->came_back},
		{"percpu", &a->per_cpu},      {"vmalloc", &a->vmalloc},
	};
	char buf[16384];
	ssize_t n = mw_cgroup_read(look->cgroup_fd, "memory.stat", buf, sizeof(buf));

	if (n < 0 && n != -E2BIG)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		mw_keyed_u64(buf, parts[i].key, parts[i].part);
	a->came_back *= (__u64)sysconf(_SC_PAGESIZE); /* the one that counts pages */
}

/* Who holds it: only where there is something to be held. */
static void take_files(struct mw_sites_look *look, struct mw_account *a)
{
	_cleanup_free_ pid_t *pids = NULL;
	ssize_t n;

	if (a->used_known && a->shmem + a->kernel < WORTH)
		return;
	pids = calloc(MW_HEAP_PROCESSES_MAX, sizeof(*pids));
	n = pids ? mw_cgroup_pids(look->cgroup_fd, true, pids, MW_HEAP_PROCESSES_MAX) : -ENOMEM;
	if (n < 0)
		return;
	a->files_known = true;
	a->files = mw_files_count("/proc", pids, n < MW_HEAP_PROCESSES_MAX ? (size_t)n : MW_HEAP_PROCESSES_MAX);
}

void mw_sites_account(const struct mw_site_list *all, struct mw_sites_look *look)
{
	struct mw_account a = {.known = true};

	take_charged(look, &a);
	take_used(look, &a);
	take_stat(look, &a);
	take_files(look, &a);
	a.n_processes = look->now.n_processes;
	a.n_without = look->now.n_without;
	a.n_silent = look->now.n_silent;
	a.n_refused = look->now.n_refused;
	a.without = look->now.without_bytes;
	a.sampled_known = a.n_processes > 0;
	a.sampled = look->now.live_bytes;
	a.samples = (__u32)look->now.samples;
	a.lost = look->now.lost_bytes;
	for (size_t i = 0; look->source == MW_SITES_HEAP && i < all->n; i++)
		a.sampled_shown += all->at[i].bytes;
	look->account = a;
}
