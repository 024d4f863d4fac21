/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Programs that run other programs. Their native stacks name the interpreter, not the script's own lines: what can name
 * those is said instead.
 */
#ifndef MW_RUNTIME_H
#define MW_RUNTIME_H

#include <stddef.h>

struct mw_runtime {
	const char *name; /* "python", "node"; NULL: none that is known */
	char script[256]; /* the program it runs, as it was given; "": none, or not to be seen */
	const char *hint; /* a sentence: how to have its own lines named */
};
/* exe: where /proc/PID/exe leads; cmdline: n bytes of /proc/PID/cmdline, its arguments with a NUL behind each. Pure. */
struct mw_runtime mw_runtime_of(const char *exe, const char *cmdline, size_t n);
/* Of a process. proc_root "/proc". One that is gone has none. */
struct mw_runtime mw_runtime_read(const char *proc_root, int pid);

#endif
