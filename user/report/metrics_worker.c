/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What /metrics says of one worker. */
#include "core/cgroup.h"
#include "report/json.h"
#include "report/metrics.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* 66 us to 17 s: a thousand workers that paused have a thousand of these. */
static const struct mw_metric_buckets coarse = {.first = 16, .last = 34, .step = 2};

static void write_field(struct mw_metrics_out *o, size_t i, const void *base, const struct mw_metric_labels *labels)
{
	static const struct mw_metric_buckets all = {.first = 12, .last = 34, .step = 1};
	const struct mw_metric_row *row = &mw_metric_rows[i];
	const void *at = (const char *)base + row->at;
	__u64 value;

	if (row->from == MW_M_HIST)
		return mw_metric_histogram(o, i, labels, at, &all, NULL);
	value = row->from == MW_M_FLAG ? *(const bool *)at : *(const __u64 *)at;
	if ((row->sparse && !value) || (row->from == MW_M_LIMIT && value == MW_UNLIMITED))
		return;
	if (row->from == MW_M_NS)
		mw_metric_seconds(o, i, labels, value);
	else
		mw_metric_u64(o, i, labels, value);
}

void mw_metrics_fields(struct mw_metrics_out *o, enum mw_metric first, enum mw_metric end, const void *base,
		       const struct mw_metric_labels *labels)
{
	for (enum mw_metric i = first; i < end; i++) {
		if (mw_metric_rows[i].from != MW_M_CODE)
			write_field(o, i, base, labels);
	}
}

static void put_limit(struct mw_metrics_out *o, enum mw_metric i, const struct mw_metric_labels *l, __u64 bytes)
{
	if (bytes != MW_UNLIMITED)
		mw_metric_u64(o, i, l, bytes);
}

void mw_metrics_of(struct mw_metrics_out *o, enum mw_metric i, struct mw_metric_labels *l, const char *name,
		   const char *value, __u64 n)
{
	size_t used = l->used;

	if (mw_metric_rows[i].sparse && !n)
		return;
	mw_metric_label(l, name, value);
	mw_metric_u64(o, i, l, n);
	mw_metric_labels_cut(l, used);
}

static void put_info(struct mw_metrics_out *o, const struct mw_worker *w, struct mw_metric_labels *l)
{
	size_t used = l->used;

	mw_metric_label(l, "cgroup", w->cgroup ? w->cgroup : "");
	mw_metric_label(l, "policy", mw_policy_name(w->profile.policy));
	mw_metric_label(l, "owner", mw_owner_name(w->owner));
	if (w->container) {
		mw_metric_label(l, "container", w->container->name);
		mw_metric_label(l, "pod", w->container->pod);
		mw_metric_label(l, "namespace", w->container->namespace);
		mw_metric_label(l, "image", w->container->image);
	}
	mw_metric_u64(o, MW_M_WORKER, l, 1);
	mw_metric_labels_cut(l, used);
}

static void put_states(struct mw_metrics_out *o, const struct mw_worker *w, struct mw_metric_labels *l)
{
	const struct {
		const char *name;
		bool is;
	} states[] = {
		{"frozen", w->frozen_by_admin || w->freeze.frozen},
		{"lifted", w->squeeze.lifted},
		{"hibernated", w->hibernated},
		{"paced", w->pace.told},
		{"over-bin", w->check.over_bin},
		{"not-in-force", w->unmet.since_ns != 0},
		{"dry-run", w->dry_run},
	};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		mw_metrics_of(o, MW_M_WORKER_STATE, l, "state", states[i].name, states[i].is);
}

