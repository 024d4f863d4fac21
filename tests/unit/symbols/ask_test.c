/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Real programs, of several compilers and in several states, through the real memweir-symbols. */
#include "program.h"

static void build(const char *command)
{
	end_worker();
	in_tree(command);
	start_worker("weir");
}

static void debug_information_in_the_program(void **state)
{
	static const char *const commands[] = {
		"gcc -O2 -g -o weir weir.c",
		"gcc -O2 -g -no-pie -o weir weir.c",
		"gcc -O2 -g -static -o weir weir.c",
		"gcc -O2 -g -static-pie -o weir weir.c",
		"gcc -O2 -g -gz -o weir weir.c",
		"gcc -O2 -g -gdwarf-4 -o weir weir.c",
		"gcc -O2 -g -o weir weir.c && objcopy --compress-debug-sections=zlib-gnu weir",
		"clang -O2 -g -Wl,--build-id -o weir weir.c",
		"clang -O2 -g -gdwarf-4 -Wl,--build-id -o weir weir.c",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		print_message("%s\n", commands[i]);
		build(commands[i]);
		ask_worker();
		assert_c_program();
		assert_string_equal(frame(0, 0)->module, tree_path("weir"));
		assert_int_equal(symbols.unfinished, 0);
		assert_int_equal(symbols.unread, 0);
	}
}

/* The address itself is behind the call: without the word "return" it may be in another line. */
static void of_a_return_address_the_call(void **state)
{
	(void)state;
	in_tree("sed -i 's/ KEEP; return p;/\\n KEEP; return p;/' weir.c");
	build("gcc -O0 -g -o weir weir.c");
	ask_worker();
	assert_frame(0, 0, "plain", "/weir.c", 3);
	for (size_t i = 0; i < worker.n; i++)
		worker.pcs[i]--;
	assert_int_equal(ask_about(NULL, worker.pid, false), 0);
	assert_frame(0, 0, "plain", "/weir.c", 3);
}

static void the_c_library_by_its_dynamic_symbols(void **state)
{
	(void)state;
	build("gcc -O2 -g -o weir weir.c");
	ask_worker();
	if (strcmp(frame(3, 0)->function, "abort") && strcmp(frame(3, 0)->function, "__GI_abort"))
		fail_msg("abort is \"%s\"", frame(3, 0)->function);
	assert_non_null(strstr(frame(3, 0)->module, "libc.so"));
	assert_true(*frame(3, 0)->build_id);
}

static void stripped(void **state)
{
	(void)state;
	build("gcc -O2 -o weir weir.c"); /* .symtab */
	ask_worker();
	assert_c_symbols(true);
	build("gcc -O2 -rdynamic -s -o weir weir.c"); /* .dynsym */
	ask_worker();
	assert_c_symbols(false);
	assert_true(*frame(2, 0)->build_id);
	build("gcc -O2 -s -o weir weir.c");
	ask_worker();
	assert_frame(0, 0, "", "", 0);
	assert_string_equal(frame(0, 0)->module, tree_path("weir"));
	assert_true(frame(0, 0)->offset > 0 && *frame(0, 0)->build_id);
}

/* Written in assembler, without a size: up to the next one, and no further than its section. */
static void functions_without_a_size(void **state)
{
	static const char text[] =
		"#include <stdio.h>\n#include <unistd.h>\n"
		"__asm__(\".section .text.a, \\\"ax\\\"\\n.globl bare\\n.type bare, @function\\n\"\n"
		"	\"bare: .skip 64\\nnext: .skip 64\\n.size next, 64\\n.skip 64\\n.text\\n\");\n"
		"extern char bare[];\n"
		"int main(void) { printf(\"%p %p %p %p\\n\", (void *)(bare + 1), (void *)(bare + 63),\n"
		"	(void *)(bare + 65), (void *)(bare + 140));\n"
		"	fflush(stdout); for (;;) pause(); }\n";

	(void)state;
	tree_file("bare.c", text);
	build("gcc -O1 -o weir bare.c");
	assert_int_equal(ask_about(NULL, worker.pid, false), 0);
	assert_frame(0, 0, "bare", "", 0);
	assert_frame(1, 0, "bare", "", 0);
	assert_frame(2, 0, "next", "", 0);
	assert_frame(3, 0, "", "", 0);
}

