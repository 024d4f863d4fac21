/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Pages given back that a program holds and does not need. Nothing here changes what any memory holds. */
#ifndef MW_TRIM_H
#define MW_TRIM_H

/*
 * After a start: what was only needed for it. Code of the libraries that our libraries brought along (TLS, compression:
 * the dynamic linker and their constructors ran through them), and the heap's free pages. What the program is linked
 * with itself stays resident, and the program is made so whole: nothing that is on an event's way has to be
 * faulted in. Before mlockall: locked pages stay.
 */
void mw_trim_after_start(void);

/* Pages of nothing but zeros in the static data of a library ("libname.so"), locked or not. Nobody may use it
 * meanwhile. */
void mw_trim_zeros(const char *library);

#endif
