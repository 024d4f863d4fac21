/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What other parts of the library have to say to a guard's callbacks. */
#ifndef MW_LIB_GUARD_NOTES_H
#define MW_LIB_GUARD_NOTES_H

struct memweir_guard;

/* Something of theirs is used up: WARNING callbacks run with that reason, in the calling thread. NULL guard: nothing.
 */
void mw_lib_guard_exhausted(struct memweir_guard *guard, const char *what);

#endif
