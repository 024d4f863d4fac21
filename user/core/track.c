/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/track.h"

#include <string.h>

#include "util/clock.h"

static __u32 pages_of(__u64 bytes)
{
	__u64 pages = bytes / MW_TRACK_PAGE;

	return bytes == MW_UNLIMITED || pages >= MW_TRACK_NO_LIMIT ? MW_TRACK_NO_LIMIT : (__u32)pages;
}

/* What is no limit has no "none": 16 TiB is the most. */
static __u32 size_of(__u64 bytes)
{
	__u32 pages = pages_of(bytes);

	return pages == MW_TRACK_NO_LIMIT ? pages - 1 : pages;
}

static __u64 bytes_of(__u32 pages)
{
	return pages == MW_TRACK_NO_LIMIT ? MW_UNLIMITED : (__u64)pages * MW_TRACK_PAGE;
}

static void note_max(struct mw_track *t, __u32 seq, __u32 max)
{
	if (t->n_max && t->max[t->n_max - 1].max == max)
		return;
	if (t->n_max && t->max[t->n_max - 1].from_seq == seq)
		t->n_max--;
	if (t->n_max == MW_TRACK_LIMITS) {
		memmove(&t->max[0], &t->max[1], (MW_TRACK_LIMITS - 1) * sizeof(t->max[0]));
		t->n_max--;
	}
	t->max[t->n_max].from_seq = seq;
	t->max[t->n_max++].max = max;
}

static __u64 max_at(const struct mw_track *t, __u32 seq)
{
	for (__u32 i = t->n_max; i > 0; i--) {
		if ((__s32)(seq - t->max[i - 1].from_seq) >= 0 || i == 1)
			return bytes_of(t->max[i - 1].max);
	}
	return MW_UNLIMITED;
}

static __u16 stalled(struct mw_track *t, __u32 already_ms)
{
	__u64 ms = t->paused_ns / MW_NS_PER_MS;

	t->paused_ns -= ms * MW_NS_PER_MS; /* what is less than one is not lost: it counts with the next */
	ms += already_ms;
	return (__u16)(ms < 65535 ? ms : 65535);
}

void mw_track_note(struct mw_track *t, const struct mw_usage *u)
{
	__u64 time_ns = u->time_ns / MW_NS_PER_MS * MW_NS_PER_MS, since_ns = time_ns - t->newest_ns;
	bool same = t->count && time_ns / MW_TRACK_INTERVAL_NS == t->newest_ns / MW_TRACK_INTERVAL_NS;
	const struct mw_track_point *newest = &t->points[(t->seq - 1) % MW_TRACK_POINTS];
	__u32 seq = same ? t->seq - 1 : t->seq;

	if (!time_ns || (t->count && time_ns <= t->newest_ns))
		return;
	if (t->count && since_ns >= MW_TRACK_WINDOW_NS)
		t->count = t->n_max = 0;
	t->points[seq % MW_TRACK_POINTS] = (struct mw_track_point){
		.usage = size_of(u->current),
		.heap = size_of(u->heap),
		.bin = size_of(u->bin),
		.high = pages_of(u->high),
		.since_ms = (__u16)((t->count ? since_ns / MW_NS_PER_MS : 0) + (same ? newest->since_ms : 0)),
		.stalled_ms = stalled(t, same ? newest->stalled_ms : 0),
	};
	note_max(t, seq, pages_of(u->max));
	t->newest_ns = time_ns;
	t->seq = seq + 1;
	if (!same && t->count < MW_TRACK_POINTS)
		t->count++;
}

void mw_track_paused(struct mw_track *t, __u64 ns)
{
	t->paused_ns += ns;
	t->stalled_ns += ns;
}

__u32 mw_track_read(const struct mw_track *t, struct mw_look *ret_looks)
{
	__u64 time_ns = t ? t->newest_ns : 0;
	__u32 n = 0, seq;

	if (!t)
		return 0;
	for (seq = t->seq - 1; n < t->count && t->newest_ns - time_ns <= MW_TRACK_WINDOW_NS; seq--) {
		const struct mw_track_point *p = &t->points[seq % MW_TRACK_POINTS];

		ret_looks[MW_TRACK_POINTS - ++n] = (struct mw_look){
			.time_ns = time_ns,
			.usage = bytes_of(p->usage),
			.heap = bytes_of(p->heap),
			.bin = bytes_of(p->bin),
			.high = bytes_of(p->high),
			.max = max_at(t, seq),
			.stalled_ns = p->stalled_ms * MW_NS_PER_MS,
		};
		time_ns -= p->since_ms * MW_NS_PER_MS;
	}
	memmove(ret_looks, ret_looks + MW_TRACK_POINTS - n, n * sizeof(*ret_looks));
	return n;
}

bool mw_track_usage(const struct mw_track *t, __u32 i, __u64 *time_ns, __u64 *ret_bytes)
{
	if (!t || i >= t->count)
		return false;
	*time_ns = i ? *time_ns - t->points[(t->seq - i) % MW_TRACK_POINTS].since_ms * MW_NS_PER_MS : t->newest_ns;
	*ret_bytes = bytes_of(t->points[(t->seq - 1 - i) % MW_TRACK_POINTS].usage);
	return true;
}

bool mw_track_valid(const struct mw_track *t, __u64 now_ns)
{
	return t->cgroup_id && t->count <= MW_TRACK_POINTS && t->n_max <= MW_TRACK_LIMITS && (!t->count || t->n_max) &&
	       t->newest_ns <= now_ns && t->name[0] && memchr(t->name, 0, sizeof(t->name));
}
