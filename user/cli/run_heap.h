/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The heap sampler in what run starts: a library that the dynamic linker loads before the program's own (LD_PRELOAD).
 */
#ifndef MW_RUN_HEAP_H
#define MW_RUN_HEAP_H

#include <linux/types.h>
#include <stddef.h>

/*
 * Into the environment the worker will have; what is preloaded already comes behind. bytes: between two samples, 0: all
 * stays as it is. Where the library is not installed, or its path cannot stand in the variable, nothing is set.
 */
void mw_run_heap_env(__u64 bytes);
/*
 * Whether it can do anything in command (searched in PATH; of a script it is the interpreter). NULL: it can, as far as
 * one can see; else a sentence why not, in buf: linked statically, of another kind of processor, without glibc,
 * set-user-ID.
 */
const char *mw_run_heap_unfit(const char *command, char *buf, size_t size);

#endif
