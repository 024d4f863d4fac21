/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Unwind tables of one file: how a function's caller is found. Parses; needs no rights at all. */
#ifndef MW_RULES_H
#define MW_RULES_H

#include "symbols/image.h"
#include "symbols/location.h"

struct mw_rules {
	Dwarf_CFI *loaded; /* .eh_frame; NULL: none */
	Dwarf *dwarf;
	Dwarf_CFI *unloaded; /* .debug_frame, of dwarf */
};

/* What of either is there; the images have to stay. debug: its debug file, or one without an elf. */
void mw_rules_open(struct mw_rules *r, const struct mw_image *image);
void mw_rules_open_debug(struct mw_rules *r, const struct mw_image *image);
void mw_rules_free(struct mw_rules *r);

/* What became of a step outwards. */
enum mw_step {
	MW_STEP_DONE, /* the frame is its caller's now */
	MW_STEP_OUTERMOST, /* it has none */
	MW_STEP_NO_RULE, /* nothing is said about that address */
	MW_STEP_CUT, /* of what is not in the copy */
};
/*
 * address: within the call, as the file numbers it. *ret_signal: it was interrupted, not called by, whom f is now:
 * its pc is no return address.
 */
enum mw_step mw_rules_step(const struct mw_rules *r, __u64 address, struct mw_frame_state *f, bool *ret_signal);

#endif
