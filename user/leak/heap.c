/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Records to sites. Pure: what it reads are copies, and nothing in them is believed before it is checked. */
#include "leak/heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "leak/heap_region.h"
#include "util/cleanup.h"

#define SUM_MAX (1ULL << 62) /* where sums stop, so that the difference of two fits a signed number */
#define SLOTS	(2 * MW_HEAP_SITES_MAX) /* half of them stay empty, so that every search ends */

void mw_heap_free(struct mw_heap *h)
{
	free(h->sites);
	free(h->slots);
	free(h->objects);
	*h = (struct mw_heap){0};
}

static __u64 add(__u64 a, __u64 b)
{
	return b > SUM_MAX - a ? SUM_MAX : a + b;
}

int mw_heap_head_check(const void *bytes, size_t size, struct mw_heap_head *ret_head, struct mw_error *err)
{
	struct mw_heap_head head;

	if (size < sizeof(head))
		return mw_fail(err, -EBADMSG, "a head of %zu bytes, expected %zu", size, sizeof(head));
	memcpy(&head, bytes, sizeof(head));
	if (head.magic != MW_HEAP_MAGIC)
		return mw_fail(err, -EBADMSG, "no sampler's region: it begins with %llx", head.magic);
	if (head.version != MW_HEAP_VERSION || head.head_size != sizeof(head) ||
	    head.record_size != sizeof(struct mw_heap_record))
		return mw_fail(err, -EBADMSG, "region of version %u (%u, %u), expected %u (%zu, %zu)", head.version,
			       head.head_size, head.record_size, MW_HEAP_VERSION, sizeof(head),
			       sizeof(struct mw_heap_record));
	if (!head.n_records || head.n_records > MW_HEAP_RECORDS_MAX || head.records_at < sizeof(head) ||
	    head.records_at > MW_HEAP_RECORDS_AT_MAX || head.records_at % 64)
		return mw_fail(err, -EBADMSG, "%u records from %llu on, expected 1 to %u behind the head",
			       head.n_records, head.records_at, MW_HEAP_RECORDS_MAX);
	if (head.mean_bytes < MW_HEAP_MEAN_MIN || head.mean_bytes > MW_HEAP_MEAN_MAX)
		return mw_fail(err, -EBADMSG, "a sample every %llu bytes, expected %llu to %llu", head.mean_bytes,
			       MW_HEAP_MEAN_MIN, MW_HEAP_MEAN_MAX);
	for (int i = 0; i < MW_HEAP_COUNT_MAX; i++)
		head.counts[i] = add(0, head.counts[i]);
	if (head.n_used > head.n_records)
		head.n_used = head.n_records;
	*ret_head = head;
	return 0;
}

/* Nobody wrote to it between the two copies, and it says what can be. */
static bool is_settled(const struct mw_heap_record *a, const struct mw_heap_record *b)
{
	return a->seq && !(a->seq & 1) && memcmp(a, b, sizeof(*a)) == 0 && a->kind < MW_HEAP_KIND_MAX &&
	       a->n_frames <= MW_HEAP_FRAMES && a->size && a->size <= MW_HEAP_BYTES_MAX && a->weight &&
	       a->weight <= MW_HEAP_BYTES_MAX;
}

/* What tells a site from others; frames are somebody else's. */
struct name {
	pid_t pid;
	__u64 start_ticks;
	__u32 kind, n_frames;
	const __u64 *frames;
};

static struct name name_of(const struct mw_heap_site *s)
{
	return (struct name){s->pid, s->start_ticks, s->kind, s->n_frames, s->frames};
}

static struct name name_for(const struct mw_heap *h, pid_t pid, const struct mw_heap_record *r)
{
	return (struct name){pid, h->start_ticks, r->kind, r->n_frames, r->frames};
}

