/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/series.h"

#include <errno.h>
#include <stdlib.h>

#include "util/clock.h"

int mw_series_init(struct mw_series *s, __u32 capacity)
{
	struct mw_point *points;

	if (!capacity)
		return -EINVAL;
	points = calloc(capacity, sizeof(*points));
	if (!points)
		return -ENOMEM;
	*s = (struct mw_series){.points = points, .capacity = capacity};
	return 0;
}

void mw_series_free(struct mw_series *s)
{
	free(s->points);
	*s = (struct mw_series){0};
}

bool mw_series_push(struct mw_series *s, struct mw_point p)
{
	if (!s->capacity)
		return false;
	if (s->count && p.time_ns < mw_series_at(s, s->count - 1).time_ns)
		return false;
	s->points[s->head] = p;
	s->head = (s->head + 1) % s->capacity;
	if (s->count < s->capacity)
		s->count++;
	return true;
}

struct mw_point mw_series_at(const struct mw_series *s, __u32 i)
{
	__u64 oldest = (__u64)s->head + s->capacity - s->count;

	return s->points[(oldest + i) % s->capacity];
}

int mw_series_resize(struct mw_series *s, __u32 capacity)
{
	struct mw_series other;
	int r = mw_series_init(&other, capacity);

	if (r)
		return r;
	for (__u32 i = s->count > capacity ? s->count - capacity : 0; i < s->count; i++)
		mw_series_push(&other, mw_series_at(s, i));
	mw_series_free(s);
	*s = other;
	return 0;
}

/*
 * Differences to the first point are taken in integers: a double holds 53 bits, and
 * nanoseconds since boot times bytes would lose the slope of a slow leak.
 */
static double seconds_since(struct mw_point first, struct mw_point p)
{
	return (double)(p.time_ns - first.time_ns) / MW_NS_PER_S;
}

static double bytes_above(struct mw_point first, struct mw_point p)
{
	return p.bytes >= first.bytes ? (double)(p.bytes - first.bytes) : -(double)(first.bytes - p.bytes);
}

int mw_series_line(const struct mw_series *s, __u32 n, struct mw_line *ret_line)
{
	double mean_t = 0, mean_y = 0, tt = 0, ty = 0, yy = 0;
	struct mw_point first;
	__u32 from;

	if (n > s->count)
		n = s->count;
	if (n < 3)
		return -ENODATA;
	from = s->count - n;
	first = mw_series_at(s, from);
	for (__u32 i = from; i < s->count; i++) {
		mean_t += seconds_since(first, mw_series_at(s, i)) / n;
		mean_y += bytes_above(first, mw_series_at(s, i)) / n;
	}
	for (__u32 i = from; i < s->count; i++) {
		double t = seconds_since(first, mw_series_at(s, i)) - mean_t;
		double y = bytes_above(first, mw_series_at(s, i)) - mean_y;

		tt += t * t;
		ty += t * y;
		yy += y * y;
	}
	if (tt <= 0)
		return -ENODATA;
	*ret_line = (struct mw_line){
		.slope = ty / tt,
		.intercept = (double)first.bytes + mean_y - ty / tt * mean_t,
		.r2 = yy > 0 ? ty / tt * ty / yy : 0,
	};
	if (ret_line->r2 > 1)
		ret_line->r2 = 1; /* rounding */
	return 0;
}
