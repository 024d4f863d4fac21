// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* YAML told as JSON's tokens, as it comes: libyaml's events, aliases resolved. */
#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "lib/spec_anchors.h"
#include "lib/spec_input.h"
#include "lib/spec_scalar.h"
#include "util/cleanup.h"

struct level {
	bool is_map, key_next;
	uint32_t anchor; /* of the collection, or MW_YAML_NO_ANCHOR */
};

struct yaml {
	yaml_parser_t parser;
	yaml_event_t event;
	struct mw_spec_input *input;
	struct mw_strip *strip;
	struct mw_yaml_anchors anchors;
	uint64_t expanded; /* bytes aliases have made, roughly as JSON */
	int read_rc;
	int documents;
	size_t depth;
	struct level levels[MW_SPEC_DEPTH];
	struct mw_seen keys[MW_SPEC_DEPTH]; /* of the mapping at that level */
};

static int fail(struct yaml *y, int code, const char *what)
{
	return mw_spec_fail(&y->strip->error, code, "%s", what);
}

static int on_read(void *data, unsigned char *buffer, size_t size, size_t *ret_size)
{
	struct yaml *y = data;
	struct mw_spec_input *in = y->input;

	y->read_rc = mw_spec_input_fill(in, &y->strip->error);
	if (y->read_rc)
		return 0;
	size = size < in->len - in->at ? size : in->len - in->at;
	if (size)
		memcpy(buffer, in->bytes + in->at, size);
	in->at += size;
	*ret_size = size;
	return 1;
}

static int part(struct yaml *y, unsigned int token, unsigned int flags, const char *text, size_t len)
{
	const struct mw_json_event e = {.token = token, .flags = flags, .text = text, .length = len};

	return mw_strip_event(y->strip, &e);
}

/* A key or string, in parts of some KB. */
static int tell_text(struct yaml *y, unsigned int token, const char *text, size_t len)
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

static int tell_key(struct yaml *y, unsigned int token, const char *text, size_t len)
{
	bool is_new = false;

	if (token < MW_JSON_STRING)
		return fail(y, -EBADMSG, "a mapping or list as a key, where JSON has text");
	if (!mw_seen_put(&y->keys[y->depth - 1], mw_seen_hash(text, len), &is_new))
		return fail(y, -E2BIG, "more keys in a mapping than are read");
	if (!is_new)
		return mw_spec_fail(&y->strip->error, -EBADMSG, "the key %.*s is there twice",
				    len < 100 ? (int)len : 100, text);
	y->levels[y->depth - 1].key_next = false;
	return tell_text(y, MW_JSON_KEY, text, len);
}

static int tell_begin(struct yaml *y, unsigned int token, uint32_t anchor)
{
	bool is_map = token == MW_JSON_OBJECT_BEGIN;

	if (y->depth == MW_SPEC_DEPTH)
		return mw_spec_fail(&y->strip->error, -E2BIG, "nested deeper than %d", MW_SPEC_DEPTH);
	mw_seen_clear(&y->keys[y->depth]);
	y->levels[y->depth++] = (struct level){.is_map = is_map, .key_next = is_map, .anchor = anchor};
	return part(y, token, MW_JSON_FIRST | MW_JSON_LAST, is_map ? "{" : "[", 1);
}

static int tell_end(struct yaml *y)
{
	bool is_map = y->levels[--y->depth].is_map;

	return part(y, is_map ? MW_JSON_OBJECT_END : MW_JSON_ARRAY_END, MW_JSON_FIRST | MW_JSON_LAST,
		    is_map ? "}" : "]", 1);
}

static bool key_is_next(const struct yaml *y)
{
	return y->depth && y->levels[y->depth - 1].is_map && y->levels[y->depth - 1].key_next;
}

