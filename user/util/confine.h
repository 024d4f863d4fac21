/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Give up every right but to read what is open, to compute, and to write to standard output. */
#ifndef MW_CONFINE_H
#define MW_CONFINE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

#define MW_CONFINE_MEMORY (512U << 20) /* bytes of memory of its own */

struct mw_confinement {
	__u32 timeout_ms; /* then it dies of SIGALRM */
	size_t answer_bytes; /* it may write into one file */
	size_t maps_bytes; /* of address space, for files that it maps; 0: no more than MW_CONFINE_MEMORY */
	bool fetches; /* may talk over a socket and close; is told there is no such file where it opens one by name */
};

/*
 * For a process of one thread, for good: groups, user (nobody, if we are root), capabilities, new privileges, core
 * dumps; memory and time of its own; then all system calls but those few. It dies of SIGSYS when it asks for more. A
 * failure leaves it half confined: end it.
 */
int mw_confine(const struct mw_confinement *c, struct mw_error *err);
/* The first part of it alone, for who has more to do than that: groups, user, capabilities, new privileges. */
int mw_confine_rights(struct mw_error *err);

/* Should memory run out, take this process first: whoever started it can do without. */
void mw_expendable(void);

#endif
