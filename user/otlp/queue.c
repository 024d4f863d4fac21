/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "otlp/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

int mw_queue_init(struct mw_queue *q, size_t max, size_t bytes_max)
{
	*q = (struct mw_queue){.items = calloc(max, sizeof(q->items[0])), .max = max, .bytes_max = bytes_max};
	return q->items ? 0 : -ENOMEM;
}

void mw_queue_free(struct mw_queue *q)
{
	mw_queue_remove(q, q->count);
	free(q->items);
	*q = (struct mw_queue){0};
}

bool mw_queue_add(struct mw_queue *q, const char *text, size_t size, __u64 records)
{
	char *copy = NULL;

	if (q->count < q->max && size <= q->bytes_max && q->bytes <= q->bytes_max - size)
		copy = malloc(size + 1);
	if (!copy) {
		q->dropped += records;
		return false;
	}
	memcpy(copy, text, size);
	copy[size] = '\0';
	q->items[(q->head + q->count++) % q->max] = (struct mw_queued){copy, size, records};
	q->bytes += size;
	q->records += records;
	return true;
}

const struct mw_queued *mw_queue_at(const struct mw_queue *q, size_t i)
{
	return i < q->count ? &q->items[(q->head + i) % q->max] : NULL;
}

void mw_queue_remove(struct mw_queue *q, size_t n)
{
	for (; n && q->count; n--, q->count--) {
		struct mw_queued *i = &q->items[q->head];

		q->bytes -= i->size;
		q->records -= i->records;
		free(i->text);
		*i = (struct mw_queued){0};
		q->head = (q->head + 1) % q->max;
	}
}

void mw_queue_cut(struct mw_queue *q, size_t keep)
{
	while (q->count > keep) {
		struct mw_queued *i = &q->items[(q->head + --q->count) % q->max];

		q->bytes -= i->size;
		q->records -= i->records;
		q->dropped += i->records;
		mw_freep(&i->text);
	}
}
