/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* C++ and Rust names for people. */
#ifndef MW_DEMANGLE_H
#define MW_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Itanium C++ and both of Rust's manglings, the older without its hash. false: it is none of them, and buf has it as it
 * is. Cut where it does not fit.
 */
bool mw_demangle(const char *name, char *buf, size_t size);

#endif
