/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What programs call instead of malloc and its relatives. The way of an allocation that is no sample: one subtraction
 * in the thread's own memory; of a free: one load from a table of 16 KiB. Everything else stands behind a branch.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "heap/impl.h"

/* Whether these bytes fit into what is left until the next sample; then they are taken off. */
static inline bool fits(size_t size)
{
	struct mw_heap_thread *t = &mw_heap_thread;

	if (!MW_HEAP_LIKELY(size < t->left))
		return false;
	t->left -= size;
	return true;
}

/* The last thing a caller does: it leaves no frame that would have to be unwound. */
static inline void *got(void *p, size_t size)
{
	return p ? mw_heap_due(p, size, MW_HEAP_OBJECT) : NULL;
}

static void MW_HEAP_COLD *malloc_due(size_t size)
{
	return got(mw_heap_next.malloc(size), size);
}

MW_HEAP_EXPORT void *malloc(size_t size)
{
	return fits(size) ? mw_heap_next.malloc(size) : malloc_due(size);
}

static void MW_HEAP_COLD *calloc_due(size_t n, size_t size)
{
	return got(mw_heap_next.calloc(n, size), n * size);
}

/* A product that is too large fails behind us, whatever we make of it. */
MW_HEAP_EXPORT void *calloc(size_t n, size_t size)
{
	return fits(n * size) ? mw_heap_next.calloc(n, size) : calloc_due(n, size);
}

/* Forget record i; its memory is no longer its own. */
static void freed(int i)
{
	struct mw_heap_record *r = mw_heap_record((__u32)i);

	mw_heap_count(MW_HEAP_COUNT_FREED, 1);
	mw_heap_count(MW_HEAP_COUNT_FREED_BYTES, r->weight);
	mw_heap_record_free((__u32)i);
}

void MW_HEAP_COLD mw_heap_forget(const void *p)
{
	int i = mw_heap_take(p);

	if (i < 0)
		return;
	mw_heap_look_for_fork();
	freed(i);
}

static void MW_HEAP_COLD free_maybe_sampled(void *p)
{
	size_t size;

	if (mw_heap_is_early(p, &size))
		return;
	mw_heap_forget(p);
	mw_heap_next.free(p);
}

MW_HEAP_EXPORT void free(void *p)
{
	if (MW_HEAP_LIKELY(!mw_heap_maybe_sampled(p)))
		mw_heap_next.free(p);
	else
		free_maybe_sampled(p);
}

/* Out of the room of the first calls into the allocator's. */
static void *move_early(const void *p, size_t had, size_t size)
{
	void *to = malloc(size);

	if (to)
		memcpy(to, p, had < size ? had : size);
	return to;
}

/* A sample that moves is one that is freed, and bytes that are allocated anew, here. */
static void MW_HEAP_COLD *realloc_slow(void *p, size_t size)
{
	size_t had;
	void *to;
	int i = -1;

	if (p && mw_heap_is_early(p, &had))
		return move_early(p, had, size);
	if (p && mw_heap_maybe_sampled(p))
		i = mw_heap_take(p);
	to = mw_heap_next.realloc(p, size);
	if (i >= 0 && !to && size) {
		if (!mw_heap_put(p, (__u32)i)) /* it is where it was */
			mw_heap_record_free((__u32)i);
		return to;
	}
	if (i >= 0) {
		mw_heap_look_for_fork();
		freed(i);
	}
	if (to && !fits(size))
		mw_heap_due(to, size, MW_HEAP_OBJECT);
	return to;
}

MW_HEAP_EXPORT void *realloc(void *p, size_t size)
{
	if (MW_HEAP_LIKELY(!mw_heap_maybe_sampled(p)) && fits(size))
		return mw_heap_next.realloc(p, size);
	return realloc_slow(p, size);
}

MW_HEAP_EXPORT void *reallocarray(void *p, size_t n, size_t size)
{
	if (__builtin_mul_overflow(n, size, &size)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, size);
}

MW_HEAP_EXPORT int posix_memalign(void **p, size_t alignment, size_t size)
{
	int r = mw_heap_next.posix_memalign(p, alignment, size);

	if (!r && !fits(size))
		got(*p, size);
	return r;
}

MW_HEAP_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	void *p = mw_heap_next.aligned_alloc(alignment, size);

	return fits(size) ? p : got(p, size);
}

MW_HEAP_EXPORT void *memalign(size_t alignment, size_t size)
{
	void *p = mw_heap_next.memalign(alignment, size);

	return fits(size) ? p : got(p, size);
}

MW_HEAP_EXPORT void *valloc(size_t size)
{
	void *p = mw_heap_next.valloc(size);

	return fits(size) ? p : got(p, size);
}

MW_HEAP_EXPORT void *pvalloc(size_t size)
{
	void *p = mw_heap_next.pvalloc(size);

	return fits(size) ? p : got(p, size);
}
