// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Usage, limits and the judgement of both. */
#include "lib/guard_impl.h"

#include <math.h>
#include <string.h>

#include "lib/sized.h"
#include "util/amount.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define PERCENT_STEP 1.0 /* an estimate that is further off than this is not given */
#define PERCENT_MAX  40000000.0 /* what fits an answer */

/* Judged as `memweir check` does it; which alert the monitor would give is not asked here. */
static struct mw_check judge(const struct memweir_guard *g, const struct mw_usage *u)
{
	const struct mw_monitor m = {.alert_threshold = 1};
	const struct mw_profile p = mw_guard_profile(g);

	return mw_verdict_check(u, &p, &m);
}

static uint64_t pack(const struct mw_check *c)
{
	double percent = c->percent < PERCENT_MAX ? c->percent : PERCENT_MAX;

	return (uint64_t)c->status << 32 | (uint32_t)llround(percent * 100);
}

static struct mw_usage with_used(const struct mw_usage *full, __u64 used, __u64 current)
{
	struct mw_usage u = *full;

	u.heap = mw_less(used, u.bin);
	u.current = current;
	return u;
}

/* Does memory.stat have to decide? Not where all it could say is the level known already, and the percentage about. */
static bool needs_stat(const struct memweir_guard *g, const struct mw_quick *q, uint64_t now_ns)
{
	const struct mw_usage *full = &g->meter.full;
	const struct mw_usage likely = with_used(full, q->used, q->current),
			      most = with_used(full, q->most, q->current);
	const struct mw_check then = judge(g, full), now = judge(g, &likely);
	const __u64 max = mw_guard_profile(g).max_heap;
	const __u64 fallen = mw_less(full->current, q->current);

	if (now.status != then.status || now.percent - then.percent >= PERCENT_STEP)
		return true;
	if (!mw_unlimited(max) && (double)fallen * 100 >= PERCENT_STEP * (double)max)
		return true;
	return mw_meter_in_doubt(&g->meter, now_ns) && judge(g, &most).status != now.status;
}

/* By memory.current where that is enough. With the lock held. */
static int take_look(struct memweir_guard *g, bool full, struct mw_usage *ret_usage, struct mw_check *ret_check)
{
	uint64_t now_ns = mw_now_ns();
	struct mw_quick q;
	int r = full ? 0 : mw_meter_quick(&g->meter, now_ns, &q);

	if (r >= 0 && (full || needs_stat(g, &q, now_ns))) {
		r = mw_meter_full(&g->meter);
		q.used = g->meter.full.heap + g->meter.full.bin;
		q.current = g->meter.full.current;
	}
	if (r < 0)
		return r;
	*ret_usage = with_used(&g->meter.full, q.used, q.current);
	*ret_check = judge(g, ret_usage);
	return 0;
}

static enum mw_level level_of(const struct memweir_guard *g, const struct mw_usage *u, const struct mw_check *c)
{
	static const struct mw_squeeze_state no_squeeze;
	static const struct mw_trend no_trend;
	const struct mw_profile p = mw_guard_profile(g);
	enum mw_level level = mw_verdict_level(u, &p, &no_squeeze, &no_trend, g->level);

	return c->over_bin && level < MW_LEVEL_WARNING ? MW_LEVEL_WARNING : level;
}

/* The level, as somebody is told of it now. */
static void note_level(struct memweir_guard *g, enum mw_level level, uint64_t now_ns)
{
	g->told_times = level > g->level ? 1 : g->told_times + 1;
	g->told_ns = now_ns;
	g->level = level;
}

/* Is it to be told? Who is in a callback is told afterwards, by what the callback has made of it. */
static bool is_due(struct memweir_guard *g, enum mw_level level)
{
	uint64_t now_ns = mw_now_ns();

	if (mw_guard_in_callback(g))
		return false;
	if (mw_level_due(level, g->level, g->told_ns, g->told_times, now_ns)) {
		note_level(g, level, now_ns);
		return true;
	}
	g->level = level;
	return false;
}

