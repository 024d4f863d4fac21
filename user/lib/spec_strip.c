// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/spec_strip.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mw_spec_fail(struct memweir_spec_error *error, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, ap);
	va_end(ap);
	return code;
}

int mw_spec_bytes_add(struct mw_spec_bytes *b, const char *bytes, size_t count)
{
	if (count > b->room - b->len) {
		size_t room = (b->len + count) * 2 > 256 ? (b->len + count) * 2 : 256;
		char *grown = realloc(b->at, room);

		if (!grown)
			return -ENOMEM;
		b->at = grown;
		b->room = room;
	}
	if (count)
		memcpy(b->at + b->len, bytes, count);
	b->len += count;
	return 0;
}

int mw_strip_init(struct mw_strip *s, const struct memweir_spec_options *options,
		  int (*write)(void *arg, const void *bytes, size_t count), void *arg)
{
	int32_t chars = options->description_chars ? options->description_chars : (int32_t)MEMWEIR_SPEC_TEXT_CHARS;

	if (chars > MW_SPEC_CHARS_MAX)
		return -EINVAL;
	memset(s, 0, sizeof(*s));
	s->out.write = write;
	s->out.arg = arg;
	s->keep_extensions = s->keep.extensions_stay = options->keep_extensions;
	return mw_short_text_init(&s->text, chars < 0 ? 0 : (uint32_t)chars);
}

void mw_strip_free(struct mw_strip *s)
{
	mw_spec_keep_free(&s->keep);
	mw_short_text_free(&s->text);
	free(s->key.at);
	free(s->decoded.at);
	free(s->path.at);
	free(s->reference.at);
}

void mw_strip_restart(struct mw_strip *s)
{
	s->stats = (struct memweir_spec_stats){0};
	s->out.len = 0;
	s->out.total = 0;
	s->is_openapi = s->must_again = false;
	s->tracks_path = s->keep.n > 0;
	s->depth = s->skipped = 0;
	s->key.len = s->path.len = 0;
}

static struct mw_spec_frame *top(struct mw_strip *s)
{
	return &s->frames[s->depth - 1];
}

static int put(struct mw_strip *s, const char *bytes, size_t count)
{
	return mw_spec_out_put(&s->out, bytes, count);
}

/* What stands before a value: a comma, its key. */
static int put_lead(struct mw_strip *s)
{
	struct mw_spec_frame *f;
	int r;

	if (!s->depth)
		return 0;
	f = top(s);
	r = f->any ? put(s, ",", 1) : 0;
	f->any = true;
	if (r || f->is_array)
		return r;
	r = put(s, s->key.at, s->key.len);
	return r ? r : put(s, ":", 1);
}

/* One more step of the path, "/key" with ~ and / escaped: only while there is something to keep. */
static int path_to_key(struct mw_strip *s, const char *key, size_t len)
{
	int r;

	s->path.len = top(s)->path_len;
	r = mw_spec_bytes_add(&s->path, "/", 1);
	for (size_t i = 0; !r && i < len; i++)
		r = key[i] == '~'   ? mw_spec_bytes_add(&s->path, "~0", 2)
		    : key[i] == '/' ? mw_spec_bytes_add(&s->path, "~1", 2)
				    : mw_spec_bytes_add(&s->path, key + i, 1);
	return r;
}

static int key_end(struct mw_strip *s, bool escaped)
{
	const char *key = s->key.at + 1;
	size_t len = s->key.len - 2;
	int r;

	if (escaped) {
		s->decoded.len = 0;
		r = mw_spec_bytes_add(&s->decoded, key, len);
		if (r)
			return r;
		key = s->decoded.at;
		len = mw_spec_unescape(key, len, s->decoded.at);
	}
	s->key_place = mw_spec_at_key(top(s)->place, key, len);
	/* Whatever has a $ref in place of itself. */
	if (len == 4 && memcmp(key, "$ref", 4) == 0 && (s->key_place & ~MW_SPEC_MAP_BITS) >= MW_SPEC_ROOT)
		s->key_place = MW_SPEC_REFERENCE;
	if (s->depth == 1 && len == 7 && (memcmp(key, "openapi", 7) == 0 || memcmp(key, "swagger", 7) == 0))
		s->is_openapi = true;
	return s->tracks_path ? path_to_key(s, key, len) : 0;
}

static int key_part(struct mw_strip *s, const struct mw_json_event *e)
{
	int r;

	if (e->flags & MW_JSON_FIRST)
		s->key.len = 0;
	if (s->key.len + e->length > MW_SPEC_KEY_BYTES)
		return mw_spec_fail(&s->error, -E2BIG, "a key of more than %d bytes", MW_SPEC_KEY_BYTES);
	r = mw_spec_bytes_add(&s->key, e->text, e->length);
	return r || !(e->flags & MW_JSON_LAST) ? r : key_end(s, e->flags & MW_JSON_ESCAPED);
}

static void count_left_out(struct mw_strip *s, mw_spec_place place)
{
	if (place == MW_SPEC_EXAMPLE)
		s->stats.examples++;
	else if (place == MW_SPEC_METADATA)
		s->stats.metadata++;
	else
		s->stats.extensions++;
}

/* A reference points here, or below. */
static bool stays(struct mw_strip *s)
{
	if (!s->tracks_path || !mw_spec_keep_has(&s->keep, s->path.at, s->path.len))
		return false;
	s->stats.kept++;
	return true;
}

