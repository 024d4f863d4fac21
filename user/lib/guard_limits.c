// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* A guard's limits: the daemon's, the class's, its own, and what stands in the cgroup. */
#include "lib/guard_impl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/class_builtin.h"
#include "util/amount.h"

/* A limit in a cgroup is one in whole pages. */
static bool same_pages(__u64 in_cgroup, __u64 wanted)
{
	return in_cgroup <= wanted && wanted - in_cgroup < (__u64)sysconf(_SC_PAGESIZE);
}

static __u64 lesser(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

/* The lesser one of a limit and what the program itself said (0: nothing). */
static __u64 with_own(__u64 limit, uint64_t own)
{
	return own ? lesser(limit, own) : limit;
}

int mw_guard_builtin_limits(struct memweir_guard *g)
{
	const struct memweir_guard_options *o = &g->options;
	const struct mw_class_builtin *b = mw_class_builtin(g->class_name);
	__u64 max = g->meter.dir_fd >= 0 ? g->meter.full.max : MW_UNLIMITED;
	struct mw_profile p = {.hibernate_threshold = 0.8};

	if (!b && !o->max_heap_bytes && max == MW_UNLIMITED)
		return -ENOENT;
	p.max_heap = o->max_heap_bytes ? o->max_heap_bytes : b ? b->max_heap : max;
	p.max_bin_heap = o->max_bin_heap_bytes ? o->max_bin_heap_bytes : mw_profile_bin_auto(p.max_heap);
	if (b)
		p.hibernate_threshold = b->hibernate_threshold;
	if (o->hibernate_threshold > 0)
		p.hibernate_threshold = o->hibernate_threshold;
	p.bin_follows = !o->max_bin_heap_bytes;
	g->profile = p;
	g->max_seen = MW_UNLIMITED; /* a lesser one counts */
	return 0;
}

void mw_guard_take_limits(struct memweir_guard *g, const struct mw_profile *from)
{
	const struct memweir_guard_options *o = &g->options;
	struct mw_profile p = *from;

	g->asked = *from;
	p.bin_follows = from->max_bin_heap == mw_profile_bin_auto(from->max_heap) && !o->max_bin_heap_bytes;
	p.max_heap = with_own(p.max_heap, o->max_heap_bytes);
	p.max_bin_heap = with_own(p.max_bin_heap, o->max_bin_heap_bytes);
	if (p.max_bin_heap != MW_UNLIMITED)
		p.max_bin_heap = lesser(p.max_bin_heap, p.max_heap);
	if (o->hibernate_threshold > 0 && o->hibernate_threshold < p.hibernate_threshold)
		p.hibernate_threshold = o->hibernate_threshold;
	g->profile = p;
	g->max_seen = g->meter.dir_fd >= 0 ? g->meter.full.max : MW_UNLIMITED;
}

/*
 * memory.max is read with every look: what was set since the daemon was asked is known without asking it again. From
 * others than the daemon only less counts.
 */
struct mw_profile mw_guard_profile(const struct memweir_guard *g)
{
	struct mw_profile p = g->profile;
	__u64 max = g->meter.dir_fd >= 0 ? g->meter.full.max : MW_UNLIMITED;

	if (max == g->max_seen || max == MW_UNLIMITED || same_pages(max, p.max_heap))
		return p;
	if (!(g->can & MEMWEIR_CAN_DAEMON) && max > p.max_heap)
		return p;
	p.max_heap = with_own(max, g->options.max_heap_bytes);
	if (p.bin_follows || (p.max_bin_heap != MW_UNLIMITED && p.max_bin_heap > p.max_heap))
		p.max_bin_heap = mw_profile_bin_auto(p.max_heap);
	return p;
}

bool mw_guard_enforced(const struct memweir_guard *g)
{
	const struct mw_profile p = mw_guard_profile(g);

	return g->meter.dir_fd >= 0 && g->meter.full.max != MW_UNLIMITED && g->meter.full.max <= p.max_heap;
}
