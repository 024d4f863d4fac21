/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Any bytes as a copied stack with its registers, unwound by the tables of this very program; and as the small programs
 * that stand in unwind tables. The first byte chooses which. With -DMW_FUZZ_MAIN as container_fuzz.
 */
#include <dwarf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbols/machine.h"
#include "symbols/unwind.h"
#include "util/cleanup.h"

#define HEAD   (8 * (2 + MW_STACK_REGISTERS)) /* pc and registers, then where the stack begins */
#define OPS    64
#define REPEAT 16 /* what is given, so that a frame of some size has another behind it */
#define NEVER  (~0ULL) /* a deadline */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

/* What this process has mapped, read once. */
static const struct mw_modules *ours(void)
{
	static struct mw_modules m;
	static char text[65536];
	struct mw_error err = {""};
	FILE *f;

	if (m.n)
		return &m;
	f = fopen("/proc/self/maps", "re");
	must(f && mw_modules_read_maps(&m, text, fread(text, 1, sizeof(text), f), &err) == 0 && m.n, err.text);
	fclose(f);
	return &m;
}

static void open_ours(struct mw_opened *o)
{
	const struct mw_modules *m = ours();

	*o = (struct mw_opened){.modules = m, .root_fd = -1, .host_fd = -1, .jit_fd = -1};
	o->object_of = calloc(m->n, sizeof(*o->object_of));
	o->objects = calloc(m->n, sizeof(*o->objects));
	must(o->object_of && o->objects, "memory");
	for (size_t i = 0; i < m->n; i++) {
		o->object_of[i] = (int)o->n_objects;
		o->objects[o->n_objects].fd = *m->at[i].path == '/' ? open(m->at[i].path, O_RDONLY | O_CLOEXEC) : -1;
		o->objects[o->n_objects].why = o->objects[o->n_objects].fd < 0 ? -ENOENT : 0;
		o->n_objects++;
	}
}

/* Where a number leads: into the stack or into functions with tables mostly, so that more than a first step is tried.
 */
static __u64 lead(__u64 number, __u64 stack)
{
	const __u64 functions[] = {
		(__u64)(uintptr_t)mw_unwind,	 (__u64)(uintptr_t)mw_modules_read_maps,
		(__u64)(uintptr_t)mw_stack_word, (__u64)(uintptr_t)mw_location_read,
		(__u64)(uintptr_t)qsort,	 (__u64)(uintptr_t)fopen,
		(__u64)(uintptr_t)malloc,	 (__u64)(uintptr_t)strtoull,
	};

	switch (number % 8) {
	case 0:
		return number;
	case 1:
	case 2:
	case 3:
		return stack + (number >> 8) % 512 / 8 * 8;
	default:
		return functions[number / 8 % ARRAY_SIZE(functions)] + (number >> 16) % 256;
	}
}

static void fuzz_stack(const uint8_t *data, size_t n)
{
	size_t given = n > HEAD ? n - HEAD : 0;
	struct mw_stack s = {.n = given * REPEAT};
	struct mw_question q = {.stacks = &s, .n_stacks = 1};
	_cleanup_free_ unsigned char *bytes = NULL;
	__u64 words[HEAD / 8] = {0};
	struct mw_opened o;
	struct mw_unwound u;

	memcpy(words, data, n < HEAD ? n : HEAD);
	s.n = s.n > MW_STACK_BYTES ? MW_STACK_BYTES : s.n;
	s.from = words[0] & ~7ULL;
	s.pc = words[1] % 16 ? lead(words[1] | 4, s.from) : words[1]; /* mostly code */
	bytes = malloc(s.n + !s.n); /* exactly as large, so that a read past it is seen */
	must(bytes, "memory");
	for (size_t i = 0; i < s.n; i++)
		bytes[i] = data[HEAD + i % given];
	for (size_t i = 0; i + 8 <= s.n; i += 8) {
		__u64 word;

		memcpy(&word, bytes + i, 8);
		word = lead(word, s.from);
		memcpy(bytes + i, &word, 8);
	}
	for (size_t i = 0; i < MW_STACK_REGISTERS; i++)
		s.registers[i] = lead(words[2 + i], s.from);
	if (words[0] % 4) /* mostly what its name says */
		s.registers[MW_MACHINE_SP] = s.from + words[0] % 128 / 8 * 8;
	s.bytes = bytes;
	open_ours(&o);
	must(mw_unwind(&q, &o, -1, NEVER, &u) == 0, "no answer");
	must(u.n >= 1 && u.n <= MW_UNWOUND_MAX && u.end < MW_UNWOUND_END_MAX, "frames");
	for (size_t i = 1; i < u.n; i++)
		must(mw_modules_find(ours(), u.at[i].pc - u.at[i].is_return), "a caller that is no code");
	for (size_t i = 0; i < o.n_objects; i++)
		mw_close(&o.objects[i].fd);
	free(o.objects);
	free(o.object_of);
}

