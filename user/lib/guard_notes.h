/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What other parts of the library tell a guard. */
#ifndef MW_LIB_GUARD_NOTES_H
#define MW_LIB_GUARD_NOTES_H

struct memweir_guard;

/* Something that lends has run out: what is its name, "pool" for one. Not with a lock held: it may call the program's
 * code. */
void mw_lib_guard_exhausted(struct memweir_guard *guard, const char *what);

#endif
