/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Names of code that was written at run time, as its program lists them: /tmp/perf-PID.map. Untrusted. */
#ifndef MW_JIT_H
#define MW_JIT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define MW_JIT_BYTES (64U << 20) /* of the list */

struct mw_jit_code {
	__u64 start, size;
	const char *name; /* into the text */
	size_t name_n;
};

/* One line, "START SIZE NAME" in hexadecimal digits, without its end. */
bool mw_jit_line(const char *line, size_t n, struct mw_jit_code *ret);

/*
 * For each of n addresses in rising order what is there; name NULL: nothing. Of two in one place the later line is
 * right: the older code is gone.
 */
void mw_jit_find(const char *text, size_t text_n, const __u64 *addresses, size_t n, struct mw_jit_code *ret_codes);

/* A name taken apart. Texts end with a NUL and are as the file has them. */
struct mw_jit_name {
	char function[512], file[1024]; /* file "": not said */
	__u32 line, column; /* 0: not said */
};
/* As node ("JS:*name /x.js:3:14"), Python ("py::name:/x.py") and others say it; else all of it is the function. */
void mw_jit_split(const char *name, size_t n, struct mw_jit_name *ret);

#endif
