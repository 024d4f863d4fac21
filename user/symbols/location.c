/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/location.h"

#include <dwarf.h>
#include <errno.h>
#include <string.h>

#define DEPTH_MAX 16
#define OPS_MAX	  64

struct machine {
	const struct mw_frame_state *f;
	__u64 at[DEPTH_MAX];
	size_t n;
	bool is_value; /* the top is what was asked for, not where it is */
};

bool mw_stack_word(const struct mw_stack *s, __u64 address, __u64 *ret)
{
	if (address < s->from || s->n < sizeof(*ret) || address - s->from > s->n - sizeof(*ret))
		return false;
	memcpy(ret, s->bytes + (address - s->from), sizeof(*ret));
	return true;
}

static int push(struct machine *m, __u64 value)
{
	if (m->n == DEPTH_MAX)
		return -ENOTSUP;
	m->at[m->n++] = value;
	return 0;
}

static int push_register(struct machine *m, __u64 number, __u64 offset)
{
	if (number >= MW_STACK_REGISTERS || !(m->f->known & 1U << number))
		return -ENODATA;
	return push(m, m->f->registers[number] + offset);
}

/* Of the two on top the upper one is y. */
static int compute(__u8 atom, __u64 x, __u64 y, __u64 *ret)
{
	__s64 a = (__s64)x, b = (__s64)y;

	switch (atom) {
	case DW_OP_plus:
		*ret = x + y;
		return 0;
	case DW_OP_minus:
		*ret = x - y;
		return 0;
	case DW_OP_mul:
		*ret = x * y;
		return 0;
	case DW_OP_and:
		*ret = x & y;
		return 0;
	case DW_OP_or:
		*ret = x | y;
		return 0;
	case DW_OP_xor:
		*ret = x ^ y;
		return 0;
	case DW_OP_shl:
		*ret = y < 64 ? x << y : 0;
		return 0;
	case DW_OP_shr:
		*ret = y < 64 ? x >> y : 0;
		return 0;
	case DW_OP_eq:
		*ret = a == b;
		return 0;
	case DW_OP_ne:
		*ret = a != b;
		return 0;
	case DW_OP_lt:
		*ret = a < b;
		return 0;
	case DW_OP_le:
		*ret = a <= b;
		return 0;
	case DW_OP_gt:
		*ret = a > b;
		return 0;
	case DW_OP_ge:
		*ret = a >= b;
		return 0;
	default:
		return -ENOTSUP;
	}
}

static int on_two(struct machine *m, __u8 atom)
{
	__u64 value;
	int r;

	if (m->n < 2)
		return -ENOTSUP;
	r = compute(atom, m->at[m->n - 2], m->at[m->n - 1], &value);
	if (r)
		return r;
	m->at[--m->n - 1] = value;
	return 0;
}

/* What needs one on top. */
static int on_one(struct machine *m, const Dwarf_Op *op)
{
	__u64 *top = m->n ? &m->at[m->n - 1] : NULL;

	if (!top)
		return -ENOTSUP;
	switch (op->atom) {
	case DW_OP_deref:
		return mw_stack_word(m->f->stack, *top, top) ? 0 : -ENODATA;
	case DW_OP_plus_uconst:
		*top += op->number;
		return 0;
	case DW_OP_neg:
		*top = -*top;
		return 0;
	case DW_OP_not:
		*top = ~*top;
		return 0;
	case DW_OP_dup:
		return push(m, *top);
	case DW_OP_drop:
		m->n--;
		return 0;
	default:
		return on_two(m, op->atom);
	}
}

static int step(struct machine *m, const Dwarf_Op *op)
{
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		return push(m, op->atom - DW_OP_lit0);
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return push_register(m, op->atom - DW_OP_breg0, op->number);
	if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31) {
		m->is_value = true;
		return push_register(m, op->atom - DW_OP_reg0, 0);
	}
	switch (op->atom) {
	case DW_OP_bregx:
		return push_register(m, op->number, op->number2);
	case DW_OP_regx:
		m->is_value = true;
		return push_register(m, op->number, 0);
	case DW_OP_call_frame_cfa:
		return m->f->has_cfa ? push(m, m->f->cfa) : -ENOTSUP;
	case DW_OP_const1u:
	case DW_OP_const1s:
	case DW_OP_const2u:
	case DW_OP_const2s:
	case DW_OP_const4u:
	case DW_OP_const4s:
	case DW_OP_const8u:
	case DW_OP_const8s:
	case DW_OP_constu:
	case DW_OP_consts:
		return push(m, op->number);
	case DW_OP_nop:
		return 0;
	case DW_OP_stack_value:
		m->is_value = true;
		return 0;
	default:
		return on_one(m, op);
	}
}

/* Without branches: no table that a compiler writes has any, and so it ends. */
static int run(struct machine *m, const Dwarf_Op *ops, size_t n)
{
	int r = n && n <= OPS_MAX ? 0 : -ENOTSUP;

	for (size_t i = 0; !r && i < n; i++)
		r = step(m, &ops[i]);
	return r ? r : m->n ? 0 : -ENOTSUP;
}

int mw_location_value(const struct mw_frame_state *f, const Dwarf_Op *ops, size_t n, __u64 *ret)
{
	struct machine m = {.f = f};
	int r = run(&m, ops, n);

	if (!r)
		*ret = m.at[m.n - 1];
	return r;
}

int mw_location_read(const struct mw_frame_state *f, const Dwarf_Op *ops, size_t n, __u64 *ret)
{
	struct machine m = {.f = f};
	int r = run(&m, ops, n);

	if (r)
		return r;
	if (m.is_value)
		*ret = m.at[m.n - 1];
	else if (!mw_stack_word(f->stack, m.at[m.n - 1], ret))
		return -ENODATA;
	return 0;
}
