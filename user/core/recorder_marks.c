/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Marks: what happened to whom, the newest of all workers. */
#include <stdlib.h>
#include <string.h>

#include "core/recorder_impl.h"
#include "util/clock.h"

#define GIVE 16U /* marks that get memory at a time: a page */

/* The place of the next mark, its memory there. NULL: none, counted. */
static struct mw_mark *next(struct mw_recorder *rec, enum mw_mark_ring ring, __u64 now_ns)
{
	__u32 size = rec->head->ring_size[ring], at = (__u32)(rec->head->ring_seq[ring] % size);
	struct mw_mark *m = &rec->rings[ring][at];

	if (at >= rec->ring_given[ring]) {
		if (mw_recorder_give(rec, m, GIVE * sizeof(*m)) < 0) {
			rec->lost++;
			return NULL;
		}
		rec->ring_given[ring] = at + GIVE;
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is mapped */
	if (m->cgroup_id && now_ns - m->time_ns < MW_TRACK_WINDOW_NS)
		rec->lost++;
	rec->head->ring_seq[ring]++;
	return m;
}

/* Without half a character at its end. */
static void put_text(char *to, size_t size, const char *text)
{
	size_t n = strlen(text);

	if (n >= size) {
		n = size - 1;
		while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(to, text, n); /* NOLINT(bugprone-not-null-terminated-result): what is left becomes zeros */
	memset(to + n, 0, size - n);
}

static struct mw_mark *put(struct mw_recorder *rec, enum mw_mark_ring ring, struct mw_mark head, const char *type,
			   const char *text)
{
	struct mw_mark *m = next(rec, ring, head.time_ns);

	if (!m)
		return NULL;
	head.count = 1;
	*m = head;
	put_text(m->type, sizeof(m->type), type);
	put_text(m->text, sizeof(m->text), text);
	return m;
}

void mw_recorder_mark(struct mw_recorder *rec, __u64 cgroup_id, const char *type, __u64 value, __u64 now_ns,
		      const char *text)
{
	struct mw_mark head = {.time_ns = now_ns, .cgroup_id = cgroup_id, .value = value};

	if (rec)
		put(rec, MW_RING_ACTS, head, type, text);
}

void mw_recorder_pause(struct mw_recorder *rec, struct mw_track *t, __u64 duration_ns, __u64 now_ns, const char *text)
{
	struct mw_mark head = {.time_ns = now_ns, .value = duration_ns}, *m = NULL;

	if (!rec || !t)
		return;
	if (t->pause_mark && t->pause_mark <= rec->ring_given[MW_RING_PAUSES])
		m = &rec->rings[MW_RING_PAUSES][t->pause_mark - 1];
	if (m && m->count && m->cgroup_id == t->cgroup_id && now_ns >= m->time_ns &&
	    now_ns - m->time_ns < MW_NS_PER_S) {
		if (duration_ns > m->value / m->count) /* the longer one speaks */
			put_text(m->text, sizeof(m->text), text);
		m->value += duration_ns;
		m->count++;
		return;
	}
	head.cgroup_id = t->cgroup_id;
	m = put(rec, MW_RING_PAUSES, head, "pause", text);
	t->pause_mark = m ? (__u32)(m - rec->rings[MW_RING_PAUSES]) + 1 : 0;
}

static int by_time(const void *a, const void *b)
{
	const struct mw_mark *x = a, *y = b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

/* The newest of one ring, the newest first. */
static size_t collect(const struct mw_recorder *rec, enum mw_mark_ring ring, __u64 cgroup_id, __u64 since_ns,
		      struct mw_mark *ret_marks, size_t room)
{
	__u32 size = rec->head->ring_size[ring];
	__u64 seq = rec->head->ring_seq[ring];
	size_t n = 0;

	for (__u32 i = 0; i < size && i < seq && n < room; i++) {
		const struct mw_mark *m = &rec->rings[ring][(seq - 1 - i) % size];

		if (m->cgroup_id == cgroup_id && m->time_ns >= since_ns)
			ret_marks[n++] = *m;
		else if (ring == MW_RING_ACTS && m->time_ns + MW_TRACK_WINDOW_NS < since_ns)
			break; /* they come in the order of their times, but for a moment */
	}
	return n;
}

size_t mw_recorder_marks(const struct mw_recorder *rec, __u64 cgroup_id, __u64 since_ns, struct mw_mark *ret_marks,
			 size_t room)
{
	size_t n = 0, pauses;

	if (!rec || !cgroup_id)
		return 0;
	/* At most half of it pauses, if there is that much else. */
	pauses = collect(rec, MW_RING_PAUSES, cgroup_id, since_ns, ret_marks, room / 2);
	n = pauses + collect(rec, MW_RING_ACTS, cgroup_id, since_ns, ret_marks + pauses, room - pauses);
	qsort(ret_marks, n, sizeof(*ret_marks), by_time);
	return n;
}
