/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/unwind.h"

#include <errno.h>
#include <stdlib.h>

#include "symbols/machine.h"
#include "symbols/object.h"
#include "symbols/rules.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* Of each file. */
struct code {
	bool opened, debug_tried;
	struct mw_known known;
	struct mw_rules rules;
};

struct unwinder {
	struct mw_opened *o;
	struct code *code;
	int sock;
	__u64 deadline_ns;
};

/* The file that code is from, opened; NULL: there is none. */
static struct code *code_of(struct unwinder *u, const struct mw_module *m)
{
	int object = u->o->object_of[m - u->o->modules->at];
	struct code *c = object < 0 ? NULL : &u->code[object];

	if (!c || c->opened)
		return c;
	c->opened = true;
	if (mw_known_open(&c->known, &u->o->objects[object], m) == 0) {
		mw_rules_open(&c->rules, &c->known.image);
		mw_rules_open_debug(&c->rules, &c->known.image);
	}
	return c;
}

static enum mw_step step_by_rules(struct unwinder *u, const struct mw_module *m, __u64 address,
				  struct mw_frame_state *f, bool *ret_signal)
{
	struct code *c = code_of(u, m);
	enum mw_step step;
	__u64 own;

	if (!c || !mw_image_address(&c->known.image, address - m->start + m->offset, &own))
		return MW_STEP_NO_RULE;
	step = mw_rules_step(&c->rules, own, f, ret_signal);
	if (step != MW_STEP_NO_RULE || c->debug_tried)
		return step;
	/* What is not loaded with the program may be in its debug file. */
	c->debug_tried = true;
	if (mw_known_fetch(&c->known, u->o, (size_t)(m - u->o->modules->at), u->sock))
		return step;
	mw_rules_open_debug(&c->rules, &c->known.debug_image);
	return mw_rules_step(&c->rules, own, f, ret_signal);
}

/*
 * Code that was written at run time mostly keeps frame pointers. Believed is one that points outwards and to a caller
 * that is code.
 */
static enum mw_step step_by_pointer(const struct unwinder *u, struct mw_frame_state *f)
{
	const __u32 both = 1U << MW_MACHINE_FP | 1U << MW_MACHINE_SP;
	__u64 at = f->registers[MW_MACHINE_FP], outer, pc;

	if ((f->known & both) != both || at % 8 || at < f->registers[MW_MACHINE_SP])
		return MW_STEP_NO_RULE;
	if (!mw_stack_word(f->stack, at, &outer) || !mw_stack_word(f->stack, at + 8, &pc))
		return MW_STEP_NO_RULE;
	pc = MW_MACHINE_ADDRESS(pc);
	if (!pc)
		return MW_STEP_OUTERMOST;
	if ((outer && outer <= at) || !mw_modules_find(u->o->modules, pc - 1))
		return MW_STEP_NO_RULE;
	f->pc = pc;
	f->registers[MW_MACHINE_FP] = outer;
	f->registers[MW_MACHINE_SP] = at + 16;
	f->known = both;
	mw_machine_set_pc(f);
	return MW_STEP_DONE;
}

static enum mw_unwound_end why_ended(enum mw_step step)
{
	return step == MW_STEP_OUTERMOST ? MW_UNWOUND_OUTERMOST
	       : step == MW_STEP_CUT	 ? MW_UNWOUND_CUT
					 : MW_UNWOUND_NO_RULE;
}

static enum mw_unwound_end walk(struct unwinder *u, struct mw_frame_state *f, struct mw_unwound *out)
{
	bool is_return = false;

	for (;;) {
		const struct mw_module *m = mw_modules_find(u->o->modules, f->pc - is_return);
		__u64 sp = f->registers[MW_MACHINE_SP], pc = f->pc;
		bool is_signal = false;
		enum mw_step step;

		/* The innermost is shown, whatever it is. */
		if (!m && out->n)
			return MW_UNWOUND_NO_CODE;
		if (out->n == MW_UNWOUND_MAX)
			return MW_UNWOUND_DEEP;
		out->at[out->n++] = (struct mw_address){f->pc, is_return};
		if (!m)
			return MW_UNWOUND_NO_CODE;
		if (mw_now_ns() >= u->deadline_ns)
			return MW_UNWOUND_TIME;
		step = step_by_rules(u, m, f->pc - is_return, f, &is_signal);
		if (step == MW_STEP_NO_RULE)
			step = step_by_pointer(u, f);
		if (step != MW_STEP_DONE)
			return why_ended(step);
		if (f->pc == pc && f->registers[MW_MACHINE_SP] == sp)
			return MW_UNWOUND_NO_RULE; /* it calls itself without a frame: nobody does */
		is_return = !is_signal;
	}
}

int mw_unwind(const struct mw_question *q, struct mw_opened *o, int sock, __u64 deadline_ns,
	      struct mw_unwound *ret_unwound)
{
	struct unwinder u = {.o = o, .sock = sock, .deadline_ns = deadline_ns};

	u.code = calloc(o->n_objects + 1, sizeof(*u.code));
	if (!u.code)
		return -ENOMEM;
	for (size_t i = 0; i < q->n_stacks; i++) {
		const struct mw_stack *s = &q->stacks[i];
		struct mw_frame_state f = {.pc = s->pc, .known = MW_MACHINE_KNOWN, .stack = s};

		__builtin_memcpy(f.registers, s->registers, sizeof(f.registers));
		mw_machine_set_pc(&f);
		ret_unwound[i] = (struct mw_unwound){0};
		ret_unwound[i].end = walk(&u, &f, &ret_unwound[i]);
	}
	for (size_t i = 0; i < o->n_objects; i++) {
		mw_rules_free(&u.code[i].rules);
		mw_known_free(&u.code[i].known);
	}
	free(u.code);
	return 0;
}
