/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What goes through the pipe between memweir-container and who asked it. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "containers/found.h"
#include "util/json_in.h"
#include "report/json_out.h"
#include "util/cleanup.h"
#include "util/libexec.h"
#include "util/utf8.h"

/* The members that are texts: one row for both directions. */
static const struct text_row {
	const char *key;
	size_t at, size;
} texts[] = {
#define ROW(key, member)                                                                                               \
	{                                                                                                              \
		key, offsetof(struct mw_found, member), sizeof(((struct mw_found *)0)->member)                         \
	}
	ROW("engine", c.engine), ROW("id", c.id),   ROW("name", c.name),
	ROW("image", c.image),	 ROW("pod", c.pod), ROW("namespace", c.namespace),
	ROW("cgroup", c.cgroup), ROW("unit", unit),
#undef ROW
};

static const char *const kinds[] = {[MW_LABEL_LABEL] = "label", [MW_LABEL_ANNOTATION] = "annotation"};
_Static_assert(ARRAY_SIZE(kinds) == MW_LABEL_MAX, "a word for each kind of label");

static struct json_object *write_labels(const struct mw_container *c)
{
	_cleanup_(mw_json_putp) struct json_object *list = json_object_new_array();

	for (size_t i = 0; list && i < c->n_labels; i++) {
		struct mw_json_out o = mw_json_begin(json_object_new_object());
		struct json_object *obj;

		mw_json_text(&o, "kind", kinds[c->labels[i].kind]);
		mw_json_text(&o, "key", c->labels[i].key);
		mw_json_text(&o, "value", c->labels[i].value);
		obj = mw_json_end(&o);
		if (!obj || json_object_array_add(list, obj)) {
			json_object_put(obj);
			return NULL;
		}
	}
	return TAKE_PTR(list);
}

static struct json_object *write_found(const struct mw_found *f)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		mw_json_text(&o, texts[i].key, (const char *)f + texts[i].at);
	mw_json_u64(&o, "pid", (__u64)f->c.pid);
	mw_json_u64(&o, "pid_start", f->c.pid_start);
	mw_json_u64(&o, "uid", f->uid);
	if (f->bare)
		mw_json_u64(&o, "bare", 1);
	mw_json_put(&o, "labels", write_labels(&f->c));
	mw_json_u64(&o, "labels_left_out", f->c.labels_left_out);
	return mw_json_end(&o);
}

/* Names of files and folders, whatever is in them. */
static void put_plain(struct mw_json_out *o, const char *key, const char *text)
{
	char plain[sizeof(((struct mw_answer *)0)->looked)];

	mw_utf8_take(plain, sizeof(plain), text, strlen(text));
	mw_json_text(o, key, plain);
}

int mw_answer_write(const struct mw_answer *a, char **ret_text)
{
	_cleanup_(mw_json_putp) struct json_object *obj = NULL;
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	_cleanup_(mw_json_putp) struct json_object *list = json_object_new_array();
	const char *text;

	for (size_t i = 0; i < a->n_found; i++) {
		struct json_object *found = write_found(&a->found[i]);

		if (!found || json_object_array_add(list, found)) {
			json_object_put(found);
			json_object_put(mw_json_end(&o));
			return -ENOMEM;
		}
	}
	mw_json_put(&o, "found", TAKE_PTR(list));
	mw_json_u64(&o, "left_out", a->left_out);
	mw_json_u64(&o, "unread", a->unread);
	put_plain(&o, "problem", a->problem);
	put_plain(&o, "looked", a->looked);
	obj = mw_json_end(&o);
	text = obj ? json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
		   : NULL;
	*ret_text = text ? strdup(text) : NULL;
	return *ret_text ? 0 : -ENOMEM;
}

static int wrong(const char *key, struct mw_error *err)
{
	return mw_fail(err, -EPROTO, MW_CONTAINER_PROGRAM ": \"%s\" is missing or not what it should be", key);
}

