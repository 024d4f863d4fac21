/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Give up every right but to read what is open, to compute, and to write to standard output. */
#ifndef MW_CONFINE_H
#define MW_CONFINE_H

#include <linux/types.h>

#include "util/error.h"

#define MW_CONFINE_MEMORY (512U << 20) /* bytes of address space */

/*
 * For a process of one thread, for good: groups, user (nobody, if we are root), capabilities, new privileges, core
 * dumps; address space and time of its own; then all system calls but those few. It dies of SIGALRM when
 * timeout_ms are over, of SIGSYS when it asks for more. A failure leaves it half confined: end it.
 */
int mw_confine(__u32 timeout_ms, struct mw_error *err);

#endif
