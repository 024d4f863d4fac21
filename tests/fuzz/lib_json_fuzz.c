/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Any bytes as JSON: what the scanner and the streams tell does not depend on where parts end; what they accept json-c
 * accepts too, with the same members, strings and numbers; and as what a writer's other side takes: nothing is lost.
 * Built as config_fuzz.c is.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <memweir/json.h>
#include <memweir/writer.h>

#include "lib/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	return (h ^ v) * 1099511628211ULL;
}

static uint64_t mix_bytes(uint64_t h, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n--)
		h = mix(h, *p++);
	return h;
}

/* What was told, as one number. */
struct digest {
	uint64_t told, pending; /* tokens that are complete; the parts of one that is not */
	int open;
	uint64_t next;
};

static int take_event(void *data, const struct mw_json_event *event)
{
	struct digest *d = data;

	must(!d->open == ((event->flags & MW_JSON_FIRST) != 0), "parts of a token follow each other");
	if (!d->open)
		d->pending = mix(mix(mix(mix(d->told, event->token), event->offset), event->line),
				 event->column * 5000 + event->depth);
	else
		must(event->offset == d->next, "parts without a gap");
	d->pending = mix_bytes(d->pending, event->text, event->length);
	d->next = event->offset + event->length;
	d->open = !(event->flags & MW_JSON_LAST);
	if (!d->open)
		d->told = d->pending;
	return 0;
}

/* Parts of first bytes, then of step; each of its own size in memory. */
static int scan(const uint8_t *data, size_t size, size_t first, size_t step, unsigned int flags, uint64_t *ret_digest)
{
	struct digest d = {1};
	struct mw_json_scan s;
	int r = 0;

	mw_json_scan_init(&s, flags, 0, take_event, &d);
	for (size_t at = 0, n = first; !r && at < size; at += n, n = step) {
		uint8_t *part;

		n = n && n < size - at ? n : size - at;
		part = malloc(n);
		memcpy(part, data + at, n);
		r = mw_json_scan_feed(&s, part, n);
		free(part);
	}
	r = r ? r : mw_json_scan_end(&s);
	must(r == 0 || (r == -EBADMSG && s.error.expected && s.error.code && s.error.offset <= size),
	     "an error with its place");
	must(r || !d.open, "each token has its end");
	*ret_digest = r ? mix(mix(mix(d.told, s.error.offset), s.error.line), s.error.column + s.error.code) : d.told;
	return r;
}

static int check_scan(const uint8_t *data, size_t size, unsigned int flags)
{
	uint64_t whole, parts;
	int r = scan(data, size, size, size, flags, &whole);

	for (int way = 0; way < 3; way++) {
		int r2 = scan(data, size, way ? (size * 7 + data[0]) % (size + 1) : 1,
			      way == 2 ? size : 3 - (size_t)way, flags, &parts);

		must(r2 == r && parts == whole, "the same in parts");
	}
	return r;
}

struct items {
	uint64_t told;
	const uint8_t *data;
	size_t size;
};

static int take_item(void *data, const struct memweir_json_item *item)
{
	struct items *items = data;

	must(item->length && item->offset + item->length <= items->size &&
		     !memcmp(items->data + item->offset, item->text, item->length),
	     "an item is its bytes");
	items->told = mix(mix(mix(items->told, item->index), item->offset), item->length);
	return 0;
}

static int stream(const uint8_t *data, size_t size, int mode, size_t step, uint64_t *ret_told)
{
	struct memweir_json_stream_options options = MEMWEIR_INIT(struct memweir_json_stream_options);
	struct memweir_json_position position = MEMWEIR_INIT(struct memweir_json_position);
	struct items items = {1, data, size};
	struct memweir_json_stream *s;
	int r = 0;

	options.mode = mode;
	options.max_item_bytes = 200;
	must(memweir_json_stream_new(&options, take_item, &items, &s) == 0, "a stream");
	for (size_t at = 0, n; !r && at < size; at += n) {
		uint8_t *part;

		n = step < size - at ? step : size - at;
		part = malloc(n);
		memcpy(part, data + at, n);
		r = memweir_json_stream_feed(s, part, n, NULL);
		free(part);
	}
	r = r ? r : memweir_json_stream_end(s);
	must(memweir_json_stream_position(s, &position) == 0 && !position.expected == !r && position.offset <= size &&
		     position.memory_bytes <= 200 + 2048,
	     "a place, and bounded memory");
	memweir_json_stream_free(s);
	*ret_told = items.told;
	return r;
}

