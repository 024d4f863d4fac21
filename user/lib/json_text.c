// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Strings and numbers out of their texts. */
#include <memweir/json.h>

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_decode.h"
#include "lib/json_scan.h"
#include "util/cleanup.h"

#define REPLACEMENT 0xfffd
#define STACK_BYTES 128 /* a number that long is hardly ever seen */

unsigned int mw_json_hex4(const char *p)
{
	unsigned int unit = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)p[i];

		unit = unit << 4 | (unsigned int)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return unit;
}

static size_t to_utf8(unsigned int c, char utf8[4])
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = n; i-- > 1; c >>= 6)
		utf8[i] = (char)(0x80 | (c & 0x3f));
	utf8[0] = (char)(first[n] | c);
	return n;
}

size_t mw_json_decode(const char **p, const char *end, char utf8[4])
{
	static const char letters[] = "bfnrt", controls[] = "\b\f\n\r\t";
	unsigned int unit, low;
	const char *letter;
	char c = *(*p)++;

	if (c != '\\') {
		utf8[0] = c;
		return 1;
	}
	c = *(*p)++;
	if (c != 'u') {
		letter = strchr(letters, c);
		utf8[0] = letter ? controls[letter - letters] : c;
		return 1;
	}
	unit = mw_json_hex4(*p);
	*p += 4;
	if ((unit & 0xf800) != 0xd800)
		return to_utf8(unit, utf8);
	if (unit >= 0xdc00 || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
		return to_utf8(REPLACEMENT, utf8);
	low = mw_json_hex4(*p + 2);
	if ((low & 0xfc00) != 0xdc00)
		return to_utf8(REPLACEMENT, utf8);
	*p += 6;
	return to_utf8(0x10000 + ((unit & 0x3ff) << 10 | (low & 0x3ff)), utf8);
}

static int is_token(const char *text, size_t n, enum mw_json_token token)
{
	struct mw_json_scan scan;
	int number = n && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));

	if (!n || (token == MW_JSON_STRING ? text[0] != '"' || text[n - 1] != '"'
					   : !number || text[n - 1] < '0' || text[n - 1] > '9'))
		return 0;
	mw_json_scan_init(&scan, MW_JSON_LONE_SURROGATES, 1, NULL, NULL);
	return !mw_json_scan_feed(&scan, text, n) && !mw_json_scan_end(&scan);
}

int memweir_json_string(const char *text, size_t n, char *buffer, size_t room, size_t *ret_length)
{
	const char *p = text + 1, *end;
	size_t length = 0;
	char utf8[4];

	if (!is_token(text, n, MW_JSON_STRING))
		return -EBADMSG;
	for (end = text + n - 1; p < end;) {
		size_t bytes = mw_json_decode(&p, end, utf8);

		if (room < bytes + 1 || length > room - bytes - 1)
			return -ENOSPC;
		memcpy(buffer + length, utf8, bytes);
		length += bytes;
	}
	if (length >= room)
		return -ENOSPC;
	buffer[length] = '\0';
	*ret_length = length;
	return 0;
}

/* The digits without their sign. */
static int magnitude(const char *text, size_t n, uint64_t *ret)
{
	uint64_t number = 0;

	for (size_t i = text[0] == '-'; i < n; i++)
		if (text[i] < '0' || text[i] > '9')
			return -EDOM;
	for (size_t i = text[0] == '-'; i < n; i++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number))
			return -ERANGE;
	*ret = number;
	return 0;
}

int memweir_json_uint64(const char *text, size_t n, uint64_t *ret_number)
{
	uint64_t number;
	int r;

	if (!is_token(text, n, MW_JSON_NUMBER))
		return -EBADMSG;
	r = magnitude(text, n, &number);
	if (r < 0)
		return r;
	if (text[0] == '-' && number)
		return -ERANGE;
	*ret_number = number;
	return 0;
}

int memweir_json_int64(const char *text, size_t n, int64_t *ret_number)
{
	uint64_t number, max = INT64_MAX;
	int r;

	if (!is_token(text, n, MW_JSON_NUMBER))
		return -EBADMSG;
	r = magnitude(text, n, &number);
	if (r < 0)
		return r;
	if (number > (text[0] == '-' ? max + 1 : max))
		return -ERANGE;
	*ret_number = (int64_t)(text[0] == '-' ? 0 - number : number);
	return 0;
}

static locale_t plain_locale;

static void make_plain_locale(void)
{
	plain_locale = newlocale(LC_ALL_MASK, "C", NULL);
}

int memweir_json_double(const char *text, size_t n, double *ret_number)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	_cleanup_free_ char *longer = NULL;
	char shorter[STACK_BYTES], *copy = shorter; /* strtod() wants an end */
	double number;

	if (!is_token(text, n, MW_JSON_NUMBER))
		return -EBADMSG;
	if (n >= sizeof(shorter))
		copy = longer = malloc(n + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, n);
	copy[n] = '\0';
	pthread_once(&once, make_plain_locale);
	if (!plain_locale)
		return -ENOMEM;
	number = strtod_l(copy, NULL, plain_locale);
	if (isinf(number))
		return -ERANGE;
	*ret_number = number;
	return 0;
}
