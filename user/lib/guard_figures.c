// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The figures of all parts with names, put together. */
#include "lib/guard_figures.h"

#include <memweir/byte_pool.h>
#include <memweir/limiter.h>
#include <memweir/pool.h>
#include <string.h>

#include "lib/guard_impl.h"
#include "util/cleanup.h"

/* A pool that was made before a fork has nothing to say in the child. */
static int read_pool(const struct mw_guard_part *part, struct mw_pool_figures *ret)
{
	struct memweir_pool_stats s = MEMWEIR_INIT(struct memweir_pool_stats);
	int r = memweir_pool_stats((struct memweir_pool *)part->what, &s);

	if (r < 0)
		return r;
	*ret = (struct mw_pool_figures){.values = {
						[MW_POOL_BUFFERS] = s.pool_size,
						[MW_POOL_IN_USE] = s.in_use,
						[MW_POOL_MEMORY] = s.memory_usage,
						[MW_POOL_CHECKOUTS] = s.checkouts,
						[MW_POOL_ALLOCATIONS] = s.total_created,
						[MW_POOL_WAITS] = s.waits,
						[MW_POOL_TIMEOUTS] = s.timeouts,
						[MW_POOL_REFUSED] = s.refused,
						[MW_POOL_EXHAUSTIONS] = s.exhaustions,
					}};
	return 0;
}

static int read_byte_pool(const struct mw_guard_part *part, struct mw_pool_figures *ret)
{
	struct memweir_byte_pool_stats s = MEMWEIR_INIT(struct memweir_byte_pool_stats);
	int r = memweir_byte_pool_stats((struct memweir_byte_pool *)part->what, &s);

	if (r < 0)
		return r;
	*ret = (struct mw_pool_figures){.bytes = true,
					.values = {
						[MW_POOL_IN_USE] = s.in_use,
						[MW_POOL_MEMORY] = s.kept_bytes,
						[MW_POOL_CHECKOUTS] = s.hits + s.misses,
						[MW_POOL_ALLOCATIONS] = s.misses + s.grown,
						[MW_POOL_DROPPED] = s.dropped_small + s.dropped_large + s.dropped_full,
					}};
	return 0;
}

static int read_limiter(const struct mw_guard_part *part, struct mw_limiter_figures *ret)
{
	struct memweir_limiter_stats s = MEMWEIR_INIT(struct memweir_limiter_stats);
	int r = memweir_limiter_stats((struct memweir_limiter *)part->what, &s);

	if (r < 0)
		return r;
	*ret = (struct mw_limiter_figures){.values = {
						   [MW_LIMITER_MAX] = s.max_bytes,
						   [MW_LIMITER_USED] = s.used_bytes,
						   [MW_LIMITER_OPERATIONS] = s.operations,
						   [MW_LIMITER_TRIMS] = s.trims,
						   [MW_LIMITER_REFUSALS] = s.refusals,
					   }};
	return 0;
}

static void collect_part(const struct mw_guard_part *part, struct mw_figures *f)
{
	struct mw_pool_figures *pool = &f->pools[f->n_pools];
	struct mw_limiter_figures *limiter = &f->limiters[f->n_limiters];

	if (part->of == MW_FIGURE_OF_LIMITER) {
		if (read_limiter(part, limiter) < 0)
			return;
		memcpy(limiter->name, part->name, sizeof(limiter->name));
		f->n_limiters++;
		return;
	}
	if ((part->of == MW_FIGURE_OF_BYTES ? read_byte_pool : read_pool)(part, pool) < 0)
		return;
	memcpy(pool->name, part->name, sizeof(pool->name));
	f->n_pools++;
}

bool mw_guard_collect(struct memweir_guard *g, struct mw_figures *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < ARRAY_SIZE(g->figures.parts); i++) {
		if (g->figures.parts[i].name[0])
			collect_part(&g->figures.parts[i], ret);
	}
	pthread_mutex_lock(&g->lock);
	ret->has_requests = g->last_request;
	ret->requests = g->measured;
	ret->requests.values[MW_REQUEST_OPEN] = g->open;
	pthread_mutex_unlock(&g->lock);
	return ret->n_pools || ret->n_limiters || ret->has_requests;
}
