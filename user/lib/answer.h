/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Single values out of a daemon's answer, by JSON Pointer (memweir/json.h), and texts for a question to it. */
#ifndef MW_LIB_ANSWER_H
#define MW_LIB_ANSWER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * json is an answer as it came, NUL-terminated, or NULL. false: there is no such value, it is of another kind, does not
 * fit, or what comes before it is no JSON; *ret is then as it was.
 */
bool mw_answer_has(const char *json, const char *pointer);
bool mw_answer_text(const char *json, const char *pointer, char *ret, size_t size);
bool mw_answer_u64(const char *json, const char *pointer, __u64 *ret);
bool mw_answer_limit(const char *json, const char *pointer, __u64 *ret); /* null: MW_UNLIMITED */
bool mw_answer_ratio(const char *json, const char *pointer, double *ret); /* 0 to 1 */
bool mw_answer_true(const char *json, const char *pointer);

/* text between quotes, for a JSON text; what cannot stand there becomes _. Returns buf. */
const char *mw_answer_quote(const char *text, char *buf, size_t size);

#endif
