/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Buffers of one size, lent and given back. Their addresses are reserved when the
 * pool is made; memory is charged only for what is touched, and given back to the kernel when it
 * idles. Who waits is served first come, first served.
 *
 * All functions may be called from several threads at once, but for memweir_pool_free().
 */
#ifndef MEMWEIR_POOL_H
#define MEMWEIR_POOL_H

#include <memweir/lib.h>

#ifdef __cplusplus
extern "C" {
#endif

struct memweir_guard;
struct memweir_pool;

struct memweir_pool_options {
	size_t size; /* of this structure */
	size_t buffers; /* how many; 0: 1,000 */
	size_t buffer_bytes; /* of each, rounded up to whole pages; 0: 100 KiB */
	struct memweir_guard *guard; /* told when the pool is exhausted; must outlive the pool. NULL: nobody */
	uint32_t idle_ms; /* a buffer idle for this long gives its memory back at the next call; 0: 1,000 */
};

/* All figures since the pool was made; those of one call are of one moment. */
struct memweir_pool_stats {
	size_t size; /* of this structure, by the caller */
	uint64_t pool_size; /* buffers there can be */
	uint64_t in_use; /* lent now */
	uint64_t available; /* pool_size - in_use */
	uint64_t total_created; /* buffers that were ever lent: have had memory */
	uint64_t memory_usage; /* bytes that may be resident: in use or idle with memory */
	double utilization; /* in_use / pool_size, 0 to 1 */
	uint64_t waits; /* checkouts that had to wait */
	uint64_t timeouts; /* and got nothing */
	uint64_t reclaimed; /* buffers taken back from threads that ended */
};

/* options may be NULL. *ret_pool is the caller's: memweir_pool_free(). -EINVAL: sizes; -ENOMEM. */
MEMWEIR_API int memweir_pool_new(const struct memweir_pool_options *options, struct memweir_pool **ret_pool);

/* Unmaps every buffer, lent or not; nobody may use the pool any more. NULL: nothing happens. */
MEMWEIR_API void memweir_pool_free(struct memweir_pool *pool);

/* Bytes of each buffer. */
MEMWEIR_API size_t memweir_pool_buffer_bytes(const struct memweir_pool *pool);

/*
 * Lend a buffer to the calling thread. timeout_ms: -1 waits, 0 does not. Its contents are not defined.
 * -EAGAIN: none free and timeout_ms 0; -ETIMEDOUT.
 */
MEMWEIR_API int memweir_pool_checkout(struct memweir_pool *pool, int timeout_ms, void **ret_buffer);

/*
 * Give it back, from any thread. buffer is what checkout gave. -EINVAL: not a buffer of this pool;
 * -EALREADY: not lent (given back twice). Nothing changes then.
 */
MEMWEIR_API int memweir_pool_checkin(struct memweir_pool *pool, void *buffer);

/* The calling thread is the buffer's owner from now on: what a thread owns when it ends goes back to the pool. Errors
 * as checkin. */
MEMWEIR_API int memweir_pool_own(struct memweir_pool *pool, void *buffer);

/* Give memory of buffers that are idle for idle_ms back to the kernel (all idle ones: with all not 0). Returns bytes
 * given back. */
MEMWEIR_API int64_t memweir_pool_tend(struct memweir_pool *pool, int all);

/* ret_stats->size says how much of it there is. */
MEMWEIR_API int memweir_pool_stats(struct memweir_pool *pool, struct memweir_pool_stats *ret_stats);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
