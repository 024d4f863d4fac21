/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Where a process's allocator is: the functions of it that can be probed, and the static probes of a sampler inside of
 * it. Found by memweir-symbols, since it stands in files that are the process's.
 */
#ifndef MW_ALLOCATORS_H
#define MW_ALLOCATORS_H

#include <linux/types.h>
#include <stddef.h>
#include <sys/types.h>

#include "memweir/objects.h"
#include "util/error.h"

#define MW_ALLOCATOR_PLACES 48 /* of one process; more are counted */
#define MW_ALLOCATOR_CODE   16 /* of the bytes at a place */

struct mw_allocator_place {
	enum mw_allocator_fn fn;
	__u64 start, end; /* addresses of the mapping it is in: [start, end) */
	__u64 offset; /* in the file that is mapped there */
	__u64 semaphore; /* of a static probe: where the file counts who listens; 0: nowhere */
	__u8 code[MW_ALLOCATOR_CODE]; /* what stands there; behind the file's end 0 */
	char arguments[96]; /* of a static probe, as its note has them: "8@%rdi 8@%rsi 8@$64"; else "" */
	char path[256]; /* of the file, for people */
};

struct mw_allocators {
	struct mw_allocator_place at[MW_ALLOCATOR_PLACES];
	size_t n, left_out;
};

const char *mw_allocator_name(enum mw_allocator_fn fn); /* "malloc", "otel_memory:alloc" */

/*
 * Blocks; the errors are those of mw_symbols_ask. start_ticks: of pid, since boot; 0: whichever has it now. program,
 * timeout_ms: as in ask.h. None at all is no failure.
 */
int mw_allocators_ask(pid_t pid, __u64 start_ticks, const char *program, __u32 timeout_ms,
		      struct mw_allocators *ret_allocators, struct mw_error *err);

/* The text is the caller's to free; -ENOMEM. */
int mw_allocators_write(const struct mw_allocators *a, char **ret_text);
/* -EPROTO as in answer.h. */
int mw_allocators_read(const char *text, size_t text_n, struct mw_allocators *ret_allocators, struct mw_error *err);

#endif
