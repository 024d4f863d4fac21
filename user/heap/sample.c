/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The count is used up: is this a sample, and what does it stand for. */
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "heap/chance.h"
#include "heap/impl.h"

__thread struct mw_heap_thread mw_heap_thread;

void mw_heap_count(enum mw_heap_count what, __u64 n)
{
	__atomic_fetch_add(&mw_heap_head->counts[what], n, __ATOMIC_RELAXED);
}

static __u64 now_ns(void)
{
	struct timespec t = {0};

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (__u64)t.tv_sec * 1000000000ULL + (__u64)t.tv_nsec;
}

/* A child has its parent's thread, with another number. */
static __u32 own_tid(struct mw_heap_thread *t)
{
	__u32 n_forks = __atomic_load_n(&mw_heap_head->n_forks, __ATOMIC_RELAXED) + 1;

	if (t->n_forks != n_forks) {
		t->tid = (__u32)syscall(SYS_gettid);
		t->n_forks = n_forks;
	}
	return t->tid;
}

/* False: no record was free for it. */
static bool keep(struct mw_heap_thread *t, const void *p, __u64 size, __u64 weight, enum mw_heap_kind kind)
{
	int i = mw_heap_record_new();
	struct mw_heap_record *r;

	if (i < 0)
		return false;
	r = mw_heap_record((__u32)i);
	mw_heap_record_begin(r);
	r->tid = own_tid(t);
	r->address = (__u64)(unsigned long)p;
	r->size = size;
	r->weight = weight;
	r->time_ns = now_ns();
	r->kind = kind;
	r->n_frames = mw_heap_stack(r->frames);
	mw_heap_record_end(r);
	if (kind == MW_HEAP_MAPPING_ANON) {
		__atomic_fetch_add(&mw_heap_n_maps, 1, __ATOMIC_RELAXED);
		return true;
	}
	if (mw_heap_put(p, (__u32)i))
		return true;
	mw_heap_record_free((__u32)i);
	return false;
}

static void take(struct mw_heap_thread *t, const void *p, __u64 size, enum mw_heap_kind kind)
{
	__u64 weight = mw_heap_weight(size, mw_heap_head->mean_bytes);
	bool map = kind == MW_HEAP_MAPPING_ANON;

	mw_heap_look_for_fork();
	if (!keep(t, p, size, weight, kind)) {
		mw_heap_count(MW_HEAP_COUNT_FULL, 1);
		mw_heap_count(MW_HEAP_COUNT_FULL_BYTES, weight);
		return;
	}
	mw_heap_count(map ? MW_HEAP_COUNT_MAPPED : MW_HEAP_COUNT_TAKEN, 1);
	mw_heap_count(map ? MW_HEAP_COUNT_MAPPED_BYTES : MW_HEAP_COUNT_TAKEN_BYTES, weight);
}

/* The first allocation of a thread: from here on it counts. False: it fits into what is left. */
static bool begin(struct mw_heap_thread *t, __u64 *left, size_t size)
{
	if (!*left) {
		__u64 from = __atomic_fetch_add(&mw_heap_seed, 0x632be59bd9b4e019ULL, __ATOMIC_RELAXED);

		t->random = mw_heap_random(&from);
		*left = mw_heap_gap(&t->random, mw_heap_head->mean_bytes);
		own_tid(t); /* now, before the thread may shut itself in */
	}
	if (size >= *left)
		return true;
	*left -= size;
	return false;
}

/* Inline: a frame of ours less to unwind. */
static inline __attribute__((always_inline)) void count_anew(__u64 *left, const void *p, size_t size,
							     enum mw_heap_kind kind)
{
	struct mw_heap_thread *t = &mw_heap_thread;
	const void *frame = __builtin_frame_address(0);
	int saved = errno;

	/* A signal has interrupted a sample of this thread; but it may also have left it for good (siglongjmp), and
	 * then we stand above it on the stack. */
	if (t->busy && frame < t->busy) {
		mw_heap_count(MW_HEAP_COUNT_NESTED, 1);
		mw_heap_count(MW_HEAP_COUNT_NESTED_BYTES, mw_heap_weight(size, mw_heap_head->mean_bytes));
		*left = mw_heap_gap(&t->random, mw_heap_head->mean_bytes);
		return;
	}
	if (!begin(t, left, size))
		return;
	t->busy = frame;
	*left = mw_heap_gap(&t->random, mw_heap_head->mean_bytes);
	take(t, p, size, kind);
	t->busy = NULL;
	errno = saved;
}

void *MW_HEAP_COLD mw_heap_due(void *p, size_t size, enum mw_heap_kind kind)
{
	__u64 *left = &mw_heap_thread.left;

	if (mw_heap_state == MW_HEAP_ON)
		count_anew(left, p, size, kind);
	else
		*left = mw_heap_state == MW_HEAP_NOT_YET ? 0 : ~0ULL;
	return p;
}

void MW_HEAP_COLD mw_heap_due_behind(const void *p, size_t size, enum mw_heap_kind kind)
{
	count_anew(&mw_heap_thread.behind, p, size, kind);
}
