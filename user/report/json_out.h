/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A JSON object written member by member. The first failed allocation is
 * remembered, later calls do nothing, and the end hands out the whole object or NULL: one check
 * instead of one per member.
 */
#ifndef MW_JSON_OUT_H
#define MW_JSON_OUT_H

#include <json-c/json.h>
#include <linux/types.h>
#include <stdbool.h>

#include "util/kept.h"

/* How documents are written. */
#define MW_JSON_COMPACT (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

struct mw_json_out {
	struct json_object *obj; /* NULL: failed */
};

struct mw_json_out mw_json_begin(struct json_object *obj); /* takes the reference; NULL is a failure */
struct json_object *mw_json_end(struct mw_json_out *o); /* hands the reference out */

void mw_json_put(struct mw_json_out *o, const char *key, struct json_object *value); /* takes it; NULL is a failure */
void mw_json_null(struct mw_json_out *o, const char *key);
void mw_json_u64(struct mw_json_out *o, const char *key, __u64 value);
void mw_json_int(struct mw_json_out *o, const char *key, __s64 value);
void mw_json_bool(struct mw_json_out *o, const char *key, bool value);
void mw_json_limit(struct mw_json_out *o, const char *key, __u64 bytes); /* MW_UNLIMITED is null */
/* Rounded to at most digits (0..6) places, never in the 17 digits that a binary fraction needs. Not a number: null. */
void mw_json_double(struct mw_json_out *o, const char *key, double value, int digits);
void mw_json_seconds(struct mw_json_out *o, const char *key, double s); /* to a tenth; < 0 is null */
void mw_json_text(struct mw_json_out *o, const char *key, const char *text);
void mw_json_when(struct mw_json_out *o, const char *key, __u64 wall_ns); /* RFC 3339; 0 is null */

/*
 * A JSON string of any bytes: what is not UTF-8 (names of processes, command lines) becomes U+FFFD. NULL: no memory.
 */
struct json_object *mw_json_string(const char *text);
struct json_object *mw_json_number(double value, int digits);

/*
 * A large array that goes into many documents is written once (keep: takes the reference; NULL: no array, or no memory)
 * and is in each of them as that text, which costs a copy of its bytes instead of an object for each value. The
 * document shares it. Who looks into the document before it is written finds an empty array; only mw_json_copy copies
 * such a document (NULL: no memory).
 */
struct mw_kept *mw_json_keep(struct json_object *list);
struct json_object *mw_json_kept(struct mw_kept *list); /* one of mw_json_keep */
struct json_object *mw_json_copy(struct json_object *doc); /* all of it, new objects */
/* The document as it is sent, MW_JSON_COMPACT, its kept lists as parts: not copied here. NULL: no memory. */
struct mw_parts *mw_json_parts(struct json_object *doc);

#endif
