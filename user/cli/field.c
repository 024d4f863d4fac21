/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/field.h"

#include <stdio.h>
#include <string.h>

#include "util/size.h"

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &v);
	return v;
}

static bool is_number(struct json_object *v)
{
	return json_object_is_type(v, json_type_int) || json_object_is_type(v, json_type_double);
}

const char *mw_field_str(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key);

	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

bool mw_field_bool(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key);

	return json_object_is_type(v, json_type_boolean) && json_object_get_boolean(v);
}

double mw_field_number(struct json_object *o, const char *key, double otherwise)
{
	struct json_object *v = get(o, key);

	return is_number(v) ? json_object_get_double(v) : otherwise;
}

bool mw_field_u64(struct json_object *o, const char *key, __u64 *ret_value)
{
	struct json_object *v = get(o, key);

	if (!is_number(v) || json_object_get_double(v) < 0)
		return false;
	*ret_value = json_object_get_uint64(v);
	return true;
}

struct json_object *mw_field_array(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key);

	return json_object_is_type(v, json_type_array) ? v : NULL;
}

struct json_object *mw_field_object(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key);

	return json_object_is_type(v, json_type_object) ? v : NULL;
}

size_t mw_field_length(struct json_object *array)
{
	return array ? json_object_array_length(array) : 0;
}

bool mw_field_has(struct json_object *array, const char *text)
{
	for (size_t i = 0; i < mw_field_length(array); i++) {
		struct json_object *v = json_object_array_get_idx(array, i);

		if (json_object_is_type(v, json_type_string) && strcmp(json_object_get_string(v), text) == 0)
			return true;
	}
	return false;
}

const char *mw_say_bytes(struct json_object *o, const char *key, char buf[MW_TEXT])
{
	__u64 bytes;

	return mw_field_u64(o, key, &bytes) ? mw_size_format(bytes, buf, MW_TEXT) : "-";
}

const char *mw_say_limit(struct json_object *o, const char *key, char buf[MW_TEXT])
{
	if (json_object_object_get_ex(o, key, NULL) && !get(o, key))
		return "max";
	return mw_say_bytes(o, key, buf);
}

const char *mw_say_ns(struct json_object *o, const char *key, char buf[MW_TEXT])
{
	__u64 ns;

	return mw_field_u64(o, key, &ns) ? mw_duration_format(ns, buf, MW_TEXT) : "-";
}

const char *mw_say_time(struct json_object *o, const char *key, char buf[MW_TEXT])
{
	const char *t = mw_field_str(o, key);

	if (strlen(t) < 20 || t[10] != 'T')
		return *t ? t : "-";
	snprintf(buf, MW_TEXT, "%.10s %.8sZ", t, t + 11);
	return buf;
}

const char *mw_say_rate(double bytes_per_s, char buf[MW_TEXT])
{
	if (!(bytes_per_s < 1e18 && bytes_per_s > -1e18))
		return "-";
	return mw_rate_format(bytes_per_s, buf, MW_TEXT);
}

const char *mw_say_seconds(double s, char buf[MW_TEXT])
{
	if (!(s >= 0 && s < 1e9))
		return "-";
	return mw_duration_format((__u64)(s * 1e9), buf, MW_TEXT);
}
