/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/rate.h"

#include "util/clock.h"

/* The pass of reclaim that each pause of a kind is. */
static const struct {
	bool is;
	enum mw_pass pass;
} passes[MW_PAUSE_MAX] = {
	[MW_PAUSE_HIGH_RECLAIM] = {true, MW_PASS_AT_HIGH},
	[MW_PAUSE_MAX_RECLAIM] = {true, MW_PASS_AT_MAX},
	[MW_PAUSE_GLOBAL_RECLAIM] = {true, MW_PASS_OF_HOST},
	[MW_PAUSE_NODE_RECLAIM] = {true, MW_PASS_OF_HOST},
};

void mw_tally_add(struct mw_tally *t, enum mw_pause_kind kind, const struct mw_pause_stat *stat)
{
	if ((unsigned int)kind >= MW_PAUSE_MAX)
		return;
	if (stat->max_ns > t->worst_ns)
		t->worst_ns = stat->max_ns;
	if (kind == MW_PAUSE_MEMSTALL)
		t->whole_ns += stat->total_ns;
	else if (kind != MW_PAUSE_RECLAIM_THROTTLE) /* that lies inside a reclaim */
		t->kinds_ns += stat->total_ns;
	if (passes[kind].is)
		t->passes[passes[kind].pass] += stat->count;
}

__u64 mw_tally_stalled(const struct mw_tally *t)
{
	return t->whole_ns > t->kinds_ns ? t->whole_ns : t->kinds_ns;
}

struct mw_reading mw_tally_reading(const struct mw_tally *t, __u64 time_ns)
{
	struct mw_reading r = {.time_ns = time_ns, .stalled_ns = mw_tally_stalled(t)};

	for (int i = 0; i < MW_PASSES; i++)
		r.passes[i] = t->passes[i];
	return r;
}

void mw_rate_push(struct mw_rate *r, const struct mw_reading *reading)
{
	const struct mw_reading *last = &r->kept[(r->head + MW_RATE_KEPT - 1) % MW_RATE_KEPT];

	if (reading->time_ns < r->newest.time_ns)
		return;
	r->newest = *reading;
	if (r->count && reading->time_ns - last->time_ns < MW_RATE_SPACING_NS)
		return;
	r->kept[r->head] = *reading;
	r->head = (r->head + 1) % MW_RATE_KEPT;
	if (r->count < MW_RATE_KEPT)
		r->count++;
}

/* The youngest that is a minute older than the newest, or the oldest there is. */
static const struct mw_reading *base_of(const struct mw_rate *r)
{
	const struct mw_reading *base = NULL;

	for (__u32 i = 0; i < r->count; i++) {
		const struct mw_reading *at = &r->kept[(r->head + MW_RATE_KEPT - r->count + i) % MW_RATE_KEPT];

		if (base && r->newest.time_ns - at->time_ns < MW_RATE_WINDOW_NS)
			break;
		base = at;
	}
	return base;
}

/* Counters of a cgroup that came under guard anew begin again. */
static __u64 risen(__u64 now, __u64 before)
{
	return now > before ? now - before : now < before ? now : 0;
}

__u64 mw_rate_passes(const struct mw_reading *from, const struct mw_reading *to)
{
	__u64 sum = 0;

	for (int i = 0; i < MW_PASSES; i++)
		sum += risen(to->passes[i], from->passes[i]);
	return sum;
}

struct mw_rates mw_rate_now(const struct mw_rate *r)
{
	const struct mw_reading *base = base_of(r);
	struct mw_rates rates = {0};
	__u64 sum = 0;

	if (!base || r->newest.time_ns <= base->time_ns)
		return rates;
	rates.span_ns = r->newest.time_ns - base->time_ns;
	for (int i = 0; i < MW_PASSES; i++) {
		rates.passes[i] = risen(r->newest.passes[i], base->passes[i]);
		sum += rates.passes[i];
	}
	rates.reclaims_per_min = (double)sum;
	if (rates.span_ns > MW_RATE_WINDOW_NS)
		rates.reclaims_per_min *= (double)MW_RATE_WINDOW_NS / (double)rates.span_ns;
	rates.stalled_share = (double)risen(r->newest.stalled_ns, base->stalled_ns) / (double)rates.span_ns;
	return rates;
}

bool mw_rate_often(const struct mw_rates *rates, __u32 alert, bool was)
{
	if (!alert)
		return false;
	return rates->reclaims_per_min >= (was ? alert / 2.0 : alert);
}

enum mw_pass mw_rate_cause(const struct mw_rates *rates)
{
	enum mw_pass most = MW_PASSES;

	for (enum mw_pass i = 0; i < MW_PASSES; i++) {
		if (rates->passes[i] && (most == MW_PASSES || rates->passes[i] > rates->passes[most]))
			most = i;
	}
	return most;
}
