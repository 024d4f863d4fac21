/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/units.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "util/clock.h"

#define UNITS_MAX   1000000U
#define ENTRIES_MAX 50000000U
#define LOOK_BACK   32 /* spans that may begin inside of one that covers them */
#define DEPTH	    16 /* of namespaces and classes around a function */
#define RANGES_MAX  65536 /* of one entry */

bool mw_units_spent(struct mw_units *u)
{
	if (u->left)
		u->left--;
	/* Asking for the time costs more than an entry. */
	if (u->left && u->left % 256 == 0 && mw_now_ns() >= u->deadline_ns)
		u->left = 0;
	return !u->left;
}

static int add_span(struct mw_spans *s, __u64 low, __u64 high, Dwarf_Off die)
{
	if (!low || low >= high) /* at 0: the linker has dropped it */
		return 0;
	if (!(s->n & (s->n - 1))) {
		struct mw_span *more = reallocarray(s->at, s->n ? 2 * s->n : 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->at = more;
	}
	s->at[s->n++] = (struct mw_span){low, high, die};
	return 0;
}

static int add_ranges(struct mw_units *u, struct mw_spans *s, Dwarf_Die *die, Dwarf_Off value)
{
	Dwarf_Addr base = 0, low, high;
	ptrdiff_t at = 0;
	int r = 0;

	for (size_t n = 0; !r && n < RANGES_MAX && !mw_units_spent(u); n++) {
		at = dwarf_ranges(die, at, &base, &low, &high);
		if (at <= 0)
			break;
		r = add_span(s, low, high, value);
	}
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct mw_span *x = a, *y = b;

	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	/* The narrower is last, and found first. */
	return x->high > y->high ? -1 : x->high < y->high;
}

static void sort(struct mw_spans *s)
{
	if (s->n)
		qsort(s->at, s->n, sizeof(*s->at), compare);
}

static const struct mw_span *find(const struct mw_spans *s, __u64 address)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->at[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t back = 1; back <= LOOK_BACK && back <= low; back++) {
		if (address < s->at[low - back].high)
			return &s->at[low - back];
	}
	return NULL;
}

static int add_unit(struct mw_units *u, Dwarf_Die *die)
{
	if (!(u->n & (u->n - 1))) {
		struct mw_unit *more = reallocarray(u->at, u->n ? 2 * u->n : 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		u->at = more;
	}
	u->at[u->n] = (struct mw_unit){.die = dwarf_dieoffset(die)};
	return add_ranges(u, &u->spans, die, u->n++);
}

/* Not by .debug_aranges: some compilers leave it out, and one such object in a program is enough. */
int mw_units_read(Dwarf *dwarf, __u64 deadline_ns, struct mw_units *ret)
{
	struct mw_units u = {.dwarf = dwarf, .deadline_ns = deadline_ns, .left = ENTRIES_MAX};
	Dwarf_CU *cu = NULL;
	Dwarf_Die die, sub;
	Dwarf_Half version;
	uint8_t kind;
	int r = 0;

	while (!r && u.n < UNITS_MAX && !mw_units_spent(&u) &&
	       dwarf_get_units(dwarf, cu, &cu, &version, &kind, &die, &sub) == 0) {
		if (kind == DW_UT_compile || kind == DW_UT_skeleton)
			r = add_unit(&u, &die);
	}
	if (!r && !u.spans.n)
		r = -ENODATA;
	if (r) {
		mw_units_free(&u);
		return r;
	}
	sort(&u.spans);
	*ret = u;
	return 0;
}

void mw_units_free(struct mw_units *u)
{
	for (size_t i = 0; i < u->n; i++)
		free(u->at[i].functions.at);
	free(u->at);
	free(u->spans.at);
	*u = (struct mw_units){0};
}

/*
 * Functions stand in namespaces and classes, or in the unit itself. Some, such as lambdas, stand in others: to find
 * these everything has to be looked at, and is when no other will do.
 */
static int read_functions(struct mw_units *u, struct mw_spans *s, Dwarf_Die *parent, bool deep, int depth)
{
	Dwarf_Die die;
	int r = 0;

	if (depth > DEPTH || dwarf_child(parent, &die) != 0)
		return 0;
	do {
		switch (dwarf_tag(&die)) {
		case DW_TAG_subprogram:
			r = add_ranges(u, s, &die, dwarf_dieoffset(&die));
			if (!r && deep)
				r = read_functions(u, s, &die, deep, depth + 1);
			break;
		case DW_TAG_lexical_block:
			if (!deep)
				break;
			/* fall through */
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_class_type:
		case DW_TAG_structure_type:
		case DW_TAG_union_type:
		case DW_TAG_enumeration_type:
			r = dwarf_haschildren(&die) ? read_functions(u, s, &die, deep, depth + 1) : 0;
			break;
		default:
			break;
		}
	} while (!r && !mw_units_spent(u) && dwarf_siblingof(&die, &die) == 0);
	return r;
}

static bool read_unit(struct mw_units *u, struct mw_unit *unit, Dwarf_Die *die, bool deep)
{
	unit->read = true;
	unit->read_deep = deep;
	unit->functions.n = 0;
	if (read_functions(u, &unit->functions, die, deep, 0))
		return false;
	sort(&unit->functions);
	return true;
}

bool mw_units_find(struct mw_units *u, __u64 address, Dwarf_Die *ret_unit, Dwarf_Die *ret_function, bool *ret_has)
{
	const struct mw_span *span = find(&u->spans, address);
	struct mw_unit *unit = span ? &u->at[span->die] : NULL;

	if (!unit || mw_units_spent(u) || !dwarf_offdie(u->dwarf, unit->die, ret_unit))
		return false;
	if (!unit->read && !read_unit(u, unit, ret_unit, false))
		return false;
	span = find(&unit->functions, address);
	if (!span && !unit->read_deep) {
		if (!read_unit(u, unit, ret_unit, true))
			return false;
		span = find(&unit->functions, address);
	}
	*ret_has = span && dwarf_offdie(u->dwarf, span->die, ret_function);
	return true;
}
