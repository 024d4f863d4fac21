// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/json_run.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "util/cleanup.h"

static const char *const expected[] = {
	[AT_TOP] = "a value",
	[AFTER_TOP] = "the end",
	[AT_VALUE] = "a value",
	[AT_ITEM_OR_END] = "a value or ']'",
	[AT_KEY_OR_END] = "a key in quotes or '}'",
	[AT_KEY] = "a key in quotes",
	[AT_COLON] = "':'",
	[AFTER_ITEM] = "',' or ']'",
	[AFTER_MEMBER] = "',' or '}'",
	[IN_STRING] = "a closing quote, or \\u00XX for a control character",
	[IN_UTF8] = "valid UTF-8",
	[AT_ESCAPE] = "one of \" \\ / b f n r t u",
	[IN_HEX] = "four hexadecimal digits",
	[AT_LOW_BACKSLASH] = "the second half of a surrogate pair",
	[AT_LOW_U] = "the second half of a surrogate pair",
	[IN_LITERAL] = "true, false or null",
	[AT_DIGITS] = "a digit",
	[AFTER_ZERO] = "the number's end, '.' or 'e'",
	[IN_DIGITS] = "a digit",
	[AT_FRACTION] = "a digit",
	[IN_FRACTION] = "a digit",
	[AT_EXPONENT] = "a digit, '+' or '-'",
	[AT_EXPONENT_DIGITS] = "a digit",
	[IN_EXPONENT] = "a digit",
	[FAILED] = "nothing",
};
_Static_assert(ARRAY_SIZE(expected) == STATE_MAX, "each state has its text");

int mw_json_fail(struct mw_json_run *run, enum mw_json_error_code code, const char *what)
{
	struct mw_json_scan *scan = run->scan;
	uint64_t offset = offset_of(run, run->p);

	scan->error = (struct mw_json_error){
		.code = code,
		.offset = offset,
		.line = scan->line,
		.column = offset - scan->line_at + 1,
		.expected = what ? what : expected[scan->state],
	};
	scan->state = FAILED;
	return -EBADMSG;
}

int mw_json_tell(struct mw_json_run *run, enum mw_json_token token, unsigned int flags, const unsigned char *text,
		 size_t length)
{
	struct mw_json_scan *scan = run->scan;
	uint64_t offset = offset_of(run, text);
	struct mw_json_event event = {
		.token = token,
		.flags = flags,
		.depth = scan->depth,
		.text = (const char *)text,
		.length = length,
		.offset = offset,
		.line = scan->line,
		.column = offset - scan->line_at + 1,
	};

	return scan->on_event(scan->data, &event);
}

/*
 * Of eight bytes: the top bit of each that a string may not just go on with (quote, backslash, control, not ASCII).
 * Above the lowest of them others may be marked for nothing: a borrow.
 */
static inline uint64_t special8(uint64_t v)
{
	const uint64_t ones = ~0ULL / 255, tops = ones << 7;
	uint64_t quote = v ^ ones * '"', slash = v ^ ones * '\\';

	return ((quote - ones) | (slash - ones) | (v - ones * 0x20) | v) & tops;
}

static inline const unsigned char *skip_plain(const unsigned char *p, const unsigned char *end)
{
	uint64_t v, special;

	for (; end - p >= 8; p += 8) {
		memcpy(&v, p, 8);
		special = special8(le64toh(v));
		if (special)
			return p + __builtin_ctzll(special) / 8;
	}
	while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}

/* The first byte of a character that is not ASCII: how many follow, and what the next may be (RFC 3629, section 4). */
static int begin_utf8(struct mw_json_scan *scan, unsigned char c)
{
	if (c < 0xc2 || c > 0xf4)
		return 0;
	scan->utf8_left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	scan->utf8_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	scan->utf8_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	return 1;
}

static int run_utf8(struct mw_json_run *run)
{
	struct mw_json_scan *scan = run->scan;

	for (; run->p < run->end && scan->utf8_left; run->p++, scan->utf8_left--) {
		if (*run->p < scan->utf8_low || *run->p > scan->utf8_high)
			return mw_json_fail(run, MW_JSON_ERROR_UTF8, expected[IN_UTF8]);
		scan->utf8_low = 0x80;
		scan->utf8_high = 0xbf;
	}
	scan->state = scan->utf8_left ? IN_UTF8 : IN_STRING;
	return 0;
}

static int run_escape(struct mw_json_run *run)
{
	struct mw_json_scan *scan = run->scan;
	unsigned char c = *run->p;

	if (c == 'u') {
		scan->code_unit = 0;
		scan->hex_left = 4;
		scan->state = IN_HEX;
	} else if (c && strchr("\"\\/bfnrt", c)) {
		scan->state = IN_STRING;
	} else {
		return mw_json_fail(run, MW_JSON_ERROR_ESCAPE, NULL);
	}
	run->p++;
	return 0;
}

