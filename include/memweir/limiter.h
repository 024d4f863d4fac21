/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A limiter: a maximum for a program's memory that is looked at every N
 * operations. Over it, the program's own trim callback runs, the memory is looked at
 * again, and only then the operation is refused.
 *
 * All functions may be called from several threads at once, but for memweir_limiter_free().
 */
#ifndef MEMWEIR_LIMITER_H
#define MEMWEIR_LIMITER_H

#include <memweir/lib.h>

#ifdef __cplusplus
extern "C" {
#endif

struct memweir_guard;
struct memweir_limiter;

/* Free what can be freed. By one thread at a time; who comes meanwhile is refused or let through by its own look. */
typedef void (*memweir_trim_fn)(void *arg);

struct memweir_limiter_options {
	size_t size; /* of this structure */
	uint64_t max_mb; /* maximum of heap + bin, in MB of 1,000,000 bytes; 0: max_bytes */
	uint64_t max_bytes; /* the same in bytes; 0: max_mb. One of the two must be given, unless there is a guard: its
			       max_heap */
	uint32_t every; /* a look every so many operations; 0: 100 */
	memweir_trim_fn trim; /* NULL: malloc_trim(3) alone, which runs after trim too */
	void *trim_arg;
	struct memweir_guard *guard; /* whose figures are used; must outlive the limiter. NULL: figures of its own, of
					the worker's cgroup or from /proc */
	const char *root; /* without a guard: in front of /proc, for tests; NULL: none */
	/* Under which the guard reports its figures to the daemon (memweir_guard_report), 1 to 31 letters, digits,
	 * _ . or -; copied. NULL, or no guard: not reported */
	const char *name;
};

/* Since the limiter was made. */
struct memweir_limiter_stats {
	size_t size; /* of this structure, by the caller */
	uint64_t operations; /* checks */
	uint64_t looks; /* how often it was asked whether the usage is over, after a trim too */
	uint64_t trims; /* how often trim ran */
	uint64_t refusals; /* checks that returned -ENOMEM */
	uint64_t used_bytes; /* heap + bin at the last look, as exact as it took */
	uint64_t max_bytes; /* the maximum */
};

/*
 * *ret_limiter is the caller's: memweir_limiter_free(). -EINVAL: no maximum, or both, or a name that is none;
 * -EEXIST, -ENOSPC: the guard has a limiter of this name, or 4 with names; -ENOMEM; else why /proc cannot be
 * read.
 */
MEMWEIR_API int memweir_limiter_new(const struct memweir_limiter_options *options,
				    struct memweir_limiter **ret_limiter);

/* NULL: nothing happens. */
MEMWEIR_API void memweir_limiter_free(struct memweir_limiter *limiter);

/*
 * One operation. 0: go on; -ENOMEM: over the maximum, also after trimming; other errors: the
 * usage could not be read. Cheap between two looks; after a refusal every operation looks, until one fits.
 */
MEMWEIR_API int memweir_limiter_check(struct memweir_limiter *limiter);

/* ret_stats->size says how much of it there is. */
MEMWEIR_API int memweir_limiter_stats(struct memweir_limiter *limiter, struct memweir_limiter_stats *ret_stats);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
