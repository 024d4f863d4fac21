/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Pages given back that a program holds and does not need. Nothing here changes what any memory holds. */
#ifndef MW_TRIM_H
#define MW_TRIM_H

/*
 * After a start: the code of the libraries that our libraries brought along (TLS, compression), which the
 * dynamic linker and their constructors ran through. What the program is linked with itself stays resident, and the
 * program is made so whole: nothing that is on an event's way has to be faulted in. The heap keeps its free
 * pages for the same reason. Locked pages too, from Linux 5.18 on; before, they stay.
 */
void mw_trim_after_start(void);

/* Pages of nothing but zeros in the static data of a library ("libname.so"), locked or not. Nobody may use it
 * meanwhile. */
void mw_trim_zeros(const char *library);

#endif
