// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "core/figures.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/clock.h"

#define A_SECOND    100 /* reports of all workers together */
#define MISSING_MAX 3

#define BOTH (MW_FIGURE_OF_POOL | MW_FIGURE_OF_BYTES)

const struct mw_figure_row mw_pool_rows[MW_POOL_FIGURE_MAX] = {
	[MW_POOL_BUFFERS] = {"buffers", MW_FIGURE_OF_POOL},
	[MW_POOL_IN_USE] = {"in_use", BOTH},
	[MW_POOL_MEMORY] = {"memory_bytes", BOTH},
	[MW_POOL_CHECKOUTS] = {"checkouts", BOTH},
	[MW_POOL_ALLOCATIONS] = {"allocations", BOTH},
	[MW_POOL_WAITS] = {"waits", MW_FIGURE_OF_POOL},
	[MW_POOL_TIMEOUTS] = {"timeouts", MW_FIGURE_OF_POOL},
	[MW_POOL_REFUSED] = {"refused", MW_FIGURE_OF_POOL},
	[MW_POOL_EXHAUSTIONS] = {"exhaustions", MW_FIGURE_OF_POOL},
	[MW_POOL_DROPPED] = {"dropped", MW_FIGURE_OF_BYTES},
};

const struct mw_figure_row mw_limiter_rows[MW_LIMITER_FIGURE_MAX] = {
	[MW_LIMITER_MAX] = {"max_bytes", MW_FIGURE_OF_LIMITER},
	[MW_LIMITER_USED] = {"used_bytes", MW_FIGURE_OF_LIMITER},
	[MW_LIMITER_OPERATIONS] = {"operations", MW_FIGURE_OF_LIMITER},
	[MW_LIMITER_TRIMS] = {"trims", MW_FIGURE_OF_LIMITER},
	[MW_LIMITER_REFUSALS] = {"refusals", MW_FIGURE_OF_LIMITER},
};

const struct mw_figure_row mw_request_rows[MW_REQUEST_FIGURE_MAX] = {
	[MW_REQUEST_OPEN] = {"open", MW_FIGURE_OF_REQUESTS},
	[MW_REQUEST_REFUSED] = {"refused", MW_FIGURE_OF_REQUESTS},
};

const struct mw_figure_histogram_row mw_request_histograms[MW_REQUEST_HISTOGRAM_MAX] = {
	[MW_REQUEST_DURATION] = {"duration_ns",
				 true,
				 {MW_NS_PER_MS, 5 * MW_NS_PER_MS, 25 * MW_NS_PER_MS, 100 * MW_NS_PER_MS,
				  500 * MW_NS_PER_MS, 2500 * MW_NS_PER_MS, 10 * MW_NS_PER_S}},
	[MW_REQUEST_GROWTH] = {"growth_bytes",
			       false,
			       {64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20, 256 << 20}},
};

bool mw_figure_name_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	return n && !name[n] && n < MW_FIGURES_NAME;
}

void mw_figure_count(struct mw_figure_histogram *h, enum mw_request_histogram which, __u64 value)
{
	const __u64 *bounds = mw_request_histograms[which].bounds;
	unsigned int i = 0;

	while (i < MW_FIGURES_BUCKETS - 1 && value > bounds[i])
		i++;
	h->counts[i]++;
	h->sum += value;
}

__u64 mw_figure_counted(const struct mw_figure_histogram *h)
{
	__u64 n = 0;

	for (unsigned int i = 0; i < MW_FIGURES_BUCKETS; i++)
		n += h->counts[i];
	return n;
}

bool mw_figures_fresh(const struct mw_reported *r, __u64 now_ns)
{
	return r && (now_ns < r->time_ns || now_ns - r->time_ns < MISSING_MAX * r->next_ms * MW_NS_PER_MS);
}

__u32 mw_figures_next_ms(__u32 n)
{
	__u32 ms = n * (1000 / A_SECOND);

	return ms < MW_FIGURES_NEXT_MS ? MW_FIGURES_NEXT_MS : ms;
}

struct text {
	char *buf;
	size_t size, used; /* used > size: it did not fit */
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->used < t->size ? t->buf + t->used : NULL, t->used < t->size ? t->size - t->used : 0, format,
		      ap);
	va_end(ap);
	t->used += n > 0 ? (size_t)n : 0;
}

static void add_values(struct text *t, const struct mw_figure_row *rows, size_t n, const __u64 *values, unsigned int of)
{
	for (size_t i = 0; i < n; i++) {
		if (rows[i].of & of)
			add(t, ",\"%s\":%llu", rows[i].key, values[i]);
	}
}

static void add_requests(struct text *t, const struct mw_request_figures *q)
{
	add(t, "\"requests\":{\"count\":%llu", mw_figure_counted(&q->histograms[MW_REQUEST_DURATION]));
	add_values(t, mw_request_rows, MW_REQUEST_FIGURE_MAX, q->values, MW_FIGURE_OF_REQUESTS);
	for (size_t i = 0; i < MW_REQUEST_HISTOGRAM_MAX; i++) {
		add(t, ",\"%s\":{\"sum\":%llu,\"counts\":[", mw_request_histograms[i].key, q->histograms[i].sum);
		for (unsigned int b = 0; b < MW_FIGURES_BUCKETS; b++)
			add(t, "%s%llu", b ? "," : "", q->histograms[i].counts[b]);
		add(t, "]}");
	}
	add(t, "}");
}

int mw_figures_text(const struct mw_figures *f, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size = size};

	add(&t, "{\"pools\":[");
	for (unsigned int i = 0; i < f->n_pools; i++) {
		const struct mw_pool_figures *p = &f->pools[i];

		add(&t, "%s{\"name\":\"%s\",\"bytes\":%s", i ? "," : "", p->name, p->bytes ? "true" : "false");
		add_values(&t, mw_pool_rows, MW_POOL_FIGURE_MAX, p->values,
			   p->bytes ? MW_FIGURE_OF_BYTES : MW_FIGURE_OF_POOL);
		add(&t, "}");
	}
	add(&t, "],\"limiters\":[");
	for (unsigned int i = 0; i < f->n_limiters; i++) {
		add(&t, "%s{\"name\":\"%s\"", i ? "," : "", f->limiters[i].name);
		add_values(&t, mw_limiter_rows, MW_LIMITER_FIGURE_MAX, f->limiters[i].values, MW_FIGURE_OF_LIMITER);
		add(&t, "}");
	}
	add(&t, f->has_requests ? "]," : "]");
	if (f->has_requests)
		add_requests(&t, &f->requests);
	add(&t, "}");
	return t.used < size ? (int)t.used : -EMSGSIZE;
}