static void check_stream(const uint8_t *data, size_t size, int mode, int scanned)
{
	uint64_t whole, parts;
	int r = stream(data, size, mode, size, &whole), r2 = stream(data, size, mode, 1 + size % 5, &parts);

	/* Too long and broken: which is seen first depends on the parts. */
	must(r == r2 || r == -EMSGSIZE || r2 == -EMSGSIZE, "the same result in parts");
	must(r != r2 || whole == parts, "the same items in parts");
	if (mode == MEMWEIR_JSON_VALUES)
		must(r == scanned || r == -EMSGSIZE, "a stream takes what the scanner takes");
}

/* "/" and the key as a pointer has it; 0: it is too long. */
static int pointer_of(const char *key, char *pointer, size_t room)
{
	size_t n = 0;

	pointer[n++] = '/';
	for (; *key; key++) {
		if (n + 3 > room)
			return 0;
		if (*key == '~' || *key == '/') {
			pointer[n++] = '~';
			pointer[n++] = *key == '~' ? '0' : '1';
		} else {
			pointer[n++] = *key;
		}
	}
	pointer[n] = '\0';
	return 1;
}

/* json-c 0.16 takes a character like U+1DA00, once put together of its halves, for a half again. */
static int has_false_half(const char *utf8, size_t n)
{
	for (size_t i = 0; i + 3 < n; i++) {
		unsigned int c = (unsigned int)(utf8[i + 1] & 0x3f) << 12 | (unsigned int)(utf8[i + 2] & 0x3f) << 6;

		if ((unsigned char)utf8[i] >= 0xf0 && (c & 0xf800) == 0xd800)
			return 1;
	}
	return 0;
}

static void same_value(struct json_object *theirs, const char *text, size_t n)
{
	static char buffer[8192];
	uint64_t u = 0;
	int64_t i = 0;
	double d = 0;
	size_t length = 0;

	switch (json_object_get_type(theirs)) {
	case json_type_string:
		must(memweir_json_string(text, n, buffer, sizeof(buffer), &length) == 0, "a string is one");
		must(has_false_half(buffer, length) || (length == (size_t)json_object_get_string_len(theirs) &&
							!memcmp(buffer, json_object_get_string(theirs), length)),
		     "the same characters");
		return;
	case json_type_int:
		if (memweir_json_int64(text, n, &i) == 0)
			must(i == json_object_get_int64(theirs), "the same number");
		else if (memweir_json_uint64(text, n, &u) == 0)
			must(u == json_object_get_uint64(theirs), "the same large number");
		return;
	case json_type_double:
		if (memweir_json_double(text, n, &d) == 0)
			must(d == json_object_get_double(theirs), "the same double");
		return;
	case json_type_object:
		must(*text == '{', "an object");
		return;
	case json_type_array:
		must(*text == '[', "an array");
		return;
	case json_type_boolean:
		must(*text == (json_object_get_boolean(theirs) ? 't' : 'f'), "true or false");
		return;
	default:
		must(*text == 'n', "null");
	}
}

static int count_keys(void *data, const struct mw_json_event *event)
{
	*(int *)data += event->token == MW_JSON_KEY && event->depth == 1;
	return 0;
}

static int keys_of(const char *text, size_t size)
{
	struct mw_json_scan s;
	int n = 0;

	mw_json_scan_init(&s, 0, 0, count_keys, &n);
	must(mw_json_scan_feed(&s, text, size) == 0, "it was accepted before");
	return n;
}

