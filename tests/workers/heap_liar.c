/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * An allocator to be preloaded that has jemalloc's name for hooks, and keeps HEAP_LIAR's promise of them: "honest" as
 * jemalloc does, "mute" never calls them, "sizes" and "places" tell other ones, "ends" tells no end, "refuses" has
 * none.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void __libc_free(void *p);

static struct {
	void (*allocated)(void *extra, int how, void *p, uintptr_t raw, uintptr_t args[3]);
	void (*freed)(void *extra, int how, void *p, uintptr_t args[3]);
	void (*resized)(void *extra, int how, void *p, size_t from, size_t to, uintptr_t raw, uintptr_t args[4]);
	void *extra;
} hooks;

static int is(const char *what)
{
	const char *liar = getenv("HEAP_LIAR");

	return liar && !strcmp(liar, what);
}

static void *told(void *p, size_t size)
{
	uintptr_t args[3] = {is("sizes") ? size / 2 : size};

	if (hooks.allocated && p && !is("mute"))
		hooks.allocated(hooks.extra, 0, is("places") ? (char *)p + 8 : p, (uintptr_t)p, args);
	return p;
}

static void told_end(void *p)
{
	uintptr_t args[3] = {(uintptr_t)p};

	if (hooks.freed && p && !is("mute") && !is("ends"))
		hooks.freed(hooks.extra, 0, is("places") ? (char *)p + 8 : p, args);
}

void *malloc(size_t size)
{
	return told(__libc_malloc(size), size);
}

void *calloc(size_t n, size_t size)
{
	return told(__libc_calloc(n, size), n * size);
}

void *realloc(void *p, size_t size)
{
	told_end(p);
	return told(__libc_realloc(p, size), size);
}

void free(void *p)
{
	told_end(p);
	__libc_free(p);
}

int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size)
{
	if (!strcmp(name, "experimental.hooks.remove")) {
		memset(&hooks, 0, sizeof(hooks));
		return 0;
	}
	if (is("refuses") || strcmp(name, "experimental.hooks.install") != 0)
		return ENOENT;
	if (new_size != sizeof(hooks) || *old_size != sizeof(void *))
		return EINVAL;
	memcpy(&hooks, new, sizeof(hooks));
	*(void **)old = &hooks;
	return 0;
}
