/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The first step in user space: is what came out of the ring a record of ours? */
#ifndef MW_EVENT_H
#define MW_EVENT_H

#include <linux/types.h>
#include <stddef.h>

#include "memweir/abi.h"

/*
 * 0 when data holds one struct mw_event, else -EINVAL: another size (programs
 * of another version), a type or kind that is not known, text without its NUL. data need not be aligned.
 */
int mw_event_valid(const void *data, size_t size);

#endif