/* Symbols of what was stripped, packed into the program. */
static void minidebuginfo(void **state)
{
	(void)state;
	build("gcc -O2 -o weir weir.c && objcopy -S --keep-symbol=hidden --keep-symbol=plain --keep-symbol=outer "
	      "weir mini && python3 -c 'import lzma; d = open(\"mini\", \"rb\").read(); "
	      "open(\"mini.xz\", \"wb\").write(lzma.compress(d))' && strip weir && "
	      "objcopy --add-section .gnu_debugdata=mini.xz weir");
	ask_worker();
	assert_c_symbols(true);
}

static void a_debug_file_by_its_link(void **state)
{
	static const char split[] = "gcc -O2 -g %s -o weir weir.c && objcopy --only-keep-debug weir weir.debug && "
				    "strip weir && objcopy --add-gnu-debuglink=weir.debug weir";
	char command[512];

	(void)state;
	snprintf(command, sizeof(command), split, "");
	build(command);
	ask_worker();
	assert_c_program();
	in_tree("mkdir .debug && mv weir.debug .debug/");
	ask_worker();
	assert_c_program();
	/* Another program's: by its build id. */
	in_tree("gcc -O1 -g -o other weir.c && objcopy --only-keep-debug other .debug/weir.debug");
	ask_worker();
	assert_frame(0, 0, "", "", 0);
	/* Without a build id by its checksum. */
	snprintf(command, sizeof(command), split, "-Wl,--build-id=none");
	build(command);
	ask_worker();
	assert_frame(0, 0, "plain", "/weir.c", 3);
	assert_string_equal(frame(0, 0)->build_id, "");
	in_tree("printf x >>weir.debug");
	ask_worker();
	assert_frame(0, 0, "", "", 0);
}

static const char cc_program[] = "extern \"C\" int printf(const char *, ...); extern \"C\" int fflush(void *);\n"
				 "extern \"C\" int pause();\n"
				 "#line 1 \"weir.cc\"\n"
				 "#define KEEP __asm__ volatile(\"\" ::: \"memory\")\n"
				 "#define NOINLINE __attribute__((noinline))\n"
				 "extern \"C\" NOINLINE void *where() { return __builtin_return_address(0); }\n"
				 "namespace weir {\n"
				 "template <class T> struct Cache {\n"
				 "	NOINLINE void *put(T t) { return in(t + 1); }\n"
				 "	inline __attribute__((always_inline)) void *in(T) {\n"
				 "		void *p = where(); KEEP; return p;\n"
				 "	}\n"
				 "};\n"
				 "namespace { NOINLINE void *anonymous() { void *p = where(); KEEP; return p; } }\n"
				 "}\n"
				 "int main() {\n"
				 "	weir::Cache<long> c;\n"
				 "	auto lambda = [](int) NOINLINE { void *p = where(); KEEP; return p; };\n"
				 "	printf(\"%p %p %p\\n\", c.put(1), weir::anonymous(), lambda(1));\n"
				 "	fflush(nullptr);\n"
				 "	for (;;) pause();\n"
				 "}\n";

