/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Lines of OpenMetrics into metrics of OTLP, one family after the other, as the specification's page on compatibility
 * says: counters become monotonic sums, histograms explicit ones, info and state sets sums that are not monotonic,
 * gauges and unknowns gauges. Exemplars and summaries are left out.
 */
#ifndef MW_OTLP_METRICS_H
#define MW_OTLP_METRICS_H

#include "otlp/exporter.h"
#include "otlp/openmetrics.h"
#include "otlp/out.h"
#include "otlp/series.h"

#define MW_METRIC_BUCKETS 64
#define MW_METRIC_PIECE	  (48U << 10) /* bytes of a piece of a family: it is one item of the queue */

/* How a family's samples become points. */
enum mw_points {
	MW_POINTS_GAUGE,
	MW_POINTS_COUNTER,
	MW_POINTS_SUM, /* info, stateset */
	MW_POINTS_HISTOGRAM,
	MW_POINTS_NONE, /* left out */
};

struct mw_metric_family {
	char name[128], unit[32], help[256];
	enum mw_points points;
};

/* A point that is not complete yet: samples of the same labels, one after the other. */
struct mw_metric_group {
	__u64 key; /* of its labels; 0: none */
	char name[160]; /* of its samples */
	struct mw_out labels; /* attributes, as text */
	bool has_value, has_count, has_sum;
	struct mw_om_line value; /* without labels */
	double count, sum, created_s, time_s;
	double bounds[MW_METRIC_BUCKETS], buckets[MW_METRIC_BUCKETS];
	size_t n_buckets;
	bool broken;
};

struct mw_metrics {
	struct mw_exporter *to;
	struct mw_series_table starts;
	__u64 wall_ns; /* of the look */
	struct mw_metric_family family;
	struct mw_metric_group group;
	struct mw_out out; /* the piece; empty: none is begun */
	__u64 points; /* in it */
	__u64 left_out; /* samples that were no OpenMetrics, or of no use */
};

int mw_metrics_init(struct mw_metrics *m); /* 0 */
void mw_metrics_free(struct mw_metrics *m);
void mw_metrics_begin(struct mw_metrics *m, struct mw_exporter *to, __u64 wall_ns);
void mw_metrics_line(struct mw_metrics *m, char *line, __u64 now_ns);
void mw_metrics_end(struct mw_metrics *m, __u64 now_ns);

#endif
