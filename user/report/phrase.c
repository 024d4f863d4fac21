/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/phrase.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/size.h"

struct mw_phrase mw_phrase_begin(char *buf, size_t size)
{
	buf[0] = 0;
	return (struct mw_phrase){.buf = buf, .size = size};
}

/* Half a UTF-8 character at the cut would make the whole text invalid for JSON and terminals. */
static void drop_half_character(struct mw_phrase *p)
{
	size_t at = p->used, tail = 0, want = 1;
	unsigned char lead;

	while (at && tail < 4 && ((unsigned char)p->buf[at - 1] & 0xc0) == 0x80)
		at--, tail++;
	if (!at)
		return;
	lead = (unsigned char)p->buf[at - 1];
	if (lead >= 0xc0)
		want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (lead < 0xc0 || tail + 1 >= want)
		return;
	p->used = at - 1;
	p->buf[p->used] = 0;
}

void mw_phrase_add(struct mw_phrase *p, const char *fmt, ...)
{
	size_t room = p->size - p->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(p->buf + p->used, room, fmt, ap);
	va_end(ap);
	if (n < 0) {
		p->buf[p->used] = 0;
		return;
	}
	if ((size_t)n < room) {
		p->used += (size_t)n;
		return;
	}
	p->used = p->size - 1;
	drop_half_character(p);
}

void mw_phrase_size(struct mw_phrase *p, __u64 bytes)
{
	char text[24];

	mw_phrase_add(p, "%s", mw_size_format(bytes, text, sizeof(text)));
}

void mw_phrase_of(struct mw_phrase *p, __u64 part, __u64 whole)
{
	char a[24], b[24], *unit_a, *unit_b;

	mw_size_format(part, a, sizeof(a));
	mw_size_format(whole, b, sizeof(b));
	unit_a = strchr(a, ' ');
	unit_b = strchr(b, ' ');
	if (unit_a && unit_b && !strcmp(unit_a, unit_b))
		*unit_a = 0;
	mw_phrase_add(p, "%s of %s", a, b);
}

void mw_phrase_rate(struct mw_phrase *p, double bytes_per_s)
{
	char text[40];

	mw_phrase_add(p, "%s", mw_rate_format(bytes_per_s, text, sizeof(text)));
}

void mw_phrase_duration(struct mw_phrase *p, __u64 ns)
{
	char text[40];

	mw_phrase_add(p, "%s", mw_duration_format(ns, text, sizeof(text)));
}

void mw_phrase_foreign(struct mw_phrase *p, const char *text)
{
	size_t from = p->used;

	mw_phrase_add(p, "%s", text);
	for (; from < p->used; from++)
		if ((unsigned char)p->buf[from] < 0x20 || p->buf[from] == 0x7f)
			p->buf[from] = ' ';
}
