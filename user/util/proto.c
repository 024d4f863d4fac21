/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/proto.h"

#include <stdlib.h>
#include <string.h>

#define VARINT	   10 /* bytes at most, seven bits in each */
#define WIRE_COUNT 0
#define WIRE_BYTES 2

void mw_proto_free(struct mw_proto *p)
{
	free(p->at);
	*p = (struct mw_proto){0};
}

static void append(struct mw_proto *p, const void *bytes, size_t n)
{
	size_t room = p->room ? p->room : 256;
	char *more;

	while (room < p->n + n)
		room *= 2;
	if (room != p->room && !p->failed) {
		more = realloc(p->at, room);
		p->failed = !more;
		p->at = more ? more : p->at;
		p->room = more ? room : p->room;
	}
	if (p->failed || !n)
		return;
	memcpy(p->at + p->n, bytes, n);
	p->n += n;
}

/* Seven bits at a time, the lowest first; all but the last byte have the eighth. */
static size_t varint(__u64 value, unsigned char buf[VARINT])
{
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		buf[n++] = (unsigned char)(value | 0x80);
	buf[n++] = (unsigned char)value;
	return n;
}

static void number(struct mw_proto *p, __u64 value)
{
	unsigned char buf[VARINT];

	append(p, buf, varint(value, buf));
}

void mw_proto_u64(struct mw_proto *p, unsigned field, __u64 value)
{
	if (!value)
		return;
	number(p, field << 3 | WIRE_COUNT);
	number(p, value);
}

void mw_proto_packed(struct mw_proto *p, unsigned field, const __u64 *values, size_t n)
{
	unsigned char buf[VARINT];
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += varint(values[i], buf);
	if (!n)
		return;
	number(p, field << 3 | WIRE_BYTES);
	number(p, bytes);
	for (size_t i = 0; i < n; i++)
		number(p, values[i]);
}

void mw_proto_bytes(struct mw_proto *p, unsigned field, const void *bytes, size_t n)
{
	number(p, field << 3 | WIRE_BYTES);
	number(p, n);
	append(p, bytes, n);
}

void mw_proto_message(struct mw_proto *p, unsigned field, struct mw_proto *inner)
{
	p->failed |= inner->failed;
	mw_proto_bytes(p, field, inner->at, inner->n);
	inner->n = 0;
}
