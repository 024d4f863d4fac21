/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Buffers that grow, for what has no size beforehand: a request that is parsed, a reply that is written. What
 * is given back is kept by size and lent again, also to a buffer that grows, so that a program at work allocates
 * nothing. Too small and too large ones are freed: keeping the first saves nothing, the second would keep the memory of
 * one odd request for ever.
 *
 * Functions that take a pool may be called from several threads at once, but for memweir_byte_pool_free(). A
 * buffer is one thread's at a time, and does not care which. None of them may be called from a signal handler.
 */
#ifndef MEMWEIR_BYTE_POOL_H
#define MEMWEIR_BYTE_POOL_H

#include <memweir/lib.h>

#ifdef __cplusplus
extern "C" {
#endif

struct memweir_guard;
struct memweir_byte_pool;

/* A buffer. data moves when it grows, and only then. */
struct memweir_bytes {
	unsigned char *data; /* to read and write, capacity bytes; the library's to free */
	size_t length; /* of what is in it: the program's to set, up to capacity; 0 in a new one */
	size_t capacity; /* the library's */
};

#define MEMWEIR_BYTES_INITIAL ((size_t)8 << 10) /* capacity of a new buffer, bytes */
#define MEMWEIR_BYTES_LEAST   ((size_t)1 << 10) /* smaller ones are not kept */

struct memweir_byte_pool_options {
	size_t size; /* of this structure */
	size_t initial_bytes; /* capacity of a new buffer, rounded up to a power of two; 0: MEMWEIR_BYTES_INITIAL */
	size_t cap_bytes; /* buffers with a larger capacity are not kept; 0: 1 MiB */
	size_t keep_bytes; /* capacities of all that are kept, at most; 0: 16 MiB */
	struct memweir_guard
		*guard; /* told when there is no memory for a buffer; must outlive the pool. NULL: nobody */
	/* Under which the guard reports its figures to the daemon (memweir_guard_report), 1 to 31 letters, digits,
	 * _ . or -; copied. NULL, or no guard: not reported */
	const char *name;
};

/* Counters are since the pool was made. */
struct memweir_byte_pool_stats {
	size_t size; /* of this structure, by the caller */
	uint64_t in_use; /* buffers lent now */
	uint64_t kept; /* buffers kept now */
	uint64_t kept_bytes; /* their capacities */
	uint64_t hits; /* buffers lent that had been kept */
	uint64_t misses; /* buffers lent that had to be allocated */
	uint64_t grown; /* allocations for buffers that grew; counted when they are given back */
	uint64_t exchanged; /* buffers that grew by taking the memory of a kept one */
	uint64_t dropped_small; /* given back and freed: smaller than MEMWEIR_BYTES_LEAST */
	uint64_t dropped_large; /* larger than cap_bytes */
	uint64_t dropped_full; /* keep_bytes were kept already */
	uint64_t trimmed; /* freed by memweir_byte_pool_trim() */
};

/*
 * options may be NULL. *ret_pool is the caller's: memweir_byte_pool_free(). -EINVAL: sizes, a name that is none;
 * -EEXIST, -ENOSPC: the guard has a pool of this name, or 8 with names, buffer pools included; -E2BIG: lib.h; -ENOMEM.
 */
MEMWEIR_API int memweir_byte_pool_new(const struct memweir_byte_pool_options *options,
				      struct memweir_byte_pool **ret_pool);

/* Frees what is kept. Everything lent has been given back before. NULL: nothing happens. */
MEMWEIR_API void memweir_byte_pool_free(struct memweir_byte_pool *pool);

/*
 * Lend a buffer with a capacity of at least min_bytes and initial_bytes.
 * *ret_bytes goes back by memweir_byte_pool_put(). -ENOMEM; -ECHILD: this is a child that was forked after the pool was
 * made.
 */
MEMWEIR_API int memweir_byte_pool_get(struct memweir_byte_pool *pool, size_t min_bytes,
				      struct memweir_bytes **ret_bytes);

/*
 * Give it back: it is the pool's, and its data must not be touched any more. NULL: nothing happens. -EINVAL: of another
 * pool; -EALREADY: given back already (seen as long as the pool keeps it; one that was freed is as wrong as to free
 * memory twice).
 */
MEMWEIR_API int memweir_byte_pool_put(struct memweir_byte_pool *pool, struct memweir_bytes *bytes);

/* A capacity of at least capacity bytes; the first length bytes stay. -ENOMEM: as it was. */
MEMWEIR_API int memweir_bytes_reserve(struct memweir_bytes *bytes, size_t capacity);

/* n bytes of data behind what is in it; data may lie in the buffer itself. -ENOMEM: as it was. */
MEMWEIR_API int memweir_bytes_append(struct memweir_bytes *bytes, const void *data, size_t n);

/* Free kept buffers, the largest first, until no more than keep_bytes are kept. Returns the bytes freed; -ECHILD. */
MEMWEIR_API int64_t memweir_byte_pool_trim(struct memweir_byte_pool *pool, size_t keep_bytes);

/* ret_stats->size says how much of it there is. -EINVAL: a size that cannot be; -ECHILD. */
MEMWEIR_API int memweir_byte_pool_stats(struct memweir_byte_pool *pool, struct memweir_byte_pool_stats *ret_stats);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
