/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What /metrics says of a worker's own pools, limiters and requests. */
#include "report/metrics.h"

static void put_values(struct mw_metrics_out *o, enum mw_metric first, const struct mw_figure_row *rows, size_t n,
		       unsigned int of, const __u64 *values, const struct mw_metric_labels *l)
{
	for (size_t i = 0; i < n; i++) {
		if (rows[i].of & of)
			mw_metric_u64(o, first + i, l, values[i]);
	}
}

static void put_requests(struct mw_metrics_out *o, const struct mw_request_figures *q, const struct mw_metric_labels *l)
{
	put_values(o, MW_M_REQUEST, mw_request_rows, MW_REQUEST_FIGURE_MAX, MW_FIGURE_OF_REQUESTS, q->values, l);
	for (size_t i = 0; i < MW_REQUEST_HISTOGRAM_MAX; i++) {
		const struct mw_metric_steps steps = {
			.bounds = mw_request_histograms[i].bounds,
			.counts = q->histograms[i].counts,
			.n = MW_FIGURES_BUCKETS,
			.sum = q->histograms[i].sum,
			.ns = mw_request_histograms[i].ns,
		};

		mw_metric_steps(o, MW_M_REQUEST_HISTOGRAM + i, l, &steps);
	}
}

void mw_metrics_figures(struct mw_metrics_out *o, const struct mw_worker *w, struct mw_metric_labels *l, __u64 now_ns)
{
	const struct mw_reported *r = w->reported;
	size_t used = l->used;

	if (!mw_figures_fresh(r, now_ns))
		return;
	mw_metric_seconds(o, MW_M_FIGURES_AGE, l, now_ns > r->time_ns ? now_ns - r->time_ns : 0);
	for (unsigned int i = 0; i < r->figures.n_pools; i++) {
		const struct mw_pool_figures *p = &r->figures.pools[i];

		mw_metric_label(l, "pool", p->name);
		put_values(o, MW_M_POOL, mw_pool_rows, MW_POOL_FIGURE_MAX,
			   p->bytes ? MW_FIGURE_OF_BYTES : MW_FIGURE_OF_POOL, p->values, l);
		mw_metric_labels_cut(l, used);
	}
	for (unsigned int i = 0; i < r->figures.n_limiters; i++) {
		mw_metric_label(l, "limiter", r->figures.limiters[i].name);
		put_values(o, MW_M_LIMITER, mw_limiter_rows, MW_LIMITER_FIGURE_MAX, MW_FIGURE_OF_LIMITER,
			   r->figures.limiters[i].values, l);
		mw_metric_labels_cut(l, used);
	}
	if (r->figures.has_requests)
		put_requests(o, &r->figures.requests, l);
}
