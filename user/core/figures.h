/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What a worker says of its own parts: pools, limiters, requests. One table of rows for all who handle them: libmemweir
 * writes by it, the daemon reads by it, reports show by it; what metrics call them is in report/metrics_rows.c.
 * Bounded: a worker has so many and no more.
 */
#ifndef MW_FIGURES_H
#define MW_FIGURES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MW_FIGURES_POOLS    8
#define MW_FIGURES_LIMITERS 4
#define MW_FIGURES_NAME	    32 /* with its NUL */
#define MW_FIGURES_BUCKETS  8 /* the last one: all that is longer or larger */
#define MW_FIGURES_NEXT_MS  5000 /* a worker reports so often; less often where many do */
#define MW_FIGURES_TEXT_MAX 8192 /* bytes of the text of all of it */

/* What a number is of. A row says for which it has a meaning. */
enum mw_figure_of {
	MW_FIGURE_OF_POOL = 1 << 0, /* of buffers of one size */
	MW_FIGURE_OF_BYTES = 1 << 1, /* a byte pool */
	MW_FIGURE_OF_LIMITER = 1 << 2,
	MW_FIGURE_OF_REQUESTS = 1 << 3,
};

struct mw_figure_row {
	const char *key; /* in JSON */
	unsigned int of; /* enum mw_figure_of */
};

enum mw_pool_figure {
	MW_POOL_BUFFERS,
	MW_POOL_IN_USE,
	MW_POOL_MEMORY,
	MW_POOL_CHECKOUTS,
	MW_POOL_ALLOCATIONS,
	MW_POOL_WAITS,
	MW_POOL_TIMEOUTS,
	MW_POOL_REFUSED,
	MW_POOL_EXHAUSTIONS,
	MW_POOL_DROPPED,
	MW_POOL_FIGURE_MAX,
};

enum mw_limiter_figure {
	MW_LIMITER_MAX,
	MW_LIMITER_USED,
	MW_LIMITER_OPERATIONS,
	MW_LIMITER_TRIMS,
	MW_LIMITER_REFUSALS,
	MW_LIMITER_FIGURE_MAX,
};

enum mw_request_figure {
	MW_REQUEST_OPEN,
	MW_REQUEST_REFUSED,
	MW_REQUEST_FIGURE_MAX,
};

enum mw_request_histogram {
	MW_REQUEST_DURATION, /* ns */
	MW_REQUEST_GROWTH, /* bytes: the peak over what was in use when the request began */
	MW_REQUEST_HISTOGRAM_MAX,
};

extern const struct mw_figure_row mw_pool_rows[MW_POOL_FIGURE_MAX];
extern const struct mw_figure_row mw_limiter_rows[MW_LIMITER_FIGURE_MAX];
extern const struct mw_figure_row mw_request_rows[MW_REQUEST_FIGURE_MAX];

struct mw_figure_histogram_row {
	const char *key;
	bool ns; /* else bytes */
	__u64 bounds[MW_FIGURES_BUCKETS - 1]; /* the largest value of each bucket but the last */
};
extern const struct mw_figure_histogram_row mw_request_histograms[MW_REQUEST_HISTOGRAM_MAX];

struct mw_pool_figures {
	char name[MW_FIGURES_NAME];
	bool bytes; /* a byte pool */
	__u64 values[MW_POOL_FIGURE_MAX];
};

struct mw_limiter_figures {
	char name[MW_FIGURES_NAME];
	__u64 values[MW_LIMITER_FIGURE_MAX];
};

struct mw_figure_histogram {
	__u64 sum;
	__u64 counts[MW_FIGURES_BUCKETS]; /* each bucket's own */
};

struct mw_request_figures {
	__u64 values[MW_REQUEST_FIGURE_MAX];
	struct mw_figure_histogram histograms[MW_REQUEST_HISTOGRAM_MAX];
};

/* About 1.4 KB. */
struct mw_figures {
	struct mw_pool_figures pools[MW_FIGURES_POOLS];
	struct mw_limiter_figures limiters[MW_FIGURES_LIMITERS];
	unsigned int n_pools, n_limiters;
	bool has_requests; /* it has measured one */
	struct mw_request_figures requests;
};

/* The same as the daemon keeps it. */
struct mw_reported {
	struct mw_figures figures;
	__u64 time_ns; /* CLOCK_MONOTONIC, when it came */
	__u32 next_ms; /* the next was asked for after so long */
	pid_t pid; /* who reported */
};

bool mw_figure_name_valid(const char *name); /* 1 to 31 of letters, digits, _ . - */
void mw_figure_count(struct mw_figure_histogram *h, enum mw_request_histogram which, __u64 value);
__u64 mw_figure_counted(const struct mw_figure_histogram *h); /* how many values */

/* Three reports are missing: what it says may no longer be so, and is left out. NULL is stale. */
bool mw_figures_fresh(const struct mw_reported *r, __u64 now_ns);
/* After how many milliseconds a worker is to report again where n of them do: all together 100 times a second at most.
 */
__u32 mw_figures_next_ms(__u32 n);

/* As the JSON object that PUT /v1/workers/self/figures takes: its length, or -EMSGSIZE. */
int mw_figures_text(const struct mw_figures *f, char *buf, size_t size);

#endif
