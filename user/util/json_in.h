/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* JSON of others: typed reads that say nothing rather than something else. */
#ifndef MW_JSON_IN_H
#define MW_JSON_IN_H

#include <json-c/json.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

void mw_json_putp(struct json_object **obj); /* for _cleanup_ */
/* json-c seeds its hashes with the first object, on some machines from a file: before files cannot be opened. */
void mw_json_warm_up(void);

/* One object, nothing after it but space. -EBADMSG; -ENOMEM. */
int mw_json_parse(const char *text, size_t n, struct json_object **ret_obj, struct mw_error *err);

/* A member of that type, or NULL; obj may be NULL or no object. */
struct json_object *mw_json_member(struct json_object *obj, const char *key, enum json_type type);
/* A number from 0 to max. */
bool mw_json_member_u64(struct json_object *obj, const char *key, __u64 max, __u64 *ret);
/*
 * A text, cleaned to a plain line. false: it is missing, no text, or had to be changed or cut; ret then holds what
 * is left of it, or is empty.
 */
bool mw_json_member_text(struct json_object *obj, const char *key, char *ret, size_t size);

#endif