static __u64 mix(__u64 hash, __u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

static __u64 hash_of(struct name n)
{
	__u64 hash = ((__u64)(__u32)n.pid << 32 | n.kind << 8 | n.n_frames) * 0x9e3779b97f4a7c15ULL;

	hash = mix(hash, n.start_ticks);
	for (__u32 i = 0; i < n.n_frames; i++)
		hash = mix(hash, n.frames[i]);
	return hash;
}

static bool is_at(const struct mw_heap_site *s, struct name n)
{
	return s->pid == n.pid && s->start_ticks == n.start_ticks && s->kind == n.kind && s->n_frames == n.n_frames &&
	       memcmp(s->frames, n.frames, n.n_frames * sizeof(*n.frames)) == 0;
}

/* Its slot, or the empty one it would stand in. A slot is a site's number and one. */
static __u64 *slot_of(const struct mw_heap *h, struct name n)
{
	__u64 at = hash_of(n);

	for (;; at++) {
		__u64 *slot = &h->slots[at % SLOTS];

		if (!*slot || is_at(&h->sites[*slot - 1], n))
			return slot;
	}
}

static int make_room(struct mw_heap *h)
{
	size_t room = h->room ? 2 * h->room : 64;
	struct mw_heap_site *sites;

	if (!h->slots)
		h->slots = calloc(SLOTS, sizeof(*h->slots));
	if (!h->slots)
		return -ENOMEM;
	if (h->n_sites < h->room || h->n_sites >= MW_HEAP_SITES_MAX)
		return 0;
	sites = reallocarray(h->sites, room, sizeof(*sites));
	if (!sites)
		return -ENOMEM;
	h->sites = sites;
	h->room = room;
	return 0;
}

/* Its site, a new one with the first sample; NULL: there is no more room for others. */
static struct mw_heap_site *site_of(struct mw_heap *h, pid_t pid, const struct mw_heap_record *r)
{
	__u64 *slot = slot_of(h, name_for(h, pid, r));
	struct mw_heap_site *s;

	if (*slot)
		return &h->sites[*slot - 1];
	if (h->n_sites >= MW_HEAP_SITES_MAX)
		return NULL;
	s = &h->sites[h->n_sites++];
	*slot = h->n_sites;
	*s = (struct mw_heap_site){.pid = pid,
				   .start_ticks = h->start_ticks,
				   .kind = r->kind,
				   .n_frames = r->n_frames,
				   .oldest_ns = ~0ULL};
	memcpy(s->frames, r->frames, r->n_frames * sizeof(*r->frames));
	return s;
}

void mw_heap_drop_objects(struct mw_heap *h)
{
	struct mw_heap_site *less = h->n_sites ? reallocarray(h->sites, h->n_sites, sizeof(*less)) : NULL;

	free(h->objects);
	h->objects = NULL;
	h->n_objects = h->objects_room = 0;
	if (less) { /* what is kept for long is no larger than it must be */
		h->sites = less;
		h->room = h->n_sites;
	}
}

__u64 mw_heap_site_id(const struct mw_heap_site *site)
{
	return hash_of(name_of(site));
}

static int keep_object(struct mw_heap *h, pid_t pid, const struct mw_heap_record *r)
{
	if (!h->want_objects || h->n_objects == MW_HEAP_OBJECTS_MAX)
		return 0;
	if (h->n_objects == h->objects_room) {
		size_t room = h->objects_room ? 2 * h->objects_room : 256;
		struct mw_heap_object *objects = reallocarray(h->objects, room, sizeof(*objects));

		if (!objects)
			return -ENOMEM;
		h->objects = objects;
		h->objects_room = room;
	}
	h->objects[h->n_objects++] = (struct mw_heap_object){.site = hash_of(name_for(h, pid, r)),
							     .address = r->address,
							     .size = r->size,
							     .weight = r->weight,
							     .time_ns = r->time_ns,
							     .pid = pid};
	return 0;
}

static int add_one(struct mw_heap *h, pid_t pid, const struct mw_heap_record *r)
{
	struct mw_heap_site *s;
	int code = make_room(h);

	if (code < 0)
		return code;
	h->live_bytes = add(h->live_bytes, r->weight);
	h->samples++;
	s = site_of(h, pid, r);
	if (!s) {
		h->left_out_bytes = add(h->left_out_bytes, r->weight);
		return 0;
	}
	s->live_bytes = add(s->live_bytes, r->weight);
	s->live_objects = add(s->live_objects, (r->weight + r->size / 2) / r->size);
	s->samples++;
	if (h->since_ns && r->time_ns >= h->since_ns)
		s->grown_bytes += (__s64)r->weight;
	s->oldest_ns = r->time_ns < s->oldest_ns ? r->time_ns : s->oldest_ns;
	s->newest_ns = r->time_ns > s->newest_ns ? r->time_ns : s->newest_ns;
	return keep_object(h, pid, r);
}

void mw_heap_add_counts(struct mw_heap *h, const struct mw_heap_head *head)
{
	for (int i = 0; i < MW_HEAP_COUNT_MAX; i++)
		h->counts[i] = add(h->counts[i], head->counts[i]);
	h->lost_bytes = add(h->lost_bytes,
			    add(head->counts[MW_HEAP_COUNT_FULL_BYTES], head->counts[MW_HEAP_COUNT_NESTED_BYTES]));
	h->n_processes++;
}

int mw_heap_add(struct mw_heap *h, pid_t pid, const struct mw_heap_head *head, const struct mw_heap_record *first,
		const struct mw_heap_record *second, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct mw_heap_record *r = &first[i];
		int code;

		if (!r->seq || (!r->address && !(r->seq & 1)))
			continue; /* nothing in it */
		if (!is_settled(r, &second[i])) {
			h->unsettled++;
			continue;
		}
		if (r->time_ns < head->began_ns) {
			h->inherited_bytes = add(h->inherited_bytes, r->weight);
			continue;
		}
		code = add_one(h, pid, r);
		if (code < 0)
			return code;
	}
	return 0;
}