/* One token, a key where one is next. */
static int tell(struct yaml *y, unsigned int token, const char *text, size_t len, uint32_t anchor)
{
	if (token == MW_JSON_OBJECT_END || token == MW_JSON_ARRAY_END)
		return tell_end(y);
	if (key_is_next(y))
		return tell_key(y, token, text, len);
	if (y->depth)
		y->levels[y->depth - 1].key_next = true;
	if (token == MW_JSON_OBJECT_BEGIN || token == MW_JSON_ARRAY_BEGIN)
		return tell_begin(y, token, anchor);
	if (token == MW_JSON_STRING)
		return tell_text(y, token, text, len);
	return part(y, token, MW_JSON_FIRST | MW_JSON_LAST, text, len);
}

/* What an anchor stands for, once more. The depth of it bounds how often this calls itself. */
static int expand(struct yaml *y, uint32_t number)
{
	const struct mw_yaml_anchor *anchor = mw_yaml_anchor_at(&y->anchors, number);
	size_t at = anchor->begin, end = anchor->end;
	int r = 0;

	while (!r && at < end) {
		const char *text;
		size_t len;
		unsigned int token = mw_yaml_kept(&y->anchors, &at, &text, &len);

		if (token == MW_YAML_ALIAS) {
			r = expand(y, (uint32_t)len);
			continue;
		}
		y->expanded += len + 2;
		if (y->expanded > y->input->max_bytes)
			return mw_spec_fail(&y->strip->error, -EFBIG, "aliases make more than %llu bytes of it",
					    (unsigned long long)y->input->max_bytes);
		r = tell(y, token, text, len, MW_YAML_NO_ANCHOR);
	}
	return r;
}

static int keep(struct yaml *y, unsigned int token, const char *text, size_t len)
{
	int r = mw_yaml_keep(&y->anchors, token, text, len);

	return r == -E2BIG ? fail(y, r, "anchors name more than 16 MB of it") : r;
}

static int on_alias(struct yaml *y)
{
	const char *name = (const char *)y->event.data.alias.anchor;
	uint32_t number;
	const struct mw_yaml_anchor *anchor = mw_yaml_anchor_find(&y->anchors, name, &number);
	int r;

	if (!anchor)
		return mw_spec_fail(&y->strip->error, -EBADMSG, "no anchor for the alias *%.100s", name);
	if (anchor->open)
		return mw_spec_fail(&y->strip->error, -EBADMSG, "the alias *%.100s within what it stands for", name);
	r = keep(y, MW_YAML_ALIAS, NULL, number);
	return r ? r : expand(y, number);
}

static int begin_anchor(struct yaml *y, const yaml_char_t *name, uint32_t *ret_number)
{
	int64_t number = name ? mw_yaml_anchor_begin(&y->anchors, (const char *)name) : MW_YAML_NO_ANCHOR;

	if (number == -E2BIG)
		return fail(y, -E2BIG, "more anchors than are read");
	if (number < 0)
		return (int)number;
	*ret_number = (uint32_t)number;
	return 0;
}

static int on_scalar(struct yaml *y)
{
	const char *text = (const char *)y->event.data.scalar.value, *why;
	size_t len = y->event.data.scalar.length;
	bool plain = y->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	struct mw_yaml_value value = {.token = MW_JSON_STRING, .text = text, .len = len};
	uint32_t anchor = MW_YAML_NO_ANCHOR;
	int r;

	if (key_is_next(y)) {
		if (plain && len == 2 && memcmp(text, "<<", 2) == 0)
			return fail(y, -EBADMSG, "<< merges in YAML 1.1 only: the keys must be written out");
	} else if (mw_yaml_scalar(text, len, plain, (const char *)y->event.data.scalar.tag, &value, &why) < 0) {
		return fail(y, -EBADMSG, why);
	}
	r = begin_anchor(y, y->event.data.scalar.anchor, &anchor);
	r = r ? r : keep(y, value.token, value.text, value.len);
	if (!r && anchor != MW_YAML_NO_ANCHOR)
		mw_yaml_anchor_end(&y->anchors, anchor);
	return r ? r : tell(y, value.token, value.text, value.len, MW_YAML_NO_ANCHOR);
}

