/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What libmemweir-heap.so keeps inside a process whose heap it samples: one
 * region of memory that a reader with the right to (root) copies from outside,
 * through /proc/PID/mem, while the process runs on.
 *
 * Finding it: the region begins at the mapping of /proc/PID/maps that is named
 * MW_HEAP_MAPPING (offset 0) with a struct mw_heap_head; n_records records follow
 * records_at bytes behind it. That mapping is of a memfd, private and writable; the
 * records lie in it, or in private anonymous memory that follows without a gap.
 * Nothing else is read, whatever it is called: it may be a file server's. Everything is in the byte order and with the
 * alignment of the machine.
 *
 * Trust: the process can write anything there at any time. A reader checks each
 * field before it uses it, and takes a record only when two copies of it, one after
 * the other, are the same and seq is even and not 0.
 *
 * Fork: the region is private memory, so that a child has a copy of its own,
 * which names the parent's pid until the child samples itself. What a reader finds
 * there with another pid than that of the process it looks at, or with a
 * time_ns before began_ns, was inherited: it is the parent's.
 *
 * Rules as for abi.h: fixed widths, explicit padding, numbers are added and never
 * reused, a changed layout raises MW_HEAP_VERSION. The includer provides __u32 and
 * __u64 (<linux/types.h>).
 */
#ifndef MEMWEIR_HEAP_H
#define MEMWEIR_HEAP_H

#define MW_HEAP_VERSION	     1
#define MW_HEAP_MAGIC	     0x7065684d57524d00ULL
#define MW_HEAP_MAPPING	     "memweir-heap" /* as memfd_create has it: "/memfd:memweir-heap (deleted)" */
#define MW_HEAP_FRAMES	     32 /* of one stack; the innermost are kept */
#define MW_HEAP_RECORDS_MAX  4096 /* live samples at once */
#define MW_HEAP_MEAN_DEFAULT 524288ULL /* bytes between two samples, on average */
#define MW_HEAP_MEAN_MIN     1024ULL
#define MW_HEAP_MEAN_MAX     (1ULL << 30)
#define MW_HEAP_BYTES_MAX    (1ULL << 50) /* size and weight of a record are at most this */

/* What a sample stands for. */
enum mw_heap_kind {
	MW_HEAP_OBJECT = 0, /* malloc and its relatives, C++ new with them */
	MW_HEAP_MAPPING_ANON = 1, /* mmap of anonymous, writable memory, but not by the allocator itself */
	MW_HEAP_KIND_MAX,
};

/* Counters; they only grow, and go on in a forked child from where the parent's were. */
enum mw_heap_count {
	MW_HEAP_COUNT_TAKEN = 0, /* samples of objects */
	MW_HEAP_COUNT_TAKEN_BYTES = 1, /* what these stand for, bytes */
	MW_HEAP_COUNT_FREED = 2, /* of them: freed again */
	MW_HEAP_COUNT_FREED_BYTES = 3,
	MW_HEAP_COUNT_MAPPED = 4, /* samples of mappings */
	MW_HEAP_COUNT_MAPPED_BYTES = 5,
	MW_HEAP_COUNT_UNMAPPED = 6, /* of them: gone altogether */
	MW_HEAP_COUNT_UNMAPPED_BYTES = 7, /* parts of mappings included */
	MW_HEAP_COUNT_FULL = 8, /* samples not kept because every record was in use */
	MW_HEAP_COUNT_FULL_BYTES = 9,
	MW_HEAP_COUNT_NESTED = 10, /* not kept because a signal had interrupted another one */
	MW_HEAP_COUNT_NESTED_BYTES = 11,
	MW_HEAP_COUNT_MAX,
};

struct mw_heap_head {
	__u64 magic; /* MW_HEAP_MAGIC, written last: all of the head stands */
	__u32 version; /* MW_HEAP_VERSION */
	__u32 head_size; /* sizeof(struct mw_heap_head) */
	__u32 record_size; /* sizeof(struct mw_heap_record) */
	__u32 n_records; /* 1..MW_HEAP_RECORDS_MAX */
	__u64 records_at; /* from the beginning of the head, bytes; a multiple of 64 */
	__u64 mean_bytes; /* MW_HEAP_MEAN_MIN..MW_HEAP_MEAN_MAX */
	__u64 began_ns; /* CLOCK_MONOTONIC: the process, or the fork that made it, before its first sample */
	__u32 pid; /* of who samples, in its own pid namespace */
	__u32 n_forks; /* how many forks lie between it and the program's start */
	__u32 n_used; /* no record from here on has ever been used; 0..n_records */
	__u32 pad;
	__u64 counts[MW_HEAP_COUNT_MAX];
};

struct mw_heap_record {
	__u32 seq; /* odd: being written; 0: never used; each change adds two */
	__u32 tid; /* who allocated it, in its pid namespace */
	__u64 address; /* of the object or mapping; 0: the record is free */
	__u64 size; /* bytes, as asked for */
	__u64 weight; /* bytes it stands for: size / (1 - exp(-size / mean_bytes)), which has no bias */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 kind; /* enum mw_heap_kind */
	__u32 n_frames; /* 0..MW_HEAP_FRAMES */
	__u64 pad[2];
	__u64 frames[MW_HEAP_FRAMES]; /* return addresses, innermost first: the call is at one less */
};

#if defined(__cplusplus)
#define MW_HEAP_ASSERT static_assert
#else
#define MW_HEAP_ASSERT _Static_assert
#endif
MW_HEAP_ASSERT(sizeof(struct mw_heap_head) == 160, "mw_heap_head");
MW_HEAP_ASSERT(sizeof(struct mw_heap_record) == 320, "mw_heap_record");
#undef MW_HEAP_ASSERT

#endif
