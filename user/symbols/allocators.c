/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What was found, as text and back. */
#include "symbols/allocators.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/json_out.h"
#include "symbols/answer.h"
#include "util/cleanup.h"
#include "util/json_in.h"
#include "util/libexec.h"
#include "util/utf8.h"

static const char *const names[] = {
	[MW_FN_MALLOC] = "malloc",
	[MW_FN_CALLOC] = "calloc",
	[MW_FN_REALLOC] = "realloc",
	[MW_FN_POSIX_MEMALIGN] = "posix_memalign",
	[MW_FN_ALIGNED_ALLOC] = "aligned_alloc",
	[MW_FN_MEMALIGN] = "memalign",
	[MW_FN_MMAP] = "mmap",
	[MW_FN_FREE] = "free",
	[MW_FN_MUNMAP] = "munmap",
	[MW_FN_OTEL_ALLOC] = "otel_memory:alloc",
	[MW_FN_OTEL_FREE] = "otel_memory:free",
};
_Static_assert(ARRAY_SIZE(names) == MW_FN_MAX, "a name for each function");

const char *mw_allocator_name(enum mw_allocator_fn fn)
{
	return (unsigned)fn < MW_FN_MAX ? names[fn] : "unknown";
}

static struct json_object *write_place(const struct mw_allocator_place *p)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	char code[2 * MW_ALLOCATOR_CODE + 1], text[sizeof(p->path)];

	for (int i = 0; i < MW_ALLOCATOR_CODE; i++)
		snprintf(code + 2 * i, 3, "%02x", p->code[i]);
	mw_json_text(&o, "function", mw_allocator_name(p->fn));
	mw_json_u64(&o, "start", p->start);
	mw_json_u64(&o, "end", p->end);
	mw_json_u64(&o, "offset", p->offset);
	mw_json_u64(&o, "semaphore", p->semaphore);
	mw_json_text(&o, "code", code);
	mw_utf8_take(text, sizeof(text), p->arguments, strlen(p->arguments));
	mw_json_text(&o, "arguments", text);
	mw_utf8_take(text, sizeof(text), p->path, strlen(p->path));
	mw_json_text(&o, "path", text);
	return mw_json_end(&o);
}

int mw_allocators_write(const struct mw_allocators *a, char **ret_text)
{
	_cleanup_(mw_json_putp) struct json_object *list = json_object_new_array(), *all = NULL;
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	for (size_t i = 0; list && i < a->n; i++) {
		struct json_object *place = write_place(&a->at[i]);

		if (place && json_object_array_add(list, place) == 0)
			continue;
		json_object_put(place);
		mw_json_putp(&list);
	}
	mw_json_put(&o, "allocators", TAKE_PTR(list));
	mw_json_u64(&o, "left_out", a->left_out);
	all = mw_json_end(&o);
	*ret_text = all ? strdup(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PLAIN)) : NULL;
	return *ret_text ? 0 : -ENOMEM;
}

static int wrong(const char *key, struct mw_error *err)
{
	return mw_fail(err, -EPROTO, MW_SYMBOLS_PROGRAM ": \"%s\" is missing or not what it should be", key);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_code(struct json_object *obj, __u8 code[MW_ALLOCATOR_CODE])
{
	char text[2 * MW_ALLOCATOR_CODE + 1];

	if (!mw_json_member_text(obj, "code", text, sizeof(text)) || strlen(text) != sizeof(text) - 1)
		return false;
	for (int i = 0; i < MW_ALLOCATOR_CODE; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		code[i] = (__u8)(high << 4 | low);
	}
	return true;
}

static int read_place(struct json_object *obj, struct mw_allocator_place *p, struct mw_error *err)
{
	char name[32];

	*p = (struct mw_allocator_place){.fn = MW_FN_MAX};
	if (!mw_json_member_text(obj, "function", name, sizeof(name)))
		return wrong("function", err);
	for (unsigned fn = 0; fn < MW_FN_MAX; fn++) {
		if (strcmp(name, names[fn]) == 0)
			p->fn = fn;
	}
	if (p->fn == MW_FN_MAX)
		return wrong("function", err);
	if (!mw_json_member_u64(obj, "start", ~0ULL, &p->start) || !mw_json_member_u64(obj, "end", ~0ULL, &p->end) ||
	    p->start >= p->end)
		return wrong("start", err);
	if (!mw_json_member_u64(obj, "offset", 1ULL << 62, &p->offset) ||
	    !mw_json_member_u64(obj, "semaphore", 1ULL << 62, &p->semaphore))
		return wrong("offset", err);
	if (!read_code(obj, p->code))
		return wrong("code", err);
	if (!mw_json_member_text(obj, "arguments", p->arguments, sizeof(p->arguments)))
		return wrong("arguments", err);
	return mw_json_member_text(obj, "path", p->path, sizeof(p->path)) ? 0 : wrong("path", err);
}

int mw_allocators_read(const char *text, size_t text_n, struct mw_allocators *ret_allocators, struct mw_error *err)
{
	_cleanup_(mw_json_putp) struct json_object *obj = NULL;
	struct json_object *list;
	__u64 left_out;
	int r = mw_answer_parse(text, text_n, &obj, err);

	if (r)
		return r;
	list = mw_json_member(obj, "allocators", json_type_array);
	if (!list || json_object_array_length(list) > MW_ALLOCATOR_PLACES)
		return wrong("allocators", err);
	if (!mw_json_member_u64(obj, "left_out", SIZE_MAX, &left_out))
		return wrong("left_out", err);
	*ret_allocators = (struct mw_allocators){.left_out = left_out};
	for (size_t i = 0; !r && i < json_object_array_length(list); i++)
		r = read_place(json_object_array_get_idx(list, i), &ret_allocators->at[ret_allocators->n++], err);
	return r;
}