static void put_events(struct mw_metrics_out *o, const struct mw_worker *w, struct mw_metric_labels *l)
{
	static const struct {
		const char *name;
		enum mw_memcg_event event;
	} rows[] = {
		{"high", MW_MEMCG_HIGH},
		{"max", MW_MEMCG_MAX},
		{"oom", MW_MEMCG_OOM},
		{"oom_kill", MW_MEMCG_OOM_KILL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		mw_metrics_of(o, MW_M_WORKER_EVENTS, l, "event", rows[i].name, w->usage.events[rows[i].event]);
}

/* The last pause that was over the budget, as an example for whole stalls. */
static void put_stalls(struct mw_metrics_out *o, const struct mw_worker *w, const struct mw_metric_labels *l,
		       const struct mw_pause_stat *whole, const struct mw_metrics_now *now)
{
	const struct mw_pause *p = w->stalls && w->stalls->count ? mw_stalls_at(w->stalls, w->stalls->count - 1) : NULL;
	struct mw_metric_labels about = {0};
	struct mw_metric_exemplar e = {.labels = &about};

	if (!whole->count)
		return;
	if (p && mw_metrics_out_is_open(o)) {
		mw_metric_label(&about, "comm", p->comm);
		mw_metric_label_u64(&about, "tid", p->tid);
		mw_metric_label(&about, "kind", mw_pause_name(p->kind));
		e.value_ns = p->duration_ns;
		e.wall_ns = p->time_ns + (__u64)now->boot_offset_ns;
	}
	mw_metric_histogram(o, MW_M_WORKER_PAUSE, l, whole, &coarse, about.used ? &e : NULL);
}

static void put_pauses(struct mw_metrics_out *o, const struct mw_worker *w, struct mw_metric_labels *l,
		       const struct mw_pause_stat *stats, const struct mw_metrics_now *now)
{
	static const char *const causes[] = {
		[MW_PASS_AT_HIGH] = "memory.high", [MW_PASS_AT_MAX] = "memory.max", [MW_PASS_OF_HOST] = "host"};
	struct mw_tally tally = {0};
	size_t used = l->used;

	for (enum mw_pause_kind kind = 0; stats && kind < MW_PAUSE_MAX; kind++) {
		if (!stats[kind].count)
			continue;
		mw_tally_add(&tally, kind, &stats[kind]);
		mw_metric_label(l, "kind", mw_pause_name(kind));
		mw_metric_u64(o, MW_M_WORKER_PAUSES, l, stats[kind].count);
		mw_metric_seconds(o, MW_M_WORKER_PAUSED, l, stats[kind].total_ns);
		mw_metric_labels_cut(l, used);
	}
	mw_metric_seconds(o, MW_M_WORKER_STALLED, l, mw_tally_stalled(&tally));
	for (int i = 0; i < MW_PASSES; i++)
		mw_metrics_of(o, MW_M_WORKER_RECLAIMS, l, "cause", causes[i], tally.passes[i]);
	if (stats)
		put_stalls(o, w, l, &stats[MW_PAUSE_MEMSTALL], now);
}

static void put_trend(struct mw_metrics_out *o, const struct mw_worker *w, const struct mw_metric_labels *l)
{
	mw_metric_u64(o, MW_M_WORKER_LEVEL, l, w->level);
	mw_metric_u64(o, MW_M_WORKER_VERDICT, l, w->trend.verdict);
	if (w->trend.verdict == MW_STEADY)
		return;
	mw_metric_double(o, MW_M_WORKER_LEAK_RATE, l, w->trend.rate_bytes_per_s);
	if (w->trend.time_to_limit_s >= 0)
		mw_metric_double(o, MW_M_WORKER_TIME_TO_LIMIT, l, w->trend.time_to_limit_s);
}

void mw_metrics_worker(struct mw_metrics_out *o, const struct mw_worker *w, const struct mw_pause_stat *stats,
		       const struct mw_metrics_now *now)
{
	struct mw_metric_labels l;

	l.used = 0;
	mw_metric_label(&l, "worker", w->name);
	mw_metric_label(&l, "class", w->class_name);
	mw_metrics_fields(o, MW_M_WORKER, MW_M_WORKERS, w, &l);
	put_info(o, w, &l);
	/* As they stand in the cgroup; before the first look, as the profile wants them. */
	put_limit(o, MW_M_WORKER_MAX, &l, w->usage.time_ns ? w->usage.max : w->limits.max);
	put_limit(o, MW_M_WORKER_HIGH, &l, w->usage.time_ns ? w->usage.high : w->limits.high);
	mw_metric_double(o, MW_M_WORKER_RATIO, &l, w->check.percent / 100);
	put_trend(o, w, &l);
	put_states(o, w, &l);
	put_events(o, w, &l);
	put_pauses(o, w, &l, stats, now);
	for (enum mw_reason reason = 0; reason < MW_REASON_MAX; reason++)
		mw_metrics_of(o, MW_M_WORKER_INCIDENTS, &l, "reason", mw_reason_name(reason), w->incidents[reason]);
	mw_metrics_figures(o, w, &l, now->now_ns);
	if (w->usage.time_ns)
		mw_metric_seconds(o, MW_M_WORKER_AGE, &l,
				  now->now_ns > w->usage.time_ns ? now->now_ns - w->usage.time_ns : 0);
}
