/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * From addresses to functions, files and lines. A program of its own (memweir-symbols) opens what a process has mapped,
 * and files about it; a part of it that has no rights reads them, since they are the process's and not to be trusted.
 */
#ifndef MW_SYMBOLS_ASK_H
#define MW_SYMBOLS_ASK_H

#include "symbols/modules.h"
#include "symbols/symbols.h"

#define MW_ADDRESSES_MAX 8192 /* of one question */

struct mw_address {
	__u64 pc;
	bool is_return; /* a call came from before it: every frame of a stack but the innermost */
};

struct mw_symbols_question {
	pid_t pid; /* a living process; with modules: one in whose root folder files are looked for, or 0: the host's */
	__u64 start_ticks; /* of that pid, since boot; 0: whichever has it now */
	const struct mw_modules *modules; /* of a process that has ended; NULL: pid is asked about */
	const struct mw_address *addresses;
	size_t n; /* 1..MW_ADDRESSES_MAX */
	const char *program; /* memweir-symbols; NULL: where it was installed */
	__u32 timeout_ms; /* 1..60000; 0: 5000. After three quarters of it no more files are read: see unfinished */
};
/*
 * Blocks: for an action thread or the command line. Root may ask about everybody, others about processes of theirs.
 * One place for each address, in their order, with at least one frame each.
 *
 * -ESRCH it has ended, or another process has its pid; -EACCES it may not be looked at; -ETIMEDOUT; -EPROTO the program
 * failed, died of what it read, or its answer is none; -ENOEXEC it cannot be started; -EBUSY see util/inquire.h;
 * -EINVAL no such question; -ENOMEM. err says what and where.
 */
int mw_symbols_ask(const struct mw_symbols_question *q, struct mw_symbols *ret_symbols, struct mw_error *err);

/*
 * What a living process has mapped to be executed, with build ids. start_ticks, program and timeout_ms as above; so
 * are the errors.
 */
int mw_modules_ask(pid_t pid, __u64 start_ticks, const char *program, __u32 timeout_ms, struct mw_modules *ret_modules,
		   struct mw_error *err);

#endif