static int on_begin(struct yaml *y, unsigned int token, const yaml_char_t *name, const yaml_char_t *tag)
{
	const char *own = token == MW_JSON_OBJECT_BEGIN ? YAML_MAP_TAG : YAML_SEQ_TAG;
	uint32_t anchor = MW_YAML_NO_ANCHOR;
	int r;

	if (tag && strcmp((const char *)tag, own) != 0 && strcmp((const char *)tag, "!") != 0)
		return fail(y, -EBADMSG, "a collection with a tag, for which JSON has no word");
	r = begin_anchor(y, name, &anchor);
	r = r ? r : keep(y, token, "", 0);
	return r ? r : tell(y, token, "", 0, anchor);
}

static int on_end(struct yaml *y, unsigned int token)
{
	uint32_t anchor = y->levels[y->depth - 1].anchor;
	int r = keep(y, token, "", 0);

	if (!r && anchor != MW_YAML_NO_ANCHOR)
		mw_yaml_anchor_end(&y->anchors, anchor);
	return r ? r : tell(y, token, "", 0, MW_YAML_NO_ANCHOR);
}

static int on_event(struct yaml *y)
{
	const yaml_event_t *e = &y->event;

	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return y->documents++ ? fail(y, -EBADMSG, "a second document, where one is expected") : 0;
	case YAML_ALIAS_EVENT:
		return on_alias(y);
	case YAML_SCALAR_EVENT:
		return on_scalar(y);
	case YAML_SEQUENCE_START_EVENT:
		return on_begin(y, MW_JSON_ARRAY_BEGIN, e->data.sequence_start.anchor, e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return on_begin(y, MW_JSON_OBJECT_BEGIN, e->data.mapping_start.anchor, e->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
		return on_end(y, MW_JSON_ARRAY_END);
	case YAML_MAPPING_END_EVENT:
		return on_end(y, MW_JSON_OBJECT_END);
	default:
		return 0;
	}
}

static void place(struct yaml *y, yaml_mark_t mark)
{
	struct memweir_spec_error *error = &y->strip->error;

	error->byte = mark.index;
	error->line = mark.line + 1;
	error->column = mark.column + 1;
}

static int parse_failed(struct yaml *y)
{
	const yaml_parser_t *p = &y->parser;

	if (y->read_rc)
		return y->read_rc;
	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	place(y, p->error == YAML_READER_ERROR ? p->mark : p->problem_mark);
	return mw_spec_fail(&y->strip->error, -EBADMSG, "no YAML here: %s%s%s", p->problem ? p->problem : "unreadable",
			    p->context ? " " : "", p->context ? p->context : "");
}

static int all_events(struct yaml *y)
{
	bool ended = false;
	int r = 0;

	while (!r && !ended) {
		if (!yaml_parser_parse(&y->parser, &y->event))
			return parse_failed(y);
		ended = y->event.type == YAML_STREAM_END_EVENT;
		r = on_event(y);
		if (r)
			place(y, y->event.start_mark);
		yaml_event_delete(&y->event);
	}
	return r;
}

static void free_yaml(struct yaml **at)
{
	struct yaml *y = *at;

	if (!y)
		return;
	yaml_parser_delete(&y->parser);
	mw_yaml_anchors_free(&y->anchors);
	for (size_t i = 0; i < MW_SPEC_DEPTH; i++)
		mw_seen_free(&y->keys[i]);
	free(y);
}

int mw_spec_read_yaml(struct mw_spec_input *in, struct mw_strip *s)
{
	_cleanup_(free_yaml) struct yaml *y = calloc(1, sizeof(*y));

	if (!y || !yaml_parser_initialize(&y->parser))
		return -ENOMEM;
	y->input = in;
	y->strip = s;
	yaml_parser_set_input(&y->parser, on_read, y);
	return all_events(y);
}
