/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* JSON as text that grows up to a bound, and attributes as OTLP has them. Commas come by themselves. */
#ifndef MW_OTLP_OUT_H
#define MW_OTLP_OUT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct mw_out {
	char *data; /* NUL-terminated once something is in it */
	size_t size, room, max; /* max: bytes, of data */
	bool failed; /* it would have been longer, or there was no memory: all that comes later is left out */
};
#define MW_OUT(bytes) ((struct mw_out){.max = (bytes)})

void mw_out_free(struct mw_out *o);
void mw_out_cut(struct mw_out *o, size_t size); /* back to so many bytes */
void mw_out_raw(struct mw_out *o, const char *text); /* as it is */
void mw_out_bytes(struct mw_out *o, const char *bytes, size_t n);
/* A value in a list or behind a key: a comma first where one is due. */
void mw_out_open(struct mw_out *o, const char *bracket); /* "{" or "[" */
void mw_out_key(struct mw_out *o, const char *key); /* a plain one: nothing is escaped */
void mw_out_text(struct mw_out *o, const char *text); /* in quotes; what is no UTF-8 becomes U+FFFD */
void mw_out_int(struct mw_out *o, __s64 value); /* a number: for enums and 32 bits */
void mw_out_u64(struct mw_out *o, __u64 value); /* 64 bits: a string, as the protocol says */
void mw_out_s64(struct mw_out *o, __s64 value);
void mw_out_double(struct mw_out *o, double value); /* "NaN", "Infinity", "-Infinity" are strings */

/* {"key":K,"value":{"stringValue":V}} and so on; text NULL: none. */
void mw_out_attr_text(struct mw_out *o, const char *key, const char *text);
void mw_out_attr_int(struct mw_out *o, const char *key, __s64 value);
void mw_out_attr_bool(struct mw_out *o, const char *key, bool value);
void mw_out_attr_double(struct mw_out *o, const char *key, double value);

#endif
