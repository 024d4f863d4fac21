/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Reading the daemon's documents and writing their figures for people. A missing field or one of another type reads as
 * nothing. */
#ifndef MW_FIELD_H
#define MW_FIELD_H

#include <json-c/json.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* "" / false / NULL when o is NULL or has no such field. */
const char *mw_field_str(struct json_object *o, const char *key);
bool mw_field_bool(struct json_object *o, const char *key);
double mw_field_number(struct json_object *o, const char *key, double otherwise);
bool mw_field_u64(struct json_object *o, const char *key, __u64 *ret_value); /* false: missing, null or negative */
struct json_object *mw_field_array(struct json_object *o, const char *key); /* borrowed */
struct json_object *mw_field_object(struct json_object *o, const char *key); /* borrowed */
size_t mw_field_length(struct json_object *array); /* 0 for NULL */
bool mw_field_has(struct json_object *array, const char *text); /* an array of strings holds text */

#define MW_TEXT 64 /* room for a figure */

/* "43.8 MB"; missing is "-", null is "max" (limits only). */
const char *mw_say_bytes(struct json_object *o, const char *key, char buf[MW_TEXT]);
const char *mw_say_limit(struct json_object *o, const char *key, char buf[MW_TEXT]);
const char *mw_say_ns(struct json_object *o, const char *key, char buf[MW_TEXT]);
/* "2026-11-21 20:05:01Z" of an RFC 3339 time, milliseconds left out. */
const char *mw_say_time(struct json_object *o, const char *key, char buf[MW_TEXT]);
/* "1.2 MB/s", "-300.0 KB/s". */
const char *mw_say_rate(double bytes_per_s, char buf[MW_TEXT]);
const char *mw_say_seconds(double s, char buf[MW_TEXT]); /* as a duration; "-" below 0 */

#endif
