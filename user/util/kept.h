/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A text that nobody changes any more, held by as many as like, in any thread: it goes with the last who lets go. */
#ifndef MW_KEPT_H
#define MW_KEPT_H

#include <stddef.h>

struct mw_kept {
	unsigned int holders;
	size_t size; /* of text, without its NUL */
	char text[];
};

struct mw_kept *mw_kept_new(const char *text, size_t size); /* a copy, with one holder; NULL: no memory */
struct mw_kept *mw_kept_hold(struct mw_kept *k); /* one holder more; k. NULL-safe */
void mw_kept_drop(struct mw_kept *k); /* NULL-safe */

#endif
