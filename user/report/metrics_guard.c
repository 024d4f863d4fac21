/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What /metrics says of the host's workers together, and of the guard itself. */
#include <stdio.h>
#include <string.h>

#include "report/json.h"
#include "report/metrics.h"
#include "report/metrics_number.h"
#include "util/cleanup.h"

/* 8 us to 34 s, all of the kernel side's slots. */
static const struct mw_metric_buckets fine = {.first = 13, .last = 35, .step = 1};

static void note_last(struct mw_metric_last *to, const struct mw_worker *w, const struct mw_pause *p)
{
	if (p->time_ns <= to->time_ns)
		return;
	to->duration_ns = p->duration_ns;
	to->time_ns = p->time_ns;
	to->tid = p->tid;
	memcpy(to->comm, p->comm, sizeof(to->comm));
	memcpy(to->worker, w->name, sizeof(to->worker));
}

void mw_metrics_count(struct mw_class_pauses *into, const struct mw_worker *w, const struct mw_pause_stat *stats)
{
	into->levels[w->level]++;
	into->verdicts[w->trend.verdict]++;
	if (stats)
		mw_pauses_add(into->pauses, stats);
	for (__u32 i = 0; w->stalls && i < w->stalls->count; i++) {
		const struct mw_pause *p = mw_stalls_at(w->stalls, i);

		if ((unsigned int)p->kind < MW_PAUSE_MAX)
			note_last(&into->last[p->kind], w, p);
	}
}

static void put_pauses(struct mw_metrics_out *o, struct mw_metric_labels *l, const struct mw_class_pauses *p,
		       const struct mw_metrics_now *now)
{
	size_t used = l->used;

	for (enum mw_pause_kind kind = 0; kind < MW_PAUSE_MAX; kind++) {
		const struct mw_metric_last *last = &p->last[kind];
		struct mw_metric_labels about;
		struct mw_metric_exemplar e = {.labels = &about,
					       .value_ns = last->duration_ns,
					       .wall_ns = last->time_ns + (__u64)now->boot_offset_ns};

		if (!p->pauses[kind].count)
			continue;
		about.used = 0;
		mw_metric_label(&about, "worker", last->worker);
		mw_metric_label(&about, "comm", last->comm);
		mw_metric_label_u64(&about, "tid", last->tid);
		mw_metric_label(l, "kind", mw_pause_name(kind));
		mw_metric_histogram(o, MW_M_PAUSE, l, &p->pauses[kind], &fine, last->time_ns ? &e : NULL);
		mw_metric_labels_cut(l, used);
	}
}

static void put_ends(struct mw_metrics_out *o, struct mw_metric_labels *l, const struct mw_class_totals *t)
{
	const __u64 *n = t->incidents;

	for (enum mw_reason reason = MW_REASON_EXIT + 1; reason < MW_REASON_MAX; reason++)
		mw_metrics_of(o, MW_M_INCIDENTS, l, "reason", mw_reason_name(reason), n[reason]);
	mw_metrics_of(o, MW_M_KILLS, l, "by", "kernel", n[MW_REASON_HEAP_SIZE] + n[MW_REASON_HOST_OOM]);
	mw_metrics_of(o, MW_M_KILLS, l, "by", "memweir", t->killed);
	mw_metrics_of(o, MW_M_KILLS, l, "by", "admin", n[MW_REASON_ADMIN]);
	mw_metric_u64(o, MW_M_STARTED, l, t->started);
	mw_metric_u64(o, MW_M_ENDED, l, t->ended);
	mw_metric_u64(o, MW_M_LIFTS, l, t->lifts);
	mw_metric_u64(o, MW_M_HIBERNATIONS, l, t->hibernations);
	mw_metric_u64(o, MW_M_HIBERNATED, l, t->hibernated_bytes);
}

void mw_metrics_class(struct mw_metrics_out *o, const struct mw_class_totals *totals,
		      const struct mw_class_pauses *pauses, const struct mw_metrics_now *now)
{
	struct mw_metric_labels l;

	l.used = 0;
	mw_metric_label(&l, "class", totals->name);
	for (enum mw_level level = 0; level < MW_LEVEL_MAX; level++)
		mw_metrics_of(o, MW_M_WORKERS, &l, "level", mw_level_name(level), pauses->levels[level]);
	for (enum mw_trend_verdict v = 0; v < MW_TREND_MAX; v++)
		mw_metrics_of(o, MW_M_VERDICTS, &l, "verdict", mw_trend_name(v), pauses->verdicts[v]);
	put_ends(o, &l, totals);
	put_pauses(o, &l, pauses, now);
}

