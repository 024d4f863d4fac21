/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/debug.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "symbols/demangle.h"
#include "symbols/units.h"
#include "util/cleanup.h"

#define BLOCKS_MAX 256 /* around an address: blocks and inlined functions */

struct mw_debug {
	Dwarf *dwarf;
	struct mw_units units;
	char names[MW_FRAMES_MAX][MW_FUNCTION_TEXT];
};

int mw_debug_open(const struct mw_image *i, __u64 deadline_ns, struct mw_debug **ret)
{
	struct mw_debug *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->dwarf = dwarf_begin_elf(i->elf, DWARF_C_READ, NULL);
	r = d->dwarf ? mw_units_read(d->dwarf, deadline_ns, &d->units) : -ENODATA;
	/* What several debug files share has no addresses of its own. */
	if (r && (r != -ENODATA || !d->dwarf)) {
		mw_debug_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

void mw_debug_free(struct mw_debug *d)
{
	if (!d)
		return;
	mw_units_free(&d->units);
	if (d->dwarf)
		dwarf_end(d->dwarf);
	free(d);
}

bool mw_debug_spent(const struct mw_debug *d)
{
	return d->units.n && !d->units.left;
}

bool mw_debug_shared(const struct mw_debug *d, char ret_build_id[MW_BUILD_ID])
{
	const void *bits;
	const char *name;
	ssize_t n = dwelf_dwarf_gnu_debugaltlink(d->dwarf, &name, &bits);

	if (n < 1 || n > (MW_BUILD_ID - 1) / 2)
		return false;
	for (ssize_t at = 0; at < n; at++)
		sprintf(ret_build_id + 2 * at, "%02x", ((const unsigned char *)bits)[at]);
	return true;
}

void mw_debug_share(struct mw_debug *d, const struct mw_debug *shared)
{
	dwarf_setalt(d->dwarf, shared->dwarf);
}

/*
 * With its namespaces and classes, where it is mangled. Else as the source has it: a C library gives its functions
 * other names to link with.
 */
static const char *name_of(Dwarf_Die *die, char *buf, size_t size, bool *ret_plain)
{
	static const unsigned int attributes[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name};
	const char *name, *plain = dwarf_diename(die);
	Dwarf_Attribute a;

	*ret_plain = false;
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		name = dwarf_attr_integrate(die, attributes[i], &a) ? dwarf_formstring(&a) : NULL;
		if (name && (mw_demangle(name, buf, size) || !plain))
			return buf;
	}
	*ret_plain = true;
	return plain ? plain : "";
}

/* The part of a function that an address is in. */
static bool enter(struct mw_debug *d, Dwarf_Die *die, __u64 address)
{
	Dwarf_Die child;

	if (dwarf_child(die, &child) != 0)
		return false;
	do {
		switch (dwarf_tag(&child)) {
		case DW_TAG_inlined_subroutine:
		case DW_TAG_lexical_block:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
			if (dwarf_haspc(&child, address) == 1) {
				*die = child;
				return true;
			}
			break;
		default:
			break;
		}
	} while (!mw_units_spent(&d->units) && dwarf_siblingof(&child, &child) == 0);
	return false;
}

static __u32 number(Dwarf_Die *die, unsigned int attribute)
{
	Dwarf_Attribute a;
	Dwarf_Word value;

	return dwarf_attr(die, attribute, &a) && !dwarf_formudata(&a, &value) && value <= 0xffffffff ? (__u32)value : 0;
}

static void line_of(Dwarf_Die *unit, __u64 address, struct mw_frame *f)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, address);
	int number = 0, column = 0;

	if (!line)
		return;
	f->file = dwarf_linesrc(line, NULL, NULL);
	if (!dwarf_lineno(line, &number) && number > 0)
		f->line = (__u32)number;
	if (f->line && !dwarf_linecol(line, &column) && column > 0)
		f->column = (__u32)column;
}

/* Where a function was put into another: the other's line. */
static void line_of_call(Dwarf_Die *unit, Dwarf_Die *inlined, struct mw_frame *f)
{
	__u32 file = number(inlined, DW_AT_call_file);
	Dwarf_Files *files;
	size_t n;

	f->line = number(inlined, DW_AT_call_line);
	f->column = number(inlined, DW_AT_call_column);
	if (dwarf_getsrcfiles(unit, &files, &n) == 0 && file < n)
		f->file = dwarf_filesrc(files, file, NULL, NULL);
}

size_t mw_debug_find(struct mw_debug *d, __u64 address, struct mw_frame *ret_frames, size_t max, bool *ret_plain)
{
	Dwarf_Die unit, function, chain[MW_FRAMES_MAX];
	size_t depth = 0, n = 0;
	bool has = false;

	if (!max || !d->units.n || !mw_units_find(&d->units, address, &unit, &function, &has))
		return 0;
	if (has) {
		chain[depth++] = function;
		for (size_t block = 0; block < BLOCKS_MAX && enter(d, &function, address); block++) {
			if (dwarf_tag(&function) == DW_TAG_inlined_subroutine && depth < MW_FRAMES_MAX)
				chain[depth++] = function;
		}
	}
	*ret_plain = true;
	ret_frames[0] = (struct mw_frame){0};
	line_of(&unit, address, &ret_frames[0]);
	if (!has)
		return ret_frames[0].file != NULL;
	while (depth && n < max) {
		struct mw_frame *f = &ret_frames[n++];

		depth--;
		f->function = name_of(&chain[depth], d->names[n - 1], sizeof(d->names[0]), ret_plain);
		f->inlined = depth > 0;
		if (depth && n < max) {
			ret_frames[n] = (struct mw_frame){0};
			line_of_call(&unit, &chain[depth], &ret_frames[n]);
		}
	}
	return n;
}