int mw_json_run_string(struct mw_json_run *run)
{
	struct mw_json_scan *scan = run->scan;
	int r;

	for (;;) {
		run->p = skip_plain(run->p, run->end);
		if (run->p == run->end)
			return 0;
		if (*run->p == '"') {
			run->p++;
			return end_token(run);
		}
		if (*run->p == '\\') {
			run->p++;
			scan->token_flags |= MW_JSON_ESCAPED;
			scan->state = AT_ESCAPE;
			if (run->p == run->end)
				return 0;
			r = run_escape(run);
			if (r || scan->state != IN_STRING)
				return r;
			continue;
		}
		if (*run->p < 0x20)
			return mw_json_fail(run, MW_JSON_ERROR_CONTROL, NULL);
		if (!begin_utf8(scan, *run->p))
			return mw_json_fail(run, MW_JSON_ERROR_UTF8, expected[IN_UTF8]);
		run->p++;
		r = run_utf8(run);
		if (r || scan->state != IN_STRING)
			return r;
	}
}

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int end_hex(struct mw_json_run *run)
{
	struct mw_json_scan *scan = run->scan;
	unsigned int unit = scan->code_unit,
		     half = unit & 0xfc00; /* 0xd800: the first half of a pair, 0xdc00: the second */
	int lone = (half == 0xdc00) != (scan->high != 0);

	if (lone && !(scan->flags & MW_JSON_LONE_SURROGATES)) {
		run->p--; /* at its last digit */
		return mw_json_fail(run, MW_JSON_ERROR_SURROGATE,
				    scan->high ? expected[AT_LOW_U]
					       : "the first half of a surrogate pair before this one");
	}
	scan->high = half == 0xd800 && !(scan->flags & MW_JSON_LONE_SURROGATES);
	scan->state = scan->high ? AT_LOW_BACKSLASH : IN_STRING;
	return 0;
}

static int run_hex(struct mw_json_run *run)
{
	struct mw_json_scan *scan = run->scan;

	for (; run->p < run->end && scan->hex_left; run->p++, scan->hex_left--) {
		int digit = hex_digit(*run->p);

		if (digit < 0)
			return mw_json_fail(run, MW_JSON_ERROR_ESCAPE, expected[IN_HEX]);
		scan->code_unit = scan->code_unit << 4 | (unsigned int)digit;
	}
	return scan->hex_left ? 0 : end_hex(run);
}

/* A \u must follow the first half of a pair. */
static int run_low(struct mw_json_run *run)
{
	struct mw_json_scan *scan = run->scan;

	if (*run->p != (scan->state == AT_LOW_BACKSLASH ? '\\' : 'u'))
		return mw_json_fail(run, MW_JSON_ERROR_SURROGATE, NULL);
	if (scan->state == AT_LOW_U)
		return run_escape(run);
	run->p++;
	scan->state = AT_LOW_U;
	return 0;
}

int mw_json_literal(struct mw_json_run *run)
{
	struct mw_json_scan *scan = run->scan;

	for (; run->p < run->end && *scan->literal; run->p++, scan->literal++)
		if (*run->p != (unsigned char)*scan->literal)
			return mw_json_fail(run, MW_JSON_ERROR_SYNTAX, NULL);
	return *scan->literal ? 0 : end_token(run);
}

int mw_json_number_may_end(int state)
{
	return state == AFTER_ZERO || state == IN_DIGITS || state == IN_FRACTION || state == IN_EXPONENT;
}

/* The state behind c inside of a number; negative: c is not part of it. */
static inline int number_step(int state, unsigned char c)
{
	if (c >= '0' && c <= '9') {
		switch (state) {
		case AT_DIGITS:
			return c == '0' ? AFTER_ZERO : IN_DIGITS;
		case AFTER_ZERO:
			return -1;
		case AT_FRACTION:
			return IN_FRACTION;
		case AT_EXPONENT:
		case AT_EXPONENT_DIGITS:
			return IN_EXPONENT;
		default:
			return state;
		}
	}
	if (c == '.')
		return state == AFTER_ZERO || state == IN_DIGITS ? AT_FRACTION : -1;
	if (c == 'e' || c == 'E')
		return mw_json_number_may_end(state) && state != IN_EXPONENT ? AT_EXPONENT : -1;
	if (c == '+' || c == '-')
		return state == AT_EXPONENT ? AT_EXPONENT_DIGITS : -1;
	return -1;
}

static inline const unsigned char *skip_digits(const unsigned char *p, const unsigned char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

int mw_json_run_number(struct mw_json_run *run)
{
	struct mw_json_scan *scan = run->scan;
	int state = scan->state, next;

	for (; run->p < run->end; run->p++) {
		if (state == IN_DIGITS || state == IN_FRACTION || state == IN_EXPONENT)
			run->p = skip_digits(run->p, run->end);
		if (run->p == run->end)
			break;
		next = number_step(state, *run->p);
		if (next < 0)
			break;
		state = next;
	}
	scan->state = state;
	if (run->p == run->end)
		return 0;
	if (!mw_json_number_may_end(state) || (state == AFTER_ZERO && *run->p >= '0' && *run->p <= '9'))
		return mw_json_fail(run, MW_JSON_ERROR_NUMBER, NULL);
	return end_token(run);
}

int mw_json_inside(struct mw_json_run *run)
{
	switch ((enum mw_json_state)run->scan->state) {
	case IN_STRING:
		return mw_json_run_string(run);
	case IN_UTF8:
		return run_utf8(run);
	case AT_ESCAPE:
		return run_escape(run);
	case IN_HEX:
		return run_hex(run);
	case AT_LOW_BACKSLASH:
	case AT_LOW_U:
		return run_low(run);
	case IN_LITERAL:
		return mw_json_literal(run);
	default:
		return mw_json_run_number(run);
	}
}
