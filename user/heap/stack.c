/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Who called. Distribution binaries have no frame pointers, so that their unwind tables are read, by libgcc's unwinder:
 * a copy of our own, linked in. It shares no lock with the program's: that one's is held while it allocates, and it
 * knows only of frames that a JIT registers. With glibc 2.35 and later (_dl_find_object) tables are found without any
 * lock, also while dlopen runs; before that dl_iterate_phdr's is taken, which a thread may hold already, since it is
 * recursive.
 */
#include "heap/impl.h"

/* Where we stand ourselves. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char etext[] __attribute__((visibility("hidden")));

/* Us, and the allocator where it calls us: between the program and its sample. */
static bool is_between(__u64 at)
{
	if (at >= (__u64)(unsigned long)__ehdr_start && at < (__u64)(unsigned long)etext)
		return true;
	return mw_heap_state == MW_HEAP_BEHIND &&
	       mw_heap_is_allocator((const void *)at); /* NOLINT(performance-no-int-to-ptr) */
}

_Unwind_Reason_Code mw_heap_frame(struct _Unwind_Context *context, void *walk)
{
	struct mw_heap_walk *w = walk;
	int before = 0;
	__u64 at = (__u64)_Unwind_GetIPInfo(context, &before);

	if (!at)
		return _URC_END_OF_STACK;
	if (!w->n && is_between(at))
		return _URC_NO_REASON;
	w->frames[w->n++] = at + (before ? 1 : 0); /* of a signal: what comes next, and the others are behind a call */
	return w->n < MW_HEAP_FRAMES ? _URC_NO_REASON : _URC_END_OF_STACK;
}

void mw_heap_stack_prepare(void)
{
	__u64 frames[MW_HEAP_FRAMES];

	mw_heap_stack(frames); /* its tables of registers are filled with the first use */
}
