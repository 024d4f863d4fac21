/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/utf8.h"

#include <string.h>

#include "util/cleanup.h"

size_t mw_utf8_length(const char *text)
{
	static const struct {
		unsigned char from, to, second_from, second_to, len;
	} rows[] = {
		{0x01, 0x7f, 0, 0, 1},	     {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (s[0] < rows[i].from || s[0] > rows[i].to)
			continue;
		if (rows[i].len > 1 && (s[1] < rows[i].second_from || s[1] > rows[i].second_to))
			return 0;
		for (size_t k = 2; k < rows[i].len; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return rows[i].len;
	}
	return 0;
}

/* Of a character of n bytes: C0, DEL, C1; marks and overrides of direction, line and paragraph separators. */
static bool is_plain(const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;

	if (n == 1)
		return s[0] >= ' ' && s[0] != 0x7f;
	if (n == 2)
		return !(s[0] == 0xc2 && s[1] < 0xa0);
	if (n == 3 && s[0] == 0xe2 && s[1] == 0x80)
		return !((s[2] >= 0x8e && s[2] <= 0x8f) || (s[2] >= 0xa8 && s[2] <= 0xae));
	if (n == 3 && s[0] == 0xe2 && s[1] == 0x81)
		return !(s[2] >= 0xa6 && s[2] <= 0xa9);
	return n > 0;
}

bool mw_utf8_plain(const char *s)
{
	for (size_t n; *s; s += n) {
		n = mw_utf8_length(s);
		if (!is_plain(s, n))
			return false;
	}
	return true;
}

bool mw_utf8_take(char *to, size_t size, const char *text, size_t n)
{
	size_t used = 0, i = 0;
	bool whole = true;

	while (i < n) {
		char c[5] = "";
		size_t length;

		memcpy(c, text + i, n - i < 4 ? n - i : 4);
		length = mw_utf8_length(c);
		i += length ? length : 1;
		if (!is_plain(c, length)) {
			whole = false;
			length = 1;
			c[0] = '?';
		}
		if (used + length >= size) {
			whole = false;
			break;
		}
		memcpy(to + used, c, length);
		used += length;
	}
	to[used] = '\0';
	return whole;
}
