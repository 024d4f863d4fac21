/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/json_text.h"

#include <stdlib.h>
#include <string.h>

void mw_json_put_bytes(struct mw_json_text *t, const char *text, size_t n)
{
	if (t->size + n > t->room && !t->failed) {
		size_t room = t->room ? t->room : 4096;
		char *grown;

		while (room < t->size + n)
			room *= 2;
		grown = realloc(t->text, room);
		t->failed = !grown;
		if (grown) {
			t->text = grown;
			t->room = room;
		}
	}
	if (t->failed)
		return;
	memcpy(t->text + t->size, text, n);
	t->size += n;
}

void mw_json_put_text(struct mw_json_text *t, const char *text)
{
	mw_json_put_bytes(t, text, strlen(text));
}

void mw_json_put_number(struct mw_json_text *t, __u64 value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	mw_json_put_bytes(t, digits + at, sizeof(digits) - at);
}

void mw_json_put_limit(struct mw_json_text *t, __u64 bytes)
{
	if (bytes == MW_UNLIMITED)
		mw_json_put_text(t, "null");
	else
		mw_json_put_number(t, bytes);
}
