/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Characters of a JSON string. */
#ifndef MW_LIB_JSON_DECODE_H
#define MW_LIB_JSON_DECODE_H

#include <stddef.h>

/*
 * The character at *p, before end (the closing quote), as UTF-8; *p is behind it afterwards. The text has been through
 * the scanner. Returns its bytes, 1 to 4; a byte above 0x7f is returned by itself. Half a pair alone: U+FFFD.
 */
size_t mw_json_decode(const char **p, const char *end, char utf8[4]);

/* The number that the four hexadecimal digits at p are, which the scanner has seen. */
unsigned int mw_json_hex4(const char *p);

#endif