static void fuzz_location(const uint8_t *data, size_t n)
{
	unsigned char bytes[64] = {1, 2, 3};
	struct mw_stack s = {.from = 4096, .bytes = bytes, .n = sizeof(bytes)};
	struct mw_frame_state f = {.pc = 1, .cfa = 4096, .known = 0xffff, .has_cfa = n % 2, .stack = &s};
	Dwarf_Op ops[OPS + 2] = {0};
	size_t used = 0;
	__u64 value = 0;
	int r;

	for (; used < ARRAY_SIZE(ops) && n >= 3; used++, data += 3, n -= 3)
		ops[used] =
			(Dwarf_Op){.atom = data[0], .number = 4032 + data[1], .number2 = (Dwarf_Word)(int8_t)data[2]};
	r = mw_location_value(&f, ops, used, &value);
	must(r == 0 || r == -ENODATA || r == -ENOTSUP, "a value");
	r = mw_location_read(&f, ops, used, &value);
	must(r == 0 || r == -ENODATA || r == -ENOTSUP, "what is read");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] % 2)
		fuzz_location(data + 1, size - 1);
	else
		fuzz_stack(data + 1, size - 1);
	return 0;
}

#ifdef MW_FUZZ_MAIN
#include "mutate.h"

/* Words of eight that lead into the stack and into code by turns; and w: breg7, plus_uconst, deref, call_frame_cfa. */
static const char *const seeds[] = {
	"0"
	"AAAAAAABDEFDEFDELMNLMNLMFTUFTUFTTDLTDLTDNONONONOAIQAIQAIEUMEUMEUDDDDDDDDVWVWVWVWAAAAAAABDEFDEFDE"
	"LMNLMNLMFTUFTUFTTDLTDLTDNONONONOAIQAIQAIEUMEUMEUDDDDDDDDVWVWVWVWAAAAAAABDEFDEFDELMNLMNLMFTUFTUFT"
	"TDLTDLTDNONONONOAIQAIQAIEUMEUMEUDDDDDDDDVWVWVWVWAAAAAAABDEFDEFDELMNLMNLMFTUFTUFTTDLTDLTDNONONONO"
	"AIQAIQAIEUMEUMEUDDDDDDDDVWVWVWVWAAAAAAABDEFDEFDELMNLMNLMFTUFTUFTTDLTDLTDNONONONOAIQAIQAIEUMEUMEU"
	"DDDDDDDDVWVWVWVWAAAAAAABDEFDEFDELMNLMNLMFTUFTUFT",
	"1\x77xx\x23yy\x06zz\x9c"
	"::\x1c"
	"aa\x22"
	"bb",
};

static const char *const words[] = {"\x06",	"\x22",	    "\x9f  ",	"\x77\x40\x10",
				    "DDDDDDDD", "TTTTUUUU", "aaaaaaaa", "ffffgggg"};

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, FUZZ_TEXTS(seeds), FUZZ_TEXTS(words));
}

#endif
