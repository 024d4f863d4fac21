/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The guard's other half: a process knows its own limits, asks before it does
 * something that costs memory, and is told when memory gets short.
 *
 * Without the daemon, cgroup v2 or root everything below still answers, from
 * /proc; only nobody enforces the limits. memweir_guard_capabilities() tells.
 *
 * All functions may be called from several threads at once, but for
 * memweir_guard_free().
 */
#ifndef MEMWEIR_GUARD_H
#define MEMWEIR_GUARD_H

#include <memweir/lib.h>

#ifdef __cplusplus
extern "C" {
#endif

struct memweir_guard;

/* How near the limits: the same judgement as `memweir check`, from the same function. */
enum memweir_level {
	MEMWEIR_LEVEL_OK = 0,
	MEMWEIR_LEVEL_WARNING = 1, /* from 0.9 × hibernate_threshold of max_heap */
	MEMWEIR_LEVEL_ERROR = 2, /* from hibernate_threshold, or bin memory over its limit */
};

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
