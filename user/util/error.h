/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A sentence for a person beside an errno for the program: what, where, what was expected. */
#ifndef MW_ERROR_H
#define MW_ERROR_H

#include <stddef.h>

struct mw_error {
	char text[512]; /* one line, no newline; empty when nothing was said */
};

/*
 * Write the sentence (err may be NULL) and return code unchanged, so that
 * `return mw_fail(err, -EINVAL, "…")` reads as one step. code is -errno.
 * A text that does not fit is cut.
 */
int mw_fail(struct mw_error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
