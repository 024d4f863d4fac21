/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * One signal on its way: what waits, the batch that is under way, when the next attempt is due, and what became of all
 * of it. Touches neither clock nor network.
 */
#ifndef MW_OTLP_EXPORTER_H
#define MW_OTLP_EXPORTER_H

#include "otlp/answer.h"
#include "otlp/queue.h"
#include "otlp/retry.h"
#include "otlp/settings.h"

#define MW_EXPORTER_BODY_MAX (1U << 20) /* bytes of a request, before compression */
#define MW_EXPORTER_NEVER    (~0ULL)

/* Bytes that may wait: 4 MiB of spans and of log records, 16 of metrics. */
extern const size_t mw_exporter_bytes[MW_OTLP_SIGNALS];

struct mw_exporter {
	enum mw_otlp_signal signal;
	const struct mw_destination *to;
	const char *resource; /* mw_resource_write's */
	struct mw_queue queue;
	size_t batch; /* so many of the oldest are in body */
	__u64 batch_records;
	char *body; /* of the batch; NULL: none */
	size_t body_size;
	bool under_way, ending; /* ending: nothing waits for company any more */
	struct mw_retry retry;
	__u64 since_ns; /* the oldest has waited since then */
	struct mw_otlp_counts counts;
	bool failing;
	char why[256]; /* of the last failure: "answers 503", "does not answer: ..." */
};

int mw_exporter_init(struct mw_exporter *e, enum mw_otlp_signal s, const struct mw_destination *to,
		     const char *resource); /* -ENOMEM */
void mw_exporter_free(struct mw_exporter *e);
bool mw_exporter_add(struct mw_exporter *e, const char *text, size_t size, __u64 records, __u64 now_ns);
/* What waits and is not under way is dropped: something newer says more. */
void mw_exporter_outdated(struct mw_exporter *e);
/* When a request is to be sent: CLOCK_MONOTONIC ns, MW_EXPORTER_NEVER while one is under way or nothing waits. */
__u64 mw_exporter_due(const struct mw_exporter *e);
/* It is: body and body_size are there and stay so until the end of the attempt. -ENOMEM. */
int mw_exporter_begin(struct mw_exporter *e);
void mw_exporter_end(struct mw_exporter *e, const struct mw_attempt *a, __u64 now_ns, __u32 chance);
/* Now, with waiting ones. */
struct mw_otlp_counts mw_exporter_counts(const struct mw_exporter *e);

#endif
