/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Inside of libmemweir-heap.so, which stands in other people's programs: no lock anywhere (a signal may
 * interrupt any of it, and another thread may fork meanwhile), no allocation, no output, errno as it was, and
 * after the start no system call but a thread's gettid and a forked child's getpid, once each, so that no
 * sandbox a program puts itself into can meet us.
 *
 *   entry.c, map.c  what programs call; counts bytes down and hands on
 *   sample.c        the count is used up: is it a sample, and what does it stand for
 *   table.c         live samples: records in the region, and where to find one by its address
 *   stack.c         who called
 *   start.c         environment, region, fork
 *   next.c          whose malloc comes behind ours
 *   doors.c         whether the program can allocate past us
 *   hooks.c         then the allocator's own hooks count
 */
#ifndef MW_HEAP_IMPL_H
#define MW_HEAP_IMPL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <unwind.h>

#include "memweir/heap.h"

#pragma GCC visibility push(hidden) /* no detour through the GOT on the way of an allocation */

#define MW_HEAP_EXPORT	  __attribute__((visibility("default")))
#define MW_HEAP_LIKELY(x) __builtin_expect(!!(x), 1)
#define MW_HEAP_COLD	  __attribute__((noinline, cold))

/* One thread's. Small, and at a fixed place from the thread pointer: reaching it never allocates. */
struct mw_heap_thread {
	__u64 left; /* bytes until the next sample; 0: it has not begun */
	__u64 behind; /* the same where the allocator's hooks count; left is endless then */
	__u64 random;
	__u32 tid, n_forks; /* tid was asked for after so many forks, plus one; 0: never */
	const void *busy; /* a frame of the sample that is being taken; NULL: none is */
};
extern __thread struct mw_heap_thread mw_heap_thread __attribute__((tls_model("initial-exec")));

/* The allocator behind us. */
struct mw_heap_next {
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t n, size_t size);
	void *(*realloc)(void *p, size_t size);
	void (*free)(void *p);
	int (*posix_memalign)(void **p, size_t alignment, size_t size);
	void *(*aligned_alloc)(size_t alignment, size_t size);
	void *(*memalign)(size_t alignment, size_t size);
	void *(*valloc)(size_t size);
	void *(*pvalloc)(size_t size);
	void *(*mmap)(void *at, size_t size, int prot, int flags, int fd, long offset);
	int (*munmap)(void *at, size_t size);
	void *(*mremap)(void *at, size_t size, size_t new_size, int flags, ...);
};
extern struct mw_heap_next mw_heap_next; /* each can be called at any time; the first call finds them all */
/* Whether code is the allocator's own: what it maps, it hands out through malloc. */
bool mw_heap_is_allocator(const void *code);
/* doors.c: whether C++ or a function of its own can be called that gives out or takes back its memory. */
bool mw_heap_has_doors(void);
/* hooks.c, once, at the start: they count from when the state is MW_HEAP_BEHIND. False: not needed or not there. */
bool mw_heap_hook(void);
/* Memory that was given out before an allocator was known, and so is not its to free. */
bool mw_heap_is_early(const void *p, size_t *ret_size);

/*
 * Which addresses may be samples: how many there are in each class of addresses, 255 for "many". A class is 128 bytes
 * of every 2 MiB, so that a program's freeing goes over as little of this as of its heap; every instruction of it is
 * paid for by each free.
 */
#define MW_HEAP_FILTER_SIZE 16384
extern __u8 mw_heap_filter[MW_HEAP_FILTER_SIZE];

static inline size_t mw_heap_filter_at(const void *p)
{
	return ((size_t)p >> 7) & (MW_HEAP_FILTER_SIZE - 1);
}

/* A plain read, of one byte: an atomic one takes an instruction more. */
static inline bool mw_heap_maybe_sampled(const void *p)
{
	return mw_heap_filter[mw_heap_filter_at(p)];
}

/* start.c: the region; NULL: the sampler is off. Both are set once, before there is a second thread. */
extern struct mw_heap_head *mw_heap_head;
extern __u64 mw_heap_seed;
enum mw_heap_state { MW_HEAP_NOT_YET, MW_HEAP_ON, MW_HEAP_OFF, MW_HEAP_BEHIND };
extern enum mw_heap_state mw_heap_state;
/* Before a sample: a child that forked takes its copy of the region over. */
void mw_heap_look_for_fork(void);

/* sample.c. Called when size does not fit into what is left: the count is drawn anew, and p may become a sample. p. */
void *mw_heap_due(void *p, size_t size, enum mw_heap_kind kind);
void mw_heap_due_behind(const void *p, size_t size, enum mw_heap_kind kind); /* by the hooks, and for mappings then */
void mw_heap_count(enum mw_heap_count what, __u64 n);
/* entry.c: p is freed, which may be a sample. */
void mw_heap_forget(const void *p);

/* table.c. i: number of a record. */
struct mw_heap_record *mw_heap_record(__u32 i);
int mw_heap_record_new(void); /* its number, or -1: all are in use. It is the caller's to write */
void mw_heap_record_begin(struct mw_heap_record *r); /* readers leave it alone from here ... */
void mw_heap_record_end(struct mw_heap_record *r); /* ... to here */
void mw_heap_record_free(__u32 i);
bool mw_heap_put(const void *p, __u32 i); /* the object at p is record i; false: no room */
int mw_heap_take(const void *p); /* the record at p, whose address is free for others from here on; -1: none */
void mw_heap_filter_add(const void *p);
/* Sampled mappings (they are in no index): those that lie in [at, at + size) lose that part. */
void mw_heap_maps_cut(const void *at, size_t size);
/* One that is exactly this, -1: none. */
int mw_heap_map_find(const void *at, size_t size);
void mw_heap_map_moved(__u32 i, const void *from, const void *to, size_t size);
extern __u32 mw_heap_n_maps; /* so many are live, so that most programs pay for nothing */

/* stack.c: return addresses of who called us, innermost first; how many. */
struct mw_heap_walk {
	__u64 *frames;
	__u32 n;
};
_Unwind_Reason_Code mw_heap_frame(struct _Unwind_Context *context, void *walk);
void mw_heap_stack_prepare(void);
/* Inline: a frame of ours less to unwind. */
static inline __u32 mw_heap_stack(__u64 frames[MW_HEAP_FRAMES])
{
	struct mw_heap_walk w = {.frames = frames};

	_Unwind_Backtrace(mw_heap_frame, &w);
	return w.n;
}

#pragma GCC visibility pop

#endif
