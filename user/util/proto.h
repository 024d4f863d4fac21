/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Messages in the encoding of protocol buffers, written field by field. As with mw_json_out the first failed allocation
 * is remembered, later calls do nothing, and one check at the end is enough.
 */
#ifndef MW_PROTO_H
#define MW_PROTO_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* Zeroed it is an empty message. */
struct mw_proto {
	char *at; /* owned */
	size_t n, room;
	bool failed;
};
void mw_proto_free(struct mw_proto *p); /* contents; idempotent */

/* A number of any integer type that is not zigzag; 0 is the default of every field and is left out. */
void mw_proto_u64(struct mw_proto *p, unsigned field, __u64 value);
void mw_proto_packed(struct mw_proto *p, unsigned field, const __u64 *values, size_t n); /* a repeated one; 0 stays */
void mw_proto_bytes(struct mw_proto *p, unsigned field, const void *bytes,
		    size_t n); /* text and messages; kept empty */
/* A message inside of p. inner is empty afterwards, with its room; its failure is p's. */
void mw_proto_message(struct mw_proto *p, unsigned field, struct mw_proto *inner);

#endif
