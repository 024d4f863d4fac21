/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Which parts of a program a guard reports to the daemon, and when it did so last. */
#ifndef MW_LIB_GUARD_FIGURES_H
#define MW_LIB_GUARD_FIGURES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/figures.h"

struct memweir_guard;
struct memweir_pool;
struct memweir_byte_pool;
struct memweir_limiter;

/* One part that has a name. */
struct mw_guard_part {
	char name[MW_FIGURES_NAME]; /* "": none */
	enum mw_figure_of of;
	const void *what;
};

struct mw_guard_figures {
	_Atomic uint64_t due_ns; /* CLOCK_MONOTONIC_COARSE: nothing is to be done before */
	pthread_mutex_t lock; /* of all below */
	struct mw_guard_part parts[MW_FIGURES_POOLS + MW_FIGURES_LIMITERS];
	int fd; /* a report went out there, its answer is to come; -1: none */
	pid_t pid; /* who made the connection: a forked child leaves it alone */
	uint64_t asked_ns; /* it went out then */
	uint32_t next_ms; /* between two reports */
};

/*
 * For who makes a part, with options.guard and options.name; either NULL: nothing is reported. 1: it will be, until it
 * is hidden; 0: not. -EINVAL: no such name; -EEXIST; -ENOSPC: so many parts have names already.
 */
int mw_lib_guard_show(struct memweir_guard *guard, enum mw_figure_of of, const char *name, const void *what);
/* When this returns nobody looks at it any more. */
void mw_lib_guard_hide(struct memweir_guard *guard, const void *what);

#endif
