/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Any bytes as what memweir-symbols reads itself: maps of a process, a list of run-time code, a question, an answer.
 * The first byte chooses which. With clang: -fsanitize=fuzzer,address. With -DMW_FUZZ_MAIN as container_fuzz.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/answer.h"
#include "symbols/jit.h"
#include "util/cleanup.h"
#include "util/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static void check_modules(const struct mw_modules *m)
{
	must(m->n <= MW_MODULES_MAX, "too many modules");
	for (size_t i = 0; i < m->n; i++) {
		const struct mw_module *at = &m->at[i];

		must(at->start < at->end && (!i || m->at[i - 1].end <= at->start), "modules out of order");
		must(strlen(at->path) < MW_MODULE_PATH, "a path's length");
		must(!*at->build_id || mw_build_id_valid(at->build_id), "a build id");
		must(mw_modules_find(m, at->start) == at && mw_modules_find(m, at->end - 1) == at, "not found");
	}
}

static void fuzz_maps(const char *text, size_t n)
{
	struct mw_modules m = {0};
	struct mw_error err = {""};

	must(mw_modules_read_maps(&m, text, n, &err) == 0 || *err.text, "a refusal without a sentence");
	check_modules(&m);
	mw_modules_free(&m);
}

static void fuzz_jit(const char *text, size_t n)
{
	static const __u64 addresses[] = {0, 1, 0x1000, 0x1010, 0x2000, 0x7fff00001000, ~0ULL - 1, ~0ULL};
	struct mw_jit_code codes[ARRAY_SIZE(addresses)];
	struct mw_jit_name name;

	mw_jit_find(text, n, addresses, ARRAY_SIZE(addresses), codes);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		const struct mw_jit_code *c = &codes[i];

		if (!c->name)
			continue;
		must(c->start <= addresses[i] && addresses[i] - c->start < c->size, "code that is not there");
		must(c->name >= text && c->name_n && c->name + c->name_n <= text + n, "a name outside of the text");
		mw_jit_split(c->name, c->name_n, &name);
		must(memchr(name.function, '\0', sizeof(name.function)) && memchr(name.file, '\0', sizeof(name.file)),
		     "a name without an end");
	}
}

static void fuzz_status(const char *text)
{
	__u64 n;

	if (mw_status_last(text, "NSpid:", &n))
		must(strstr(text, "NSpid:"), "a line that is not there");
}

/* What could be read is written and read again as the same. */
static void fuzz_question(const char *text, size_t n)
{
	struct mw_question q = {0}, same = {0};
	_cleanup_free_ char *once = NULL, *twice = NULL;
	struct mw_error err = {""};

	if (mw_question_read(text, n, &q, &err) == 0) {
		check_modules(&q.modules);
		must(q.n <= MW_ADDRESSES_MAX, "too many addresses");
		must(q.n_stacks <= MW_STACKS_MAX, "too many stacks");
		for (size_t i = 0; i < q.n_stacks; i++)
			must(q.stacks[i].n <= MW_STACK_BYTES, "too much of a stack");
		must(mw_question_write(&q, &once, &n) == 0, "memory");
		must(mw_question_read(once, n, &same, &err) == 0, err.text);
		must(mw_question_write(&same, &twice, &n) == 0 && !strcmp(once, twice), "another question");
	} else {
		must(*err.text, "a refusal without a sentence");
	}
	mw_question_free(&q);
	mw_question_free(&same);
}

static void fuzz_answer(const char *text, size_t n, size_t places)
{
	struct mw_symbols s;
	struct mw_error err = {""};

	if (mw_symbols_read(text, n, places, &s, &err) < 0) {
		must(*err.text, "a refusal without a sentence");
		return;
	}
	must(s.n == places, "places");
	for (size_t i = 0; i < s.n; i++)
		must(s.places[i].n && s.places[i].n <= MW_FRAMES_MAX && s.places[i].first + s.places[i].n <= s.n_frames,
		     "frames");
	for (size_t i = 0; i < s.n_frames; i++) {
		const struct mw_frame *f = &s.frames[i];

		must(mw_utf8_plain(f->function) && mw_utf8_plain(f->file) && mw_utf8_plain(f->module), "odd bytes");
		must(!*f->build_id || mw_build_id_valid(f->build_id), "a build id");
	}
	mw_symbols_free(&s);
}

