/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Bytes to a write callback, some KB at a time. */
#ifndef MW_LIB_SPEC_OUT_H
#define MW_LIB_SPEC_OUT_H

#include <stddef.h>
#include <stdint.h>

#define MW_SPEC_OUT_BYTES 16384

struct mw_spec_out {
	int (*write)(void *arg, const void *bytes, size_t count);
	void *arg;
	uint64_t total;
	size_t len;
	char bytes[MW_SPEC_OUT_BYTES];
};

/* 0 or what write returned. */
int mw_spec_out_put(struct mw_spec_out *o, const char *bytes, size_t count);
int mw_spec_out_flush(struct mw_spec_out *o);

#endif