static void cplusplus(void **state)
{
	(void)state;
	tree_file("weir.cc", cc_program);
	build("clang -x c++ -std=c++17 -O2 -g -fno-exceptions -fno-rtti -o weir weir.cc");
	ask_worker();
	assert_int_equal(frames_at(0), 2);
	assert_frame(0, 0, "weir::Cache<long>::in(long)", "/weir.cc", 8);
	assert_frame(0, 1, "weir::Cache<long>::put(long)", "/weir.cc", 6);
	assert_frame(1, 0, "weir::(anonymous namespace)::anonymous()", "/weir.cc", 11);
	assert_frame(2, 0, "main::$_0::operator()(int) const", "/weir.cc", 15);
	build("clang -x c++ -std=c++17 -O2 -fno-exceptions -fno-rtti -o weir weir.cc");
	ask_worker();
	assert_frame(0, 0, "weir::Cache<long>::put(long)", "", 0);
	assert_frame(1, 0, "weir::(anonymous namespace)::anonymous()", "", 0);
}

/* Root may, where it is not one that a container was given. */
static bool may_look_at_map_files(void)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc/self/map_files");
	struct dirent *entry = NULL;
	struct stat st;

	while (dir && (entry = readdir(dir)) && entry->d_name[0] == '.')
		;
	return entry && !fstatat(dirfd(dir), entry->d_name, &st, 0);
}

/* map_files has it still; who may not look there gets the module and the offset. */
static void deleted_and_replaced(void **state)
{
	(void)state;
	build("gcc -O2 -g -o weir weir.c");
	in_tree("rm weir");
	for (int i = 0; i < 2; i++) {
		ask_worker();
		assert_string_equal(frame(0, 0)->module, tree_path("weir"));
		if (may_look_at_map_files()) {
			assert_c_program();
		} else {
			assert_frame(0, 0, "", "", 0);
			assert_true(symbols.unread > 0 && strstr(symbols.problem, "weir: "));
		}
		in_tree("printf 'int main(void) { return 0; }' >other.c && gcc -g -o weir other.c");
	}
}

static const char mapper[] = "#include <fcntl.h>\n#include <stdio.h>\n#include <sys/auxv.h>\n#include <sys/mman.h>\n"
			     "#include <sys/stat.h>\n#include <unistd.h>\n"
			     "int main(int argc, char **argv) {\n"
			     "	int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1; struct stat st = {.st_size = 8192};\n"
			     "	char *p; if (fd >= 0) fstat(fd, &st);\n"
			     "	p = mmap(0, st.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE |\n"
			     "		(fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);\n"
			     "	printf(\"%p %p %p %lx %p\\n\", (void *)(p + 0x10), (void *)(p + 0x110),\n"
			     "		(void *)(p + 0x1200), getauxval(AT_SYSINFO_EHDR) + 0x100, (void *)0x10);\n"
			     "	fflush(stdout); for (;;) pause(); }\n";

static void build_mapper(void)
{
	tree_file("mapper.c", mapper);
	in_tree("gcc -O1 -o mapper mapper.c");
}

/* Functions of the vdso: some address in there has a name. Where nothing is mapped there is none. */
static void the_vdso_and_nothing_at_all(void **state)
{
	__u64 base;
	size_t named = 0;

	(void)state;
	build_mapper();
	start_worker("mapper");
	base = worker.pcs[3] - 0x100;
	worker.n = PCS_MAX;
	for (size_t i = 0; i < PCS_MAX; i++)
		worker.pcs[i] = base + 0x500 + i * 0x80;
	ask_worker();
	for (size_t i = 0; i < PCS_MAX; i++) {
		named += strncmp(frame(i, 0)->function, "__vdso_", 7) == 0;
		if (i < 16)
			assert_string_equal(frame(i, 0)->module, "[vdso]");
	}
	assert_true(named > 0);
	worker.n = 1;
	worker.pcs[0] = 0x10;
	ask_worker();
	assert_string_equal(frame(0, 0)->module, "");
	assert_int_equal(frame(0, 0)->offset, 0x10);
	assert_int_equal(frames_at(0), 1);
}

