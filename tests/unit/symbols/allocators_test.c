/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Where allocators are, in real programs; and answers as nobody should give them. */
#include "program.h"

#include "symbols/allocators.h"
#include "symbols/find.h"

static struct mw_allocators found;

/* Two of a sampler's static probes, written as its compiler would; %rdi is the first argument of both. */
static const char otel_program[] =
	"#include <stdio.h>\n#include <unistd.h>\n"
	"__attribute__((used, section(\".probes\"))) unsigned short otel_alloc_semaphore;\n"
	"#define PROBE(name, semaphore, arguments) __asm__ volatile(\"990: nop\\n\" \\\n"
	"	\".pushsection .note.stapsdt,\\\"\\\",\\\"note\\\"\\n.balign 4\\n\" \\\n"
	"	\".4byte 992f-991f, 994f-993f, 3\\n991: .asciz \\\"stapsdt\\\"\\n992: .balign 4\\n\" \\\n"
	"	\"993: .8byte 990b, _.stapsdt.base, \" semaphore \"\\n\" \\\n"
	"	\".asciz \\\"otel_memory\\\"\\n.asciz \\\"\" name \"\\\"\\n.asciz \\\"\" arguments \"\\\"\\n\" \\\n"
	"	\"994: .balign 4\\n.popsection\\n\" \\\n"
	"	\".ifndef _.stapsdt.base\\n.pushsection "
	".stapsdt.base,\\\"aG\\\",\\\"progbits\\\",.stapsdt.base,comdat\\n\" \\\n"
	"	\".weak _.stapsdt.base\\n.hidden _.stapsdt.base\\n_.stapsdt.base: .space 1\\n\" \\\n"
	"	\".size _.stapsdt.base, 1\\n.popsection\\n.endif\\n\")\n"
	"__attribute__((noinline)) void sampled(void *p, long n, long w) {\n"
	"	PROBE(\"alloc\", \"otel_alloc_semaphore\", \"8@%rdi 8@%rsi 8@%rdx\"); (void)p; (void)n; (void)w; }\n"
	"__attribute__((noinline)) void gone(void *p) { PROBE(\"free\", \"0\", \"8@%rdi\"); (void)p; }\n"
	"int main(void) { printf(\"%p\\n\", (void *)sampled); fflush(stdout); for (;;) { sampled(0, 0, 0); gone(0); "
	"pause(); } }\n";

static void build(const char *command)
{
	end_worker();
	in_tree(command);
	start_worker("weir");
	assert_int_equal(mw_allocators_ask(worker.pid, worker.start_ticks, symbols_program(), 20000, &found, &said), 0);
}

static const struct mw_allocator_place *place(enum mw_allocator_fn fn)
{
	for (size_t i = 0; i < found.n; i++) {
		if (found.at[i].fn == fn)
			return &found.at[i];
	}
	return NULL;
}

/* What is mapped there is what was said to stand there. */
static void assert_code(const struct mw_allocator_place *p)
{
	char path[64];
	__u8 code[MW_ALLOCATOR_CODE];
	FILE *maps, *mem;
	char line[512];
	unsigned long long start, end, offset;
	bool seen = false;

	snprintf(path, sizeof(path), "/proc/%d/maps", worker.pid);
	maps = fopen(path, "re");
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%llx-%llx %*s %llx", &start, &end, &offset) != 3 || start != p->start)
			continue;
		seen = true;
		assert_int_equal(end, p->end);
		assert_in_range(p->offset, offset, offset + (end - start) - 1);
		break;
	}
	fclose(maps);
	assert_true(seen);
	snprintf(path, sizeof(path), "/proc/%d/mem", worker.pid);
	mem = fopen(path, "re");
	assert_int_equal(fseek(mem, (long)(start + (p->offset - offset)), SEEK_SET), 0);
	assert_int_equal(fread(code, 1, sizeof(code), mem), sizeof(code));
	fclose(mem);
	assert_memory_equal(code, p->code, sizeof(code));
}

static void the_c_library(void **state)
{
	static const enum mw_allocator_fn all[] = {
		MW_FN_MALLOC, MW_FN_CALLOC, MW_FN_REALLOC, MW_FN_FREE, MW_FN_POSIX_MEMALIGN, MW_FN_MMAP, MW_FN_MUNMAP,
	};

	(void)state;
	build("gcc -O2 -g -o weir weir.c");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct mw_allocator_place *p = place(all[i]);

		assert_non_null(p);
		assert_non_null(strstr(p->path, "libc.so"));
		assert_string_equal(p->arguments, "");
		assert_code(p);
	}
	/* Two names of one function are one. */
	assert_true(place(MW_FN_ALIGNED_ALLOC) || place(MW_FN_MEMALIGN));
	assert_null(place(MW_FN_OTEL_ALLOC));
	assert_int_equal(found.left_out, 0);
}

