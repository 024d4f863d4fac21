/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/json_in.h"

#include <errno.h>
#include <limits.h>

#include "util/cleanup.h"
#include "util/utf8.h"

#define DEPTH 32 /* a state file of runc is 8 deep */

void mw_json_putp(struct json_object **obj)
{
	json_object_put(*obj);
	*obj = NULL;
}

void mw_json_warm_up(void)
{
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, "seed", NULL);
	json_object_put(obj);
}

static void free_tokener(struct json_tokener **tok)
{
	if (*tok)
		json_tokener_free(*tok);
}

static bool only_space(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] != ' ' && text[i] != '\n' && text[i] != '\r' && text[i] != '\t')
			return false;
	}
	return true;
}

int mw_json_parse(const char *text, size_t n, struct json_object **ret_obj, struct mw_error *err)
{
	_cleanup_(free_tokener) struct json_tokener *tok = json_tokener_new_ex(DEPTH);
	_cleanup_(mw_json_putp) struct json_object *obj = NULL;
	size_t end;

	if (!tok)
		return -ENOMEM;
	if (n > INT_MAX)
		return mw_fail(err, -EBADMSG, "too large");
	obj = json_tokener_parse_ex(tok, text, (int)n);
	if (!obj && json_tokener_get_error(tok) == json_tokener_continue)
		return mw_fail(err, -EBADMSG, "it ends too early, at byte %zu", json_tokener_get_parse_end(tok));
	if (!obj)
		return mw_fail(err, -EBADMSG, "%s at byte %zu", json_tokener_error_desc(json_tokener_get_error(tok)),
			       json_tokener_get_parse_end(tok));
	end = json_tokener_get_parse_end(tok);
	if (!only_space(text + end, n - end))
		return mw_fail(err, -EBADMSG, "more than one value, from byte %zu", end);
	*ret_obj = TAKE_PTR(obj);
	return 0;
}

struct json_object *mw_json_member(struct json_object *obj, const char *key, enum json_type type)
{
	struct json_object *value;

	if (!json_object_is_type(obj, json_type_object) || !json_object_object_get_ex(obj, key, &value))
		return NULL;
	return json_object_is_type(value, type) ? value : NULL;
}

bool mw_json_member_u64(struct json_object *obj, const char *key, __u64 max, __u64 *ret)
{
	struct json_object *value = mw_json_member(obj, key, json_type_int);
	__u64 number;

	if (!value || json_object_get_int64(value) < 0)
		return false;
	number = json_object_get_uint64(value);
	if (number > max)
		return false;
	*ret = number;
	return true;
}

bool mw_json_member_text(struct json_object *obj, const char *key, char *ret, size_t size)
{
	struct json_object *value = mw_json_member(obj, key, json_type_string);

	ret[0] = '\0';
	if (!value)
		return false;
	return mw_utf8_take(ret, size, json_object_get_string(value), (size_t)json_object_get_string_len(value));
}
