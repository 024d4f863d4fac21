/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef MW_GZIP_H
#define MW_GZIP_H

#include <stddef.h>

/* n bytes as a gzip file. The result is the caller's (free). 0, -ENOMEM, -E2BIG past 2 GiB. */
int mw_gzip(const void *bytes, size_t n, void **ret_bytes, size_t *ret_n);

#endif
