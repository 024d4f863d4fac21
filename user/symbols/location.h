/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The small programs of unwind tables: where a register of the caller is, or what it was. Untrusted; bounded. */
#ifndef MW_LOCATION_H
#define MW_LOCATION_H

#include <elfutils/libdw.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "symbols/stacks.h"

/* A frame: what is known of its registers, and the bytes of the stack that were copied. */
struct mw_frame_state {
	__u64 pc, cfa; /* cfa: where it is known */
	__u64 registers[MW_STACK_REGISTERS];
	__u32 known; /* a bit for each register */
	bool has_cfa;
	const struct mw_stack *stack;
};

/* Eight bytes of the copy; false: they are not in there. */
bool mw_stack_word(const struct mw_stack *s, __u64 address, __u64 *ret);

/* The value an expression computes itself; 0, -ENODATA: of what is not in the copy; -ENOTSUP: no such expression. */
int mw_location_value(const struct mw_frame_state *f, const Dwarf_Op *ops, size_t n, __u64 *ret);
/* What stands in the place it describes: the register's value. As above. */
int mw_location_read(const struct mw_frame_state *f, const Dwarf_Op *ops, size_t n, __u64 *ret);

#endif
