/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The judgement of one look, which libmemweir shares: what a worker is told of itself is what `check` says of it. */
#include "core/verdict.h"

#include <string.h>

#include "util/amount.h"

static const char *const status_names[] = {
	[MW_STATUS_OK] = "ok",
	[MW_STATUS_WARNING] = "warning",
	[MW_STATUS_ERROR] = "error",
};
_Static_assert(sizeof(status_names) / sizeof(status_names[0]) == MW_STATUS_MAX, "a name for every status");

const char *mw_status_name(enum mw_status status)
{
	return (unsigned int)status < MW_STATUS_MAX ? status_names[status] : "unknown";
}

void mw_usage_from_sample(const struct mw_sample *s, struct mw_usage *ret_usage)
{
	struct mw_usage u = {
		.time_ns = s->time_ns,
		.current = s->usage,
		.heap = s->anon + s->swap_usage,
		.bin = mw_less(s->shmem + s->sock + s->kernel, s->slab_reclaimable),
		.anon = s->anon,
		.swapped = s->swap_usage,
		.file = s->file,
		.shmem = s->shmem,
		.sock = s->sock,
		.kernel = s->kernel,
		.slab_reclaimable = s->slab_reclaimable,
		.max = s->max,
		.high = s->high,
		.low = s->low,
	};

	memcpy(u.events, s->events, sizeof(u.events));
	*ret_usage = u;
}

/* Half a byte of grace, so that 0.9 x 0.85 of a round limit is reached at the byte a person computes. */
static bool reaches(__u64 used, __u64 limit, double share)
{
	return (double)used + 0.5 >= (double)limit * share;
}

struct mw_check mw_verdict_check(const struct mw_usage *u, const struct mw_profile *p, const struct mw_monitor *m)
{
	double alert = m->alert_threshold < p->hibernate_threshold ? m->alert_threshold : p->hibernate_threshold;
	struct mw_check c = {.over_bin = p->max_bin_heap != MW_UNLIMITED && u->bin > p->max_bin_heap};
	__u64 used = u->heap + u->bin;

	if (!mw_unlimited(p->max_heap)) {
		c.percent = 100.0 * (double)used / (double)p->max_heap;
		c.high_memory = reaches(used, p->max_heap, alert);
		c.hibernate = reaches(used, p->max_heap, p->hibernate_threshold);
		if (reaches(used, p->max_heap, 0.9 * p->hibernate_threshold))
			c.status = MW_STATUS_WARNING;
	}
	if (c.hibernate || c.over_bin)
		c.status = MW_STATUS_ERROR;
	return c;
}