/* Members and items of the outermost value; not where a key is given twice (json-c has the last one), or may
 * have a NUL or a half. */
static void same_members(struct json_object *theirs, const char *text, size_t size)
{
	char pointer[256];
	const char *value;
	size_t n;

	must(memweir_json_get(text, size, "", &value, &n) == 0, "the text itself");
	same_value(theirs, value, n);
	if (json_object_get_type(theirs) == json_type_array) {
		for (size_t i = 0; i < json_object_array_length(theirs); i++) {
			snprintf(pointer, sizeof(pointer), "/%zu", i);
			must(memweir_json_get(text, size, pointer, &value, &n) == 0, "an item is found");
			same_value(json_object_array_get_idx(theirs, i), value, n);
		}
		snprintf(pointer, sizeof(pointer), "/%zu", json_object_array_length(theirs));
		must(memweir_json_get(text, size, pointer, &value, &n) == -ENOENT, "and no further one");
	}
	if (json_object_get_type(theirs) != json_type_object)
		return;
	if (memmem(text, size, "\\u0000", 6) || memmem(text, size, "\\ud", 3) || memmem(text, size, "\\uD", 3) ||
	    keys_of(text, size) != json_object_object_length(theirs))
		return;
	json_object_object_foreach (theirs, key, member) {
		if (!pointer_of(key, pointer, sizeof(pointer)))
			continue;
		must(memweir_json_get(text, size, pointer, &value, &n) == 0, "a member is found");
		same_value(member, value, n);
	}
}

struct children {
	const char *text;
	size_t size, n;
	int is_array;
};

static int see_child(void *data, const char *key, size_t key_length, const char *value, size_t length)
{
	struct children *c = data;

	must(value >= c->text && length && value + length <= c->text + c->size, "a value lies in the text");
	must((key == NULL) == c->is_array, "members have keys, items have none");
	must(!key || (key_length >= 2 && key[0] == '"' && key[key_length - 1] == '"' && key + key_length < value),
	     "a key in its quotes");
	c->n++;
	return 0;
}

/* The readers of texts, given anything: nothing outside of it is read (its copy has its size), nothing else is found.
 */
static void check_texts(const uint8_t *data, size_t size, int scanned)
{
	char *text = malloc(size), *buffer = malloc(size);
	struct children c = {.text = text, .size = size, .is_array = memchr(data, '[', size) != NULL};
	const char *value = NULL;
	size_t n = 0, length;
	int64_t i;
	double d;
	int r;

	memcpy(text, data, size);
	for (size_t at = 0; at < size && c.is_array; at++) /* which comes first */
		if (data[at] == '{' || data[at] == '[') {
			c.is_array = data[at] == '[';
			break;
		}
	r = memweir_json_each(text, size, see_child, &c);
	must(scanned || r == 0 || r == -EDOM, "what is JSON is passed through");
	must(r != 0 || memweir_json_get(text, size, "", &value, &n) == 0, "and found as a whole");
	must(!value || (value >= text && value + n <= text + size), "a value lies in the text");
	if (memweir_json_get(text, size, "/a/1", &value, &n) == 0)
		must(value >= text && value + n <= text + size, "a member lies in the text");
	if (memweir_json_string(text, size, buffer, size - 1, &length) == 0)
		must(length + 2 <= size && buffer[length] == '\0', "a string has its end");
	(void)memweir_json_int64(text, size, &i);
	(void)memweir_json_double(text, size, &d);
	free(text);
	free(buffer);
}

static void check_json_c(const uint8_t *data, size_t size)
{
	struct json_tokener *tokener = json_tokener_new_ex(MW_JSON_DEPTH_DEFAULT + 8);
	char *text = malloc(size + 1);
	struct json_object *theirs;

	memcpy(text, data, size);
	text[size] = '\0';
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	theirs = json_tokener_parse_ex(tokener, text, (int)size + 1);
	must(json_tokener_get_error(tokener) == json_tokener_success, "json-c accepts it too");
	same_members(theirs, text, size);
	json_object_put(theirs);
	json_tokener_free(tokener);
	free(text);
}

