// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "lib/spec_yaml.h"

#define MERGES_MAX 64 /* << of a mapping that has << itself */

int mw_yaml_fail(struct mw_yaml *y, int code, const char *what)
{
	return mw_spec_fail(&y->strip->error, code, "%s", what);
}

static int part(struct mw_yaml *y, unsigned int token, unsigned int flags, const char *text, size_t len)
{
	const struct mw_json_event e = {.token = token, .flags = flags, .text = text, .length = len};

	return mw_strip_event(y->strip, &e);
}

/* A key or string, in parts of some KB. */
static int tell_text(struct mw_yaml *y, unsigned int token, const char *text, size_t len)
{
	unsigned int flags = MW_JSON_FIRST;
	char escaped[4096];
	size_t n = 1, used, more;

	if (y->strip->skipped)
		return 0;
	escaped[0] = '"';
	for (;;) {
		int r;

		more = mw_spec_escape(text, len, escaped + n, sizeof(escaped) - 1 - n, &used);
		if (more != used)
			flags |= MW_JSON_ESCAPED;
		n += more;
		text += used;
		len -= used;
		if (!len)
			break;
		r = part(y, token, flags, escaped, n);
		if (r)
			return r;
		flags &= ~(unsigned int)MW_JSON_FIRST;
		n = 0;
	}
	escaped[n++] = '"';
	return part(y, token, flags | MW_JSON_LAST, escaped, n);
}

static int tell_key(struct mw_yaml *y, unsigned int token, const char *text, size_t len)
{
	bool is_new = false;

	if (token < MW_JSON_STRING)
		return mw_yaml_fail(y, -EBADMSG, "a mapping or list as a key, where JSON has text");
	if (!mw_seen_put(&mw_yaml_top(y)->keys, mw_seen_hash(text, len), &is_new))
		return mw_yaml_fail(y, -E2BIG, "more keys in a mapping than are read");
	if (!is_new)
		return mw_spec_fail(&y->strip->error, -EBADMSG, "the key %.*s is there twice",
				    len < 100 ? (int)len : 100, text);
	mw_yaml_top(y)->key_next = false;
	return tell_text(y, MW_JSON_KEY, text, len);
}

static int tell_begin(struct mw_yaml *y, unsigned int token, uint32_t anchor)
{
	bool is_map = token == MW_JSON_OBJECT_BEGIN;
	struct mw_yaml_level *level;

	if (y->depth == MW_SPEC_DEPTH)
		return mw_spec_fail(&y->strip->error, -E2BIG, "nested deeper than %d", MW_SPEC_DEPTH);
	level = &y->levels[y->depth++];
	mw_seen_clear(&level->keys);
	level->merges.len = 0;
	level->is_map = level->key_next = is_map;
	level->merge = MW_YAML_NO_MERGE;
	level->anchor = anchor;
	return part(y, token, MW_JSON_FIRST | MW_JSON_LAST, is_map ? "{" : "[", 1);
}

static int tell_end(struct mw_yaml *y)
{
	bool is_map = y->levels[--y->depth].is_map;

	return part(y, is_map ? MW_JSON_OBJECT_END : MW_JSON_ARRAY_END, MW_JSON_FIRST | MW_JSON_LAST,
		    is_map ? "}" : "]", 1);
}

/* One token, a key where one is next. */
int mw_yaml_tell(struct mw_yaml *y, unsigned int token, const char *text, size_t len, uint32_t anchor)
{
	if (token == MW_JSON_OBJECT_END || token == MW_JSON_ARRAY_END)
		return tell_end(y);
	if (mw_yaml_key_is_next(y))
		return tell_key(y, token, text, len);
	if (y->depth)
		mw_yaml_top(y)->key_next = true;
	if (token == MW_JSON_OBJECT_BEGIN || token == MW_JSON_ARRAY_BEGIN)
		return tell_begin(y, token, anchor);
	if (token == MW_JSON_STRING)
		return tell_text(y, token, text, len);
	return part(y, token, MW_JSON_FIRST | MW_JSON_LAST, text, len);
}

