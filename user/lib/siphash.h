/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* SipHash-1-3: who does not know the key cannot choose names that fall into one place of a table. */
#ifndef MW_LIB_SIPHASH_H
#define MW_LIB_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t mw_siphash(const uint64_t key[2], const void *data, size_t n);

#endif
