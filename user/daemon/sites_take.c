/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The sites of a worker, from each source that knows any. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/proc.h"
#include "daemon/sites_impl.h"
#include "util/cleanup.h"

#define LEAST_SHARE 0.01 /* of a site that is kept */

static __u64 grown(const struct mw_heap_site *s, bool compared)
{
	if (!compared)
		return s->live_bytes;
	return s->grown_bytes > 0 ? (__u64)s->grown_bytes : 0;
}

void mw_sites_take_heap(const struct mw_heap *h, bool compared, struct mw_site_list *out)
{
	out->heap = true;
	out->held = h->live_bytes;
	for (size_t i = 0; i < h->n_sites; i++)
		out->total += grown(&h->sites[i], compared);
	for (size_t i = 0; i < h->n_sites && out->n < MW_SITES_SHOWN; i++) {
		const struct mw_heap_site *from = &h->sites[i];
		struct mw_site_found *s = &out->at[out->n];

		if ((double)grown(from, compared) < LEAST_SHARE * (double)out->total || !from->n_frames)
			continue;
		*s = (struct mw_site_found){.kind = from->kind == MW_HEAP_OBJECT ? "heap" : "mapping",
					    .pid = from->pid,
					    .bytes = from->live_bytes,
					    .grown = grown(from, compared),
					    .objects = from->live_objects,
					    .samples = from->samples};
		mw_proc_comm("/proc", s->pid, s->comm, sizeof(s->comm));
		for (; s->n_frames < from->n_frames && s->n_frames < MW_STACK_DEPTH; s->n_frames++)
			s->frames[s->n_frames] = (struct mw_address){from->frames[s->n_frames], true};
		out->n++;
	}
}

int mw_sites_take_growth(struct mw_kernel *k, __u64 cgroup_id, struct mw_site_list *out)
{
	_cleanup_free_ struct mw_site_row *rows = calloc(MW_SITES_SHOWN, sizeof(*rows));
	struct mw_worker_info info = {};
	__u64 page = (__u64)sysconf(_SC_PAGESIZE);
	int n = rows ? mw_kernel_sites_read(k, cgroup_id, rows, MW_SITES_SHOWN) : -ENOMEM;

	if (n < 0 || mw_kernel_worker_info(k, cgroup_id, &info) < 0)
		return n < 0 ? n : -ENODATA;
	out->total = out->held = info.charged_pages * page;
	for (int i = 0; i < n; i++) {
		struct mw_site_found *s = &out->at[out->n];

		if (rows[i].stack_id < 0 || !rows[i].frames[0])
			continue;
		*s = (struct mw_site_found){.kind = "growth",
					    .pid = (pid_t)rows[i].site.pid,
					    .bytes = rows[i].site.pages * page,
					    .grown = rows[i].site.pages * page};
		memcpy(s->comm, rows[i].site.comm, sizeof(s->comm));
		s->comm[sizeof(s->comm) - 1] = '\0';
		for (; s->n_frames < MW_STACK_DEPTH && rows[i].frames[s->n_frames]; s->n_frames++)
			s->frames[s->n_frames] = (struct mw_address){rows[i].frames[s->n_frames], s->n_frames > 0};
		out->n++;
	}
	return out->n ? 0 : -ENODATA;
}
