/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * libmemweir: what all its headers share.
 *
 * Errors: a function that can fail returns 0 (or a count) or a negative errno
 * number; its outputs come last, are named ret_… and are untouched on failure.
 * Nothing is printed and no signal handler installed.
 *
 * Structures that may grow begin with their size. The caller sets it
 * (MEMWEIR_INIT does), so that a program built with an older header works with a
 * newer library and the other way round: members behind the caller's size are taken as 0,
 * and members behind the library's size must be 0 (-E2BIG).
 *
 * Threads: each header says which of its functions may be called from several
 * threads at once. Two objects never share a lock.
 *
 * Sizes are in bytes, times in milliseconds or nanoseconds as the name says.
 */
#ifndef MEMWEIR_LIB_H
#define MEMWEIR_LIB_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MEMWEIR_API __attribute__((visibility("default")))
#else
#define MEMWEIR_API
#endif

/* For a structure that begins with its size: struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);
 */
#ifdef __cplusplus
#define MEMWEIR_INIT(type) (memweir_init_<type>())
#else
#define MEMWEIR_INIT(type) ((type){.size = sizeof(type)})
#endif

/* "MAJOR.MINOR.PATCH" of the library that is loaded; static. */
MEMWEIR_API const char *memweir_version(void);

#ifdef __cplusplus
} /* extern "C" */

template <typename T> static inline T memweir_init_()
{
	T t = T();

	t.size = sizeof(T);
	return t;
}
#endif

#endif
