/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* KEY=VALUE,KEY=VALUE of an environment variable, as W3C Baggage has them: values are percent-encoded. */
#ifndef MW_OTLP_PAIRS_H
#define MW_OTLP_PAIRS_H

#include <stddef.h>

#define MW_PAIRS_MAX	  64
#define MW_PAIR_KEY_MAX	  256
#define MW_PAIR_VALUE_MAX 8192

/* Gets each pair, decoded. Non-zero: no more. */
typedef int (*mw_pair_fn)(const char *key, const char *value, void *arg);

/*
 * 0, or what fn said. -EINVAL: one has no =, no key, a key with odd characters, a wrong %, or a control character in
 * its value; -E2BIG: too many or too long. Then *ret_at is where the wrong one begins. Values may be secrets: say only
 * which one it was. Those before it have been told.
 */
int mw_pairs_each(const char *text, mw_pair_fn fn, void *arg, size_t *ret_at);

#endif
