/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Text of others: is it UTF-8, and may it be shown on a terminal? */
#ifndef MW_UTF8_H
#define MW_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character at s, which ends with a NUL; 0: there is none (overlong forms, surrogates, past U+10FFFF). */
size_t mw_utf8_length(const char *s);
/* One line of UTF-8 without control characters, nor those that turn the direction of what follows. */
bool mw_utf8_plain(const char *s);
/*
 * n bytes from text as a plain line in to: each byte or character that may not be there is a '?', what does not
 * fit is cut between two characters. true: the text was plain and has been taken whole.
 */
bool mw_utf8_take(char *to, size_t size, const char *text, size_t n);

#endif
