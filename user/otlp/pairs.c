/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "otlp/pairs.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Of an HTTP header's name, and of what semantic conventions make of attributes. */
static const char key_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&'*+-.^_`|~/";

static void trim(const char **text, size_t *n)
{
	while (*n && isspace((unsigned char)(*text)[0]))
		++*text, --*n;
	while (*n && isspace((unsigned char)(*text)[*n - 1]))
		--*n;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int decode(const char *text, size_t n, char *ret, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)text[i];

		if (c == '%') {
			if (i + 2 >= n || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
				return -EINVAL;
			c = hex(text[i + 1]) * 16 + hex(text[i + 2]);
			i += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return -EINVAL;
		if (used + 1 >= size)
			return -E2BIG;
		ret[used++] = (char)c;
	}
	ret[used] = '\0';
	return 0;
}

static int one(const char *text, size_t n, mw_pair_fn fn, void *arg)
{
	char key[MW_PAIR_KEY_MAX], value[MW_PAIR_VALUE_MAX];
	const char *equals = memchr(text, '=', n), *from;
	size_t key_n, value_n;
	int r;

	if (!equals)
		return -EINVAL;
	key_n = (size_t)(equals - text);
	from = equals + 1;
	value_n = n - key_n - 1;
	trim(&text, &key_n);
	trim(&from, &value_n);
	if (key_n >= sizeof(key))
		return -E2BIG;
	memcpy(key, text, key_n);
	key[key_n] = '\0';
	if (!key_n || strspn(key, key_characters) != key_n)
		return -EINVAL;
	r = decode(from, value_n, value, sizeof(value));
	return r < 0 ? r : fn(key, value, arg);
}

int mw_pairs_each(const char *text, mw_pair_fn fn, void *arg, size_t *ret_at)
{
	size_t at = 0, count = 0;
	int r = 0;

	while (text[at] && !r) {
		size_t n = strcspn(text + at, ","), length = n;
		const char *from = text + at;

		*ret_at = at;
		trim(&from, &length);
		if (length)
			r = ++count > MW_PAIRS_MAX ? -E2BIG : one(from, length, fn, arg);
		at += n + (text[at + n] == ',');
	}
	return r;
}
