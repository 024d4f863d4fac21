/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * JSON (RFC 8259) read as it comes: fed parts of any size, it tells each token and keeps nothing but where it is.
 *
 * Strict: UTF-8, escapes, numbers and control characters are checked; no comments, no trailing commas, no byte
 * order mark. Not checked: keys given twice. Numbers stay text.
 *
 *	struct mw_json_scan scan;
 *
 *	mw_json_scan_init(&scan, MW_JSON_MANY, 0, on_token, data);
 *	while ((n = read(fd, buf, sizeof(buf))) > 0 && !r)
 *		r = mw_json_scan_feed(&scan, buf, n);
 *	if (!r)
 *		r = mw_json_scan_end(&scan);
 *	if (r == -EBADMSG)
 *		... scan.error says what and where
 *
 * One scanner belongs to one thread at a time. It allocates nothing, so there is nothing to free.
 */
#ifndef MW_LIB_JSON_SCAN_H
#define MW_LIB_JSON_SCAN_H

#include <stddef.h>
#include <stdint.h>

#define MW_JSON_DEPTH_DEFAULT 512
#define MW_JSON_DEPTH_MAX     4096

enum mw_json_token {
	MW_JSON_OBJECT_BEGIN = 0, /* text "{" */
	MW_JSON_OBJECT_END = 1,
	MW_JSON_ARRAY_BEGIN = 2,
	MW_JSON_ARRAY_END = 3,
	MW_JSON_KEY = 4, /* a member's name */
	MW_JSON_STRING = 5,
	MW_JSON_NUMBER = 6,
	MW_JSON_TRUE = 7,
	MW_JSON_FALSE = 8,
	MW_JSON_NULL = 9,
	MW_JSON_TOKEN_MAX,
};

/* Of an event. */
enum mw_json_event_flag {
	MW_JSON_FIRST = 1, /* the token begins here */
	MW_JSON_LAST = 2, /* and is complete with this */
	MW_JSON_ESCAPED = 4, /* a key or string: there was a backslash in it so far */
};

/*
 * A token, or a part of one: a key, string, number or literal that spans two feeds comes in several. All parts one
 * after another are the token as it stands, quotes and escapes included. Each part has at least one
 * byte, except for the last one of a number. A part may end inside of an escape or a UTF-8 character.
 */
struct mw_json_event {
	enum mw_json_token token;
	unsigned int flags; /* enum mw_json_event_flag */
	unsigned int depth; /* objects and arrays around it: 0 at the top; a "{" and its "}" have the same */
	const char *text; /* into what was fed; gone after the call */
	size_t length;
	uint64_t offset; /* of text[0], bytes since init */
	uint64_t line, column; /* of text[0], from 1; columns are bytes, lines end with LF */
};

/* Not 0 stops: mw_json_scan_feed() returns it. */
typedef int mw_json_event_fn(void *data, const struct mw_json_event *event);

enum mw_json_error_code {
	MW_JSON_ERROR_NONE = 0,
	MW_JSON_ERROR_SYNTAX = 1,
	MW_JSON_ERROR_NUMBER = 2,
	MW_JSON_ERROR_ESCAPE = 3,
	MW_JSON_ERROR_SURROGATE = 4, /* half of a pair alone */
	MW_JSON_ERROR_UTF8 = 5,
	MW_JSON_ERROR_CONTROL = 6, /* below U+0020 in a string */
	MW_JSON_ERROR_DEPTH = 7,
	MW_JSON_ERROR_END = 8, /* the text ended too early */
};

struct mw_json_error {
	enum mw_json_error_code code;
	uint64_t offset, line, column; /* of the byte that cannot stand there */
	const char *expected; /* what could have: "',' or ']'"; static */
};

enum mw_json_scan_flag {
	MW_JSON_MANY = 1, /* values one after another, none too; numbers and literals need a space between them */
	MW_JSON_LONE_SURROGATES = 2, /* \ud800 alone is let through */
};

/* Constant in size. Read: offset, depth, error; event_depth may be changed at any time; the rest is its own. */
struct mw_json_scan {
	uint64_t offset; /* bytes taken since init */
	unsigned int depth;
	unsigned int event_depth; /* tokens deeper than this are checked but not told: faster. UINT_MAX: all are told */
	struct mw_json_error error;

	mw_json_event_fn *on_event;
	void *data;
	uint64_t line, line_at; /* number of the current line; offset of its first byte */
	uint64_t glued_at; /* where a number or literal at the top ended */
	unsigned int flags, depth_max;
	int state; /* enum mw_json_state, json_run.h */
	enum mw_json_token token; /* being read */
	unsigned int token_flags;
	unsigned int code_unit, hex_left, high; /* of \uXXXX */
	unsigned char utf8_left, utf8_low, utf8_high; /* of a character: bytes to come, and what the next may be */
	const char *literal; /* its rest */
	uint64_t objects[MW_JSON_DEPTH_MAX / 64]; /* one bit a level: an object, not an array */
};

/* depth_max: 1 to MW_JSON_DEPTH_MAX, more is taken as that; 0: MW_JSON_DEPTH_DEFAULT. on_event may be NULL: only
 * checks. */
void mw_json_scan_init(struct mw_json_scan *scan, unsigned int flags, unsigned int depth_max,
		       mw_json_event_fn *on_event, void *data);

/*
 * The next n bytes. 0; -EBADMSG: scan->error, and nothing more can be fed; else what on_event
 * returned: then scan->offset says how far it came (the token that was told is taken), and feeding the rest goes on.
 */
int mw_json_scan_feed(struct mw_json_scan *scan, const void *bytes, size_t n);

/* There is no more. Tells the end of a number at the top. 0, -EBADMSG or what on_event returned. */
int mw_json_scan_end(struct mw_json_scan *scan);

/* Between values at the top: nothing is begun (spaces may follow). */
int mw_json_scan_idle(const struct mw_json_scan *scan);

#endif
