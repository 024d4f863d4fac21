/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* FNV-1a, 64 bits: for bytes that nobody hostile chooses (lib/siphash.h for those). Its low bits alone are poor. */
#ifndef MW_FNV_H
#define MW_FNV_H

#include <linux/types.h>
#include <stddef.h>
#include <string.h>

#define MW_FNV1A 14695981039346656037ULL /* of nothing: to begin with */

/* Of what had the hash h, and these bytes after it. */
static inline __u64 mw_fnv1a(__u64 h, const void *bytes, size_t n)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < n; i++)
		h = (h ^ at[i]) * 1099511628211ULL;
	return h;
}

static inline __u64 mw_fnv1a_text(const char *text)
{
	return mw_fnv1a(MW_FNV1A, text, strlen(text));
}

#endif
