/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A document from a read callback, counted and limited; and the two readers that tell the filter what is in it. */
#ifndef MW_LIB_SPEC_INPUT_H
#define MW_LIB_SPEC_INPUT_H

#include "lib/spec_strip.h"

#define MW_SPEC_INPUT_BYTES 65536

struct mw_spec_input {
	const struct memweir_spec_io *io;
	/* Told how many more bytes came in (fewer: another pass); a negative errno fails the whole. NULL: nobody. */
	int (*account)(void *arg, int64_t more);
	void *account_arg;
	uint64_t max_bytes, total;
	size_t at, len; /* of bytes */
	bool ended;
	char bytes[MW_SPEC_INPUT_BYTES];
};

/* More bytes, once those there are taken (at == len): 0 and len > at, or len == at at the end. -EFBIG; what read and
 * account returned. */
int mw_spec_input_fill(struct mw_spec_input *in, struct memweir_spec_error *error);

/* The whole document into s. Errors as memweir_spec_strip(), s->error has the place. */
int mw_spec_read_json(struct mw_spec_input *in, struct mw_strip *s);
int mw_spec_read_yaml(struct mw_spec_input *in, struct mw_strip *s);

#endif
