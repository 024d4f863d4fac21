/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Which unit of compilation an address is in, and which function of that. */
#ifndef MW_UNITS_H
#define MW_UNITS_H

#include <elfutils/libdw.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* Addresses [low, high) are those of a unit or of a function. */
struct mw_span {
	__u64 low, high;
	Dwarf_Off die; /* of the function; of a unit its index */
};
struct mw_spans {
	struct mw_span *at;
	size_t n;
};

struct mw_unit {
	Dwarf_Off die;
	bool read, read_deep; /* its functions; those within functions too */
	struct mw_spans functions;
};

struct mw_units {
	Dwarf *dwarf;
	struct mw_unit *at;
	size_t n;
	struct mw_spans spans;
	__u64 deadline_ns;
	size_t left; /* entries that may still be looked at: a loop in a hostile file ends */
};

/* -ENODATA: there are none, or all without addresses; -ENOMEM. */
int mw_units_read(Dwarf *dwarf, __u64 deadline_ns, struct mw_units *ret);
void mw_units_free(struct mw_units *u);

/* The unit and the function; function false: the unit only. */
bool mw_units_find(struct mw_units *u, __u64 address, Dwarf_Die *ret_unit, Dwarf_Die *ret_function, bool *ret_has);

/* Time or entries are used up. */
bool mw_units_spent(struct mw_units *u);

#endif
