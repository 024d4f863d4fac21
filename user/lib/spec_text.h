/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Text as it stands in a JSON string, between its quotes: shortened between words, decoded, and the other way round. */
#ifndef MW_LIB_SPEC_TEXT_H
#define MW_LIB_SPEC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MW_SPEC_CHARS_MAX 4096 /* a description can keep */

/* The beginning of a text that comes in parts: as much as its first max characters can take, so that it is bounded. */
struct mw_short_text {
	char *bytes; /* escaped */
	size_t len, room;
	uint32_t max;
};

/* -ENOMEM. max 0 keeps nothing and needs no memory. */
int mw_short_text_init(struct mw_short_text *t, uint32_t max);
void mw_short_text_free(struct mw_short_text *t);
void mw_short_text_add(struct mw_short_text *t, const char *raw, size_t len);

/*
 * What stays of it, in t->bytes: all where it has max characters at most, else whole words and … within max; no
 * escape and no character is cut. t is empty for the next text after mw_short_text_reset(). *ret_cut: something was
 * left out.
 */
size_t mw_short_text_end(struct mw_short_text *t, bool *ret_cut);

static inline void mw_short_text_reset(struct mw_short_text *t)
{
	t->len = 0;
}

/* Decode raw (escapes are valid) into out, which may be raw itself; returns bytes, never more than len. A half of a
 * surrogate pair alone becomes U+FFFD. */
size_t mw_spec_unescape(const char *raw, size_t len, char *out);

/* How many bytes of text go into out as the inside of a JSON string, *ret_used of text taken; room is at least 6. */
size_t mw_spec_escape(const char *text, size_t len, char *out, size_t room, size_t *ret_used);

#endif
