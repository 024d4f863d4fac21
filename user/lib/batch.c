// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <memweir/batch.h>

#include <errno.h>
#include <stdlib.h>

#include "lib/operation.h"
#include "lib/sized.h"
#include "util/cleanup.h"

#define BATCH_ITEMS_DEFAULT 100
#define BATCH_ITEMS_MAX	    (1UL << 24)

/* One run. */
struct batch {
	struct memweir_batch_options options;
	memweir_batch_next_fn next_fn; /* NULL: indices up to end */
	uint64_t end;
	memweir_batch_fn process_fn;
	void *data;
	void **items;
	uint64_t at; /* index of the next item */
	struct memweir_batch_result result;
};

static int is_cancelled(const struct batch *batch)
{
	return batch->options.cancel && __atomic_load_n(batch->options.cancel, __ATOMIC_RELAXED);
}

/* May the item be begun, and is there one? 1, 0: the end, or why not. */
static int next_item(struct batch *batch, uint64_t index, void **ret_item)
{
	int r;

	if (!batch->next_fn && index >= batch->end)
		return 0;
	if (is_cancelled(batch))
		return -ECANCELED;
	r = mw_operation(batch->options.limiter);
	if (r)
		return r;
	if (!batch->next_fn)
		return 1;
	r = batch->next_fn(batch->data, index, ret_item);
	if (r < 0)
		batch->result.failed = index;
	return r;
}

static int process(struct batch *batch, size_t n)
{
	size_t failed = 0;
	int r;

	if (!n)
		return 0;
	batch->result.batches++;
	r = batch->process_fn(batch->data, batch->items, batch->at, n, &failed);
	if (r) {
		n = failed < n ? failed : n - 1;
		batch->result.failed = r == -ECANCELED && is_cancelled(batch) ? MEMWEIR_BATCH_NONE : batch->at + n;
	}
	batch->at += n;
	batch->result.done += n;
	return r;
}

static int run(struct batch *batch)
{
	void *none;

	for (;;) {
		size_t n = 0;
		int stop = 1, r;

		while (stop == 1 && n < batch->options.batch_items) {
			stop = next_item(batch, batch->at + n, batch->items ? &batch->items[n] : &none);
			n += stop == 1;
		}
		r = process(batch, n);
		if (r)
			return r;
		if (stop != 1)
			return stop;
	}
}

static int start(struct batch *batch, const struct memweir_batch_options *options,
		 struct memweir_batch_result *ret_result)
{
	int r = batch->process_fn ? mw_sized_in(&batch->options, sizeof(batch->options), options) : -EINVAL;

	batch->result.failed = MEMWEIR_BATCH_NONE;
	if (!r && ret_result) /* may it be written to? Better known before than after */
		r = mw_sized_out(ret_result, &batch->result, sizeof(batch->result));
	if (r < 0)
		return r;
	if (batch->options.batch_items > BATCH_ITEMS_MAX)
		return -EINVAL;
	if (!batch->options.batch_items)
		batch->options.batch_items = BATCH_ITEMS_DEFAULT;
	batch->at = batch->options.first;
	if (batch->next_fn) {
		batch->items = calloc(batch->options.batch_items, sizeof(*batch->items));
		if (!batch->items)
			return -ENOMEM;
	}
	r = run(batch);
	free(batch->items);
	if (ret_result)
		(void)mw_sized_out(ret_result, &batch->result, sizeof(batch->result));
	return r;
}

int memweir_batch_run(const struct memweir_batch_options *options, uint64_t end, memweir_batch_fn process_fn,
		      void *data, struct memweir_batch_result *ret_result)
{
	struct batch batch = {.end = end, .process_fn = process_fn, .data = data};

	return start(&batch, options, ret_result);
}

int memweir_batch_iterate(const struct memweir_batch_options *options, memweir_batch_next_fn next_fn,
			  memweir_batch_fn process_fn, void *data, struct memweir_batch_result *ret_result)
{
	struct batch batch = {.next_fn = next_fn, .process_fn = process_fn, .data = data};

	return next_fn ? start(&batch, options, ret_result) : -EINVAL;
}

/* Of a run item by item. */
struct each {
	memweir_batch_item_fn item_fn;
	void *data;
	struct batch *batch;
};

static int each_item(void *data, void *const *items, uint64_t first, size_t n, size_t *ret_failed)
{
	const struct each *each = data;
	int r = 0;

	(void)items;
	for (size_t i = 0; !r && i < n; i++) {
		*ret_failed = i;
		r = i && is_cancelled(each->batch) ? -ECANCELED : each->item_fn(each->data, first + i);
	}
	return r;
}

int memweir_batch_each(const struct memweir_batch_options *options, uint64_t end, memweir_batch_item_fn item_fn,
		       void *data, struct memweir_batch_result *ret_result)
{
	struct each each = {.item_fn = item_fn, .data = data};
	struct batch batch = {.end = end, .process_fn = item_fn ? each_item : NULL, .data = &each};

	each.batch = &batch;
	return start(&batch, options, ret_result);
}

void memweir_batch_cancel(int *cancel)
{
	__atomic_store_n(cancel, 1, __ATOMIC_RELAXED);
}
