// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/json_run.h"

#include <errno.h>
#include <limits.h>

/* The feed ends inside of a token. */
static int part_token(struct mw_json_run *run)
{
	struct mw_json_scan *scan = run->scan;
	unsigned int flags = scan->token_flags;

	if (run->p == run->piece)
		return 0;
	scan->token_flags &= ~(unsigned int)MW_JSON_FIRST;
	return is_told(scan) ? mw_json_tell(run, scan->token, flags, run->piece, (size_t)(run->p - run->piece)) : 0;
}

static int begin_container(struct mw_json_run *run, int is_object)
{
	struct mw_json_scan *scan = run->scan;
	unsigned int level = scan->depth;
	uint64_t bit = 1ULL << (level % 64);
	int r = 0;

	if (level >= scan->depth_max)
		return mw_json_fail(run, MW_JSON_ERROR_DEPTH, "fewer objects and arrays in one another");
	if (is_object)
		scan->objects[level / 64] |= bit;
	else
		scan->objects[level / 64] &= ~bit;
	scan->state = is_object ? AT_KEY_OR_END : AT_ITEM_OR_END;
	run->p++;
	if (is_told(scan))
		r = mw_json_tell(run, is_object ? MW_JSON_OBJECT_BEGIN : MW_JSON_ARRAY_BEGIN,
				 MW_JSON_FIRST | MW_JSON_LAST, run->p - 1, 1);
	scan->depth++;
	return r;
}

static int end_container(struct mw_json_run *run)
{
	struct mw_json_scan *scan = run->scan;
	int is_object = in_object(scan);

	scan->depth--;
	after_value(scan);
	run->p++;
	if (!is_told(scan))
		return 0;
	return mw_json_tell(run, is_object ? MW_JSON_OBJECT_END : MW_JSON_ARRAY_END, MW_JSON_FIRST | MW_JSON_LAST,
			    run->p - 1, 1);
}

static int begin_literal(struct mw_json_run *run, enum mw_json_token token, const char *rest)
{
	begin_token(run, token, IN_LITERAL);
	run->scan->literal = rest;
	return mw_json_literal(run);
}

static int begin_value(struct mw_json_run *run)
{
	struct mw_json_scan *scan = run->scan;
	unsigned char c = *run->p;

	if (!scan->depth && scan->glued_at == offset_of(run, run->p) && c != '{' && c != '[' && c != '"')
		return mw_json_fail(run, MW_JSON_ERROR_SYNTAX, "a space");
	switch (c) {
	case '"':
		begin_token(run, MW_JSON_STRING, IN_STRING);
		return mw_json_run_string(run);
	case '{':
	case '[':
		return begin_container(run, c == '{');
	case 't':
		return begin_literal(run, MW_JSON_TRUE, "rue");
	case 'f':
		return begin_literal(run, MW_JSON_FALSE, "alse");
	case 'n':
		return begin_literal(run, MW_JSON_NULL, "ull");
	default:
		if (c != '-' && (c < '0' || c > '9'))
			return mw_json_fail(run, MW_JSON_ERROR_SYNTAX, NULL);
		begin_token(run, MW_JSON_NUMBER, c == '-' ? AT_DIGITS : c == '0' ? AFTER_ZERO : IN_DIGITS);
		return mw_json_run_number(run);
	}
}

static inline void skip_spaces(struct mw_json_run *run)
{
	const unsigned char *p = run->p;

	for (; p < run->end && *p <= ' '; p++) {
		if (*p == '\n') {
			run->scan->line++;
			run->scan->line_at = offset_of(run, p) + 1;
		} else if (*p != ' ' && *p != '\t' && *p != '\r') {
			break;
		}
	}
	run->p = p;
}

/* run->p is at a byte between tokens. */
static int between(struct mw_json_run *run)
{
	struct mw_json_scan *scan = run->scan;
	unsigned char c = *run->p;

	switch ((enum mw_json_state)scan->state) {
	case AFTER_MEMBER:
	case AFTER_ITEM:
		if (c == ',') {
			run->p++;
			scan->state = scan->state == AFTER_MEMBER ? AT_KEY : AT_VALUE;
			return 0;
		}
		return c == (scan->state == AFTER_MEMBER ? '}' : ']') ? end_container(run)
								      : mw_json_fail(run, MW_JSON_ERROR_SYNTAX, NULL);
	case AT_KEY_OR_END:
	case AT_KEY:
		if (c == '"') {
			begin_token(run, MW_JSON_KEY, IN_STRING);
			return mw_json_run_string(run);
		}
		return c == '}' && scan->state == AT_KEY_OR_END ? end_container(run)
								: mw_json_fail(run, MW_JSON_ERROR_SYNTAX, NULL);
	case AT_COLON:
		if (c != ':')
			return mw_json_fail(run, MW_JSON_ERROR_SYNTAX, NULL);
		run->p++;
		scan->state = AT_VALUE;
		return 0;
	case AFTER_TOP:
		return mw_json_fail(run, MW_JSON_ERROR_SYNTAX, NULL);
	default:
		return c == ']' && scan->state == AT_ITEM_OR_END ? end_container(run) : begin_value(run);
	}
}

void mw_json_scan_init(struct mw_json_scan *scan, unsigned int flags, unsigned int depth_max,
		       mw_json_event_fn *on_event, void *data)
{
	depth_max = depth_max ? depth_max : MW_JSON_DEPTH_DEFAULT;
	*scan = (struct mw_json_scan){
		.event_depth = UINT_MAX,
		.on_event = on_event,
		.data = data,
		.line = 1,
		.glued_at = UINT64_MAX,
		.flags = flags,
		.depth_max = depth_max < MW_JSON_DEPTH_MAX ? depth_max : MW_JSON_DEPTH_MAX,
	};
}

int mw_json_scan_feed(struct mw_json_scan *scan, const void *bytes, size_t n)
{
	struct mw_json_run run = {scan, bytes, bytes, (const unsigned char *)bytes + n, bytes};
	int r = 0;

	if (scan->state == FAILED)
		return -EBADMSG;
	while (!r && run.p < run.end) {
		if (scan->state >= IN_TOKEN) {
			r = mw_json_inside(&run);
			continue;
		}
		skip_spaces(&run);
		if (run.p < run.end)
			r = between(&run);
	}
	if (!r && scan->state >= IN_TOKEN)
		r = part_token(&run);
	scan->offset += (uint64_t)(run.p - run.start);
	return r;
}

int mw_json_scan_idle(const struct mw_json_scan *scan)
{
	return scan->state == AT_TOP || scan->state == AFTER_TOP;
}

int mw_json_scan_end(struct mw_json_scan *scan)
{
	static const unsigned char nothing[1];
	struct mw_json_run run = {scan, nothing, nothing, nothing, nothing};
	int r;

	if (scan->state == FAILED)
		return -EBADMSG;
	if (mw_json_number_may_end(scan->state) && scan->depth) {
		after_value(scan); /* not told: more digits may be missing */
	} else if (mw_json_number_may_end(scan->state)) {
		r = end_token(&run);
		if (r)
			return r;
	}
	if (scan->state == AFTER_TOP || (scan->state == AT_TOP && scan->flags & MW_JSON_MANY))
		return 0;
	return mw_json_fail(&run, MW_JSON_ERROR_END, NULL);
}