const struct mw_heap_site *mw_heap_find(const struct mw_heap *h, const struct mw_heap_site *site)
{
	const __u64 *slot = h->slots ? slot_of(h, name_of(site)) : NULL;

	return slot && *slot ? &h->sites[*slot - 1] : NULL;
}

void mw_heap_compare(struct mw_heap *now, const struct mw_heap *before)
{
	for (size_t i = 0; i < now->n_sites; i++) {
		struct mw_heap_site *s = &now->sites[i];
		const struct mw_heap_site *was = mw_heap_find(before, s);

		s->grown_bytes = (__s64)s->live_bytes - (was ? (__s64)was->live_bytes : 0);
	}
}

static int by_live(const void *a, const void *b)
{
	const struct mw_heap_site *x = a, *y = b;

	if (x->live_bytes != y->live_bytes)
		return x->live_bytes < y->live_bytes ? 1 : -1;
	return x->samples < y->samples ? 1 : x->samples > y->samples ? -1 : 0;
}

static int by_growth(const void *a, const void *b)
{
	const struct mw_heap_site *x = a, *y = b;

	if (x->grown_bytes != y->grown_bytes)
		return x->grown_bytes < y->grown_bytes ? 1 : -1;
	return by_live(a, b);
}

static void sort(struct mw_heap *h, int (*order)(const void *, const void *))
{
	if (!h->n_sites)
		return;
	qsort(h->sites, h->n_sites, sizeof(*h->sites), order);
	memset(h->slots, 0, SLOTS * sizeof(*h->slots));
	for (size_t i = 0; i < h->n_sites; i++) {
		const struct mw_heap_site *s = &h->sites[i];

		*slot_of(h, name_of(s)) = i + 1;
	}
}

void mw_heap_sort(struct mw_heap *h)
{
	sort(h, by_live);
}

void mw_heap_sort_by_growth(struct mw_heap *h)
{
	sort(h, by_growth);
}
