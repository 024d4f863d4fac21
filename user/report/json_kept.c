/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Lists that were written once, off the event loop, and go into documents as they are: no objects are made of them. */
#include <limits.h>
#include <stdlib.h>

#include "report/json_out.h"

struct mw_kept *mw_json_keep(struct json_object *list)
{
	struct mw_kept *kept = NULL;
	const char *text = NULL;
	size_t size;

	if (json_object_is_type(list, json_type_array))
		text = json_object_to_json_string_length(list, MW_JSON_COMPACT, &size);
	if (text && size <= INT_MAX)
		kept = mw_kept_new(text, size);
	json_object_put(list);
	return kept;
}

#define SMALL 512 /* a copy costs less than a part of its own */

/* The lists that a document's text does without, and where they belong. */
struct gaps {
	size_t n, room;
	struct gap {
		struct mw_kept *list;
		size_t at;
	} * of;
};
/* Of the document this thread writes in parts: json-c takes nothing along for who writes a value. NULL: none. */
static _Thread_local struct gaps *gaps;

static bool leave_out(struct mw_kept *list, size_t at)
{
	if (gaps->n == gaps->room) {
		size_t room = gaps->room ? 2 * gaps->room : 64;
		struct gap *of = reallocarray(gaps->of, room, sizeof(*of));

		if (!of)
			return false;
		gaps->of = of;
		gaps->room = room;
	}
	gaps->of[gaps->n++] = (struct gap){list, at};
	return true;
}

static int write_kept(struct json_object *o, struct printbuf *to, int level, int flags)
{
	struct mw_kept *kept = json_object_get_userdata(o);

	(void)level, (void)flags;
	if (gaps && kept->size > SMALL && leave_out(kept, (size_t)printbuf_length(to)))
		return 0;
	return printbuf_memappend(to, kept->text, (int)kept->size);
}

/* The text with what was left out of it. */
static int join(struct mw_parts *parts, struct mw_kept *text, const struct gaps *left_out)
{
	size_t done = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < left_out->n; i++) {
		const struct gap *gap = &left_out->of[i];

		r = mw_parts_add(parts, text, done, gap->at - done);
		if (r == 0)
			r = mw_parts_add(parts, gap->list, 0, gap->list->size);
		done = gap->at;
	}
	return r < 0 ? r : mw_parts_add(parts, text, done, text->size - done);
}

struct mw_parts *mw_json_parts(struct json_object *doc)
{
	struct mw_parts *parts = mw_parts_new();
	struct gaps left_out = {0};
	struct mw_kept *own = NULL;
	const char *text;
	size_t size = 0;

	gaps = &left_out;
	text = json_object_to_json_string_length(doc, MW_JSON_COMPACT, &size);
	gaps = NULL;
	if (text)
		own = mw_kept_new(text, size);
	if (!parts || !own || join(parts, own, &left_out) < 0) {
		mw_parts_free(parts);
		parts = NULL;
	}
	mw_kept_drop(own); /* the parts hold it */
	free(left_out.of);
	return parts;
}

static void drop_kept(struct json_object *o, void *kept)
{
	(void)o;
	mw_kept_drop(kept);
}

struct json_object *mw_json_kept(struct mw_kept *list)
{
	struct json_object *o = json_object_new_array_ext(1);

	if (o)
		json_object_set_serializer(o, write_kept, mw_kept_hold(list), drop_kept);
	return o;
}

/* json-c copies what it can itself; of arrays none but ours have data of a writer's. */
static int copy_one(struct json_object *from, struct json_object *parent, const char *key, size_t index,
		    struct json_object **ret)
{
	if (!json_object_is_type(from, json_type_array) || !json_object_get_userdata(from))
		return json_c_shallow_copy_default(from, parent, key, index, ret);
	*ret = mw_json_kept(json_object_get_userdata(from));
	return *ret ? 2 : -1;
}

struct json_object *mw_json_copy(struct json_object *doc)
{
	struct json_object *copy = NULL;

	return json_object_deep_copy(doc, &copy, copy_one) == 0 ? copy : NULL;
}
