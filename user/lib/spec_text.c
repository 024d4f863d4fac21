// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/spec_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_decode.h"

#define CHAR_MAX_BYTES 12 /* \ud83d\ude00 */
#define ELLIPSIS       "\xe2\x80\xa6"

int mw_short_text_init(struct mw_short_text *t, uint32_t max)
{
	*t = (struct mw_short_text){.max = max};
	/* One character more tells that there is more; two more, since the last may be cut by the end of the room. */
	t->room = max ? ((size_t)max + 2) * CHAR_MAX_BYTES : 0;
	t->bytes = t->room ? malloc(t->room) : NULL;
	return t->room && !t->bytes ? -ENOMEM : 0;
}

void mw_short_text_free(struct mw_short_text *t)
{
	free(t->bytes);
	*t = (struct mw_short_text){0};
}

void mw_short_text_add(struct mw_short_text *t, const char *raw, size_t len)
{
	size_t n = len < t->room - t->len ? len : t->room - t->len;

	if (n)
		memcpy(t->bytes + t->len, raw, n);
	t->len += n;
}

static bool high_surrogate(unsigned int c)
{
	return (c & 0xfc00) == 0xd800;
}

static bool low_surrogate(unsigned int c)
{
	return (c & 0xfc00) == 0xdc00;
}

/* Bytes of the character at p, at most len; 0: it is cut. */
static size_t one_char(const char *p, size_t len)
{
	unsigned char c = (unsigned char)*p;
	size_t n;

	if (c != '\\') {
		n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		return n <= len ? n : 0;
	}
	if (len < 2)
		return 0;
	if (p[1] != 'u')
		return 2;
	if (len < 6)
		return 0;
	if (len >= 12 && high_surrogate(mw_json_hex4(p + 2)) && p[6] == '\\' && p[7] == 'u' &&
	    low_surrogate(mw_json_hex4(p + 8)))
		return 12;
	return 6;
}

static bool space(const char *p, size_t n)
{
	return n == 1 ? *p == ' ' : n == 2 && *p == '\\' && strchr("ntr", p[1]);
}

size_t mw_short_text_end(struct mw_short_text *t, bool *ret_cut)
{
	size_t at = 0, words = 0, hard = 0, n;
	uint32_t chars = 0, in_words = 0;
	bool was_space = true;

	*ret_cut = true;
	if (!t->max)
		return 0;
	/* words: where the last word ends that leaves room for …; hard: where a word would be cut. */
	while (at < t->len && (n = one_char(t->bytes + at, t->len - at))) {
		bool is_space = space(t->bytes + at, n);

		if (is_space && !was_space && chars < t->max) {
			words = at;
			in_words = chars;
		}
		was_space = is_space;
		at += n;
		chars++;
		if (chars == t->max - 1)
			hard = at;
	}
	if (chars <= t->max && at == t->len) {
		*ret_cut = false;
		return t->len;
	}
	/* A first word that fills more than half is cut, and so is text without spaces. */
	if (in_words * 2 < t->max - 1)
		words = hard;
	memcpy(t->bytes + words, ELLIPSIS, strlen(ELLIPSIS));
	return words + strlen(ELLIPSIS);
}

size_t mw_spec_unescape(const char *raw, size_t len, char *out)
{
	size_t at = 0, to = 0, n;
	const char *p;

	while (at < len) {
		if (raw[at] != '\\') {
			out[to++] = raw[at++];
			continue;
		}
		n = one_char(raw + at, len - at);
		if (!n)
			break;
		p = raw + at;
		to += mw_json_decode(&p, raw + at + n, out + to);
		at += n;
	}
	return to;
}

size_t mw_spec_escape(const char *text, size_t len, char *out, size_t room, size_t *ret_used)
{
	static const char hex[] = "0123456789abcdef", meant[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
	size_t to = 0, i;

	for (i = 0; i < len && to + 6 <= room; i++) {
		unsigned char c = (unsigned char)text[i];
		const char *known = c ? strchr(meant, c) : NULL;

		if (known) {
			out[to++] = '\\';
			out[to++] = letters[known - meant];
		} else if (c < 0x20) {
			const char unit[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

			memcpy(out + to, unit, sizeof(unit));
			to += sizeof(unit);
		} else {
			out[to++] = (char)c;
		}
	}
	*ret_used = i;
	return to;
}
