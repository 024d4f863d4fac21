// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/spec_keep.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/spec_rules.h"
#include "lib/spec_text.h"
#include "util/cleanup.h"

#define KEEP_MAX 1024 /* different ones of a document; each is compared with what is left out */

void mw_spec_keep_free(struct mw_spec_keep *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->pointers[i]);
	free(k->pointers);
	*k = (struct mw_spec_keep){0};
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

/* %XX of a URI. */
static size_t percent_decode(char *text, size_t len)
{
	size_t to = 0;

	for (size_t i = 0; i < len; i++) {
		int high = text[i] == '%' && i + 2 < len ? hex(text[i + 1]) : -1;
		int low = high >= 0 ? hex(text[i + 2]) : -1;

		if (low >= 0)
			i += 2;
		text[to++] = low >= 0 ? (char)(high * 16 + low) : text[i];
	}
	return to;
}

/* ~0 and ~1 of a JSON pointer; returns the decoded length. */
static size_t token_decode(const char *token, size_t len, char *out)
{
	size_t to = 0;

	for (size_t i = 0; i < len; i++) {
		bool escaped = token[i] == '~' && i + 1 < len && (token[i + 1] == '0' || token[i + 1] == '1');

		out[to++] = escaped ? (token[++i] == '0' ? '~' : '/') : token[i];
	}
	return to;
}

static bool is_index(const char *token, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)token[i]))
			return false;
	return len > 0;
}

/* Does the way along the pointer go through something left out? scratch has len bytes. */
static bool leads_out(const char *pointer, size_t len, bool extensions_stay, char *scratch)
{
	mw_spec_place place = MW_SPEC_ROOT;
	size_t at = 0;

	while (at < len && !mw_spec_left_out(place, extensions_stay)) {
		const char *slash = memchr(pointer + at + 1, '/', len - at - 1);
		size_t end = slash ? (size_t)(slash - pointer) : len;
		size_t n = token_decode(pointer + at + 1, end - at - 1, scratch);

		if (!(place & MW_SPEC_MAP_BITS) && place >= MW_SPEC_ROOT && is_index(scratch, n))
			place = mw_spec_at_element(place);
		else
			place = mw_spec_at_key(place, scratch, n);
		at = end;
	}
	return mw_spec_left_out(place, extensions_stay);
}

static int add(struct mw_spec_keep *k, const char *pointer, size_t len)
{
	if (k->n == KEEP_MAX)
		return -E2BIG;
	if (k->n == k->room) {
		size_t room = k->room ? k->room * 2 : 8;
		char **grown = reallocarray(k->pointers, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		k->pointers = grown;
		k->room = room;
	}
	k->pointers[k->n] = strndup(pointer, len);
	if (!k->pointers[k->n])
		return -ENOMEM;
	k->n++;
	return 1;
}

int mw_spec_keep_note(struct mw_spec_keep *k, char *raw, size_t len)
{
	_cleanup_free_ char *scratch = NULL;

	len = mw_spec_unescape(raw, len, raw);
	if (len < 2 || raw[0] != '#' || raw[1] != '/' || memchr(raw, '\0', len))
		return 0;
	raw++;
	len = percent_decode(raw, len - 1);
	scratch = malloc(len);
	if (!scratch)
		return -ENOMEM;
	if (!leads_out(raw, len, k->extensions_stay, scratch))
		return 0;
	for (size_t i = 0; i < k->n; i++)
		if (strlen(k->pointers[i]) == len && memcmp(k->pointers[i], raw, len) == 0)
			return 0;
	return add(k, raw, len);
}

bool mw_spec_keep_has(const struct mw_spec_keep *k, const char *pointer, size_t len)
{
	for (size_t i = 0; i < k->n; i++)
		if (strncmp(k->pointers[i], pointer, len) == 0 &&
		    (k->pointers[i][len] == '\0' || k->pointers[i][len] == '/'))
			return true;
	return false;
}
