/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* JSON written as text at once: for what is made often, where an object for each figure would cost several times. */
#ifndef MW_JSON_TEXT_H
#define MW_JSON_TEXT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "memweir/abi.h"

/* Zeroed it is empty. */
struct mw_json_text {
	char *text; /* the owner's (free); not ended by a 0 */
	size_t size, room;
	bool failed; /* no memory: nothing more is written, and the end is NULL */
	bool more; /* something stands before: a comma is due */
};

void mw_json_put_bytes(struct mw_json_text *t, const char *text, size_t n);
void mw_json_put_text(struct mw_json_text *t, const char *text); /* as it is: no quotes, nothing escaped */
void mw_json_put_number(struct mw_json_text *t, __u64 value);
void mw_json_put_limit(struct mw_json_text *t, __u64 bytes); /* MW_UNLIMITED is null */

#endif