static void fuzz_unwound(const char *text, size_t n)
{
	struct mw_unwound u[2];
	struct mw_error err = {""};

	if (mw_unwound_read(text, n, u, ARRAY_SIZE(u), &err) < 0) {
		must(*err.text, "a refusal without a sentence");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(u); i++)
		must(u[i].n && u[i].n <= MW_UNWOUND_MAX && u[i].end < MW_UNWOUND_END_MAX, "frames of a stack");
}

static void fuzz_module_list(const char *text, size_t n)
{
	struct mw_modules m;
	struct mw_error err = {""};

	if (mw_modules_read(text, n, &m, &err) < 0) {
		must(*err.text, "a refusal without a sentence");
		return;
	}
	check_modules(&m);
	mw_modules_free(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = size ? size - 1 : 0;
	_cleanup_free_ char *text = malloc(n + 1); /* exactly as large, so that a read past it is seen */

	must(text, "memory");
	if (n)
		memcpy(text, data + 1, n);
	text[n] = '\0';
	switch (size ? data[0] % 6 : 0) {
	case 0:
		fuzz_maps(text, n);
		break;
	case 1:
		fuzz_jit(text, n);
		break;
	case 2:
		fuzz_question(text, n);
		break;
	case 3:
		fuzz_answer(text, n, n % 3);
		fuzz_answer(text, n, 1);
		break;
	case 4:
		fuzz_module_list(text, n);
		fuzz_unwound(text, n);
		break;
	default:
		fuzz_status(text);
		break;
	}
	return 0;
}

#ifdef MW_FUZZ_MAIN
#include "mutate.h"

/* The kind ("0" is 48, a multiple of six), then what such a text looks like. */
static const char *const seeds[] = {
	"01000-2000 r-xp 00001000 fe:01 10953360                  /usr/bin/a b (deleted)\n"
	"7f0000001000-7f0000002000 rwxp 00000000 00:00 0 \n7f0000002000-7f0000003000 r-xp 00000000 00:00 0 \n"
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n",
	"11000 20 JS:*leak /srv/a.js:1:18\n1010 f py::work:/srv/b.py\n7fff00001000 0x40 void f(int)\n",
	"2pid 7 99\nuser 1000 100\nmodule 1000-2000 3000 401000 fe:1 12345 00ff 1 /srv/a b\n"
	"module 2000-3000 0 - 0:0 0 - 0 [vdso]\naddress 7f00\nreturn ffffffffffffffff\n",
	"3{\"addresses\":[{\"address\":\"0x1005\",\"frames\":[{\"function\":\"f\",\"file\":\"/"
	"a.c\",\"line\":3,\"column\":4,"
	"\"module\":\"/"
	"weir\",\"build_id\":\"00ff\",\"offset\":5,\"inlined\":true},{\"offset\":18446744073709551615}]}],"
	"\"unfinished\":1,\"unread\":2,\"problem\":\"/x: none\"}",
	"4{\"pid\":7,\"start_ticks\":9,\"uid\":0,\"gid\":0,\"modules\":[{\"start\":4096,\"end\":8192,\"offset\":0,"
	"\"address\":"
	"4096,\"dev_major\":1,\"dev_minor\":2,\"inode\":5,\"build_id\":\"00ff\",\"deleted\":false,\"path\":\"/a\"}],"
	"\"left_out\":0}",
	"2pid 7 99\nstack 7f00 7fff0000 1,2,3,4,5,6,7,7fff0000,9,a,b,c,d,e,f,10,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0 "
	"00ff10\nstack 0 0 0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0 -\n",
	"4{\"stacks\":[{\"frames\":[{\"address\":4096,\"return\":false},{\"address\":1,\"return\":true}],"
	"\"end\":\"cut\"},{\"frames\":[{\"address\":7}],\"end\":\"outermost\"}]}",
	"3{\"error\":\"process 7 has ended\",\"errno\":3}",
	"5Name:\tx\nUid:\t1\t2\t3\t4\nNSpid:\t500\t7\n",
};

static const char *const words[] = {"-",	" ",
				    "\n",	"ffffffffffffffff",
				    "\xff\xfe", "0x",
				    ":1",	"JS:*",
				    "{",	"}",
				    "[[[[[[[[", "\\u0000",
				    "\"",	"-1",
				    "null",	"py::",
				    "module ",	"stack ",
				    "address ", " (deleted)",
				    "r-xp",	"18446744073709551616"};

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, FUZZ_TEXTS(seeds), FUZZ_TEXTS(words));
}

#endif