static void put_programs(struct mw_metrics_out *o, const struct mw_metrics_guard *g)
{
	for (size_t i = 0; i < g->n_programs; i++) {
		const struct mw_metric_program *p = &g->programs[i];
		struct mw_metric_labels l;

		l.used = 0;
		mw_metric_label(&l, "program", p->name);
		mw_metric_u64(o, MW_M_BPF_SKIPPED, &l, p->skipped);
		if (!g->bpf_stats)
			continue;
		mw_metric_seconds(o, MW_M_BPF_SECONDS, &l, p->run_ns);
		mw_metric_u64(o, MW_M_BPF_RUNS, &l, p->runs);
	}
}

static void put_cpu(struct mw_metrics_out *o, const struct mw_metrics_guard *g)
{
	struct mw_metric_labels l;

	l.used = 0;
	mw_metric_label(&l, "mode", "user");
	mw_metric_seconds(o, MW_M_CPU, &l, g->user_ns);
	l.used = 0;
	mw_metric_label(&l, "mode", "system");
	mw_metric_seconds(o, MW_M_CPU, &l, g->system_ns);
}

static void put_otlp(struct mw_metrics_out *o, const struct mw_metrics_guard *g)
{
	struct mw_metric_labels l;

	l.used = 0;
	if (!g->otlp)
		return;
	mw_metric_u64(o, MW_M_OTLP_FAILING, NULL, g->otlp_failing);
	mw_metric_u64(o, MW_M_OTLP_LOST, NULL, g->otlp_lost);
	for (const struct mw_metric_signal *s = g->signals; s < g->signals + MW_METRICS_SIGNALS && s->name; s++) {
		mw_metric_labels_cut(&l, 0);
		mw_metric_label(&l, "signal", s->name);
		mw_metrics_of(o, MW_M_OTLP_ITEMS, &l, "outcome", "sent", s->sent);
		mw_metrics_of(o, MW_M_OTLP_ITEMS, &l, "outcome", "dropped", s->dropped);
		mw_metrics_of(o, MW_M_OTLP_ITEMS, &l, "outcome", "refused", s->refused);
		mw_metric_u64(o, MW_M_OTLP_WAITING, &l, s->waiting);
	}
}

void mw_metrics_guard(struct mw_metrics_out *o, const struct mw_metrics_guard *g)
{
	struct mw_metric_labels l;
	char code[MW_NUMBER_SIZE];

	l.used = 0;
	mw_metric_label(&l, "version", g->version);
	mw_metric_label_u64(&l, "abi", MW_ABI_VERSION);
	mw_metric_u64(o, MW_M_BUILD, &l, 1);
	mw_metrics_fields(o, MW_M_WORKERS, MW_M_MAX, g, NULL);
	put_cpu(o, g);
	put_programs(o, g);
	mw_metric_labels_cut(&l, 0);
	for (size_t i = 0; i < g->n_capabilities; i++)
		mw_metrics_of(o, MW_M_CAPABILITY, &l, "name", g->capabilities[i].name, g->capabilities[i].value);
	for (size_t i = 0; i < g->n_lost; i++)
		mw_metrics_of(o, MW_M_KERNEL_LOST, &l, "what", g->lost[i].name, g->lost[i].value);
	mw_metrics_of(o, MW_M_NEWCOMERS, &l, "outcome", "told", g->newcomers_told);
	mw_metrics_of(o, MW_M_NEWCOMERS, &l, "outcome", "dropped", g->newcomers_dropped);
	for (size_t i = 0; i < g->n_codes; i++)
		mw_metrics_of(o, MW_M_HTTP, &l, "code", mw_number_u64(g->codes[i].status, code), g->codes[i].n);
	for (size_t i = 0; i < MW_METRICS_CLOSED && g->http_closed[i].name; i++)
		mw_metrics_of(o, MW_M_HTTP_CLOSED, &l, "why", g->http_closed[i].name, g->http_closed[i].value);
	put_otlp(o, g);
}
