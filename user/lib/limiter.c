// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <memweir/limiter.h>

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/guard_figures.h"
#include "lib/guard_impl.h"
#include "lib/sized.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define EVERY	100
#define MB	1000000ULL
#define REST_NS (1 * MW_NS_PER_S) /* over the maximum the trim callback runs again after this long */

struct memweir_limiter {
	uint64_t max_bytes;
	uint32_t every;
	memweir_trim_fn trim;
	void *trim_arg;
	struct memweir_guard *guard; /* NULL: meter */
	bool shown; /* it has a name there */
	struct mw_meter meter;
	pthread_mutex_t meter_lock, trim_lock;
	uint64_t trimmed_ns; /* with trim_lock; when a trim last ended */
	_Atomic bool over; /* every operation looks */
	_Atomic uint64_t operations, looks, trims, refusals, used;
};

/* 1: over. */
static int is_over(struct memweir_limiter *l)
{
	uint64_t used;
	int r;

	if (l->guard) {
		r = mw_guard_used(l->guard, l->max_bytes, &used);
	} else {
		pthread_mutex_lock(&l->meter_lock);
		r = mw_meter_used(&l->meter, l->max_bytes, &used);
		pthread_mutex_unlock(&l->meter_lock);
	}
	atomic_fetch_add(&l->looks, 1);
	if (r < 0)
		return r;
	atomic_store(&l->used, used);
	return used > l->max_bytes;
}

/* One thread trims. What it has freed is seen by the look that follows in those that waited for it, too. */
static void trim(struct memweir_limiter *l)
{
	pthread_mutex_lock(&l->trim_lock);
	if (!l->trimmed_ns || mw_now_ns() - l->trimmed_ns >= REST_NS || !atomic_load(&l->over)) {
		if (l->trim)
			l->trim(l->trim_arg);
		malloc_trim(0);
		atomic_fetch_add(&l->trims, 1);
		l->trimmed_ns = mw_now_ns();
	}
	pthread_mutex_unlock(&l->trim_lock);
}

int memweir_limiter_check(struct memweir_limiter *l)
{
	uint64_t operation = atomic_fetch_add_explicit(&l->operations, 1, memory_order_relaxed);
	int r;

	if (operation % l->every && !atomic_load_explicit(&l->over, memory_order_relaxed))
		return 0;
	r = is_over(l);
	if (r > 0) {
		trim(l);
		r = is_over(l);
	}
	if (r < 0)
		return r;
	atomic_store(&l->over, r > 0);
	if (!r)
		return 0;
	atomic_fetch_add(&l->refusals, 1);
	return -ENOMEM;
}

static int take_maximum(const struct memweir_limiter_options *o, uint64_t *ret_max)
{
	struct memweir_guard_limits limits = MEMWEIR_INIT(struct memweir_guard_limits);

	if ((o->max_mb && o->max_bytes) || o->max_mb > UINT64_MAX / MB)
		return -EINVAL;
	*ret_max = o->max_mb ? o->max_mb * MB : o->max_bytes;
	if (!*ret_max && o->guard && memweir_guard_limits(o->guard, &limits) == 0)
		*ret_max = limits.max_heap_bytes;
	return *ret_max ? 0 : -EINVAL;
}

int memweir_limiter_new(const struct memweir_limiter_options *options, struct memweir_limiter **ret_limiter)
{
	_cleanup_free_ struct memweir_limiter *l = calloc(1, sizeof(*l));
	struct memweir_limiter_options o;
	int r = l ? mw_sized_in(&o, sizeof(o), options) : -ENOMEM;

	if (r < 0)
		return r;
	r = take_maximum(&o, &l->max_bytes);
	if (r < 0)
		return r;
	l->every = o.every ? o.every : EVERY;
	l->trim = o.trim;
	l->trim_arg = o.trim_arg;
	l->guard = o.guard;
	r = l->guard ? mw_lib_guard_show(l->guard, MW_FIGURE_OF_LIMITER, o.name, l)
		     : mw_meter_open(&l->meter, o.root ? o.root : "");
	if (r < 0)
		return r;
	l->shown = l->guard && r;
	pthread_mutex_init(&l->meter_lock, NULL);
	pthread_mutex_init(&l->trim_lock, NULL);
	*ret_limiter = TAKE_PTR(l);
	return 0;
}

void memweir_limiter_free(struct memweir_limiter *l)
{
	if (!l)
		return;
	if (l->shown)
		mw_lib_guard_hide(l->guard, l);
	if (!l->guard)
		mw_meter_close(&l->meter);
	pthread_mutex_destroy(&l->meter_lock);
	pthread_mutex_destroy(&l->trim_lock);
	free(l);
}

int memweir_limiter_stats(struct memweir_limiter *l, struct memweir_limiter_stats *ret_stats)
{
	const struct memweir_limiter_stats ours = {
		.operations = atomic_load(&l->operations),
		.looks = atomic_load(&l->looks),
		.trims = atomic_load(&l->trims),
		.refusals = atomic_load(&l->refusals),
		.used_bytes = atomic_load(&l->used),
		.max_bytes = l->max_bytes,
	};

	return mw_sized_out(ret_stats, &ours, sizeof(ours));
}
