/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Metrics as text, Prometheus 0.0.4 or OpenMetrics 1.0. Samples may come in any order: each family is written into a
 * buffer of its own, with HELP and TYPE before its first sample, and all of them are put together at the end.
 */
#ifndef MW_METRICS_OUT_H
#define MW_METRICS_OUT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "memweir/abi.h"
#include "util/kept.h"

enum mw_metric_type {
	MW_METRIC_GAUGE,
	MW_METRIC_COUNTER, /* its samples get _total */
	MW_METRIC_HISTOGRAM,
	MW_METRIC_INFO, /* its samples get _info; a gauge for Prometheus */
	MW_METRIC_TYPE_MAX,
};
const char *mw_metric_type_name(enum mw_metric_type type, bool openmetrics); /* "gauge" */

/* What the text says of a family; the name without _total and _info, with its unit. */
struct mw_metric_family {
	const char *name, *unit, *help; /* unit NULL: none */
	enum mw_metric_type type;
};

/* name="value",… of one sample; a value is made valid UTF-8, and cut when it is longer than 256 bytes. */
struct mw_metric_labels {
	size_t used;
	char text[2048];
};
void mw_metric_label(struct mw_metric_labels *l, const char *name, const char *value);
void mw_metric_label_u64(struct mw_metric_labels *l, const char *name, __u64 value);
/* Back to what it was when used was this. */
void mw_metric_labels_cut(struct mw_metric_labels *l, size_t used);

/* What a bucket has as an example, OpenMetrics only. */
struct mw_metric_exemplar {
	const struct mw_metric_labels *labels; /* 128 characters, names and values together, at most */
	__u64 value_ns, wall_ns; /* wall_ns 0: not known */
};

/* Bounds of a histogram's buckets: 2^first ns, 2^(first + step) ns, … up to 2^last, and +Inf. */
struct mw_metric_buckets {
	int first, last, step;
};

struct mw_metrics_out;
/* n families, each stride bytes behind the one before, which stay the caller's, and there. NULL: no memory. */
struct mw_metrics_out *mw_metrics_out_new(const struct mw_metric_family *families, size_t stride, size_t n,
					  bool openmetrics);
void mw_metrics_out_free(struct mw_metrics_out *o); /* NULL-safe */
/* The text, all families in their order; o is empty afterwards. NULL: there was no memory for all of it. */
struct mw_parts *mw_metrics_out_end(struct mw_metrics_out *o);
bool mw_metrics_out_is_open(const struct mw_metrics_out *o); /* OpenMetrics? */

/* One sample of family i. labels NULL: none. */
void mw_metric_u64(struct mw_metrics_out *o, size_t i, const struct mw_metric_labels *labels, __u64 value);
void mw_metric_seconds(struct mw_metrics_out *o, size_t i, const struct mw_metric_labels *labels, __u64 ns);
void mw_metric_double(struct mw_metrics_out *o, size_t i, const struct mw_metric_labels *labels, double value);
/* Of a log2 histogram of nanoseconds. Its count is that of its slots. exemplar NULL: none. */
void mw_metric_histogram(struct mw_metrics_out *o, size_t i, const struct mw_metric_labels *labels,
			 const struct mw_pause_stat *stat, const struct mw_metric_buckets *buckets,
			 const struct mw_metric_exemplar *exemplar);

/* A histogram with buckets of its own: counts of each alone, the last one of all that is over the n - 1 bounds. */
struct mw_metric_steps {
	const __u64 *bounds, *counts;
	size_t n;
	__u64 sum;
	bool ns; /* bounds and sum are nanoseconds, written as seconds */
};
void mw_metric_steps(struct mw_metrics_out *o, size_t i, const struct mw_metric_labels *labels,
		     const struct mw_metric_steps *steps);

#endif
