/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/jit.h"

#include <string.h>

#define MATCHES_MAX 16000000U /* a list may say of each line that it is everywhere */

/* 1 to 16 digits, with or without 0x, and the space behind. */
static bool take_hex(const char **at, const char *end, __u64 *ret)
{
	const char *p = *at;
	__u64 value = 0;
	int digits = 0;

	if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	for (; p < end && *p != ' '; p++, digits++) {
		char c = *p | 0x20;

		if (digits == 16 || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		value = value << 4 | (__u64)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	if (!digits || p == end)
		return false;
	*at = p + 1;
	*ret = value;
	return true;
}

bool mw_jit_line(const char *line, size_t n, struct mw_jit_code *ret)
{
	const char *at = line, *end = line + n;
	struct mw_jit_code c;

	if (!take_hex(&at, end, &c.start) || !take_hex(&at, end, &c.size) || at == end)
		return false;
	if (!c.size || c.start + c.size < c.start)
		return false;
	c.name = at;
	c.name_n = (size_t)(end - at);
	*ret = c;
	return true;
}

/* The first address from start on. */
static size_t first_from(const __u64 *addresses, size_t n, __u64 start)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (addresses[middle] < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void mw_jit_find(const char *text, size_t text_n, const __u64 *addresses, size_t n, struct mw_jit_code *ret_codes)
{
	const char *end = text + text_n;
	size_t left = MATCHES_MAX;

	memset(ret_codes, 0, n * sizeof(*ret_codes));
	for (const char *at = text, *stop; at < end; at = stop + 1) {
		struct mw_jit_code c;

		stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop ? stop : end;
		if (!mw_jit_line(at, (size_t)(stop - at), &c))
			continue;
		for (size_t i = first_from(addresses, n, c.start); i < n && addresses[i] < c.start + c.size; i++) {
			if (!left--)
				return;
			ret_codes[i] = c;
		}
	}
}

static void copy(char *to, size_t size, const char *text, size_t n)
{
	n = n < size ? n : size - 1;
	memcpy(to, text, n);
	to[n] = '\0';
}

/* ":123" at the end: the number, and what stands before it. 0: there is none. */
static __u32 take_number(const char *text, size_t *n)
{
	__u32 value = 0, unit = 1;
	size_t at = *n;

	while (at && text[at - 1] >= '0' && text[at - 1] <= '9' && *n - at < 9) {
		value += unit * (__u32)(text[--at] - '0');
		unit *= 10;
	}
	if (at == *n || !at || text[at - 1] != ':')
		return 0;
	*n = at - 1;
	return value;
}

/* V8: what kind of code, ":", how far optimised ("*", "~", "^", "+"), the function, the place. */
static bool split_v8(const char *name, size_t n, struct mw_jit_name *ret)
{
	static const char *const kinds[] = {"JS:", "LazyCompile:", "Function:", "Eval:", "Script:", "RegExp:"};
	const char *space;
	__u32 second;
	size_t skip = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (n > strlen(kinds[i]) && !memcmp(name, kinds[i], strlen(kinds[i])))
			skip = strlen(kinds[i]);
	}
	if (!skip)
		return false;
	while (skip < n && strchr("*~^+'", name[skip]))
		skip++;
	name += skip;
	n -= skip;
	second = take_number(name, &n);
	ret->line = second ? take_number(name, &n) : 0;
	ret->column = ret->line ? second : 0;
	ret->line = ret->line ? ret->line : second;
	space = second ? memchr(name, ' ', n) : NULL;
	if (space) /* without a name: an anonymous function, or a whole file */
		copy(ret->file, sizeof(ret->file), space + 1, n - (size_t)(space + 1 - name));
	n = space ? (size_t)(space - name) : n;
	copy(ret->function, sizeof(ret->function), n ? name : "(anonymous)", n ? n : strlen("(anonymous)"));
	return true;
}

static bool split_python(const char *name, size_t n, struct mw_jit_name *ret)
{
	const char *colon;

	if (n < 5 || memcmp(name, "py::", 4) != 0)
		return false;
	name += 4;
	n -= 4;
	colon = memchr(name, ':', n);
	if (!colon)
		return false;
	copy(ret->function, sizeof(ret->function), name, (size_t)(colon - name));
	copy(ret->file, sizeof(ret->file), colon + 1, n - (size_t)(colon + 1 - name));
	return true;
}

void mw_jit_split(const char *name, size_t n, struct mw_jit_name *ret)
{
	*ret = (struct mw_jit_name){0};
	if (n && name[n - 1] == '\r')
		n--;
	if (!split_v8(name, n, ret) && !split_python(name, n, ret))
		copy(ret->function, sizeof(ret->function), name, n);
}