static void python_by_its_dynamic_symbols(void **state)
{
	static const char *const argv[] = {
		"python3", "-c",
		"import ctypes, time, sys\n"
		"f = lambda n: ctypes.cast(getattr(ctypes.pythonapi, n), ctypes.c_void_p).value + 4\n"
		"print(hex(f('PyObject_Malloc')), hex(f('PyList_Append')), flush=True)\n"
		"time.sleep(1000)",
		NULL};

	(void)state;
	start_worker_in(NULL, 0, argv);
	ask_worker();
	assert_string_equal(frame(0, 0)->function, "PyObject_Malloc");
	assert_string_equal(frame(1, 0)->function, "PyList_Append");
}

static void another_process_and_none(void **state)
{
	pid_t pid;

	(void)state;
	build("gcc -O2 -g -o weir weir.c");
	worker.start_ticks++;
	assert_int_equal(ask_about(NULL, worker.pid, true), -ESRCH);
	assert_said("is another one now (started at tick ");
	worker.start_ticks = 0; /* not asked for */
	ask_worker();
	pid = worker.pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	worker.pid = 0;
	assert_int_equal(ask_about(NULL, pid, true), -ESRCH);
	assert_said("has ended");
}

static void a_zombie(void **state)
{
	siginfo_t info;

	(void)state;
	build("gcc -O2 -g -o weir weir.c");
	kill(worker.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)worker.pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(ask_about(NULL, worker.pid, true), -ESRCH);
}

static void questions_that_are_none(void **state)
{
	struct mw_address a = {1, false};
	struct mw_symbols_question q = {.addresses = &a, .n = 1, .program = symbols_program()};
	struct mw_modules m;

	(void)state;
	assert_int_equal(mw_symbols_ask(&q, &symbols, &said), -EINVAL);
	assert_said("Expected a pid or modules");
	q.pid = getpid();
	q.n = 0;
	assert_int_equal(mw_symbols_ask(&q, &symbols, &said), -EINVAL);
	assert_said("found 0, expected 1 to 8192");
	q.n = 1;
	q.timeout_ms = 60001;
	assert_int_equal(mw_symbols_ask(&q, &symbols, NULL), -EINVAL);
	assert_int_equal(mw_modules_ask(0, 0, q.program, 0, &m, &said), -EINVAL);
	q.timeout_ms = 0;
	q.program = "/nowhere/memweir-symbols";
	assert_int_equal(mw_symbols_ask(&q, &symbols, &said), -ENOEXEC);
}

static void as_many_as_may_be(void **state)
{
	struct mw_address *a = calloc(MW_ADDRESSES_MAX, sizeof(*a));
	struct mw_symbols_question q = {.addresses = a,
					.n = MW_ADDRESSES_MAX,
					.program = symbols_program(),
					.timeout_ms = 60000};

	(void)state;
	assert_non_null(a);
	build("gcc -O2 -g -o weir weir.c");
	for (size_t i = 0; i < MW_ADDRESSES_MAX; i++)
		a[i] = (struct mw_address){worker.pcs[i % 3], true};
	q.pid = worker.pid;
	mw_symbols_free(&symbols);
	assert_int_equal(mw_symbols_ask(&q, &symbols, &said), 0);
	assert_int_equal(symbols.n, MW_ADDRESSES_MAX);
	assert_c_program();
	for (size_t i = 0; i < MW_ADDRESSES_MAX; i++)
		assert_string_equal(frame(i, frames_at(i) - 1)->function, frame(i % 3, frames_at(i % 3) - 1)->function);
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		program_test(debug_information_in_the_program),
		program_test(of_a_return_address_the_call),
		program_test(the_c_library_by_its_dynamic_symbols),
		program_test(stripped),
		program_test(functions_without_a_size),
		program_test(minidebuginfo),
		program_test(a_debug_file_by_its_link),
		program_test(cplusplus),
		program_test(deleted_and_replaced),
		program_test(the_vdso_and_nothing_at_all),
		program_test(python_by_its_dynamic_symbols),
		program_test(another_process_and_none),
		program_test(a_zombie),
		program_test(questions_that_are_none),
		program_test(as_many_as_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
