/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The sites of a worker, from each source that knows any. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/proc.h"
#include "daemon/sites_impl.h"
#include "util/cleanup.h"

#define LEAST_SHARE  0.01 /* of a site that is kept */
#define LEAST_COPIES 5 /* fewer say less than all that the kernel walked itself */

static __u64 grown(const struct mw_heap_site *s, bool grows)
{
	if (!grows)
		return s->live_bytes;
	return s->grown_bytes > 0 ? (__u64)s->grown_bytes : 0;
}

void mw_sites_take_heap(const struct mw_heap *h, struct mw_site_list *out)
{
	bool grows = h->n_sites && h->sites[0].grown_bytes > 0;

	out->heap = true;
	out->held = h->live_bytes;
	out->total = 0;
	for (size_t i = 0; i < h->n_sites; i++)
		out->total += grown(&h->sites[i], grows);
	for (size_t i = 0; i < h->n_sites && out->n < MW_SITES_SHOWN; i++) {
		const struct mw_heap_site *from = &h->sites[i];
		struct mw_site_found *s = &out->at[out->n];

		if ((double)grown(from, grows) < LEAST_SHARE * (double)out->total || !from->n_frames)
			continue;
		*s = (struct mw_site_found){.kind = from->kind == MW_HEAP_OBJECT ? "heap" : "mapping",
					    .pid = from->pid,
					    .start_ticks = from->start_ticks,
					    .bytes = from->live_bytes,
					    .grown = grown(from, grows),
					    .objects = from->live_objects,
					    .samples = from->samples,
					    .from = from};
		if (!s->start_ticks || mw_proc_is("/proc", s->pid, s->start_ticks))
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
					    .start_ticks = rows[i].site.started,
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

/* Shares are of what was watched since it grows, bytes those shares of all that was charged, as the kernel's own walk
 * has it. */
int mw_sites_take_stacks(struct mw_sites_look *look, struct mw_site_list *out)
{
	const struct mw_stack_worker *w = look->stacks ? mw_stacks_look(look) : NULL;
	struct mw_worker_info info = {};

	if (!w || w->copies < LEAST_COPIES || !w->pages ||
	    mw_kernel_worker_info(look->kernel, look->cgroup_id, &info) < 0)
		return -ENODATA;
	out->total = out->held = info.charged_pages * (__u64)sysconf(_SC_PAGESIZE);
	for (size_t i = 0; i < w->n && out->n < MW_SITES_SHOWN; i++) {
		const struct mw_stack_sum *sum = &w->at[i];
		double share = (double)sum->pages / (double)w->pages;
		__u64 bytes = (__u64)(share * (double)out->total);
		struct mw_site_found *s = &out->at[out->n];

		if (share < LEAST_SHARE)
			continue;
		*s = (struct mw_site_found){.kind = "growth",
					    .pid = sum->pid,
					    .start_ticks = mw_stacks_start(sum),
					    .ended = !mw_stacks_lives(sum),
					    .bytes = bytes,
					    .grown = bytes,
					    .unwound = sum->copies,
					    .n_frames = (unsigned)sum->unwound.n,
					    .named = json_object_get(sum->named)};
		memcpy(s->comm, sum->comm, sizeof(s->comm));
		memcpy(s->frames, sum->unwound.at, sum->unwound.n * sizeof(s->frames[0]));
		out->n++;
	}
	return out->n ? 0 : -ENODATA;
}
