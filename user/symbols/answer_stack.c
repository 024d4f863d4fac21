/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Who called whom, as an answer. */
#include <errno.h>
#include <string.h>

#include "report/json_out.h"
#include "symbols/answer.h"
#include "util/cleanup.h"
#include "util/json_in.h"

static const char *const ends[] = {"outermost", "no-code", "no-rule", "cut", "deep", "time"};
_Static_assert(ARRAY_SIZE(ends) == MW_UNWOUND_END_MAX, "a name for each end");

const char *mw_unwound_end_name(enum mw_unwound_end end)
{
	return end < MW_UNWOUND_END_MAX ? ends[end] : "?";
}

static struct json_object *write_address(const struct mw_address *a)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_u64(&o, "address", a->pc);
	mw_json_bool(&o, "return", a->is_return);
	return mw_json_end(&o);
}

static struct json_object *write_stack(const struct mw_unwound *u)
{
	_cleanup_(mw_json_putp) struct json_object *frames = json_object_new_array();
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	for (size_t i = 0; frames && i < u->n; i++) {
		if (!mw_answer_append(frames, write_address(&u->at[i])))
			mw_json_putp(&frames);
	}
	mw_json_put(&o, "frames", TAKE_PTR(frames));
	mw_json_text(&o, "end", mw_unwound_end_name(u->end));
	return mw_json_end(&o);
}

int mw_unwound_write(const struct mw_unwound *u, size_t n, char **ret_text)
{
	_cleanup_(mw_json_putp) struct json_object *list = json_object_new_array();
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	for (size_t i = 0; list && i < n; i++) {
		if (!mw_answer_append(list, write_stack(&u[i])))
			mw_json_putp(&list);
	}
	mw_json_put(&o, "stacks", TAKE_PTR(list));
	return mw_answer_text(mw_json_end(&o), ret_text);
}

static int read_end(struct json_object *obj, enum mw_unwound_end *ret, struct mw_error *err)
{
	char name[16];

	if (!mw_json_member_text(obj, "end", name, sizeof(name)))
		return mw_answer_wrong("end", err);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (!strcmp(name, ends[i])) {
			*ret = (enum mw_unwound_end)i;
			return 0;
		}
	}
	return mw_answer_wrong("end", err);
}

static int read_stack(struct json_object *obj, struct mw_unwound *u, struct mw_error *err)
{
	struct json_object *frames = mw_json_member(obj, "frames", json_type_array);

	*u = (struct mw_unwound){.n = frames ? json_object_array_length(frames) : 0};
	if (!u->n || u->n > MW_UNWOUND_MAX)
		return mw_answer_wrong("frames", err);
	for (size_t i = 0; i < u->n; i++) {
		struct json_object *at = json_object_array_get_idx(frames, i);

		if (!mw_json_member_u64(at, "address", ~0ULL, &u->at[i].pc))
			return mw_answer_wrong("address", err);
		u->at[i].is_return = json_object_get_boolean(mw_json_member(at, "return", json_type_boolean));
	}
	return read_end(obj, &u->end, err);
}

int mw_unwound_read(const char *text, size_t text_n, struct mw_unwound *ret_unwound, size_t n, struct mw_error *err)
{
	_cleanup_(mw_json_putp) struct json_object *obj = NULL;
	struct json_object *list;
	int r = mw_answer_parse(text, text_n, &obj, err);

	if (r)
		return r;
	list = mw_json_member(obj, "stacks", json_type_array);
	if (!list || json_object_array_length(list) != n)
		return mw_answer_wrong("stacks", err);
	for (size_t i = 0; !r && i < n; i++)
		r = read_stack(json_object_array_get_idx(list, i), &ret_unwound[i], err);
	return r;
}