/* Byte by byte: how much the other side takes. */
struct mouth {
	const uint8_t *script, *text;
	size_t size, at, got;
	int full; /* takes everything from now on */
};

static int64_t swallow(void *data, const void *bytes, size_t n)
{
	struct mouth *mouth = data;
	uint8_t c = mouth->full ? 255 : mouth->script[mouth->at++ % mouth->size];

	if (c < 60)
		return c < 10 ? -EINTR : c < 20 ? 0 : -EAGAIN;
	n = !mouth->full && (size_t)c - 59 < n ? (size_t)c - 59 : n;
	must(!memcmp(bytes, mouth->text + mouth->got, n), "what comes out is what comes next");
	mouth->got += n;
	return (int64_t)n;
}

static void check_writer(const uint8_t *data, size_t size)
{
	struct memweir_writer_options options = MEMWEIR_INIT(struct memweir_writer_options);
	struct mouth mouth = {.script = data, .text = data, .size = size};
	struct memweir_writer *writer;
	size_t taken, at = 0;

	options.buffer_bytes = 1 + size % 50;
	mouth.full = 1; /* a script that takes nothing would go on for ever */
	for (size_t i = 0; i < size; i++)
		mouth.full = mouth.full && data[i] < 60;
	must(memweir_writer_new(&options, swallow, &mouth, &writer) == 0, "a writer");
	for (int turn = 0; at < size; turn++) {
		size_t n = data[at] % 90;
		int r;

		n = n < size - at ? n : size - at;
		r = memweir_writer_write(writer, data + at, n ? n : 1, &taken);
		must(r == -EAGAIN ? taken < (n ? n : 1) : r == 0 && taken == (n ? n : 1), "all or later");
		at += taken;
		must(mouth.got + memweir_writer_held(writer) == at &&
			     memweir_writer_held(writer) <= options.buffer_bytes,
		     "nothing is lost");
	}
	mouth.full = 1;
	must(memweir_writer_flush(writer) == 0 && mouth.got == size, "all has come out");
	memweir_writer_free(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int one, many;

	if (!size)
		return 0;
	one = check_scan(data, size, 0);
	many = check_scan(data, size, MW_JSON_MANY);
	must(one || !many, "one value is many, too");
	check_scan(data, size, MW_JSON_MANY | MW_JSON_LONE_SURROGATES);
	check_stream(data, size, MEMWEIR_JSON_VALUES, many);
	check_stream(data, size, MEMWEIR_JSON_ARRAY, one);
	if (!one)
		check_json_c(data, size);
	check_texts(data, size, one);
	check_writer(data, size);
	return 0;
}

#ifdef MW_FUZZ_MAIN
#include "mutate.h"

static const char *const seeds[] = {
	"{\"a\":[1,2.5e-3,{\"b\":null}],\"c~d/e\":\"x\\u00e9\\ud83d\\ude00\\n\",\"\":true}",
	"[1,-0,12345678901234567890,1e5,\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",false,null,[],{}]",
	"{\"id\":1}\n{\"id\":2}\n3 \"x\" [true]\n",
	"[[[[[[[[]]]]]]]]",
	" [ \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 and then some letters in a row\" , 18446744073709551615 ] ",
};
static const char *const words[] = {
	"{",
	"}",
	"[",
	"]",
	",",
	":",
	"\"",
	"\"k\":",
	"\\",
	"\\u",
	"\\ud800",
	"\\udc00",
	"\\u0000",
	"\\u00e9",
	"\\n",
	"1",
	"0",
	"-",
	".",
	"e",
	"E+",
	"true",
	"false",
	"null",
	" ",
	"\n",
	"\xc3",
	"\xa9",
	"\xe2\x82",
	"\xf0\x9f",
	"\xed\xa0\x80",
	"\xff",
	"\x01",
	"9223372036854775808",
	"1e400",
	"x",
	"~",
};

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, FUZZ_TEXTS(seeds), FUZZ_TEXTS(words));
}
#endif
