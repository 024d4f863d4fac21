// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/json_find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memweir/abi.h"
#include "util/size.h"

#define NUMBER_CHARS 40

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* Behind the text that begins at p, a quote; at the NUL where it does not end. */
static const char *skip_text(const char *p)
{
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
	}
	return *p ? p + 1 : p;
}

/* Behind the value that begins at p. */
static const char *skip_value(const char *p)
{
	size_t depth = 0;

	do {
		if (*p == '"') {
			p = skip_text(p);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		else if (!depth) /* a number or a word */
			return p + strcspn(p, ",]} \t\r\n");
		p++;
	} while (*p && depth);
	return p;
}

static bool text_is(const char *quoted, const char *text)
{
	size_t n = strlen(text);

	return strncmp(quoted + 1, text, n) == 0 && quoted[1 + n] == '"';
}

const char *mw_find_member(const char *json, const char *key)
{
	const char *p = json ? skip_space(json) : "", *name;

	if (*p != '{')
		return NULL;
	for (p = skip_space(p + 1); *p == '"'; p = skip_space(p + 1)) {
		name = p;
		p = skip_space(skip_text(p));
		if (*p != ':')
			return NULL;
		p = skip_space(p + 1);
		if (text_is(name, key))
			return *p ? p : NULL;
		p = skip_space(skip_value(p));
		if (*p != ',')
			return NULL;
	}
	return NULL;
}

const char *mw_find_first(const char *json)
{
	const char *p = json ? skip_space(json) : "";

	if (*p != '[')
		return NULL;
	p = skip_space(p + 1);
	return *p && *p != ']' ? p : NULL;
}

/* An escape stands for what follows it: the texts looked for have none but of quotes, backslashes and slashes. */
bool mw_find_text(const char *value, char *ret, size_t size)
{
	size_t n = 0;
	const char *end;

	if (!value || *value != '"')
		return false;
	end = skip_text(value);
	if (end - value < 2 || end[-1] != '"' || (size_t)(end - value) > size)
		return false;
	for (const char *p = value + 1; p < end - 1; p++) {
		if (*p == '\\')
			p++;
		ret[n++] = *p;
	}
	ret[n] = '\0';
	return true;
}

static bool number_of(const char *value, char ret[NUMBER_CHARS])
{
	size_t n = value ? strspn(value, "0123456789.") : 0;

	if (!n || n >= NUMBER_CHARS || !strchr(",]} \t\r\n", value[n]))
		return false;
	memcpy(ret, value, n);
	ret[n] = '\0';
	return true;
}

bool mw_find_u64(const char *value, __u64 *ret)
{
	char text[NUMBER_CHARS], *end;
	__u64 number;

	if (!number_of(value, text))
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || *end)
		return false;
	*ret = number;
	return true;
}

bool mw_find_limit(const char *value, __u64 *ret)
{
	if (value && strncmp(value, "null", 4) == 0) {
		*ret = MW_UNLIMITED;
		return true;
	}
	return mw_find_u64(value, ret);
}

bool mw_find_ratio(const char *value, double *ret)
{
	char text[NUMBER_CHARS];

	return number_of(value, text) && mw_ratio_parse(text, ret) == 0;
}

bool mw_find_true(const char *value)
{
	return value && strncmp(value, "true", 4) == 0;
}

const char *mw_json_quote(const char *text, char *buf, size_t size)
{
	size_t n = 0;

	buf[n++] = '"';
	for (; *text && n + 2 < size; text++) {
		unsigned char c = (unsigned char)*text;

		buf[n++] = c < ' ' || c >= 0x7f || c == '"' || c == '\\' ? '_' : *text;
	}
	buf[n++] = '"';
	buf[n] = '\0';
	return buf;
}
