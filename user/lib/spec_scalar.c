// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/spec_scalar.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define TAGS "tag:yaml.org,2002:"

static bool one_of(const char *text, size_t len, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == len && memcmp(*words, text, len) == 0)
			return true;
	return false;
}

static bool is_null(const char *text, size_t len)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};

	return one_of(text, len, words);
}

static bool is_true(const char *text, size_t len)
{
	static const char *const words[] = {"true", "True", "TRUE", NULL};

	return one_of(text, len, words);
}

static bool is_false(const char *text, size_t len)
{
	static const char *const words[] = {"false", "False", "FALSE", NULL};

	return one_of(text, len, words);
}

/* .inf and .nan, which JSON has not. */
static bool is_no_number(const char *text, size_t len)
{
	static const char *const words[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL};
	bool sign = len && (*text == '-' || *text == '+');

	return one_of(text + sign, len - sign, words);
}

static size_t digits(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && isdigit((unsigned char)text[n]))
		n++;
	return n;
}

static void set(struct mw_yaml_value *v, enum mw_json_token token, const char *text, size_t len)
{
	v->token = token;
	v->text = text;
	v->len = len;
}

/* 0o17 and 0x1F: in ten digits, as JSON knows no other. More than 64 bits are no number here, but text. */
static bool other_base(const char *text, size_t len, struct mw_yaml_value *v)
{
	unsigned int base = len > 2 && text[1] == 'o' ? 8 : 16;
	uint64_t value = 0;

	if (len < 3 || text[0] != '0' || (text[1] != 'o' && text[1] != 'x'))
		return false;
	for (size_t i = 2; i < len; i++) {
		int c = (unsigned char)text[i], d = isdigit(c) ? c - '0' : isxdigit(c) ? (c | 0x20) - 'a' + 10 : 99;

		if ((unsigned int)d >= base || value > (UINT64_MAX - (unsigned int)d) / base)
			return false;
		value = value * base + (unsigned int)d;
	}
	set(v, MW_JSON_NUMBER, v->room, (size_t)snprintf(v->room, sizeof(v->room), "%llu", (unsigned long long)value));
	return true;
}

/* The core schema's numbers have forms JSON has not: +1, 007, .5, 1. */
static bool number(const char *text, size_t len, struct mw_yaml_value *v)
{
	size_t sign = len && (*text == '-' || *text == '+'), whole = digits(text + sign, len - sign), at = sign + whole;
	size_t point = at < len && text[at] == '.', part = point ? digits(text + at + 1, len - at - 1) : 0,
	       exponent = 0;
	size_t zeros = 0;
	int n;

	at += point + part;
	if (!whole && !part)
		return false;
	if (at < len && (text[at] | 0x20) == 'e') {
		size_t mark = at + 1 + (at + 1 < len && (text[at + 1] == '-' || text[at + 1] == '+'));
		size_t count = digits(text + mark, len - mark);

		exponent = count ? mark + count - at : 0;
	}
	if (at + exponent != len)
		return false;
	while (zeros + 1 < whole && text[sign + zeros] == '0')
		zeros++;
	if (*text != '+' && whole && !zeros && (!point || part)) {
		set(v, MW_JSON_NUMBER, text, len);
		return true;
	}
	n = snprintf(v->room, sizeof(v->room), "%s%.*s%s%.*s%.*s", *text == '-' ? "-" : "",
		     whole ? (int)(whole - zeros) : 1, whole ? text + sign + zeros : "0",
		     point ? part ? "." : ".0" : "", (int)part, text + sign + whole + point, (int)exponent, text + at);
	if (n < 0 || (size_t)n >= sizeof(v->room))
		return false;
	set(v, MW_JSON_NUMBER, v->room, (size_t)n);
	return true;
}

/* By what it looks like. */
static int by_form(const char *text, size_t len, struct mw_yaml_value *v, const char **ret_why)
{
	if (is_no_number(text, len)) {
		*ret_why = "infinity or not-a-number, for which JSON has no word";
		return -EBADMSG;
	}
	if (is_null(text, len))
		set(v, MW_JSON_NULL, "null", 4);
	else if (is_true(text, len))
		set(v, MW_JSON_TRUE, "true", 4);
	else if (is_false(text, len))
		set(v, MW_JSON_FALSE, "false", 5);
	else if (!number(text, len, v) && !other_base(text, len, v))
		set(v, MW_JSON_STRING, text, len);
	return 0;
}

static int by_tag(const char *text, size_t len, const char *kind, struct mw_yaml_value *v, const char **ret_why)
{
	bool fits;
	int r = by_form(text, len, v, ret_why);

	if (r < 0)
		return r;
	if (strcmp(kind, "null") == 0)
		fits = v->token == MW_JSON_NULL;
	else if (strcmp(kind, "bool") == 0)
		fits = v->token == MW_JSON_TRUE || v->token == MW_JSON_FALSE;
	else if (strcmp(kind, "int") == 0)
		fits = v->token == MW_JSON_NUMBER && !memchr(v->text, '.', v->len) && !memchr(v->text, 'e', v->len);
	else if (strcmp(kind, "float") == 0)
		fits = v->token == MW_JSON_NUMBER;
	else
		fits = false;
	*ret_why = "a value that is not what its tag says, or a tag for which JSON has no word";
	return fits ? 0 : -EBADMSG;
}

int mw_yaml_scalar(const char *text, size_t len, bool plain, const char *tag, struct mw_yaml_value *ret,
		   const char **ret_why)
{
	if (tag && strcmp(tag, "!") != 0 && strcmp(tag, TAGS "str") != 0) {
		if (strncmp(tag, TAGS, strlen(TAGS)) == 0)
			return by_tag(text, len, tag + strlen(TAGS), ret, ret_why);
		*ret_why = "a tag of one's own, for which JSON has no word";
		return -EBADMSG;
	}
	if (plain && !tag)
		return by_form(text, len, ret, ret_why);
	set(ret, MW_JSON_STRING, text, len);
	return 0;
}
