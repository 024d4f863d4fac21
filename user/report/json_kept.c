/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Lists that were written once, off the event loop, and go into documents as they are: no objects are made of them. */
#include <limits.h>

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

static int write_kept(struct json_object *o, struct printbuf *to, int level, int flags)
{
	const struct mw_kept *kept = json_object_get_userdata(o);

	(void)level, (void)flags;
	return printbuf_memappend(to, kept->text, (int)kept->size);
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
