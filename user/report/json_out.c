/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/json_out.h"

#include <stdio.h>
#include <string.h>

#include "memweir/abi.h"
#include "report/json.h"
#include "util/cleanup.h"
#include "util/utf8.h"

struct mw_json_out mw_json_begin(struct json_object *obj)
{
	return (struct mw_json_out){obj};
}

struct json_object *mw_json_end(struct mw_json_out *o)
{
	return TAKE_PTR(o->obj);
}

static void fail(struct mw_json_out *o)
{
	json_object_put(o->obj);
	o->obj = NULL;
}

void mw_json_put(struct mw_json_out *o, const char *key, struct json_object *value)
{
	if (!o->obj || !value || json_object_object_add(o->obj, key, value)) {
		json_object_put(value);
		fail(o);
	}
}

void mw_json_null(struct mw_json_out *o, const char *key)
{
	if (o->obj && json_object_object_add(o->obj, key, NULL))
		fail(o);
}

void mw_json_u64(struct mw_json_out *o, const char *key, __u64 value)
{
	mw_json_put(o, key, json_object_new_uint64(value));
}

void mw_json_int(struct mw_json_out *o, const char *key, __s64 value)
{
	mw_json_put(o, key, json_object_new_int64(value));
}

void mw_json_bool(struct mw_json_out *o, const char *key, bool value)
{
	mw_json_put(o, key, json_object_new_boolean(value));
}

void mw_json_limit(struct mw_json_out *o, const char *key, __u64 bytes)
{
	if (bytes == MW_UNLIMITED)
		mw_json_null(o, key);
	else
		mw_json_u64(o, key, bytes);
}

struct json_object *mw_json_number(double value, int digits)
{
	char text[340]; /* the largest double has 309 digits before the point */
	char *end;

	snprintf(text, sizeof(text), "%.*f", digits, value);
	end = strchr(text, '.');
	if (end) {
		char *last = text + strlen(text) - 1;

		while (last > end + 1 && *last == '0')
			*last-- = 0;
	}
	if (!strcmp(text, "-0.0") || !strcmp(text, "-0"))
		return json_object_new_double_s(0, "0.0");
	return json_object_new_double_s(value, text);
}

void mw_json_double(struct mw_json_out *o, const char *key, double value, int digits)
{
	if (__builtin_isfinite(value))
		mw_json_put(o, key, mw_json_number(value, digits));
	else
		mw_json_null(o, key);
}

struct json_object *mw_json_string(const char *text)
{
	size_t len = strlen(text), used = 0;
	_cleanup_free_ char *clean = malloc(3 * len + 1);

	if (!clean)
		return NULL;
	for (size_t i = 0; i < len;) {
		size_t n = mw_utf8_length(text + i);

		memcpy(clean + used, n ? text + i : "\xef\xbf\xbd", n ? n : 3);
		used += n ? n : 3;
		i += n ? n : 1;
	}
	clean[used] = 0;
	return json_object_new_string_len(clean, (int)used);
}

void mw_json_seconds(struct mw_json_out *o, const char *key, double s)
{
	if (s < 0)
		mw_json_null(o, key);
	else
		mw_json_double(o, key, s, 1);
}

void mw_json_text(struct mw_json_out *o, const char *key, const char *text)
{
	mw_json_put(o, key, mw_json_string(text));
}

void mw_json_when(struct mw_json_out *o, const char *key, __u64 wall_ns)
{
	char text[40];

	if (wall_ns)
		mw_json_text(o, key, mw_json_time(wall_ns, text, sizeof(text)));
	else
		mw_json_null(o, key);
}
