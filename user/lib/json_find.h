/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Single members out of a JSON text, without a library of others in every worker. Of a text that is no JSON something
 * may be found or nothing; nothing outside of it is read.
 */
#ifndef MW_LIB_JSON_FIND_H
#define MW_LIB_JSON_FIND_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* Where the value of that member of the object at json begins; NULL: no object, or it has none. json may be NULL. */
const char *mw_find_member(const char *json, const char *key);
/* Where the first value of the array at json begins; NULL: no array, or it is empty. */
const char *mw_find_first(const char *json);

/* What stands there. false: it is of another kind, or does not fit; *ret is then as it was. */
bool mw_find_text(const char *value, char *ret, size_t size);
bool mw_find_u64(const char *value, __u64 *ret);
bool mw_find_limit(const char *value, __u64 *ret); /* null: MW_UNLIMITED */
bool mw_find_ratio(const char *value, double *ret); /* 0.85: no exponent */
bool mw_find_true(const char *value);

/* text between quotes, for a JSON text; what cannot stand there becomes _. Returns buf. */
const char *mw_json_quote(const char *text, char *buf, size_t size);

#endif
