/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/answer.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "report/json_out.h"
#include "util/cleanup.h"
#include "util/json_in.h"
#include "util/libexec.h"
#include "util/utf8.h"

static int to_text(struct json_object *obj, char **ret_text)
{
	const char *text =
		obj ? json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
		    : NULL;
	char *copy = text ? strdup(text) : NULL;

	json_object_put(obj);
	if (!copy)
		return -ENOMEM;
	*ret_text = copy;
	return 0;
}

static void put_if(struct mw_json_out *o, const char *key, const char *text)
{
	if (*text)
		mw_json_text(o, key, text);
}

static void put_hex(struct mw_json_out *o, const char *key, __u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", value);
	mw_json_text(o, key, text);
}

/* What is not known is left out. */
static struct json_object *write_frame(const struct mw_frame *f)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	put_if(&o, "function", f->function);
	put_if(&o, "file", f->file);
	if (f->line)
		mw_json_u64(&o, "line", f->line);
	if (f->column)
		mw_json_u64(&o, "column", f->column);
	put_if(&o, "module", f->module);
	put_if(&o, "build_id", f->build_id);
	mw_json_u64(&o, "offset", f->offset);
	if (f->inlined)
		mw_json_bool(&o, "inlined", true);
	return mw_json_end(&o);
}

/* Takes obj and says whether it is there: a list that could not be written whole is none. */
static bool append(struct json_object *list, struct json_object *obj)
{
	if (obj && !json_object_array_add(list, obj))
		return true;
	json_object_put(obj);
	return false;
}

static struct json_object *write_place(const struct mw_symbols *s, const struct mw_place *p, __u64 pc)
{
	_cleanup_(mw_json_putp) struct json_object *frames = json_object_new_array();
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	for (size_t i = 0; frames && i < p->n; i++) {
		if (!append(frames, write_frame(&s->frames[p->first + i])))
			mw_json_putp(&frames);
	}
	put_hex(&o, "address", pc);
	mw_json_put(&o, "frames", TAKE_PTR(frames));
	return mw_json_end(&o);
}

int mw_symbols_write(const struct mw_symbols *s, const struct mw_address *pcs, char **ret_text)
{
	_cleanup_(mw_json_putp) struct json_object *places = json_object_new_array();
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	char problem[sizeof(s->problem)]; /* it names files as they are called */

	mw_utf8_take(problem, sizeof(problem), s->problem, strlen(s->problem));

	for (size_t i = 0; places && i < s->n; i++) {
		if (!append(places, write_place(s, &s->places[i], pcs[i].pc)))
			mw_json_putp(&places);
	}
	mw_json_put(&o, "addresses", TAKE_PTR(places));
	mw_json_u64(&o, "unfinished", s->unfinished);
	mw_json_u64(&o, "unread", s->unread);
	mw_json_text(&o, "problem", problem);
	return to_text(mw_json_end(&o), ret_text);
}

static struct json_object *write_module(const struct mw_module *m)
{
	char path[MW_MODULE_PATH];
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_utf8_take(path, sizeof(path), m->path, strlen(m->path));
	mw_json_u64(&o, "start", m->start);
	mw_json_u64(&o, "end", m->end);
	mw_json_u64(&o, "offset", m->offset);
	if (m->has_address)
		mw_json_u64(&o, "address", m->address);
	mw_json_u64(&o, "dev_major", m->dev_major);
	mw_json_u64(&o, "dev_minor", m->dev_minor);
	mw_json_u64(&o, "inode", m->inode);
	put_if(&o, "build_id", m->build_id);
	mw_json_bool(&o, "deleted", m->deleted);
	mw_json_text(&o, "path", path);
	return mw_json_end(&o);
}

int mw_modules_write(const struct mw_modules *m, char **ret_text)
{
	_cleanup_(mw_json_putp) struct json_object *list = json_object_new_array();
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	for (size_t i = 0; list && i < m->n; i++) {
		if (!append(list, write_module(&m->at[i])))
			mw_json_putp(&list);
	}
	mw_json_u64(&o, "pid", (__u64)m->pid);
	mw_json_u64(&o, "start_ticks", m->start_ticks);
	mw_json_u64(&o, "uid", m->uid);
	mw_json_u64(&o, "gid", m->gid);
	mw_json_put(&o, "modules", TAKE_PTR(list));
	mw_json_u64(&o, "left_out", m->left_out);
	return to_text(mw_json_end(&o), ret_text);
}

