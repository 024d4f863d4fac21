/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Whose malloc comes behind ours: libc's, or jemalloc's, tcmalloc's where the program is linked with them. They are
 * looked up with the first call, which can come before our constructor; and the look-up may itself allocate (dlsym,
 * about a name that is missing): that comes from a small room of our own.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include "heap/impl.h"

#define EARLY_SIZE 32768
#define EARLY_HEAD 16 /* holds the size */

static char early[EARLY_SIZE] __attribute__((aligned(64)));
static size_t early_used;
static bool looking;
static size_t allocator_begin, allocator_end; /* addresses */

bool mw_heap_is_early(const void *p, size_t *ret_size)
{
	size_t at = (size_t)p - (size_t)early;

	if (at >= sizeof(early))
		return false;
	memcpy(ret_size, early + at - EARLY_HEAD, sizeof(*ret_size));
	return true;
}

/* Zeroed: it is given out once. */
static void *early_get(size_t alignment, size_t size)
{
	size_t from = __atomic_load_n(&early_used, __ATOMIC_RELAXED), at;

	alignment = alignment > 16 ? alignment : 16;
	do {
		at = (from + EARLY_HEAD + alignment - 1) / alignment * alignment;
		if (alignment > 64 || size > sizeof(early) || at + size > sizeof(early)) {
			errno = ENOMEM;
			return NULL;
		}
	} while (!__atomic_compare_exchange_n(&early_used, &from, at + size, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	memcpy(early + at - EARLY_HEAD, &size, sizeof(size));
	mw_heap_filter_add(early + at); /* never taken out again: freeing it leads to us */
	return early + at;
}

static int allocators_segment(struct dl_phdr_info *info, size_t size, void *arg)
{
	const size_t code = (size_t)arg;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		size_t begin = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type != PT_LOAD || code < begin || code >= begin + ph->p_memsz)
			continue;
		allocator_begin = begin;
		allocator_end = begin + ph->p_memsz;
		return 1;
	}
	return 0;
}

bool mw_heap_is_allocator(const void *code)
{
	return (size_t)code >= allocator_begin && (size_t)code < allocator_end;
}

static void *next(const char *name, void *unknown)
{
	void *found = dlsym(RTLD_NEXT, name);

	return found ? found : unknown;
}

/* A name it has not stays with its stand-in below, which then fails as if memory had run out. */
static void look(void)
{
	struct mw_heap_next *n = &mw_heap_next;
	int saved = errno;

	if (__atomic_exchange_n(&looking, true, __ATOMIC_ACQ_REL))
		return;
	n->free = next("free", n->free);
	n->calloc = next("calloc", n->calloc);
	n->realloc = next("realloc", n->realloc);
	n->posix_memalign = next("posix_memalign", n->posix_memalign);
	n->aligned_alloc = next("aligned_alloc", n->aligned_alloc);
	n->memalign = next("memalign", n->memalign);
	n->valloc = next("valloc", n->valloc);
	n->pvalloc = next("pvalloc", n->pvalloc);
	n->mmap = next("mmap", n->mmap);
	n->munmap = next("munmap", n->munmap);
	n->mremap = next("mremap", n->mremap);
	n->malloc = next("malloc", n->malloc);
	dl_iterate_phdr(allocators_segment, n->malloc);
	errno = saved;
}

static void *first_malloc(size_t size)
{
	look();
	return mw_heap_next.malloc != first_malloc ? mw_heap_next.malloc(size) : early_get(16, size);
}

static void *first_calloc(size_t n, size_t size)
{
	look();
	if (mw_heap_next.calloc != first_calloc)
		return mw_heap_next.calloc(n, size);
	if (__builtin_mul_overflow(n, size, &size))
		size = EARLY_SIZE + 1;
	return early_get(16, size);
}

/* p is never one that is early: entry.c has seen to that. */
static void *first_realloc(void *p, size_t size)
{
	look();
	if (mw_heap_next.realloc != first_realloc)
		return mw_heap_next.realloc(p, size);
	return early_get(16, p ? EARLY_SIZE + 1 : size);
}

static void first_free(void *p)
{
	look();
	if (mw_heap_next.free != first_free)
		mw_heap_next.free(p);
}

static void *first_aligned_alloc(size_t alignment, size_t size)
{
	look();
	if (mw_heap_next.aligned_alloc != first_aligned_alloc)
		return mw_heap_next.aligned_alloc(alignment, size);
	return early_get(alignment, size);
}

static void *first_memalign(size_t alignment, size_t size)
{
	look();
	if (mw_heap_next.memalign != first_memalign)
		return mw_heap_next.memalign(alignment, size);
	return mw_heap_next.aligned_alloc(alignment, size);
}

static int first_posix_memalign(void **p, size_t alignment, size_t size)
{
	void *got;

	look();
	if (mw_heap_next.posix_memalign != first_posix_memalign)
		return mw_heap_next.posix_memalign(p, alignment, size);
	got = mw_heap_next.aligned_alloc(alignment, size);
	if (got)
		*p = got;
	return got ? 0 : ENOMEM;
}

static void *first_valloc(size_t size)
{
	look();
	return mw_heap_next.valloc != first_valloc ? mw_heap_next.valloc(size) : early_get(EARLY_SIZE, size);
}

static void *first_pvalloc(size_t size)
{
	look();
	return mw_heap_next.pvalloc != first_pvalloc ? mw_heap_next.pvalloc(size) : early_get(EARLY_SIZE, size);
}

static void *no_map(void)
{
	errno = ENOSYS;
	return MAP_FAILED;
}

static void *first_mmap(void *at, size_t size, int prot, int flags, int fd, long offset)
{
	look();
	return mw_heap_next.mmap != first_mmap ? mw_heap_next.mmap(at, size, prot, flags, fd, offset) : no_map();
}

static int first_munmap(void *at, size_t size)
{
	look();
	return mw_heap_next.munmap != first_munmap ? mw_heap_next.munmap(at, size) : (no_map(), -1);
}

static void *first_mremap(void *at, size_t size, size_t new_size, int flags, ...)
{
	va_list args;
	void *to;

	va_start(args, flags);
	to = va_arg(args, void *); /* map.c gives it always */
	va_end(args);
	look();
	return mw_heap_next.mremap != first_mremap ? mw_heap_next.mremap(at, size, new_size, flags, to) : no_map();
}

struct mw_heap_next mw_heap_next = {
	.malloc = first_malloc,
	.calloc = first_calloc,
	.realloc = first_realloc,
	.free = first_free,
	.posix_memalign = first_posix_memalign,
	.aligned_alloc = first_aligned_alloc,
	.memalign = first_memalign,
	.valloc = first_valloc,
	.pvalloc = first_pvalloc,
	.mmap = first_mmap,
	.munmap = first_munmap,
	.mremap = first_mremap,
};
