/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A bounded series of (time, bytes) and its statistics. */
#ifndef MW_SERIES_H
#define MW_SERIES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct mw_point {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 bytes;
};

/* A ring of the last points; the memory is the owner's, nothing is allocated after init. */
struct mw_series {
	struct mw_point *points;
	__u32 capacity, head, count; /* head: place of the next point */
};

int mw_series_init(struct mw_series *s, __u32 capacity); /* -ENOMEM, -EINVAL for 0 */
void mw_series_free(struct mw_series *s);
/* Times must not go back: an older point is dropped (false). */
bool mw_series_push(struct mw_series *s, struct mw_point p);
/* i = 0 is the oldest kept. i < count. */
struct mw_point mw_series_at(const struct mw_series *s, __u32 i);
/* Keep the newest points in a ring of another size. -ENOMEM leaves it as it was. */
int mw_series_resize(struct mw_series *s, __u32 capacity);

struct mw_line {
	double slope; /* bytes per second */
	double intercept; /* bytes at the first point */
	double r2; /* 0..1; 0 for a flat series */
};
/* Least squares over the last n points. -ENODATA for fewer than 3 points or no time between them. Numerically sound for
 * large times. */
int mw_series_line(const struct mw_series *s, __u32 n, struct mw_line *ret_line);

#endif