static int wrong(const char *key, struct mw_error *err)
{
	return mw_fail(err, -EPROTO, MW_SYMBOLS_PROGRAM ": \"%s\" is missing or not what it should be", key);
}

int mw_answer_parse(const char *text, size_t n, struct json_object **ret_obj, struct mw_error *err)
{
	static const int numbers[] = {ESRCH, EACCES, ETIMEDOUT, EINVAL};
	char said[200];
	__u64 number;
	int r = mw_json_parse(text, n, ret_obj, NULL), code = -EPROTO;

	if (r < 0)
		return r == -ENOMEM ? r : mw_fail(err, -EPROTO, MW_SYMBOLS_PROGRAM ": its answer is not JSON");
	if (!mw_json_member_text(*ret_obj, "error", said, sizeof(said)))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (mw_json_member_u64(*ret_obj, "errno", INT_MAX, &number) && number == (__u64)numbers[i])
			code = -numbers[i];
	}
	return mw_fail(err, code, MW_SYMBOLS_PROGRAM ": %s", said);
}

/* A member that may be missing. */
static bool text_or_none(struct json_object *obj, const char *key, char *ret, size_t size)
{
	ret[0] = '\0';
	return !json_object_object_get_ex(obj, key, NULL) || mw_json_member_text(obj, key, ret, size);
}

static bool number_or_none(struct json_object *obj, const char *key, __u64 max, __u64 *ret)
{
	*ret = 0;
	return !json_object_object_get_ex(obj, key, NULL) || mw_json_member_u64(obj, key, max, ret);
}

static int read_frame(struct json_object *obj, struct mw_symbols *s, struct mw_error *err)
{
	char function[MW_FUNCTION_TEXT], file[MW_FILE_TEXT], module[MW_FILE_TEXT], id[MW_BUILD_ID];
	struct mw_frame f = {.function = function, .file = file, .module = module, .build_id = id};
	__u64 line, column;

	if (!json_object_is_type(obj, json_type_object))
		return wrong("frames", err);
	if (!text_or_none(obj, "function", function, sizeof(function)))
		return wrong("function", err);
	if (!text_or_none(obj, "file", file, sizeof(file)))
		return wrong("file", err);
	if (!text_or_none(obj, "module", module, sizeof(module)))
		return wrong("module", err);
	if (!text_or_none(obj, "build_id", id, sizeof(id)) || (*id && !mw_build_id_valid(id)))
		return wrong("build_id", err);
	if (!number_or_none(obj, "line", UINT_MAX, &line) || !number_or_none(obj, "column", UINT_MAX, &column))
		return wrong("line", err);
	if (!mw_json_member_u64(obj, "offset", ~0ULL, &f.offset))
		return wrong("offset", err);
	f.line = (__u32)line;
	f.column = (__u32)column;
	f.inlined = json_object_get_boolean(mw_json_member(obj, "inlined", json_type_boolean));
	return mw_symbols_frame(s, &f);
}

static int read_place(struct json_object *obj, struct mw_symbols *s, struct mw_error *err)
{
	struct json_object *frames = mw_json_member(obj, "frames", json_type_array);
	size_t n = frames ? json_object_array_length(frames) : 0;
	int r = n && n <= MW_FRAMES_MAX ? mw_symbols_place(s) : wrong("frames", err);

	for (size_t i = 0; !r && i < n; i++)
		r = read_frame(json_object_array_get_idx(frames, i), s, err);
	return r;
}

