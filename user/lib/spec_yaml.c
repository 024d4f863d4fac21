// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* YAML told as JSON's tokens, as it comes: libyaml's events, aliases resolved. */
#include "lib/spec_yaml.h"

#include <errno.h>
#include <string.h>

#include "lib/spec_scalar.h"
#include "util/cleanup.h"

static int on_read(void *data, unsigned char *buffer, size_t size, size_t *ret_size)
{
	struct mw_yaml *y = data;
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

static int keep(struct mw_yaml *y, unsigned int token, const char *text, size_t len)
{
	int r = mw_yaml_keep(&y->anchors, token, text, len);

	return r == -E2BIG ? mw_yaml_fail(y, r, "anchors name more than 16 MB of it") : r;
}

/* The mapping has its own keys first: what << names is told at its end. */
static int note_merge(struct mw_yaml *y, uint32_t number)
{
	struct mw_yaml_level *level = mw_yaml_top(y);

	if (level->merge == MW_YAML_MERGE)
		level->merge = MW_YAML_NO_MERGE;
	return mw_spec_bytes_add(&level->merges, (const char *)&number, sizeof(number));
}

static int on_alias(struct mw_yaml *y)
{
	const char *name = (const char *)y->event.data.alias.anchor;
	uint32_t number;
	const struct mw_yaml_anchor *anchor = mw_yaml_anchor_find(&y->anchors, name, &number);
	int r;

	if (!anchor)
		return mw_spec_fail(&y->strip->error, -EBADMSG, "no anchor for the alias *%.100s", name);
	if (anchor->open)
		return mw_spec_fail(&y->strip->error, -EBADMSG, "the alias *%.100s within what it stands for", name);
	if (y->depth && mw_yaml_top(y)->merge)
		return note_merge(y, number);
	r = keep(y, MW_YAML_ALIAS, NULL, number);
	return r ? r : mw_yaml_expand(y, number);
}

static int begin_anchor(struct mw_yaml *y, const yaml_char_t *name, uint32_t *ret_number)
{
	int64_t number = name ? mw_yaml_anchor_begin(&y->anchors, (const char *)name) : MW_YAML_NO_ANCHOR;

	if (number == -E2BIG)
		return mw_yaml_fail(y, -E2BIG, "more anchors than are read");
	if (number < 0)
		return (int)number;
	*ret_number = (uint32_t)number;
	return 0;
}

/* After <<: where only an alias or a list of them can stand. */
static bool merge_is_next(struct mw_yaml *y)
{
	return y->depth && mw_yaml_top(y)->merge;
}

static int not_merged(struct mw_yaml *y)
{
	return mw_yaml_fail(y, -EBADMSG, "after << expected an alias of a mapping, or a list of them");
}

static int on_scalar(struct mw_yaml *y)
{
	const char *text = (const char *)y->event.data.scalar.value, *why;
	size_t len = y->event.data.scalar.length;
	bool plain = y->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	struct mw_yaml_value value = {.token = MW_JSON_STRING, .text = text, .len = len};
	uint32_t anchor = MW_YAML_NO_ANCHOR;
	int r;

	if (merge_is_next(y))
		return not_merged(y);
	if (mw_yaml_key_is_next(y)) {
		if (plain && len == 2 && memcmp(text, "<<", 2) == 0) {
			mw_yaml_top(y)->merge = MW_YAML_MERGE;
			return 0;
		}
	} else if (mw_yaml_scalar(text, len, plain, (const char *)y->event.data.scalar.tag, &value, &why) < 0) {
		return mw_yaml_fail(y, -EBADMSG, why);
	}
	r = begin_anchor(y, y->event.data.scalar.anchor, &anchor);
	r = r ? r : keep(y, value.token, value.text, value.len);
	if (!r && anchor != MW_YAML_NO_ANCHOR)
		mw_yaml_anchor_end(&y->anchors, anchor);
	return r ? r : mw_yaml_tell(y, value.token, value.text, value.len, MW_YAML_NO_ANCHOR);
}

static int on_begin(struct mw_yaml *y, unsigned int token, const yaml_char_t *name, const yaml_char_t *tag)
{
	const char *own = token == MW_JSON_OBJECT_BEGIN ? YAML_MAP_TAG : YAML_SEQ_TAG;
	uint32_t anchor = MW_YAML_NO_ANCHOR;
	int r;

	if (merge_is_next(y)) {
		if (token != MW_JSON_ARRAY_BEGIN || mw_yaml_top(y)->merge != MW_YAML_MERGE)
			return not_merged(y);
		mw_yaml_top(y)->merge = MW_YAML_MERGE_LIST;
		return 0;
	}
	if (tag && strcmp((const char *)tag, own) != 0 && strcmp((const char *)tag, "!") != 0)
		return mw_yaml_fail(y, -EBADMSG, "a collection with a tag, for which JSON has no word");
	r = begin_anchor(y, name, &anchor);
	r = r ? r : keep(y, token, "", 0);
	return r ? r : mw_yaml_tell(y, token, "", 0, anchor);
}

/* What << of the mapping that ends here names; each is kept as one token, for who merges this mapping. */
static int merge_all(struct mw_yaml *y)
{
	struct mw_spec_bytes *merges = &mw_yaml_top(y)->merges;
	int r = 0;

	for (size_t at = 0; !r && at < merges->len; at += sizeof(uint32_t)) {
		uint32_t number;

		memcpy(&number, merges->at + at, sizeof(number));
		r = keep(y, MW_YAML_MERGED, NULL, number);
		r = r ? r : mw_yaml_merge(y, number);
	}
	return r;
}

static int on_end(struct mw_yaml *y, unsigned int token)
{
	uint32_t anchor = mw_yaml_top(y)->anchor;
	int r;

	if (mw_yaml_top(y)->merge) {
		mw_yaml_top(y)->merge = MW_YAML_NO_MERGE;
		return 0;
	}
	r = merge_all(y);
	r = r ? r : keep(y, token, "", 0);
	if (!r && anchor != MW_YAML_NO_ANCHOR)
		mw_yaml_anchor_end(&y->anchors, anchor);
	return r ? r : mw_yaml_tell(y, token, "", 0, MW_YAML_NO_ANCHOR);
}

static int on_event(struct mw_yaml *y)
{
	const yaml_event_t *e = &y->event;

	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return y->documents++ ? mw_yaml_fail(y, -EBADMSG, "a second document, where one is expected") : 0;
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

static void place(struct mw_yaml *y, yaml_mark_t mark)
{
	struct memweir_spec_error *error = &y->strip->error;

	error->byte = mark.index;
	error->line = mark.line + 1;
	error->column = mark.column + 1;
}

static int parse_failed(struct mw_yaml *y)
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

static int all_events(struct mw_yaml *y)
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

static void free_yaml(struct mw_yaml **at)
{
	struct mw_yaml *y = *at;

	if (!y)
		return;
	yaml_parser_delete(&y->parser);
	mw_yaml_anchors_free(&y->anchors);
	for (size_t i = 0; i < MW_SPEC_DEPTH; i++) {
		mw_seen_free(&y->levels[i].keys);
		free(y->levels[i].merges.at);
	}
	free(y);
}

int mw_spec_read_yaml(struct mw_spec_input *in, struct mw_strip *s)
{
	_cleanup_(free_yaml) struct mw_yaml *y = calloc(1, sizeof(*y));

	if (!y || !yaml_parser_initialize(&y->parser))
		return -ENOMEM;
	y->input = in;
	y->strip = s;
	yaml_parser_set_input(&y->parser, on_read, y);
	return all_events(y);
}
