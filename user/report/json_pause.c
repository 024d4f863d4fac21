/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include <stdio.h>

#include "report/json.h"
#include "report/json_out.h"
#include "report/pause.h"

static struct json_object *histogram(const struct mw_pause_stat *s)
{
	struct json_object *list = json_object_new_array();
	int n = MW_HIST_SLOTS;

	while (n > 0 && !s->hist[n - 1])
		n--;
	for (int i = 0; list && i < n; i++) {
		struct json_object *count = json_object_new_uint64(s->hist[i]);

		if (count && !json_object_array_add(list, count))
			continue;
		json_object_put(count);
		json_object_put(list);
		return NULL;
	}
	return list;
}

static struct json_object *pause_kind(const struct mw_pause_stat *s)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_u64(&o, "count", s->count);
	mw_json_u64(&o, "total_ns", s->total_ns);
	mw_json_u64(&o, "max_ns", s->max_ns);
	mw_json_u64(&o, "p50_ns", mw_hist_quantile(s, 0.5));
	mw_json_u64(&o, "p90_ns", mw_hist_quantile(s, 0.9));
	mw_json_u64(&o, "p99_ns", mw_hist_quantile(s, 0.99));
	mw_json_put(&o, "hist", histogram(s));
	return mw_json_end(&o);
}

struct json_object *mw_json_pause_kinds(const struct mw_pause_stat stats[MW_PAUSE_MAX])
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	for (int i = 0; i < MW_PAUSE_MAX; i++)
		mw_json_put(&o, mw_pause_name(i), pause_kind(&stats[i]));
	return mw_json_end(&o);
}

static void put_figures(struct mw_json_out *o, const struct mw_pause_stat stats[MW_PAUSE_MAX], double stalled_share,
			double reclaims_per_min)
{
	double whole = (double)stats[MW_PAUSE_MEMSTALL].total_ns, other = (double)stats[MW_PAUSE_OTHER].total_ns;

	mw_json_put(o, "kinds", mw_json_pause_kinds(stats));
	if (whole <= 0)
		mw_json_null(o, "covered");
	else
		mw_json_double(o, "covered", other < whole ? 1 - other / whole : 0, 3);
	mw_json_double(o, "stalled_share", stalled_share, 5);
	mw_json_double(o, "reclaims_per_min", reclaims_per_min, 1);
}

struct json_object *mw_json_pauses(const struct mw_worker *w, const struct mw_pause_stat stats[MW_PAUSE_MAX])
{
	struct mw_json_out o = mw_json_begin(mw_json_worker(w));
	const struct mw_rates rates = mw_stalls_rates(w);

	put_figures(&o, stats, rates.stalled_share, rates.reclaims_per_min);
	return mw_json_end(&o);
}

void mw_pause_group_add(struct mw_pause_group *group, const struct mw_worker *w,
			const struct mw_pause_stat stats[MW_PAUSE_MAX])
{
	const struct mw_rates rates = mw_stalls_rates(w);

	group->workers++;
	group->reclaims_per_min += rates.reclaims_per_min;
	group->stalled_share += rates.stalled_share;
	for (int i = 0; i < MW_PAUSE_MAX; i++) {
		struct mw_pause_stat *into = &group->stats[i];

		into->count += stats[i].count;
		into->total_ns += stats[i].total_ns;
		if (stats[i].max_ns > into->max_ns)
			into->max_ns = stats[i].max_ns;
		for (int slot = 0; slot < MW_HIST_SLOTS; slot++)
			into->hist[slot] += stats[i].hist[slot];
	}
}

struct json_object *mw_json_pause_group(const struct mw_pause_group *group)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	if (group->name[0])
		mw_json_text(&o, "name", group->name);
	else
		mw_json_null(&o, "name");
	mw_json_u64(&o, "workers", group->workers);
	put_figures(&o, group->stats, group->stalled_share, group->reclaims_per_min);
	return mw_json_end(&o);
}

static void put_limit(struct mw_json_out *o, enum mw_limit_of limit)
{
	const char *name = mw_limit_of_name(limit);

	if (name)
		mw_json_text(o, "limit", name);
	else
		mw_json_null(o, "limit");
}

struct json_object *mw_json_pause_event(const struct mw_event *e, const struct mw_worker *w,
					const struct mw_cause *cause, __s64 boot_offset_ns)
{
	struct mw_json_out o = mw_json_begin(mw_json_event(e, w, boot_offset_ns));

	put_limit(&o, cause->limit);
	if (cause->culprit)
		mw_json_text(&o, "culprit", cause->culprit->name);
	else
		mw_json_null(&o, "culprit");
	return mw_json_end(&o);
}

static struct json_object *last_pause(const struct mw_pause *p, __s64 boot_offset_ns)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_when(&o, "time", p->time_ns + (__u64)boot_offset_ns);
	mw_json_text(&o, "kind", mw_pause_name(p->kind));
	mw_json_u64(&o, "duration_ns", p->duration_ns);
	mw_json_u64(&o, "pages", p->pages);
	mw_json_u64(&o, "tid", p->tid);
	mw_json_text(&o, "comm", p->comm);
	put_limit(&o, p->limit);
	return mw_json_end(&o);
}

struct json_object *mw_json_last_pauses(const struct mw_worker *w, __s64 boot_offset_ns)
{
	struct json_object *list = json_object_new_array();

	for (__u32 i = 0; list && w->stalls && i < w->stalls->count; i++) {
		struct json_object *p = last_pause(mw_stalls_at(w->stalls, i), boot_offset_ns);

		if (p && !json_object_array_add(list, p))
			continue;
		json_object_put(p);
		json_object_put(list);
		return NULL;
	}
	return list;
}