static int read_symbols(struct json_object *obj, size_t n, struct mw_symbols *s, struct mw_error *err)
{
	struct json_object *places = mw_json_member(obj, "addresses", json_type_array);
	__u64 unfinished, unread;
	int r = 0;

	if (!places || json_object_array_length(places) != n)
		return wrong("addresses", err);
	if (!mw_json_member_u64(obj, "unfinished", n, &unfinished))
		return wrong("unfinished", err);
	if (!mw_json_member_u64(obj, "unread", SIZE_MAX, &unread) ||
	    !mw_json_member_text(obj, "problem", s->problem, sizeof(s->problem)))
		return wrong("problem", err);
	s->unfinished = unfinished;
	s->unread = unread;
	for (size_t i = 0; !r && i < n; i++)
		r = read_place(json_object_array_get_idx(places, i), s, err);
	return r;
}

int mw_symbols_read(const char *text, size_t text_n, size_t n, struct mw_symbols *ret_symbols, struct mw_error *err)
{
	_cleanup_(mw_json_putp) struct json_object *obj = NULL;
	struct mw_symbols s = {0};
	int r = mw_answer_parse(text, text_n, &obj, err);

	if (!r)
		r = read_symbols(obj, n, &s, err);
	if (r)
		mw_symbols_free(&s);
	else
		*ret_symbols = s;
	return r;
}

static int read_module(struct json_object *obj, struct mw_modules *list, struct mw_error *err)
{
	char path[MW_MODULE_PATH];
	struct mw_module m = {0};
	__u64 major, minor;
	int r;

	if (!mw_json_member_u64(obj, "start", ~0ULL, &m.start) || !mw_json_member_u64(obj, "end", ~0ULL, &m.end) ||
	    !mw_json_member_u64(obj, "offset", ~0ULL, &m.offset) || !number_or_none(obj, "address", ~0ULL, &m.address))
		return wrong("start", err);
	if (!mw_json_member_u64(obj, "dev_major", UINT_MAX, &major) ||
	    !mw_json_member_u64(obj, "dev_minor", UINT_MAX, &minor) ||
	    !mw_json_member_u64(obj, "inode", ~0ULL, &m.inode))
		return wrong("inode", err);
	if (!text_or_none(obj, "build_id", m.build_id, sizeof(m.build_id)) ||
	    (*m.build_id && !mw_build_id_valid(m.build_id)))
		return wrong("build_id", err);
	if (!mw_json_member_text(obj, "path", path, sizeof(path)))
		return wrong("path", err);
	m.has_address = json_object_object_get_ex(obj, "address", NULL);
	m.dev_major = (__u32)major;
	m.dev_minor = (__u32)minor;
	m.deleted = json_object_get_boolean(mw_json_member(obj, "deleted", json_type_boolean));
	r = mw_modules_add(list, &m, path, strlen(path));
	return r == -EINVAL ? wrong("start", err) : r;
}

static int read_modules(struct json_object *obj, struct mw_modules *m, struct mw_error *err)
{
	struct json_object *list = mw_json_member(obj, "modules", json_type_array);
	__u64 pid, uid, gid, left_out;
	int r = 0;

	if (!list || json_object_array_length(list) > MW_MODULES_MAX)
		return wrong("modules", err);
	if (!mw_json_member_u64(obj, "pid", INT_MAX, &pid) ||
	    !mw_json_member_u64(obj, "start_ticks", ~0ULL, &m->start_ticks) ||
	    !mw_json_member_u64(obj, "uid", UINT_MAX, &uid) || !mw_json_member_u64(obj, "gid", UINT_MAX, &gid) ||
	    !mw_json_member_u64(obj, "left_out", SIZE_MAX, &left_out))
		return wrong("pid", err);
	m->pid = (pid_t)pid;
	m->uid = (uid_t)uid;
	m->gid = (gid_t)gid;
	m->left_out = left_out;
	for (size_t i = 0; !r && i < json_object_array_length(list); i++)
		r = read_module(json_object_array_get_idx(list, i), m, err);
	return r;
}

int mw_modules_read(const char *text, size_t text_n, struct mw_modules *ret_modules, struct mw_error *err)
{
	_cleanup_(mw_json_putp) struct json_object *obj = NULL;
	struct mw_modules m = {0};
	int r = mw_answer_parse(text, text_n, &obj, err);

	if (!r)
		r = read_modules(obj, &m, err);
	if (r)
		mw_modules_free(&m);
	else
		*ret_modules = m;
	return r;
}
