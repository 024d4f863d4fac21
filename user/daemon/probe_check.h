/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * May a process be probed on this kernel? There are kernels whose probes change what the probed program computes:
 * tried out on a child of our own, before anybody else's process is touched.
 */
#ifndef MW_PROBE_CHECK_H
#define MW_PROBE_CHECK_H

#include <linux/types.h>
#include <stdbool.h>

#include "symbols/allocators.h"

struct mw_probe_check {
	bool ok; /* functions can be probed, at the call and at the return */
	bool nop_ok; /* and a five-byte nop (static probes, functions made to be patched); false without such a machine:
			never */
	bool again; /* it could not be tried: no memory, no descriptor */
	char why[200], nop_why[200]; /* what went wrong; "" where nothing did */
	__u64 call_ns; /* what a probed call of malloc or free costs on average, its return included */
	__u64 bare_ns; /* the same without */
};

/* Blocks for some 0.1 s, for seconds on an emulated machine: for an action thread, or a program of its own. */
void mw_probe_check_run(struct mw_probe_check *ret_check);
/*
 * Bytes from a function's first instruction to the one that is better probed: what only marks where calls may lead, and
 * a test of the first argument before a jump, would be single-stepped, which costs ten times what the kernel takes to
 * do the next instruction itself. Arguments, stack pointer and return address are still as the caller left them.
 */
unsigned mw_probe_check_skip(const __u8 code[MW_ALLOCATOR_CODE]);
/* May this be probed? code: MW_ALLOCATOR_CODE bytes, from there on. NULL: yes; else why not. */
const char *mw_probe_check_forbids(const struct mw_probe_check *c, const __u8 code[MW_ALLOCATOR_CODE]);

#endif
