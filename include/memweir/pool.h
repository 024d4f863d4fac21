/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Buffers of one size, lent and given back. Their addresses are reserved when the
 * pool is made; memory is charged only for what is touched, and given back to the kernel when it
 * idles. Who waits is served first come, first served. A thread gets the buffer it gave back last again without a
 * lock, unless somebody waits for it.
 *
 * What a thread has lent when it ends goes back to the pool. Whoever passes a buffer to another thread, and may end
 * before it, has that thread call memweir_pool_own().
 *
 * A forked child has copies of what lies in the buffers, and nothing more: all but memweir_pool_free() and
 * memweir_pool_buffer_bytes() fail there with -ECHILD.
 *
 * All functions may be called from several threads at once, but for memweir_pool_free(). None of
 * them may be called from a signal handler; none is a cancellation point.
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
	size_t buffers; /* how many, less than 2^32 - 1; 0: 1,000 */
	size_t buffer_bytes; /* of each, rounded up to whole pages; 0: 100 KiB */
	struct memweir_guard *guard; /* told, once, when the pool is exhausted, and again only after an eighth of it was
					free; must outlive the pool. NULL: nobody */
	uint32_t idle_ms; /* a buffer idle for this long gives its memory back at one of the next calls; 0: 1,000 */
	/* Under which the guard reports its figures to the daemon (memweir_guard_report), 1 to 31 letters, digits,
	 * _ . or -; copied. NULL, or no guard: not reported */
	const char *name;
};

/* Counters are since the pool was made. */
struct memweir_pool_stats {
	size_t size; /* of this structure, by the caller */
	uint64_t pool_size; /* buffers there can be */
	uint64_t in_use; /* lent now; where others lend and give back at this moment, of about this moment */
	uint64_t available; /* pool_size - in_use */
	uint64_t total_created; /* buffers that were ever lent: have had memory */
	uint64_t memory_usage; /* bytes that may be resident: in use or idle with memory */
	double utilization; /* in_use / pool_size, 0 to 1 */
	uint64_t waits; /* checkouts that had to wait */
	uint64_t timeouts; /* and got nothing */
	uint64_t reclaimed; /* buffers taken back from threads that ended */
	uint64_t refused; /* checkouts with timeout_ms 0 that got nothing */
	uint64_t exhaustions; /* how often it ran out, having had more than an eighth free before */
	uint64_t checkouts; /* that got a buffer */
};

/*
 * options may be NULL. *ret_pool is the caller's: memweir_pool_free(). -EINVAL: sizes, a name that is none; -EEXIST,
 * -ENOSPC: the guard has a pool of this name, or 8 with names; -E2BIG: lib.h; -ENOMEM.
 */
MEMWEIR_API int memweir_pool_new(const struct memweir_pool_options *options, struct memweir_pool **ret_pool);

/* Unmaps every buffer, lent or not; nobody may use the pool any more. Threads that lent from it may live on. NULL:
 * nothing happens. */
MEMWEIR_API void memweir_pool_free(struct memweir_pool *pool);

/* Bytes of each buffer. */
MEMWEIR_API size_t memweir_pool_buffer_bytes(const struct memweir_pool *pool);

/*
 * Lend a buffer to the calling thread. timeout_ms: -1 waits, 0 does not. What lies in it is not defined: zeros, or what
 * the one before left. -EAGAIN: none free and timeout_ms 0; -ETIMEDOUT; -ENOMEM: no memory to know the thread; -ECHILD.
 */
MEMWEIR_API int memweir_pool_checkout(struct memweir_pool *pool, int timeout_ms, void **ret_buffer);

/*
 * Give it back, from any thread. buffer is what checkout gave. -EINVAL: not a buffer of this pool;
 * -EALREADY: not lent (given back twice); -ECHILD. Nothing changes then. Given back twice is not seen where it was lent
 * to somebody else in between.
 */
MEMWEIR_API int memweir_pool_checkin(struct memweir_pool *pool, void *buffer);

/* The calling thread is the buffer's owner from now on: what a thread owns when it ends goes back to the pool. Errors
 * as checkin, and -ENOMEM. */
MEMWEIR_API int memweir_pool_own(struct memweir_pool *pool, void *buffer);

/*
 * Give memory of buffers that are idle for idle_ms back to the kernel (all idle ones: with all not 0). Returns bytes
 * given back, as if all of each buffer had been touched; -ECHILD. A program in which nobody calls anything of the pool
 * for long calls this from a timer.
 */
MEMWEIR_API int64_t memweir_pool_tend(struct memweir_pool *pool, int all);

/* ret_stats->size says how much of it there is. -EINVAL: a size that cannot be; -ECHILD. */
MEMWEIR_API int memweir_pool_stats(struct memweir_pool *pool, struct memweir_pool_stats *ret_stats);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