static int read_label(struct json_object *obj, struct mw_container *c, struct mw_error *err)
{
	char kind[16], key[MW_LABEL_KEY_MAX + 1], value[MW_LABEL_VALUE_MAX + 1];
	enum mw_label_kind k = MW_LABEL_LABEL;
	size_t before = c->n_labels;
	int r;

	if (!mw_json_member_text(obj, "kind", kind, sizeof(kind)) ||
	    !mw_json_member_text(obj, "key", key, sizeof(key)) ||
	    !mw_json_member_text(obj, "value", value, sizeof(value)) || !key[0])
		return wrong("labels", err);
	while (k < MW_LABEL_MAX && strcmp(kinds[k], kind) != 0)
		k++;
	if (k == MW_LABEL_MAX)
		return wrong("kind", err);
	r = mw_container_add_label(c, k, key, strlen(key), value, strlen(value));
	/* Too many, or one twice: the helper counts and drops those itself. */
	return r || c->n_labels == before + 1 ? r : wrong("labels", err);
}

static int read_labels(struct json_object *obj, struct mw_container *c, struct mw_error *err)
{
	struct json_object *list = mw_json_member(obj, "labels", json_type_array);
	__u64 left_out;
	int r = 0;

	if (!list || !mw_json_member_u64(obj, "labels_left_out", SIZE_MAX, &left_out))
		return wrong("labels", err);
	for (size_t i = 0; !r && i < json_object_array_length(list); i++)
		r = read_label(json_object_array_get_idx(list, i), c, err);
	c->labels_left_out = left_out;
	return r;
}

static int read_found(struct json_object *obj, struct mw_found *f, struct mw_error *err)
{
	__u64 pid, uid, bare;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (!mw_json_member_text(obj, texts[i].key, (char *)f + texts[i].at, texts[i].size))
			return wrong(texts[i].key, err);
	}
	if (!f->c.engine[0] || !mw_container_id_valid(f->c.id, strlen(f->c.id)))
		return wrong("id", err);
	if ((f->c.cgroup[0] && !mw_cgroup_path_valid(f->c.cgroup)) || strchr(f->unit, '/'))
		return wrong("cgroup", err);
	if (!mw_json_member_u64(obj, "pid", INT_MAX, &pid) ||
	    !mw_json_member_u64(obj, "pid_start", ~0ULL, &f->c.pid_start) ||
	    !mw_json_member_u64(obj, "uid", UINT_MAX, &uid))
		return wrong("pid", err);
	f->bare = mw_json_member_u64(obj, "bare", 1, &bare) && bare;
	/* Who runs has a process, since some time and in a cgroup, or without; or a process and a unit. */
	if (pid && !(f->c.pid_start && !f->c.cgroup[0] == f->bare) && !f->unit[0])
		return wrong("pid", err);
	f->c.pid = (pid_t)pid;
	f->uid = (uid_t)uid;
	return read_labels(obj, &f->c, err);
}

static int read_answer(struct json_object *obj, struct mw_answer *a, struct mw_error *err)
{
	struct json_object *list = mw_json_member(obj, "found", json_type_array);
	__u64 left_out, unread;
	int r = 0;

	if (!list || json_object_array_length(list) > MW_FOUND_MAX)
		return wrong("found", err);
	if (!mw_json_member_u64(obj, "left_out", SIZE_MAX, &left_out) ||
	    !mw_json_member_u64(obj, "unread", SIZE_MAX, &unread))
		return wrong("left_out", err);
	if (!mw_json_member_text(obj, "problem", a->problem, sizeof(a->problem)) ||
	    !mw_json_member_text(obj, "looked", a->looked, sizeof(a->looked)))
		return wrong("problem", err);
	a->left_out = left_out;
	a->unread = unread;
	for (size_t i = 0; !r && i < json_object_array_length(list); i++) {
		a->n_found++; /* first, so that what it got is freed */
		r = read_found(json_object_array_get_idx(list, i), &a->found[i], err);
	}
	return r;
}

int mw_answer_read(const char *text, size_t n, struct mw_answer *ret_answer, struct mw_error *err)
{
	_cleanup_(mw_json_putp) struct json_object *obj = NULL;
	_cleanup_free_ struct mw_answer *a = calloc(1, sizeof(*a));
	char said[200];
	int r;

	if (!a)
		return -ENOMEM;
	r = mw_json_parse(text, n, &obj, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : mw_fail(err, -EPROTO, MW_CONTAINER_PROGRAM ": its answer is not JSON");
	if (mw_json_member_text(obj, "error", said, sizeof(said)))
		return mw_fail(err, -EPROTO, MW_CONTAINER_PROGRAM ": %s", said);
	r = read_answer(obj, a, err);
	if (r < 0)
		mw_answer_free(a);
	else
		*ret_answer = *a;
	return r;
}
