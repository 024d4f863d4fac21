/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Objects of a process that is watched from outside: one number for each function that is listened to, between who
 * finds it in a file, the probe on it and the program that hears of it; and what that program counts. Inside of
 * memweir: no interface. The includer provides __u32 and __u64.
 */
#ifndef MEMWEIR_OBJECTS_H
#define MEMWEIR_OBJECTS_H

enum mw_allocator_fn {
	MW_FN_MALLOC = 0,
	MW_FN_CALLOC = 1,
	MW_FN_REALLOC = 2, /* reallocarray calls it, in every libc */
	MW_FN_POSIX_MEMALIGN = 3,
	MW_FN_ALIGNED_ALLOC = 4,
	MW_FN_MEMALIGN = 5,
	MW_FN_MMAP = 6,
	MW_FN_FREE = 7, /* from here on nothing that returns is of interest */
	MW_FN_MUNMAP = 8,
	MW_FN_OTEL_ALLOC = 9, /* otel_memory:alloc(pointer, size, weight), of a sampler in the process */
	MW_FN_OTEL_FREE = 10, /* otel_memory:free(pointer), of what was sampled */
	MW_FN_MAX,
};

#define MW_FN_RETURNS MW_FN_FREE /* those below have a return that says where the object is */

/* Who is kept: the live objects that were sampled. Values are struct mw_heap_record (heap.h), pad as below. */
struct mw_object_key {
	__u64 address;
	__u32 pid;
	__u32 pad;
};
#define MW_OBJECT_PAD_MEAN 0 /* in pad of a record: with which mean it was sampled; 0: its weight was given */

struct mw_object_counts {
	__u64 calls[MW_FN_MAX];
	__u64 returns[MW_FN_MAX];
	__u64 run_ns; /* in our programs; what the kernel does around them is not in it */
	__u64 taken; /* samples */
	__u64 freed; /* of them, while watched */
	__u64 reused; /* of them: their place was given out again, so that they were freed while nobody watched */
	__u64 full; /* samples not kept: there was no room */
	__u64 full_bytes; /* their sizes */
	__u64 lost; /* calls not followed to their return: too many threads in one at once */
};

/* Where an argument of a static probe is. */
enum mw_argument_kind {
	MW_ARGUMENT_NONE = 0,
	MW_ARGUMENT_NUMBER = 1,
	MW_ARGUMENT_REGISTER = 2,
	MW_ARGUMENT_MEMORY = 3, /* at register + number */
};

#define MW_ARGUMENT_AT_MAX 264 /* the last of the longest there is, arm64's */
struct mw_argument {
	__u32 kind;
	__u32 at; /* of the register in struct pt_regs, bytes */
	__s64 number;
	__u32 bytes; /* 1, 2, 4 or 8 */
	__u32 is_signed;
};

#define MW_OTEL_ARGUMENTS 3
struct mw_otel_arguments {
	struct mw_argument at[MW_OTEL_ARGUMENTS];
};
#define MW_OTEL_PLACES                                                                                                 \
	16 /* static probes with arguments of their own; a probe's cookie: its function, and this << 8                 \
	    */

#endif
