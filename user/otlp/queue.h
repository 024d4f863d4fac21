/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What waits to be sent: first in, first out, bounded by number and by bytes. Who comes when it is full is dropped. */
#ifndef MW_OTLP_QUEUE_H
#define MW_OTLP_QUEUE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct mw_queued {
	char *text; /* JSON of it */
	size_t size;
	__u64 records; /* it stands for so many: data points of a metric */
};

struct mw_queue {
	struct mw_queued *items; /* a ring of max */
	size_t head, count, max;
	size_t bytes, bytes_max;
	__u64 records; /* in it */
	__u64 dropped; /* records that found no room */
};

int mw_queue_init(struct mw_queue *q, size_t max, size_t bytes_max); /* -ENOMEM */
void mw_queue_free(struct mw_queue *q);
/* text is copied. false: dropped, and counted. */
bool mw_queue_add(struct mw_queue *q, const char *text, size_t size, __u64 records);
const struct mw_queued *mw_queue_at(const struct mw_queue *q, size_t i); /* from the oldest; NULL: no more */
void mw_queue_remove(struct mw_queue *q, size_t n); /* the n oldest */
void mw_queue_cut(struct mw_queue *q, size_t keep); /* all but so many of the oldest are dropped, and counted */

#endif
