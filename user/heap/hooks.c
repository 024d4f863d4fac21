/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Doors of the allocator behind us that lead past entry.c: jemalloc and tcmalloc have C++'s new and delete of their
 * own, and functions that no standard knows (mallocx, sdallocx, tc_malloc). Both offer hooks, which see every door;
 * where they are needed, they do all the counting. They cost 7 (tcmalloc) and 30 ns (jemalloc) for an object and its
 * end, so a program that cannot open such a door keeps to entry.c. That is decided once, when it starts.
 */
#include <errno.h>
#include <stdint.h>

#include "heap/impl.h"

#define PROBE_SIZE 4711 /* of an object that nobody else allocates before the program has begun */

/* As jemalloc 5.2 and 5.3 have them; they promise nothing for later ones, so that we look first. */
struct je_hooks {
	void (*allocated)(void *extra, int how, void *p, uintptr_t raw, const uintptr_t args[3]);
	void (*freed)(void *extra, int how, void *p, const uintptr_t args[3]);
	void (*resized)(void *extra, int how, void *p, size_t from, size_t to, uintptr_t raw, const uintptr_t args[4]);
	void *extra;
};
/* The allocator's, if it has them. */
#define MAYBE extern __attribute__((weak, visibility("default")))
MAYBE int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size);
MAYBE int MallocHook_AddNewHook(void (*hook)(const void *p, size_t size));
MAYBE int MallocHook_AddDeleteHook(void (*hook)(const void *p));

static const void *probe; /* where the object of PROBE_SIZE was seen */
static bool probe_ended;

static void allocated(const void *p, size_t size)
{
	struct mw_heap_thread *t = &mw_heap_thread;

	if (MW_HEAP_LIKELY(size < t->behind))
		t->behind -= size;
	else if (mw_heap_state == MW_HEAP_BEHIND && p)
		mw_heap_due_behind(p, size, MW_HEAP_OBJECT);
	else if (mw_heap_state == MW_HEAP_NOT_YET && size == PROBE_SIZE)
		probe = p;
}

static void ended(const void *p)
{
	if (mw_heap_state != MW_HEAP_BEHIND)
		probe_ended |= p && p == probe;
	else if (p && mw_heap_maybe_sampled(p))
		mw_heap_forget(p);
}

/* Which of the arguments is the size: calloc has two that make it together. */
enum { JE_MALLOC, JE_POSIX_MEMALIGN, JE_ALIGNED_ALLOC, JE_CALLOC, JE_MEMALIGN, JE_VALLOC, JE_MALLOCX, JE_REALLOC };
enum { JE_RESIZED_XALLOCX = 2 }; /* what it asked for is a range: what it got counts */

static void je_allocated(void *extra, int how, void *p, uintptr_t raw, const uintptr_t args[3])
{
	size_t size = args[0];

	(void)extra;
	(void)raw;
	if (how == JE_CALLOC)
		size *= args[1];
	else if (how == JE_POSIX_MEMALIGN)
		size = args[2];
	else if (how != JE_MALLOC && how != JE_VALLOC && how != JE_MALLOCX)
		size = args[1];
	allocated(p, size);
}

static void je_freed(void *extra, int how, void *p, const uintptr_t args[3])
{
	(void)extra;
	(void)how;
	(void)args;
	ended(p);
}

/* In place. Its bytes are allocated anew, as realloc's are in entry.c. */
static void je_resized(void *extra, int how, void *p, size_t from, size_t to, uintptr_t raw, const uintptr_t args[4])
{
	(void)extra;
	(void)from;
	(void)raw;
	ended(p);
	allocated(p, how == JE_RESIZED_XALLOCX ? to : args[1]);
}

/* Whether the hooks tell of an object what we expect. */
static bool tell_the_truth(void)
{
	void *p = mw_heap_next.malloc(PROBE_SIZE);
	bool seen = p && probe == p;

	mw_heap_next.free(p);
	return seen && probe_ended;
}

static bool hook_jemalloc(void)
{
	struct je_hooks hooks = {je_allocated, je_freed, je_resized, NULL};
	void *handle = NULL;
	size_t size = sizeof(handle);

	if (mallctl("experimental.hooks.install", &handle, &size, &hooks, sizeof(hooks)) != 0)
		return false;
	if (tell_the_truth())
		return true;
	mallctl("experimental.hooks.remove", NULL, NULL, &handle, sizeof(handle));
	return false;
}

static bool hook_tcmalloc(void)
{
	return MallocHook_AddNewHook(allocated) && MallocHook_AddDeleteHook(ended);
}

static bool is_of_allocator(const void *code)
{
	return code && mw_heap_is_allocator(code);
}

bool mw_heap_hook(void)
{
	int saved = errno;
	bool hooked = false;

	mw_heap_next.free(NULL); /* now it is known */
	if (is_of_allocator((const void *)mallctl))
		hooked = mw_heap_has_doors() && hook_jemalloc();
	else if (is_of_allocator((const void *)MallocHook_AddNewHook))
		hooked = mw_heap_has_doors() && hook_tcmalloc();
	errno = saved;
	return hooked;
}
