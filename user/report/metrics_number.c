/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/metrics_number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/metrics_out.h"
#include "util/clock.h"
#include "util/utf8.h"

#define VALUE_MOST 256 /* bytes of a label's value */

const char *mw_number_u64(__u64 value, char *buf)
{
	char digits[24], *at = digits + sizeof(digits);

	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	memcpy(buf, at, (size_t)(digits + sizeof(digits) - at));
	buf[digits + sizeof(digits) - at] = '\0';
	return buf;
}

const char *mw_number_seconds(__u64 ns, char *buf)
{
	__u64 rest = ns % MW_NS_PER_S;
	char *at;

	mw_number_u64(ns / MW_NS_PER_S, buf);
	at = buf + strlen(buf);
	*at++ = '.';
	for (int i = 8; i >= 0; i--, rest /= 10)
		at[i] = (char)('0' + rest % 10);
	for (at += 9; at[-1] == '0' && at[-2] != '.';)
		at--;
	*at = '\0';
	return buf;
}

const char *mw_number_double(double value, char *buf)
{
	if (isnan(value))
		return memcpy(buf, "NaN", 4);
	if (isinf(value))
		return memcpy(buf, value > 0 ? "+Inf" : "-Inf", 5);
	snprintf(buf, MW_NUMBER_SIZE, "%.12g", value);
	return buf;
}

/* One character of a value; how many bytes of it were read. */
static size_t escape(const char *from, char **to)
{
	size_t n;

	if (*from >= '0' && *from <= 'z' && *from != '\\') { /* nearly all */
		*(*to)++ = *from;
		return 1;
	}
	n = mw_utf8_length(from);
	if (*from == '\\' || *from == '"' || *from == '\n') {
		*(*to)++ = '\\';
		*(*to)++ = *from == '\n' ? 'n' : *from;
		return 1;
	}
	if (!n) { /* U+FFFD */
		memcpy(*to, "\xef\xbf\xbd", 3);
		*to += 3;
		return 1;
	}
	memcpy(*to, from, n);
	*to += n;
	return n;
}

void mw_metric_label(struct mw_metric_labels *l, const char *name, const char *value)
{
	size_t length = strlen(name), read = 0;
	char *to = l->text + l->used;

	if (l->used + length + 3 * VALUE_MOST + 8 > sizeof(l->text))
		return;
	if (l->used)
		*to++ = ',';
	memcpy(to, name, length);
	to += length;
	*to++ = '=';
	*to++ = '"';
	while (value[read] && read < VALUE_MOST - 4)
		read += escape(value + read, &to);
	*to++ = '"';
	*to = '\0';
	l->used = (size_t)(to - l->text);
}

void mw_metric_label_u64(struct mw_metric_labels *l, const char *name, __u64 value)
{
	char text[MW_NUMBER_SIZE];

	mw_metric_label(l, name, mw_number_u64(value, text));
}

void mw_metric_labels_cut(struct mw_metric_labels *l, size_t used)
{
	l->used = used;
	l->text[used] = '\0';
}