/* What stands behind an anchor costs as much as it would written out. */
static int count(struct mw_yaml *y, size_t len)
{
	y->expanded += len + 2;
	if (y->expanded <= y->input->max_bytes)
		return 0;
	return mw_spec_fail(&y->strip->error, -EFBIG, "aliases make more than %llu bytes of it",
			    (unsigned long long)y->input->max_bytes);
}

/* The tokens kept from *at on: all until end, or with one the first node alone. The depth of what they stand for bounds
 * how often this calls itself. */
static int replay(struct mw_yaml *y, size_t *at, size_t end, bool one)
{
	int r = 0, depth = 0;

	while (!r && *at < end) {
		const char *text;
		size_t len;
		unsigned int token = mw_yaml_kept(&y->anchors, at, &text, &len);

		if (token == MW_YAML_ALIAS)
			r = mw_yaml_expand(y, (uint32_t)len);
		else if (token == MW_YAML_MERGED)
			r = mw_yaml_merge(y, (uint32_t)len);
		else if (!(r = count(y, len)))
			r = mw_yaml_tell(y, token, text, len, MW_YAML_NO_ANCHOR);
		depth += token == MW_JSON_OBJECT_BEGIN || token == MW_JSON_ARRAY_BEGIN;
		depth -= token == MW_JSON_OBJECT_END || token == MW_JSON_ARRAY_END;
		if (one && depth == 0)
			break;
	}
	return r;
}

int mw_yaml_expand(struct mw_yaml *y, uint32_t number)
{
	const struct mw_yaml_anchor *anchor = mw_yaml_anchor_at(&y->anchors, number);
	size_t at = anchor->begin, end = anchor->end;

	return replay(y, &at, end, false);
}

/* Past the node at *at. */
static int pass(struct mw_yaml *y, size_t *at)
{
	int r = 0, depth = 0;

	do {
		const char *text;
		size_t len;
		unsigned int token = mw_yaml_kept(&y->anchors, at, &text, &len);

		r = count(y, token >= MW_YAML_ALIAS ? 0 : len);
		depth += token == MW_JSON_OBJECT_BEGIN || token == MW_JSON_ARRAY_BEGIN;
		depth -= token == MW_JSON_OBJECT_END || token == MW_JSON_ARRAY_END;
	} while (!r && depth);
	return r;
}

/* One key of a mapping that is kept, or what it merges itself; *ret_more: false at its end. */
static int merge_one(struct mw_yaml *y, size_t *at, size_t end, bool *ret_more)
{
	size_t key_at = *at, len;
	const char *text;
	unsigned int token = mw_yaml_kept(&y->anchors, at, &text, &len);
	int r = count(y, 0);

	*ret_more = token != MW_JSON_OBJECT_END;
	if (r || !*ret_more)
		return r;
	if (token == MW_YAML_MERGED)
		return mw_yaml_merge(y, (uint32_t)len);
	if (token == MW_YAML_ALIAS) {
		size_t to = mw_yaml_anchor_at(&y->anchors, (uint32_t)len)->begin;

		mw_yaml_kept(&y->anchors, &to, &text, &len);
	}
	if (mw_seen_get(&mw_yaml_top(y)->keys, mw_seen_hash(text, len)))
		return pass(y, at);
	r = replay(y, &key_at, end, true);
	return r ? r : replay(y, at, end, true);
}

int mw_yaml_merge(struct mw_yaml *y, uint32_t number)
{
	const struct mw_yaml_anchor *anchor = mw_yaml_anchor_at(&y->anchors, number);
	size_t at = anchor->begin, end = anchor->end, len;
	const char *text;
	bool more = true;
	int r = 0;

	if (mw_yaml_kept(&y->anchors, &at, &text, &len) != MW_JSON_OBJECT_BEGIN)
		return mw_yaml_fail(y, -EBADMSG, "an alias of something else than a mapping after <<");
	if (++y->merging > MERGES_MAX)
		return mw_spec_fail(&y->strip->error, -E2BIG, "<< merges more than %d deep", MERGES_MAX);
	while (!r && more)
		r = merge_one(y, &at, end, &more);
	y->merging--;
	return r;
}
