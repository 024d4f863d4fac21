/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Who called whom, of programs without frame pointers: from a thread's registers and the top of its stack, copied while
 * it ran, by the unwind tables of what its process has mapped.
 */
#ifndef MW_STACKS_H
#define MW_STACKS_H

#include "symbols/ask.h"

#define MW_STACKS_MAX	   64 /* of one question */
#define MW_STACK_BYTES	   16384 /* copied of one */
#define MW_STACK_REGISTERS 32 /* by DWARF's numbers; where one is the pc itself (x86-64: 16) its place is not read */
#define MW_UNWOUND_MAX	   32 /* frames of one */

struct mw_stack {
	__u64 pc;
	__u64 registers[MW_STACK_REGISTERS];
	__u64 from; /* address of the first byte */
	unsigned char *bytes;
	size_t n; /* <= MW_STACK_BYTES */
};

/* Why it has no more frames. */
enum mw_unwound_end {
	MW_UNWOUND_OUTERMOST, /* the program begins there */
	MW_UNWOUND_NO_CODE, /* nothing that may be executed is mapped there */
	MW_UNWOUND_NO_RULE, /* code without unwind tables, and no frame pointer either */
	MW_UNWOUND_CUT, /* the caller is noted further out than was copied */
	MW_UNWOUND_DEEP, /* MW_UNWOUND_MAX */
	MW_UNWOUND_TIME, /* was over */
	MW_UNWOUND_END_MAX,
};
const char *mw_unwound_end_name(enum mw_unwound_end end); /* "outermost" */

struct mw_unwound {
	struct mw_address at[MW_UNWOUND_MAX]; /* innermost first */
	size_t n; /* >= 1: the pc itself */
	enum mw_unwound_end end;
};

struct mw_unwind_question {
	pid_t pid; /* as in struct mw_symbols_question, as are the next two and the last two */
	__u64 start_ticks;
	const struct mw_modules *modules;
	const struct mw_stack *stacks;
	size_t n; /* 1..MW_STACKS_MAX */
	const char *program;
	__u32 timeout_ms;
};
/* Blocks. One answer for each stack, in their order. Errors are those of mw_symbols_ask. */
int mw_unwind_ask(const struct mw_unwind_question *q, struct mw_unwound *ret_unwound, struct mw_error *err);

#endif
