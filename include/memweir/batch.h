/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Work in batches: N items at a time, each one operation of a limiter, cancelled from outside, and with the index of
 * the item that failed.
 *
 * All functions may be called from several threads at once, each with data of its own.
 */
#ifndef MEMWEIR_BATCH_H
#define MEMWEIR_BATCH_H

#include <memweir/lib.h>

#ifdef __cplusplus
extern "C" {
#endif

struct memweir_limiter;

#define MEMWEIR_BATCH_NONE UINT64_MAX /* of memweir_batch_result.failed */

struct memweir_batch_options {
	size_t size; /* of this structure */
	uint64_t first; /* index of the first item: where an earlier run came to */
	size_t batch_items; /* items of a batch, at most 16,777,216; 0: 100 */
	struct memweir_limiter *limiter; /* each item is one operation, so that memory is looked at every 100 items (its
					    `every`); NULL: none */
	const int *cancel; /* not 0, as memweir_batch_cancel() sets it: nothing more is begun; NULL: never */
};

/* Set in every case but -EINVAL and -E2BIG of the options. */
struct memweir_batch_result {
	size_t size; /* of this structure, by the caller */
	uint64_t done; /* items done by this run: the next index is first + done */
	uint64_t failed; /* index of the item that failed; MEMWEIR_BATCH_NONE: none did */
	uint64_t batches; /* how often process_fn was called */
};

/*
 * Do n items, of indices first to first + n - 1; items[i] is what next_fn gave, items NULL where there is none. Not 0
 * stops, and is returned: then *ret_failed (0 before) says which of them failed, 0 to n - 1; those before it count as
 * done.
 */
typedef int (*memweir_batch_fn)(void *data, void *const *items, uint64_t first, size_t n, size_t *ret_failed);

/* Do the item of this index. Not 0 stops, and is returned. */
typedef int (*memweir_batch_item_fn)(void *data, uint64_t index);

/* The next item. 1: *ret_item is it; 0: there is none; a negative errno number stops, and is returned. */
typedef int (*memweir_batch_next_fn)(void *data, uint64_t index, void **ret_item);

/*
 * Items first to end - 1, by their index: a batch or an item with each call. options and ret_result may be NULL.
 * 0: all of them. What the callback returned; -ECANCELED; -ENOMEM and what else the limiter returns. The batch before
 * is complete then, if need be a shorter one. -EINVAL: no callback, or batch_items too large.
 */
MEMWEIR_API int memweir_batch_run(const struct memweir_batch_options *options, uint64_t end,
				  memweir_batch_fn process_fn, void *data, struct memweir_batch_result *ret_result);
MEMWEIR_API int memweir_batch_each(const struct memweir_batch_options *options, uint64_t end,
				   memweir_batch_item_fn item_fn, void *data, struct memweir_batch_result *ret_result);

/*
 * Items as next_fn gives them, until it has no more. What it gave is always given to process_fn, also when something
 * stops: nothing is lost. Errors as above; -ENOMEM also for batch_items pointers.
 */
MEMWEIR_API int memweir_batch_iterate(const struct memweir_batch_options *options, memweir_batch_next_fn next_fn,
				      memweir_batch_fn process_fn, void *data, struct memweir_batch_result *ret_result);

/* Set the flag that options.cancel points to. From any thread, a callback or a signal handler. */
MEMWEIR_API void memweir_batch_cancel(int *cancel);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
