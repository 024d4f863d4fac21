/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A sentence put together piece by piece in a buffer of fixed size. What does not fit is cut, at a character's end. */
#ifndef MW_PHRASE_H
#define MW_PHRASE_H

#include <linux/types.h>
#include <stddef.h>

struct mw_phrase {
	char *buf;
	size_t size, used; /* used: without the NUL, < size */
};

struct mw_phrase mw_phrase_begin(char *buf, size_t size); /* size > 0 */
void mw_phrase_add(struct mw_phrase *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void mw_phrase_size(struct mw_phrase *p, __u64 bytes); /* "43.8 MB" */
void mw_phrase_of(struct mw_phrase *p, __u64 part, __u64 whole); /* "43.8 of 50.0 MB" */
void mw_phrase_rate(struct mw_phrase *p, double bytes_per_s); /* "1.2 MB/s", "3.1 MB/min", "20.0 MB/h" */
void mw_phrase_duration(struct mw_phrase *p, __u64 ns); /* "5.3 s" */
/* Somebody else's text: control characters become '?', so that a command line cannot forge a log line. */
void mw_phrase_foreign(struct mw_phrase *p, const char *text);

#endif
