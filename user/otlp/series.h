/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Since when a counter counts. One that was there at the first look counts since an unknown time: the specification has
 * such a point start at its own time. One that comes later, or falls, began after the look before. Pure.
 */
#ifndef MW_OTLP_SERIES_H
#define MW_OTLP_SERIES_H

#include <linux/types.h>
#include <stddef.h>

#define MW_SERIES_MAX 131072 /* 4 MiB; what finds no room gets no start time */

struct mw_one_series {
	__u64 key; /* 0: free */
	__u64 start_ns;
	double value;
	__u32 look; /* it was seen last */
	__u32 resets;
};

struct mw_series_table {
	struct mw_one_series *slots; /* a power of two, at most half of them taken */
	size_t room, count;
	__u32 look; /* the present one, from 1 */
	__u64 before_ns; /* the look before; 0: there was none */
	__u64 now_ns;
};

void mw_starts_free(struct mw_series_table *t);
/* A look begins: CLOCK_REALTIME. Who was not seen in the last three is forgotten. */
void mw_starts_look(struct mw_series_table *t, __u64 now_ns);
__u64 mw_starts_of(struct mw_series_table *t, __u64 key, double value); /* ns; 0: no room */
/* To make keys of: FNV-1a of text, on top of key; 0 begins one. */
__u64 mw_starts_key(__u64 key, const char *text);

#endif
