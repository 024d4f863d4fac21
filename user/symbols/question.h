/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What memweir-symbols is asked: as its caller has it, and as text on its standard input. */
#ifndef MW_QUESTION_H
#define MW_QUESTION_H

#include <stdio.h>

#include "symbols/stacks.h"

#define MW_QUESTION_BYTES (8U << 20) /* of its text: as many modules as there may be, with the longest paths */

/* memweir-symbols' own arguments. */
#define MW_SYMBOLS_PID	      "--pid"
#define MW_SYMBOLS_START      "--start"
#define MW_SYMBOLS_STACK      "--stack"
#define MW_SYMBOLS_MODULES    "--modules"
#define MW_SYMBOLS_ALLOCATORS "--allocators"
#define MW_SYMBOLS_QUESTION   "--question"
#define MW_SYMBOLS_TIMEOUT    "--timeout"

struct mw_question {
	pid_t pid; /* 0: only of the list */
	__u64 start_ticks; /* 0: whichever has that pid now */
	bool list; /* wanted is what is mapped, not what addresses are */
	bool allocators; /* with list: where its allocators are */
	bool dead; /* modules is what was mapped; pid, if any, is somebody in whose root folder files are looked for */
	struct mw_modules modules;
	struct mw_address *addresses; /* owned */
	size_t n;
	struct mw_stack *stacks; /* owned, with their bytes; to be unwound, in a question of their own */
	size_t n_stacks;
};
void mw_question_free(struct mw_question *q);

/* -EINVAL past MW_ADDRESSES_MAX; -ENOMEM. */
int mw_question_add(struct mw_question *q, __u64 pc, bool is_return);

/* A copy of it goes to the end. -EINVAL past MW_STACKS_MAX, or with too many bytes; -ENOMEM. */
int mw_question_add_stack(struct mw_question *q, const struct mw_stack *s);

/* question_stack.c: one as a line, without its end, and back. -EBADMSG. */
void mw_stack_write(FILE *out, const struct mw_stack *s);
int mw_stack_read(struct mw_question *q, const char *line);

/* The text is the caller's to free; -ENOMEM. */
int mw_question_write(const struct mw_question *q, char **ret_text, size_t *ret_n);
/* -EBADMSG, and err says which line. What was read before is the caller's to free. */
int mw_question_read(const char *text, size_t n, struct mw_question *q, struct mw_error *err);

#endif
