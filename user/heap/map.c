/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Anonymous mappings that a program makes itself: arenas of interpreters, big buffers. By size, touched or not. */
#include <stdarg.h>
#include <sys/mman.h>

#include "heap/impl.h"

/* Mappings are few, and parts of them are unmapped: so they are searched for, not looked up. */
static bool claim(struct mw_heap_record *r)
{
	__u32 seq = __atomic_load_n(&r->seq, __ATOMIC_ACQUIRE);

	return seq && !(seq & 1) && r->address && r->kind == MW_HEAP_MAPPING_ANON &&
	       __atomic_compare_exchange_n(&r->seq, &seq, seq | 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Room in between is cut away from the longer end: a record is one piece. */
static void cut_one(__u32 i, struct mw_heap_record *r, __u64 from, __u64 to)
{
	__u64 begin = r->address, end = begin + r->size, left, weight;

	from = from > begin ? from : begin;
	to = to < end ? to : end;
	left = r->size - (to - from);
	weight = (__u64)((double)r->weight * ((double)left / (double)r->size));
	mw_heap_count(MW_HEAP_COUNT_UNMAPPED_BYTES, r->weight - weight);
	if (from == begin)
		r->address = to;
	r->size = left;
	r->weight = weight;
	if (!left)
		r->address = 0;
	mw_heap_record_end(r);
	if (left)
		return;
	mw_heap_count(MW_HEAP_COUNT_UNMAPPED, 1);
	__atomic_fetch_sub(&mw_heap_n_maps, 1, __ATOMIC_RELAXED);
	mw_heap_record_free(i);
}

void MW_HEAP_COLD mw_heap_maps_cut(const void *at, size_t size)
{
	__u64 from = (__u64)(unsigned long)at, to = from + size;
	__u32 n = __atomic_load_n(&mw_heap_head->n_used, __ATOMIC_RELAXED);

	mw_heap_look_for_fork();
	for (__u32 i = 0; i < n; i++) {
		struct mw_heap_record *r = mw_heap_record(i);

		if (r->kind != MW_HEAP_MAPPING_ANON || r->address >= to || r->address + r->size <= from || !claim(r))
			continue;
		if (r->address < to && r->address + r->size > from)
			cut_one(i, r, from, to);
		else
			mw_heap_record_end(r);
	}
}

int MW_HEAP_COLD mw_heap_map_find(const void *at, size_t size)
{
	__u32 n = __atomic_load_n(&mw_heap_head->n_used, __ATOMIC_RELAXED);

	for (__u32 i = 0; i < n; i++) {
		struct mw_heap_record *r = mw_heap_record(i);

		if (r->kind == MW_HEAP_MAPPING_ANON && r->address == (__u64)(unsigned long)at && r->size == size)
			return (int)i;
	}
	return -1;
}

void mw_heap_map_moved(__u32 i, const void *from, const void *to, size_t size)
{
	struct mw_heap_record *r = mw_heap_record(i);

	if (!claim(r))
		return;
	if (r->address == (__u64)(unsigned long)from && r->size) {
		double weight = (double)r->weight * ((double)size / (double)r->size);

		r->weight = weight < (double)MW_HEAP_BYTES_MAX ? (__u64)weight : MW_HEAP_BYTES_MAX;
		r->address = (__u64)(unsigned long)to;
		r->size = size;
	}
	mw_heap_record_end(r);
}

static bool has_maps(void)
{
	return __atomic_load_n(&mw_heap_n_maps, __ATOMIC_RELAXED);
}

static void counted_behind(const void *p, size_t size)
{
	if (size < mw_heap_thread.behind)
		mw_heap_thread.behind -= size;
	else
		mw_heap_due_behind(p, size, MW_HEAP_MAPPING_ANON);
}

static void *map(void *at, size_t size, int prot, int flags, int fd, long offset, const void *caller)
{
	void *p;

	if ((flags & MAP_FIXED) && has_maps())
		mw_heap_maps_cut(at, size);
	p = mw_heap_next.mmap(at, size, prot, flags, fd, offset);
	if (p == MAP_FAILED || !(flags & MAP_ANONYMOUS) || !(prot & PROT_WRITE) || mw_heap_is_allocator(caller))
		return p;
	if (mw_heap_state == MW_HEAP_BEHIND)
		counted_behind(p, size);
	else if (MW_HEAP_LIKELY(size < mw_heap_thread.left))
		mw_heap_thread.left -= size;
	else
		mw_heap_due(p, size, MW_HEAP_MAPPING_ANON);
	return p;
}

MW_HEAP_EXPORT void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	return map(at, size, prot, flags, fd, offset, __builtin_return_address(0));
}

MW_HEAP_EXPORT void *mmap64(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	return map(at, size, prot, flags, fd, offset, __builtin_return_address(0));
}

MW_HEAP_EXPORT int munmap(void *at, size_t size)
{
	if (has_maps()) /* before: afterwards it may be somebody else's */
		mw_heap_maps_cut(at, size);
	return mw_heap_next.munmap(at, size);
}

MW_HEAP_EXPORT void *mremap(void *at, size_t size, size_t new_size, int flags, ...)
{
	int i = has_maps() ? mw_heap_map_find(at, size) : -1;
	void *to = NULL, *p;
	va_list args;

	va_start(args, flags);
	if (flags & MREMAP_FIXED)
		to = va_arg(args, void *);
	va_end(args);
	if (to && has_maps())
		mw_heap_maps_cut(to, new_size);
	p = mw_heap_next.mremap(at, size, new_size, flags, to);
	if (p != MAP_FAILED && i >= 0)
		mw_heap_map_moved((__u32)i, at, p, new_size);
	return p;
}