static void in_the_program_itself(void **state)
{
	static const char *const commands[] = {
		"gcc -O2 -static -o weir weir.c",
		"gcc -O2 -static-pie -o weir weir.c",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		build(commands[i]);
		assert_non_null(place(MW_FN_MALLOC));
		assert_non_null(place(MW_FN_FREE));
		assert_string_equal(place(MW_FN_MALLOC)->path, tree_path("weir"));
		assert_code(place(MW_FN_MALLOC));
		assert_code(place(MW_FN_FREE));
	}
	build("gcc -O2 -static -s -o weir weir.c");
	assert_int_equal(found.n, 0);
}

/* An allocator of the program's own, under its own names; what only looks like one. */
static void under_other_names(void **state)
{
	(void)state;
	tree_file("own.c",
		  "void *je_malloc(unsigned long n) { return (void *)n; }\nvoid je_free(void *p) { (void)p; }\n"
		  "static void *mi_malloc(unsigned long n) { return (void *)n; }\n"
		  "static void mi_free(void *p) { (void)p; }\nvoid *keep(void) { mi_free(0); return mi_malloc(1); }\n");
	build("gcc -O0 -o weir weir.c own.c");
	assert_non_null(place(MW_FN_MALLOC));
	for (size_t i = 0, own = 0; i < found.n; i++) {
		own += found.at[i].fn == MW_FN_MALLOC && ends_with(found.at[i].path, "/weir");
		assert_true(own <= 1);
		if (i + 1 == found.n)
			assert_int_equal(own, 1);
	}
}

#if defined(__x86_64__)
static void static_probes_of_a_sampler(void **state)
{
	static const char *const commands[] = {
		"gcc -O2 -o weir otel.c",
		"gcc -O2 -no-pie -o weir otel.c",
		"gcc -O2 -static -o weir otel.c",
	};

	(void)state;
	tree_file("otel.c", otel_program);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct mw_allocator_place *p;

		build(commands[i]);
		p = place(MW_FN_OTEL_ALLOC);
		assert_non_null(p);
		assert_string_equal(p->arguments, "8@%rdi 8@%rsi 8@%rdx");
		assert_true(p->semaphore > 0);
		assert_int_equal(p->code[0], 0x90); /* its nop */
		assert_code(p);
		p = place(MW_FN_OTEL_FREE);
		assert_non_null(p);
		assert_string_equal(p->arguments, "8@%rdi");
		assert_int_equal(p->semaphore, 0);
		assert_code(p);
	}
}
#endif

static void notes(void **state)
{
	char desc[128] = {0};
	struct mw_usdt u;
	size_t n;

	(void)state;
	memcpy(desc + 24,
	       "otel_memory\0free\0"
	       "8@%rdi",
	       24);
	n = 24 + 12 + 5 + 7;
	assert_true(mw_usdt_read(desc, n, &u));
	assert_int_equal(u.fn, MW_FN_OTEL_FREE);
	assert_string_equal(u.arguments, "8@%rdi");
	for (size_t less = 0; less < n; less++)
		assert_false(mw_usdt_read(desc, less, &u));
	memcpy(desc + 24 + 12, "fred", 5);
	assert_false(mw_usdt_read(desc, n, &u));
	memcpy(desc + 24 + 12, "free", 5);
	desc[24] = 'O';
	assert_false(mw_usdt_read(desc, n, &u));
}

static void answers_that_are_none(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"allocators\":{},\"left_out\":0}",
		"{\"allocators\":[1],\"left_out\":0}",
		"{\"allocators\":[],\"left_out\":-1}",
		"{\"allocators\":[{\"function\":\"mallok\",\"start\":1,\"end\":2,\"offset\":1,\"semaphore\":0,"
		"\"code\":\"00000000000000000000000000000000\",\"arguments\":\"\",\"path\":\"\"}],\"left_out\":0}",
		"{\"allocators\":[{\"function\":\"malloc\",\"start\":2,\"end\":2,\"offset\":1,\"semaphore\":0,"
		"\"code\":\"00000000000000000000000000000000\",\"arguments\":\"\",\"path\":\"\"}],\"left_out\":0}",
		"{\"allocators\":[{\"function\":\"malloc\",\"start\":1,\"end\":2,\"offset\":1,\"semaphore\":0,"
		"\"code\":\"0000000000000000000000000000000g\",\"arguments\":\"\",\"path\":\"\"}],\"left_out\":0}",
	};
	struct mw_allocators a;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (mw_allocators_read(bad[i], strlen(bad[i]), &a, &said) != -EPROTO)
			fail_msg("taken: %s", bad[i]);
	}
	build("gcc -O2 -o weir weir.c");
	assert_int_equal(mw_allocators_ask(0, 0, symbols_program(), 0, &a, &said), -EINVAL);
	assert_int_equal(mw_allocators_ask(worker.pid, worker.start_ticks + 1, symbols_program(), 0, &a, &said),
			 -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		program_test(the_c_library),
		program_test(in_the_program_itself),
		program_test(under_other_names),
#if defined(__x86_64__)
		program_test(static_probes_of_a_sampler),
#endif
		program_test(notes),
		program_test(answers_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
