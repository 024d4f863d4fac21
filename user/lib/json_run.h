/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Inside of the JSON scanner: what json_scan.c (between tokens) and json_token.c (inside of them) share. */
#ifndef MW_LIB_JSON_RUN_H
#define MW_LIB_JSON_RUN_H

#include "lib/json_scan.h"

/* What may come next. Those below IN_TOKEN stand between tokens, where spaces are skipped. */
enum mw_json_state {
	AT_TOP = 0, /* a value, or the end with MANY */
	AFTER_TOP, /* the end */
	AT_VALUE,
	AT_ITEM_OR_END, /* behind a [ */
	AT_KEY_OR_END, /* behind a { */
	AT_KEY,
	AT_COLON,
	AFTER_ITEM,
	AFTER_MEMBER,
	IN_TOKEN,
	IN_STRING = IN_TOKEN,
	IN_UTF8,
	AT_ESCAPE, /* behind a backslash */
	IN_HEX,
	AT_LOW_BACKSLASH, /* behind the first half of a surrogate pair */
	AT_LOW_U,
	IN_LITERAL,
	AT_DIGITS, /* numbers: behind the minus */
	AFTER_ZERO,
	IN_DIGITS,
	AT_FRACTION, /* behind the point */
	IN_FRACTION,
	AT_EXPONENT, /* behind the e */
	AT_EXPONENT_DIGITS, /* behind its sign */
	IN_EXPONENT,
	FAILED,
	STATE_MAX,
};

/* What one feed is read with. */
struct mw_json_run {
	struct mw_json_scan *scan;
	const unsigned char *start, *p, *end;
	const unsigned char *piece; /* where the part of the token in this feed begins */
};

static inline uint64_t offset_of(const struct mw_json_run *run, const unsigned char *p)
{
	return run->scan->offset + (uint64_t)(p - run->start);
}

/* -EBADMSG, with scan->error at run->p. what: NULL for what the state expects. */
int mw_json_fail(struct mw_json_run *run, enum mw_json_error_code code, const char *what);
int mw_json_tell(struct mw_json_run *run, enum mw_json_token token, unsigned int flags, const unsigned char *text,
		 size_t length);

/* Go on inside of a token, as far as the feed reaches: 0, -EBADMSG or what on_event returned. */
int mw_json_inside(struct mw_json_run *run);
int mw_json_run_string(struct mw_json_run *run);
int mw_json_run_number(struct mw_json_run *run);
int mw_json_literal(struct mw_json_run *run);
int mw_json_number_may_end(int state);

static inline int is_told(const struct mw_json_scan *scan)
{
	return scan->depth <= scan->event_depth && scan->on_event;
}

static inline int in_object(const struct mw_json_scan *scan)
{
	unsigned int level = scan->depth - 1;

	return (int)(scan->objects[level / 64] >> (level % 64) & 1);
}

static inline void after_value(struct mw_json_scan *scan)
{
	if (!scan->depth)
		scan->state = scan->flags & MW_JSON_MANY ? AT_TOP : AFTER_TOP;
	else
		scan->state = in_object(scan) ? AFTER_MEMBER : AFTER_ITEM;
}

static inline void begin_token(struct mw_json_run *run, enum mw_json_token token, enum mw_json_state state)
{
	run->piece = run->p++;
	run->scan->token = token;
	run->scan->token_flags = MW_JSON_FIRST;
	run->scan->state = state;
}

/* run->p is behind the token's last byte. */
static inline int end_token(struct mw_json_run *run)
{
	struct mw_json_scan *scan = run->scan;
	enum mw_json_token token = scan->token;

	if (token == MW_JSON_KEY)
		scan->state = AT_COLON;
	else
		after_value(scan);
	if (token >= MW_JSON_NUMBER)
		scan->glued_at = offset_of(run, run->p);
	if (!is_told(scan))
		return 0;
	return mw_json_tell(run, token, scan->token_flags | MW_JSON_LAST, run->piece, (size_t)(run->p - run->piece));
}

#endif
