/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/rules.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>

#include "symbols/machine.h"
#include "util/cleanup.h"

static bool ours(const struct mw_image *i)
{
	GElf_Ehdr head;

	return i->elf && gelf_getehdr(i->elf, &head) && head.e_ident[EI_CLASS] == ELFCLASS64 &&
	       head.e_machine == MW_MACHINE_ELF;
}

void mw_rules_open(struct mw_rules *r, const struct mw_image *image)
{
	if (ours(image))
		r->loaded = dwarf_getcfi_elf(image->elf);
}

void mw_rules_open_debug(struct mw_rules *r, const struct mw_image *image)
{
	size_t n;

	if (r->dwarf || !ours(image) || !mw_image_section(image, ".debug_frame", &n))
		return;
	r->dwarf = dwarf_begin_elf(image->elf, DWARF_C_READ, NULL);
	r->unloaded = r->dwarf ? dwarf_getcfi(r->dwarf) : NULL; /* goes with it */
}

void mw_rules_free(struct mw_rules *r)
{
	if (r->loaded)
		dwarf_cfi_end(r->loaded);
	if (r->dwarf)
		dwarf_end(r->dwarf);
	*r = (struct mw_rules){0};
}

static void free_framep(Dwarf_Frame **frame)
{
	free(*frame);
}

static int find(const struct mw_rules *r, __u64 address, Dwarf_Frame **ret)
{
	if (r->loaded && dwarf_cfi_addrframe(r->loaded, address, ret) == 0)
		return 0;
	if (r->unloaded && dwarf_cfi_addrframe(r->unloaded, address, ret) == 0)
		return 0;
	return -ENOENT;
}

/* 0; -ENOENT: the caller's cannot be had; or as mw_location_read. */
static int caller_register(const struct mw_frame_state *f, Dwarf_Frame *frame, int number, __u64 *ret)
{
	Dwarf_Op memory[3], *ops = NULL;
	size_t n = 0;

	if (dwarf_frame_register(frame, number, memory, &ops, &n) != 0)
		return -ENOTSUP;
	if (n)
		return mw_location_read(f, ops, n, ret);
	if (ops) /* undefined */
		return -ENOENT;
	if (number >= MW_STACK_REGISTERS || !(f->known & 1U << number))
		return -ENODATA;
	*ret = f->registers[number];
	return 0;
}

static void callers_registers(const struct mw_frame_state *f, Dwarf_Frame *frame, struct mw_frame_state *ret)
{
	ret->known = 0;
	for (int i = 0; i < MW_STACK_REGISTERS; i++) {
		if (i != MW_MACHINE_PC && caller_register(f, frame, i, &ret->registers[i]) == 0)
			ret->known |= 1U << i;
	}
	if (!(ret->known & 1U << MW_MACHINE_SP)) {
		ret->registers[MW_MACHINE_SP] = f->cfa;
		ret->known |= 1U << MW_MACHINE_SP;
	}
}

enum mw_step mw_rules_step(const struct mw_rules *r, __u64 address, struct mw_frame_state *f, bool *ret_signal)
{
	_cleanup_(free_framep) Dwarf_Frame *frame = NULL;
	struct mw_frame_state next = *f;
	Dwarf_Op *ops;
	bool is_signal;
	size_t n;
	int ra, why;

	if (find(r, address, &frame))
		return MW_STEP_NO_RULE;
	ra = dwarf_frame_info(frame, NULL, NULL, &is_signal);
	if (ra < 0 || dwarf_frame_cfa(frame, &ops, &n) != 0)
		return MW_STEP_NO_RULE;
	f->has_cfa = false;
	why = mw_location_value(f, ops, n, &f->cfa);
	if (why)
		return why == -ENODATA ? MW_STEP_CUT : MW_STEP_NO_RULE;
	f->has_cfa = true;
	why = caller_register(f, frame, ra, &next.pc);
	if (why)
		return why == -ENOENT ? MW_STEP_OUTERMOST : why == -ENODATA ? MW_STEP_CUT : MW_STEP_NO_RULE;
	next.pc = MW_MACHINE_ADDRESS(next.pc);
	if (!next.pc)
		return MW_STEP_OUTERMOST;
	callers_registers(f, frame, &next);
	mw_machine_set_pc(&next);
	*f = next;
	*ret_signal = is_signal;
	return MW_STEP_DONE;
}
