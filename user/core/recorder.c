/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Tracks given out and taken back; the file itself is recorder_file.c's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/recorder_impl.h"

static struct mw_left *find_left(const struct mw_recorder *rec, __u64 cgroup_id)
{
	__u32 from = 0, to = rec->n_left;

	while (from < to) {
		__u32 mid = from + (to - from) / 2;

		if (rec->left[mid].cgroup_id == cgroup_id)
			return &rec->left[mid];
		if (rec->left[mid].cgroup_id < cgroup_id)
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}

static struct mw_track *take_left(struct mw_recorder *rec, __u64 cgroup_id)
{
	struct mw_left *l = find_left(rec, cgroup_id);
	__u32 at;

	if (!l)
		return NULL;
	at = l->at;
	rec->n_left--;
	memmove(l, l + 1, (size_t)(&rec->left[rec->n_left] - l) * sizeof(*l));
	return &rec->tracks[at];
}

const struct mw_track *mw_recorder_left(const struct mw_recorder *rec, __u64 cgroup_id)
{
	const struct mw_left *l = rec ? find_left(rec, cgroup_id) : NULL;

	return l ? &rec->tracks[l->at] : NULL;
}

struct mw_track *mw_recorder_begin(struct mw_recorder *rec, __u64 cgroup_id, const char *name)
{
	struct mw_track *t = rec ? take_left(rec, cgroup_id) : NULL;
	__u8 *place;
	__u32 at;

	if (!rec || t)
		return t;
	place = memchr(rec->used, 0, rec->head->tracks);
	at = place ? (__u32)(place - rec->used) : 0;
	t = &rec->tracks[at];
	if (!place || (!rec->given[at] && mw_recorder_give(rec, t, sizeof(*t)) < 0)) {
		rec->lost++;
		return NULL;
	}
	rec->n_given += !rec->given[at];
	rec->given[at] = rec->used[at] = 1;
	*t = (struct mw_track){.cgroup_id = cgroup_id}; /* NOLINT(clang-analyzer-core.NullDereference): it is mapped */
	strncpy(t->name, name, sizeof(t->name) - 1);
	return t;
}

void mw_recorder_end(struct mw_recorder *rec, struct mw_track *t)
{
	if (!rec || !t)
		return;
	t->cgroup_id = 0;
	rec->used[t - rec->tracks] = 0;
}

__u32 mw_recorder_sweep(struct mw_recorder *rec)
{
	__u32 n = rec ? rec->n_left : 0;

	for (__u32 i = 0; i < n; i++)
		mw_recorder_end(rec, &rec->tracks[rec->left[i].at]);
	if (rec)
		rec->n_left = 0;
	return n;
}

void mw_recorder_looked(struct mw_recorder *rec, __u64 now_ns)
{
	if (rec)
		rec->head->looked_ns = now_ns;
}

__u64 mw_recorder_looked_before(const struct mw_recorder *rec)
{
	return rec ? rec->looked_before_ns : 0;
}

__u64 mw_recorder_lost(const struct mw_recorder *rec)
{
	return rec ? rec->lost : 0;
}

size_t mw_recorder_bytes(const struct mw_recorder *rec)
{
	size_t marks = 0;

	for (int i = 0; rec && i < MW_RING_MAX; i++)
		marks += rec->ring_given[i];
	return rec ? MW_RECORDER_HEAD + marks * sizeof(struct mw_mark) + rec->n_given * sizeof(struct mw_track) : 0;
}
