/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A limiter: a maximum for a program's memory that is looked at every N
 * operations. Over it, the program's own trim callback runs, the memory is looked at
 * again, and only then the operation is refused.
 */
#ifndef MEMWEIR_LIMITER_H
#define MEMWEIR_LIMITER_H

#include <memweir/lib.h>

#ifdef __cplusplus
extern "C" {
#endif

struct memweir_limiter;

/*
 * One operation. 0: go on; -ENOMEM: over the maximum, also after trimming; other errors: the
 * usage could not be read. Cheap between two looks. From any thread.
 */
MEMWEIR_API int memweir_limiter_check(struct memweir_limiter *limiter);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
