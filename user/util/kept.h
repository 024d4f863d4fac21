/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A text that nobody changes any more, held by as many as like, in any thread: it goes with the last who lets go. */
#ifndef MW_KEPT_H
#define MW_KEPT_H

#include <linux/types.h>
#include <stddef.h>

struct mw_kept {
	unsigned int holders;
	size_t size; /* of text, without its NUL */
	char text[];
};

struct mw_kept *mw_kept_new(const char *text, size_t size); /* a copy, with one holder; NULL: no memory */
struct mw_kept *mw_kept_hold(struct mw_kept *k); /* one holder more; k. NULL-safe */
void mw_kept_drop(struct mw_kept *k); /* NULL-safe */

/* A text put together of parts of others, which it holds: nothing is copied until it is read. For one thread. */
struct mw_parts {
	size_t n, room;
	__u64 size; /* of all */
	struct mw_part *at;
	size_t next; /* where reading goes on */
	unsigned int *users; /* counted down when it is freed; NULL: nobody counts */
	__u64 next_at;
};

struct mw_parts *mw_parts_new(void); /* NULL: no memory */
int mw_parts_add(struct mw_parts *p, struct mw_kept *of, size_t from, size_t size); /* to the end; -ENOMEM */
int mw_parts_append(struct mw_parts *p, const struct mw_parts *more); /* to the end, all of it; -ENOMEM */
void mw_parts_cut(struct mw_parts *p, size_t size); /* so much less of the last part, at most all of that */
void mw_parts_skip(struct mw_parts *p, size_t size); /* the same of the first part */
size_t mw_parts_read(struct mw_parts *p, __u64 pos, char *buf, size_t max); /* how much; 0: that was all */
void mw_parts_free(struct mw_parts *p); /* NULL-safe */

#endif