/* Look and keep the answer. With the lock held. */
static int look_and_keep(struct memweir_guard *g, bool full, struct mw_check *ret_check, enum mw_level *ret_level,
			 uint64_t *ret_answer)
{
	struct mw_usage u;
	int r = take_look(g, full, &u, ret_check);

	if (r < 0) {
		atomic_store_explicit(&g->next_ns, 0, memory_order_relaxed);
		return r;
	}
	mw_guard_requests_saw(g, u.current);
	*ret_level = level_of(g, &u, ret_check);
	*ret_answer = pack(ret_check);
	atomic_store_explicit(&g->answer, *ret_answer, memory_order_relaxed);
	atomic_store_explicit(&g->next_ns, mw_now_coarse_ns() + g->cache_ns, memory_order_relaxed);
	return 0;
}

int mw_guard_look(struct memweir_guard *g, bool full, uint64_t *ret_answer)
{
	enum mw_level level = MW_LEVEL_OK;
	struct mw_check c;
	bool tell;
	int r;

	pthread_mutex_lock(&g->lock);
	r = look_and_keep(g, full, &c, &level, ret_answer);
	tell = r >= 0 && is_due(g, level);
	pthread_mutex_unlock(&g->lock);
	if (tell)
		mw_guard_tell(g, (enum memweir_event)(level - MW_LEVEL_WARNING), "usage", c.percent);
	if (mw_guard_report_due(g))
		memweir_guard_report(g);
	return r;
}

int mw_guard_look_quietly(struct memweir_guard *g, uint64_t *ret_answer)
{
	enum mw_level level = MW_LEVEL_OK;
	struct mw_check c;
	int r;

	pthread_mutex_lock(&g->lock);
	r = look_and_keep(g, true, &c, &level, ret_answer);
	if (r >= 0)
		note_level(g, level, mw_now_ns());
	pthread_mutex_unlock(&g->lock);
	return r < 0 ? r : (int)level;
}

static int answer_of(uint64_t answer, double *ret_percent)
{
	if (ret_percent)
		*ret_percent = mw_guard_percent_of(answer);
	return mw_guard_level_of(answer);
}

int memweir_guard_validate(struct memweir_guard *g, double *ret_percent)
{
	uint64_t now_ns = mw_now_coarse_ns(), next_ns = atomic_load_explicit(&g->next_ns, memory_order_relaxed), answer;
	int r;

	/* One thread looks; the others go on with what was seen last, unless there is nothing yet. */
	if (now_ns < next_ns ||
	    (next_ns && !atomic_compare_exchange_strong(&g->next_ns, &next_ns, now_ns + g->cache_ns)))
		return answer_of(atomic_load_explicit(&g->answer, memory_order_relaxed), ret_percent);
	r = mw_guard_look(g, false, &answer);
	return r < 0 ? r : answer_of(answer, ret_percent);
}

int memweir_guard_validate_exact(struct memweir_guard *g, double *ret_percent)
{
	uint64_t answer;
	int r = mw_guard_look(g, false, &answer);

	return r < 0 ? r : answer_of(answer, ret_percent);
}

int memweir_guard_usage(struct memweir_guard *g, struct memweir_guard_usage *ret_usage)
{
	struct memweir_guard_usage ours = {0};
	uint64_t answer;
	int r = mw_guard_look(g, true, &answer);

	if (r < 0)
		return r;
	pthread_mutex_lock(&g->lock);
	ours.heap_bytes = g->meter.full.heap;
	ours.bin_bytes = g->meter.full.bin;
	ours.current_bytes = g->meter.full.current;
	ours.percent = judge(g, &g->meter.full).percent;
	pthread_mutex_unlock(&g->lock);
	return mw_sized_out(ret_usage, &ours, sizeof(ours));
}

int memweir_guard_limits(struct memweir_guard *g, struct memweir_guard_limits *ret_limits)
{
	struct memweir_guard_limits ours = {0};
	struct mw_profile p;

	pthread_mutex_lock(&g->lock);
	p = mw_guard_profile(g);
	memcpy(ours.class_name, g->class_name, sizeof(ours.class_name));
	memcpy(ours.worker, g->worker, sizeof(ours.worker));
	pthread_mutex_unlock(&g->lock);
	ours.max_heap_bytes = p.max_heap;
	ours.max_bin_heap_bytes = p.max_bin_heap;
	ours.hibernate_threshold = p.hibernate_threshold;
	return mw_sized_out(ret_limits, &ours, sizeof(ours));
}

int mw_guard_used(struct memweir_guard *g, uint64_t limit, uint64_t *ret_used)
{
	int r;

	pthread_mutex_lock(&g->lock);
	r = mw_meter_used(&g->meter, limit, ret_used);
	pthread_mutex_unlock(&g->lock);
	return r;
}
