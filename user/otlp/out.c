/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "otlp/out.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/utf8.h"

void mw_out_free(struct mw_out *o)
{
	free(o->data);
	*o = MW_OUT(o->max);
}

void mw_out_cut(struct mw_out *o, size_t size)
{
	if (size > o->size)
		return;
	o->size = size;
	o->failed = false;
	if (o->data)
		o->data[size] = '\0';
}

static bool make_room(struct mw_out *o, size_t n)
{
	size_t room = o->room ? o->room : 512;
	char *grown;

	if (o->failed || n > o->max || o->size > o->max - n) {
		o->failed = true;
		return false;
	}
	while (room < o->size + n + 1)
		room *= 2;
	if (room == o->room)
		return true;
	grown = realloc(o->data, room);
	o->failed = !grown;
	if (!grown)
		return false;
	o->data = grown;
	o->room = room;
	return true;
}

void mw_out_bytes(struct mw_out *o, const char *bytes, size_t n)
{
	if (!make_room(o, n))
		return;
	memcpy(o->data + o->size, bytes, n);
	o->size += n;
	o->data[o->size] = '\0';
}

void mw_out_raw(struct mw_out *o, const char *text)
{
	mw_out_bytes(o, text, strlen(text));
}

static void comma(struct mw_out *o)
{
	if (o->size && !strchr("[{:,", o->data[o->size - 1]))
		mw_out_bytes(o, ",", 1);
}

void mw_out_open(struct mw_out *o, const char *bracket)
{
	comma(o);
	mw_out_raw(o, bracket);
}

void mw_out_key(struct mw_out *o, const char *key)
{
	comma(o);
	mw_out_raw(o, "\"");
	mw_out_raw(o, key);
	mw_out_raw(o, "\":");
}

/* One character of s, or what stands for it; how many bytes of s that was. */
static size_t put_character(struct mw_out *o, const char *s)
{
	unsigned char c = (unsigned char)*s;
	char escaped[8];
	size_t n;

	if (c == '"' || c == '\\') {
		snprintf(escaped, sizeof(escaped), "\\%c", c);
		mw_out_raw(o, escaped);
		return 1;
	}
	if (c < 0x20 || c == 0x7f) {
		snprintf(escaped, sizeof(escaped), "\\u%04x", c);
		mw_out_raw(o, escaped);
		return 1;
	}
	n = mw_utf8_length(s);
	if (!n) {
		mw_out_raw(o, "\\ufffd");
		return 1;
	}
	mw_out_bytes(o, s, n);
	return n;
}

void mw_out_text(struct mw_out *o, const char *text)
{
	comma(o);
	mw_out_raw(o, "\"");
	while (*text && !o->failed)
		text += put_character(o, text);
	mw_out_raw(o, "\"");
}

void mw_out_int(struct mw_out *o, __s64 value)
{
	char digits[32];

	comma(o);
	snprintf(digits, sizeof(digits), "%lld", value);
	mw_out_raw(o, digits);
}

void mw_out_u64(struct mw_out *o, __u64 value)
{
	char digits[32];

	comma(o);
	snprintf(digits, sizeof(digits), "\"%llu\"", value);
	mw_out_raw(o, digits);
}

void mw_out_s64(struct mw_out *o, __s64 value)
{
	char digits[32];

	comma(o);
	snprintf(digits, sizeof(digits), "\"%lld\"", value);
	mw_out_raw(o, digits);
}

void mw_out_double(struct mw_out *o, double value)
{
	char digits[40];

	comma(o);
	if (isnan(value))
		snprintf(digits, sizeof(digits), "\"NaN\"");
	else if (isinf(value))
		snprintf(digits, sizeof(digits), "\"%sInfinity\"", value < 0 ? "-" : "");
	else
		snprintf(digits, sizeof(digits), "%.17g", value);
	mw_out_raw(o, digits);
}

static void attr_begin(struct mw_out *o, const char *key, const char *type)
{
	mw_out_open(o, "{");
	mw_out_key(o, "key");
	mw_out_text(o, key);
	mw_out_key(o, "value");
	mw_out_open(o, "{");
	mw_out_key(o, type);
}

void mw_out_attr_text(struct mw_out *o, const char *key, const char *text)
{
	if (!text)
		return;
	attr_begin(o, key, "stringValue");
	mw_out_text(o, text);
	mw_out_raw(o, "}}");
}

void mw_out_attr_int(struct mw_out *o, const char *key, __s64 value)
{
	attr_begin(o, key, "intValue");
	mw_out_s64(o, value);
	mw_out_raw(o, "}}");
}

void mw_out_attr_bool(struct mw_out *o, const char *key, bool value)
{
	attr_begin(o, key, "boolValue");
	mw_out_raw(o, value ? "true}}" : "false}}");
}

void mw_out_attr_double(struct mw_out *o, const char *key, double value)
{
	attr_begin(o, key, "doubleValue");
	mw_out_double(o, value);
	mw_out_raw(o, "}}");
}