/* Where the value that begins is; *ret_skip: and it is left out. */
static int value_place(struct mw_strip *s, mw_spec_place *ret_place, bool *ret_skip)
{
	mw_spec_place place = MW_SPEC_ROOT;
	int r = 0;

	if (s->depth) {
		struct mw_spec_frame *f = top(s);

		place = f->is_array ? mw_spec_at_element(f->place) : s->key_place;
		if (f->is_array && s->tracks_path) {
			char index[24];

			r = path_to_key(s, index,
					(size_t)snprintf(index, sizeof(index), "%llu", (unsigned long long)f->index));
		}
		f->index++;
	}
	*ret_skip = !r && mw_spec_left_out(place, s->keep_extensions) && !stays(s);
	if (*ret_skip)
		count_left_out(s, place);
	*ret_place = place;
	return r;
}

static int begin(struct mw_strip *s, const struct mw_json_event *e)
{
	bool is_array = e->token == MW_JSON_ARRAY_BEGIN, skip;
	mw_spec_place place;
	int r;

	if (!s->depth && is_array)
		return mw_spec_fail(&s->error, -ENOMSG, "an array, where an OpenAPI document is an object");
	if (s->depth == MW_SPEC_DEPTH)
		return mw_spec_fail(&s->error, -E2BIG, "nested deeper than %d", MW_SPEC_DEPTH);
	r = value_place(s, &place, &skip);
	if (r)
		return r;
	if (skip) {
		s->skipped = 1;
		return 0;
	}
	r = put_lead(s);
	if (r)
		return r;
	/* An array where a map of names should be, a text that is none: whatever it is, it stays. */
	if ((place & ~MW_SPEC_MAP_BITS) < MW_SPEC_ROOT && !(place & MW_SPEC_MAP_BITS))
		place = MW_SPEC_DATA;
	s->frames[s->depth++] = (struct mw_spec_frame){.place = place, .is_array = is_array, .path_len = s->path.len};
	return put(s, e->text, 1);
}

static int end(struct mw_strip *s, const struct mw_json_event *e)
{
	s->path.len = top(s)->path_len;
	s->depth--;
	return put(s, e->text, 1);
}

static int skip(struct mw_strip *s, const struct mw_json_event *e)
{
	if (e->token == MW_JSON_OBJECT_BEGIN || e->token == MW_JSON_ARRAY_BEGIN)
		s->skipped++;
	else if (e->token == MW_JSON_OBJECT_END || e->token == MW_JSON_ARRAY_END)
		s->skipped--;
	return 0;
}

/* How a value that is no container goes on; its lead is written where it stays. */
static int scalar_begin(struct mw_strip *s, const struct mw_json_event *e)
{
	mw_spec_place place;
	bool left_out;
	int r;

	if (!s->depth)
		return mw_spec_fail(&s->error, -ENOMSG, "a value alone, where an OpenAPI document is an object");
	r = value_place(s, &place, &left_out);
	if (r)
		return r;
	s->mode = MW_STRIP_WRITE;
	if (e->token == MW_JSON_STRING && (place == MW_SPEC_TEXT || place == MW_SPEC_NEEDED_TEXT)) {
		s->mode = MW_STRIP_SHORTEN;
		mw_short_text_reset(&s->text);
		left_out = place == MW_SPEC_TEXT && !s->text.max;
		s->stats.texts += left_out;
	} else if (e->token == MW_JSON_STRING && place == MW_SPEC_REFERENCE) {
		s->mode = MW_STRIP_REFERENCE;
		s->reference.len = 0;
		s->stats.references++;
	}
	if (left_out) {
		s->mode = MW_STRIP_SKIP;
		return 0;
	}
	return put_lead(s);
}

static int shorten(struct mw_strip *s, const struct mw_json_event *e)
{
	bool first = e->flags & MW_JSON_FIRST, last = e->flags & MW_JSON_LAST, cut;
	size_t len;
	int r;

	mw_short_text_add(&s->text, e->text + first, e->length - first - last);
	if (!last)
		return 0;
	len = mw_short_text_end(&s->text, &cut);
	s->stats.texts += cut;
	r = put(s, "\"", 1);
	if (!r && len)
		r = put(s, s->text.bytes, len);
	return r ? r : put(s, "\"", 1);
}

static int reference(struct mw_strip *s, const struct mw_json_event *e)
{
	int r = put(s, e->text, e->length);

	/* One that is longer than any key points at nothing here. */
	if (!r && s->reference.len + e->length <= 8 * MW_SPEC_KEY_BYTES)
		r = mw_spec_bytes_add(&s->reference, e->text, e->length);
	if (r || !(e->flags & MW_JSON_LAST))
		return r;
	r = mw_spec_keep_note(&s->keep, s->reference.at + 1, s->reference.len - 2);
	if (r == -E2BIG)
		return mw_spec_fail(&s->error, r, "too many references into what is left out");
	if (r <= 0)
		return r;
	s->must_again = true;
	return 0;
}

int mw_strip_event(struct mw_strip *s, const struct mw_json_event *e)
{
	int r = 0;

	if (s->skipped)
		return skip(s, e);
	switch (e->token) {
	case MW_JSON_KEY:
		return key_part(s, e);
	case MW_JSON_OBJECT_BEGIN:
	case MW_JSON_ARRAY_BEGIN:
		return begin(s, e);
	case MW_JSON_OBJECT_END:
	case MW_JSON_ARRAY_END:
		return end(s, e);
	default:
		break;
	}
	if (e->flags & MW_JSON_FIRST)
		r = scalar_begin(s, e);
	if (r || s->mode == MW_STRIP_SKIP)
		return r;
	if (s->mode == MW_STRIP_SHORTEN)
		return shorten(s, e);
	if (s->mode == MW_STRIP_REFERENCE)
		return reference(s, e);
	return put(s, e->text, e->length);
}

int mw_strip_end(struct mw_strip *s)
{
	if (!s->is_openapi)
		return mw_spec_fail(&s->error, -ENOMSG, "no OpenAPI document: neither openapi nor swagger in it");
	return mw_spec_out_flush(&s->out);
}
