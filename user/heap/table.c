/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Live samples: records in the region, lowest first so that little of it is ever touched, and an index by address. */
#include "heap/impl.h"

#define WORDS	   (MW_HEAP_RECORDS_MAX / 64)
#define SLOTS	   8192 /* of the index; half full at the most */
#define SLOTS_LOG2 13
#define WINDOW	   32 /* an address stands in one of so many slots, or nowhere */
#define INDEX_BITS 12 /* of a slot: the record's number; the rest is the address, whose lowest three bits are 0 */
#define INDEX_MASK ((1U << INDEX_BITS) - 1)
_Static_assert(1U << INDEX_BITS == MW_HEAP_RECORDS_MAX, "a record's number fits its slot");
_Static_assert(1U << SLOTS_LOG2 == SLOTS, "hash to slot");

__u8 mw_heap_filter[MW_HEAP_FILTER_SIZE];
__u32 mw_heap_n_maps;

static __u64 in_use[WORDS]; /* a bit a record */
static __u64 slots[SLOTS]; /* 0: free */

struct mw_heap_record *mw_heap_record(__u32 i)
{
	char *records = (char *)mw_heap_head + mw_heap_head->records_at;

	return (struct mw_heap_record *)(void *)records + i;
}

static void was_used(__u32 i)
{
	__u32 n = __atomic_load_n(&mw_heap_head->n_used, __ATOMIC_RELAXED);

	while (n <= i &&
	       !__atomic_compare_exchange_n(&mw_heap_head->n_used, &n, i + 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

int mw_heap_record_new(void)
{
	for (__u32 w = 0; w < WORDS; w++) {
		__u64 word = __atomic_load_n(&in_use[w], __ATOMIC_RELAXED);

		while (~word) {
			__u32 bit = (__u32)__builtin_ctzll(~word);

			if (!__atomic_compare_exchange_n(&in_use[w], &word, word | 1ULL << bit, false, __ATOMIC_ACQUIRE,
							 __ATOMIC_RELAXED))
				continue;
			was_used(w * 64 + bit);
			return (int)(w * 64 + bit);
		}
	}
	return -1;
}

void mw_heap_record_begin(struct mw_heap_record *r)
{
	__atomic_store_n(&r->seq, (r->seq | 1), __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

void mw_heap_record_end(struct mw_heap_record *r)
{
	__u32 next = r->seq + 1;

	__atomic_store_n(&r->seq, next ? next : 2, __ATOMIC_RELEASE);
}

void mw_heap_record_free(__u32 i)
{
	struct mw_heap_record *r = mw_heap_record(i);

	mw_heap_record_begin(r);
	r->address = 0;
	mw_heap_record_end(r);
	__atomic_fetch_and(&in_use[i / 64], ~(1ULL << i % 64), __ATOMIC_RELEASE);
}

void mw_heap_filter_add(const void *p)
{
	__u8 *f = &mw_heap_filter[mw_heap_filter_at(p)], n = __atomic_load_n(f, __ATOMIC_RELAXED);

	while (n < 255 && !__atomic_compare_exchange_n(f, &n, (__u8)(n + 1), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* 255 stays: nobody knows how many there were. */
static void filter_remove(const void *p)
{
	__u8 *f = &mw_heap_filter[mw_heap_filter_at(p)], n = __atomic_load_n(f, __ATOMIC_RELAXED);

	while (n && n < 255 &&
	       !__atomic_compare_exchange_n(f, &n, (__u8)(n - 1), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static __u64 key_of(const void *p)
{
	return (__u64)(unsigned long)p >> 3;
}

static __u32 first_slot(const void *p)
{
	return (__u32)(((__u64)(unsigned long)p >> 4) * 0x9e3779b97f4a7c15ULL >> (64 - SLOTS_LOG2));
}

bool mw_heap_put(const void *p, __u32 i)
{
	__u64 key = key_of(p), mine = key << INDEX_BITS | i;

	if (mine >> INDEX_BITS != key)
		return false; /* an address of more than 55 bits */
	for (int stale; (stale = mw_heap_take(p)) >= 0;)
		mw_heap_record_free((__u32)stale); /* freed behind our back (__libc_free) */
	for (__u32 n = 0, at = first_slot(p); n < WINDOW; n++) {
		__u64 none = 0;

		if (!__atomic_compare_exchange_n(&slots[(at + n) % SLOTS], &none, mine, false, __ATOMIC_RELEASE,
						 __ATOMIC_RELAXED))
			continue;
		mw_heap_filter_add(p);
		return true;
	}
	return false;
}

int mw_heap_take(const void *p)
{
	__u64 key = key_of(p);

	if ((__u64)(unsigned long)p & 7)
		return -1;
	for (__u32 n = 0, at = first_slot(p); n < WINDOW; n++) {
		__u64 *slot = &slots[(at + n) % SLOTS], found = __atomic_load_n(slot, __ATOMIC_ACQUIRE);

		if (found >> INDEX_BITS != key || !found)
			continue;
		if (!__atomic_compare_exchange_n(slot, &found, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue; /* two threads free the same */
		filter_remove(p);
		return (int)(found & INDEX_MASK);
	}
	return -1;
}
