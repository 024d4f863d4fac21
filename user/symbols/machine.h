/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What unwinding has to know of the processor: DWARF's numbers for its registers. */
#ifndef MW_MACHINE_H
#define MW_MACHINE_H

#include <elf.h>

#include "symbols/location.h"

#if defined(__x86_64__)
#define MW_MACHINE_ELF	      EM_X86_64
#define MW_MACHINE_SP	      7
#define MW_MACHINE_FP	      6
#define MW_MACHINE_PC	      16
#define MW_MACHINE_KNOWN      0xffffU /* what the kernel side copies */
#define MW_MACHINE_ADDRESS(a) (a)
#elif defined(__aarch64__)
#define MW_MACHINE_ELF	      EM_AARCH64
#define MW_MACHINE_SP	      31
#define MW_MACHINE_FP	      29
#define MW_MACHINE_PC	      -1 /* has no number */
#define MW_MACHINE_KNOWN      0xffffffffU
#define MW_MACHINE_ADDRESS(a) ((a) & ((1ULL << 48) - 1)) /* without the signature of a return address */
#else
#error "which registers does it have?"
#endif

/* Where the pc counts as a register. */
static inline void mw_machine_set_pc(struct mw_frame_state *f)
{
	if (MW_MACHINE_PC < 0)
		return;
	f->registers[MW_MACHINE_PC & (MW_STACK_REGISTERS - 1)] = f->pc;
	f->known |= 1U << (MW_MACHINE_PC & (MW_STACK_REGISTERS - 1));
}

#endif
