/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Which code holds how much: the live samples that libmemweir-heap.so keeps inside processes (memweir/heap.h), summed
 * by stack. A reading is taken from outside while the process runs on, and trusts nothing it finds. Bounded: so many
 * sites at the most, and one block of records at a time. Reads through /proc, where a process that is mapping memory
 * can hold us up for as long as the kernel holds it up: not for an event loop.
 */
#ifndef MW_LEAK_HEAP_H
#define MW_LEAK_HEAP_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "memweir/heap.h"
#include "util/error.h"

#define MW_HEAP_SITES_MAX     2048 /* of one reading; 0.7 MB */
#define MW_HEAP_PROCESSES_MAX 1024 /* of one cgroup */

/* One stack of one process. Addresses mean something in that process alone. */
struct mw_heap_site {
	pid_t pid; /* as proc_root numbers it */
	__u64 start_ticks; /* of the process: a pid is given again; 0: not known */
	__u32 kind; /* enum mw_heap_kind */
	__u32 n_frames; /* 0..MW_HEAP_FRAMES; 0: the unwinder found nobody */
	__u32 samples; /* live ones; the error of live_bytes is about one part in their square root */
	__u64 live_bytes; /* what they stand for */
	__u64 live_objects; /* the same in objects */
	__u64 oldest_ns, newest_ns; /* when they were allocated, CLOCK_MONOTONIC */
	__s64 grown_bytes; /* live ones since since_ns; mw_heap_compare: since the reading before */
	__u64 frames[MW_HEAP_FRAMES]; /* return addresses, innermost first: the call is at one less */
};

#define MW_HEAP_OBJECTS_MAX 16384 /* of one reading; 0.7 MB */

/* One live sample, where objects are asked for. */
struct mw_heap_object {
	__u64 site; /* mw_heap_site_id of its site */
	__u64 address, size, weight, time_ns; /* as in its record */
	pid_t pid; /* as proc_root numbers it */
};

/* A reading. Zeroed it is an empty one; what it holds is freed by mw_heap_free. */
struct mw_heap {
	__u64 start_ticks; /* of the process that is being added; who calls mw_heap_add says it, 0: not known */
	__u64 since_ns; /* the caller's, before it reads: what was allocated from then on has grown; 0: nothing has */
	struct mw_heap_site *sites; /* after mw_heap_sort: most live bytes first */
	size_t n_sites;
	__u64 live_bytes, samples; /* of all, those of left_out_bytes with them */
	__u64 left_out_bytes; /* of sites for which there was no room */
	__u64 inherited_bytes; /* of samples that are a parent's; in no other figure */
	__u64 unsettled; /* records that changed while they were read, or say what cannot be */
	__u64 lost_bytes; /* allocated, and not followed, because all records were in use or a signal came between */
	__u64 counts[MW_HEAP_COUNT_MAX]; /* of the processes read, together; saturating */
	__u32 n_processes; /* read */
	__u32 n_without; /* that have no sampler: static, started without it, exec'd with another environment, or
			    refused */
	__u32 n_silent; /* of those read: much anonymous memory and not one sample of an object, so that its objects do
			   not come from libc's malloc (a runtime of its own, an allocator linked in) */
	__u32 n_refused; /* that have something named as a region is, and it is none that is read */
	char refused[200]; /* the first of those, and why; "": none */
	__u64 without_bytes; /* anon and swapped of those n_without whose status could be read */
	bool want_objects; /* set by the caller, before: keep each sample too, so many at the most */
	struct mw_heap_object *objects;
	size_t n_objects, objects_room;
	__u64 taken_ns; /* the caller's, CLOCK_MONOTONIC */
	__u64 *slots; /* where to find a site; inside of heap.c */
	size_t room;
};

/*
 * Add what process pid has. proc_root: "/proc". -ENODATA: no sampler in it (counted), or only what it inherited;
 * -EBADMSG: what is there is no region of this version, err says what was found; -ESRCH: it has ended; -EACCES, -EPERM:
 * we may not look (root may, unless kernel.yama.ptrace_scope is 3); -ENOMEM. After a failure h holds what it
 * held, and perhaps a part.
 */
int mw_heap_read(const char *proc_root, pid_t pid, struct mw_heap *h, struct mw_error *err);
/*
 * The same for each process of a cgroup and of those below. 0, or -errno where the cgroup could not be read or memory
 * ran out; what a single process refuses is in n_without.
 */
int mw_heap_read_cgroup(const char *proc_root, int cgroup_fd, struct mw_heap *h, struct mw_error *err);
void mw_heap_free(struct mw_heap *h); /* contents; idempotent */

void mw_heap_drop_objects(struct mw_heap *h); /* them alone */
/* The same for the same stack of the same process, in any reading. */
__u64 mw_heap_site_id(const struct mw_heap_site *site);

void mw_heap_sort(struct mw_heap *h); /* by live bytes, most first; of equals, the one with more samples */
/* The same stack of the same process in h. NULL: it has none there. */
const struct mw_heap_site *mw_heap_find(const struct mw_heap *h, const struct mw_heap_site *site);
/*
 * grown_bytes of each site: live bytes now less those in an earlier reading of the same processes, so that a leak is
 * told from a buffer that is big and stays so. The caller keeps the earlier one. Whoever was not there grew by all it
 * has.
 */
void mw_heap_compare(struct mw_heap *now, const struct mw_heap *before);
/* By growth, most first; after mw_heap_compare. */
void mw_heap_sort_by_growth(struct mw_heap *h);

/* What the above is made of, for tests: each takes bytes as somebody else may have written them. */
/* A head that can be read on; -EBADMSG: err says what was found and expected. */
int mw_heap_head_check(const void *bytes, size_t size, struct mw_heap_head *ret_head, struct mw_error *err);
/* Two copies of the same n records, one taken after the other. -ENOMEM. */
int mw_heap_add(struct mw_heap *h, pid_t pid, const struct mw_heap_head *head, const struct mw_heap_record *first,
		const struct mw_heap_record *second, size_t n);
void mw_heap_add_counts(struct mw_heap *h,
			const struct mw_heap_head *head); /* and the process itself; head is checked */

#endif
