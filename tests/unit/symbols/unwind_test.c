/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Who called whom, of real programs that were stopped: what is unwound from a copy of their stacks is what the C
 * library's own unwinder says inside of them. And copies that are cut, or that say what they like.
 */
#include "program.h"

#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "symbols/stacks.h"
#include "util/clock.h"

/* It says who its callers are, then waits: called plainly, in a thread, in a signal handler. */
static const char deep_program[] =
	"#include <execinfo.h>\n#include <pthread.h>\n#include <signal.h>\n#include <stdio.h>\n"
	"#include <string.h>\n#include <unistd.h>\n"
	"#line 1 \"weir.c\"\n"
	"#define KEEP __asm__ volatile(\"\" ::: \"memory\")\n"
	"static const char *mode = \"\";\n"
	"__attribute__((noinline)) int innermost(int n) {\n"
	"	void *a[32]; int k = backtrace(a, 32); char room[300]; memset(room, n, sizeof(room)); KEEP;\n"
	"	if (k < 2) { a[1] = __builtin_return_address(0); k = 2; } /* it finds no tables */\n"
	"	for (int i = 1; i < k; i++) printf(\"%p \", a[i]);\n"
	"	printf(\"\\n\"); fflush(stdout);\n"
	"	for (;;) pause();\n"
	"	return n + room[n];\n"
	"}\n"
	"__attribute__((noinline)) int third(int n) { char b[200]; memset(b, n, 200); KEEP; n += innermost(n + 1); "
	"KEEP; return n + b[n & 7]; }\n"
	"__attribute__((noinline)) int second(int n) { n = third(n) * 3; KEEP; return n; }\n"
	"__attribute__((noinline)) int first(int n) { volatile char v[n + 40]; v[n] = 1; n = second(n) + v[n]; KEEP; "
	"return n; }\n"
	"static void on_signal(int s) { first(s); KEEP; }\n"
	"static void *in_thread(void *p) { first(1); KEEP; return p; }\n"
	"int main(int argc, char **argv) {\n"
	"	pthread_t t; mode = argc > 1 ? argv[1] : \"\";\n"
	"	if (*mode == 's') { signal(SIGUSR1, on_signal); raise(SIGUSR1); }\n"
	"	if (*mode == 't') { pthread_create(&t, 0, in_thread, 0); pthread_join(t, 0); }\n"
	"	return first(argc);\n"
	"}\n";

static unsigned char bytes[MW_STACK_BYTES];
static struct mw_stack stack;
static struct mw_unwound got;

/* What the kernel side would have copied of a thread. */
static void copy_stack(pid_t tid)
{
	struct user_regs_struct r;
	struct iovec its, mine = {bytes, sizeof(bytes)};
	struct iovec regs = {&r, sizeof(r)};
	int status;
	ssize_t n;

	assert_int_equal(ptrace(PTRACE_SEIZE, tid, 0, 0), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, tid, 0, 0), 0);
	assert_int_equal(waitpid(tid, &status, __WALL), tid);
	assert_int_equal(ptrace(PTRACE_GETREGSET, tid, 1 /* NT_PRSTATUS */, &regs), 0);
#if defined(__x86_64__)
	stack = (struct mw_stack){
		.pc = r.rip,
		.registers = {r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp, r.rsp, r.r8, r.r9, r.r10, r.r11, r.r12,
			      r.r13, r.r14, r.r15},
		.from = r.rsp,
	};
#else
	stack = (struct mw_stack){.pc = r.pc, .from = r.sp};
	memcpy(stack.registers, r.regs, 31 * 8);
	stack.registers[31] = r.sp;
#endif
	for (size_t want = sizeof(bytes); want; want -= 1024) {
		mine.iov_len = want;
		its = (struct iovec){(void *)stack.from, want};
		n = process_vm_readv(tid, &mine, 1, &its, 1, 0);
		if (n > 0) {
			stack.n = (size_t)n;
			break;
		}
	}
	stack.bytes = bytes;
	assert_true(stack.n > 512);
	assert_int_equal(ptrace(PTRACE_DETACH, tid, 0, 0), 0);
}

static int unwind_as(const struct mw_modules *modules, pid_t pid, size_t n, const struct mw_stack *stacks,
		     struct mw_unwound *ret)
{
	struct mw_unwind_question q = {
		.pid = pid,
		.start_ticks = pid ? worker.start_ticks : 0,
		.modules = modules,
		.stacks = stacks,
		.n = n,
		.program = symbols_program(),
		.timeout_ms = 60000,
	};

	said.text[0] = '\0';
	return mw_unwind_ask(&q, ret, &said);
}

static void unwind(void)
{
	int r = unwind_as(NULL, worker.pid, 1, &stack, &got);

	if (r)
		fail_msg("%d, %s", r, said.text);
	assert_true(got.n >= 1 && got.at[0].pc == stack.pc && !got.at[0].is_return);
}

static void show(void)
{
	for (size_t i = 0; i < got.n; i++)
		print_message("  unwound %zu: %llx%s\n", i, got.at[i].pc, got.at[i].is_return ? "" : " (exact)");
	for (size_t i = 0; i < worker.n; i++)
		print_message("  its own %zu: %llx\n", i, worker.pcs[i]);
	print_message("  end: %s\n", mw_unwound_end_name(got.end));
}

/* The program's own word on the callers of innermost, all of them, in the same order. */
static void assert_same(void)
{
	size_t at = 0;

	while (at < got.n && got.at[at].pc != worker.pcs[0])
		at++;
	for (size_t i = 0; i < worker.n; i++) {
		if (at + i >= got.n || got.at[at + i].pc != worker.pcs[i]) {
			show();
			fail_msg("caller %zu is another one", i);
		}
	}
	if (got.end != MW_UNWOUND_OUTERMOST || got.n != at + worker.n) {
		show();
		fail_msg("it ends elsewhere");
	}
}

static void start_deep(const char *flags, const char *mode)
{
	const char *argv[] = {NULL, mode, NULL};
	char command[512];

	tree_file("weir.c", deep_program);
	snprintf(command, sizeof(command), "cc %s -o weir weir.c -lpthread", flags);
	in_tree(command);
	argv[0] = tree_path("weir");
	start_worker_in(NULL, 0, argv);
}

static void as_the_program_says(const char *flags, const char *mode)
{
	start_deep(flags, mode);
	copy_stack(worker.pid);
	unwind();
	assert_same();
}

static void without_frame_pointers(void **state)
{
	(void)state;
	as_the_program_says("-O2 -g -fomit-frame-pointer", "");
}

static void with_frame_pointers(void **state)
{
	(void)state;
	as_the_program_says("-O2 -fno-omit-frame-pointer", "");
}

static void stripped(void **state)
{
	(void)state;
	as_the_program_says("-O2 -fomit-frame-pointer -s", "");
}

static void at_a_fixed_address(void **state)
{
	(void)state;
	as_the_program_says("-O2 -no-pie -fno-pie", "");
}

static void linked_statically(void **state)
{
	(void)state;
	as_the_program_says("-O2 -static", "");
	as_the_program_says("-O2 -static-pie -fPIE", "");
}

static void through_a_signal(void **state)
{
	bool interrupted = false;

	(void)state;
	as_the_program_says("-O2 -fomit-frame-pointer", "signal");
	for (size_t i = 1; i < got.n; i++)
		interrupted = interrupted || !got.at[i].is_return;
	assert_true(interrupted); /* whom the signal met was not in a call */
}

static pid_t other_thread(pid_t pid)
{
	char path[64];
	struct dirent *e;
	pid_t tid = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d))) {
		if (atoi(e->d_name) > 0 && atoi(e->d_name) != pid)
			tid = atoi(e->d_name);
	}
	closedir(d);
	assert_true(tid > 0);
	return tid;
}

static void in_a_thread(void **state)
{
	(void)state;
	start_deep("-O2 -fomit-frame-pointer", "thread");
	copy_stack(other_thread(worker.pid));
	unwind();
	assert_same();
}

/* Tables that are not loaded with the program: in itself, then in its debug file. */
static void tables_for_debuggers(void **state)
{
	static const char flags[] =
		"-O2 -g -fomit-frame-pointer -fno-asynchronous-unwind-tables -fno-exceptions -rdynamic";
	const char *argv[] = {NULL, NULL};
	static const char *const expected[] = {"innermost", "third", "second", "first", "main"};

	(void)state;
	for (int separate = 0; separate < 2; separate++) {
		struct mw_symbols_question q = {.program = symbols_program(), .timeout_ms = 60000, .addresses = got.at};
		size_t at = 0;

		start_deep(flags, "");
		if (separate) {
			end_worker();
			in_tree("objcopy --only-keep-debug weir weir.debug && strip -s weir &&"
				" objcopy --add-gnu-debuglink=weir.debug weir");
			argv[0] = tree_path("weir");
			start_worker_in(NULL, 0, argv);
		}
		copy_stack(worker.pid);
		unwind();
		assert_int_equal(got.end, MW_UNWOUND_OUTERMOST);
		q.pid = worker.pid;
		q.n = got.n;
		mw_symbols_free(&symbols);
		assert_int_equal(mw_symbols_ask(&q, &symbols, &said), 0);
		while (strcmp(frame(at, 0)->function, expected[0]) != 0)
			at++; /* what it calls there */
		for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
			assert_string_equal(frame(at + i, 0)->function, expected[i]);
	}
}

/* Of who has ended: by the files that were mapped. */
static void of_the_dead(void **state)
{
	struct mw_modules modules = {0};

	(void)state;
	start_deep("-O2 -fomit-frame-pointer", "");
	copy_stack(worker.pid);
	assert_int_equal(mw_modules_ask(worker.pid, worker.start_ticks, symbols_program(), 60000, &modules, &said), 0);
	kill(worker.pid, SIGKILL);
	waitpid(worker.pid, NULL, 0);
	worker.pid = 0;
	assert_int_equal(unwind_as(&modules, 0, 1, &stack, &got), 0);
	assert_same();
	mw_modules_free(&modules);
}

/* Programs of the distribution, which have neither frame pointers nor symbols: a chain from the call to the start. */
static void programs_of_others(void **state)
{
	static const char *const commands[][4] = {
		{"/usr/bin/perl", "-e", "$|=1; print \"1\\n\"; sub f { sleep 600 } sub g { f() } g();", NULL},
		{"/usr/bin/python3", "-c",
		 "import time\ndef f(): time.sleep(600)\nprint(1, flush=True)\nlist(map(lambda x: f(), [1]))", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		__u64 deadline = mw_now_ns() + 20 * MW_NS_PER_S;

		if (access(commands[i][0], X_OK)) {
			print_message("no %s here\n", commands[i][0]);
			continue;
		}
		start_worker_in(NULL, 0, commands[i]);
		do { /* between its line and its sleep */
			copy_stack(worker.pid);
			unwind();
		} while ((got.n <= 3 || got.end != MW_UNWOUND_OUTERMOST) && mw_now_ns() < deadline);
		print_message("%s: %zu frames, %s, of %zu bytes\n", commands[i][0], got.n, mw_unwound_end_name(got.end),
			      stack.n);
		if (got.n <= 3 || (got.end != MW_UNWOUND_OUTERMOST && got.end != MW_UNWOUND_DEEP))
			fail_msg("%s: %zu frames, %s", commands[i][0], got.n, mw_unwound_end_name(got.end));
	}
}

/* A shorter copy has the same callers, as far as it goes. */
static void cut_short(void **state)
{
	struct mw_unwound whole;

	(void)state;
	start_deep("-O2 -fomit-frame-pointer", "");
	copy_stack(worker.pid);
	unwind();
	whole = got;
	for (size_t n = stack.n; n;) {
		n = n > 4096 ? n - 4096 : n > 64 ? n - 64 : 0;
		stack.n = n;
		unwind();
		assert_true(got.n <= whole.n);
		assert_memory_equal(got.at, whole.at, got.n * sizeof(got.at[0]));
		assert_true(got.n == whole.n || got.end == MW_UNWOUND_CUT || got.end == MW_UNWOUND_NO_RULE);
	}
	assert_true(got.n < 3);
}

/* Whatever it says: an answer, of code that is mapped, and no more than there may be. */
static void says_what_it_likes(void **state)
{
	static struct mw_unwound many[MW_STACKS_MAX];
	static unsigned char junk[MW_STACKS_MAX][2048];
	struct mw_stack stacks[MW_STACKS_MAX];
	struct mw_modules modules = {0};

	(void)state;
	start_deep("-O2 -fomit-frame-pointer", "");
	copy_stack(worker.pid);
	assert_int_equal(mw_modules_ask(worker.pid, worker.start_ticks, symbols_program(), 60000, &modules, &said), 0);
	srand(7);
	for (size_t i = 0; i < MW_STACKS_MAX; i++) {
		stacks[i] = stack;
		stacks[i].n = sizeof(junk[i]);
		stacks[i].bytes = memcpy(junk[i], bytes, sizeof(junk[i]));
		for (size_t k = 0; k < 1 + 8 * i; k++) {
			size_t at = (size_t)rand() % (sizeof(junk[i]) / 8) * 8;
			const struct mw_module *m = &modules.at[(size_t)rand() % modules.n];
			__u64 word = k % 2 ? stack.from + (size_t)rand() % 4096
					   : m->start + (size_t)rand() % (m->end - m->start);

			memcpy(junk[i] + at, &word, sizeof(word));
		}
		for (size_t k = 0; i % 4 == 1 && k < MW_STACK_REGISTERS; k++)
			stacks[i].registers[k] = k % 2 ? ~0ULL - k : stack.from + 8 * k;
		if (i % 4 == 2)
			stacks[i].pc = modules.at[(size_t)rand() % modules.n].start + (size_t)rand() % 4096;
		if (i % 4 == 3)
			stacks[i].pc = i % 8 == 3 ? 0 : ~0ULL;
	}
	assert_int_equal(unwind_as(NULL, worker.pid, MW_STACKS_MAX, stacks, many), 0);
	for (size_t i = 0; i < MW_STACKS_MAX; i++) {
		assert_true(many[i].n >= 1 && many[i].n <= MW_UNWOUND_MAX && many[i].end < MW_UNWOUND_END_MAX);
		for (size_t k = 1; k < many[i].n; k++)
			assert_non_null(mw_modules_find(&modules, many[i].at[k].pc - many[i].at[k].is_return));
	}
	mw_modules_free(&modules);
}

static void no_such_question(void **state)
{
	static const struct mw_stack none = {.pc = 1};

	(void)state;
	start_deep("-O2", "");
	assert_int_equal(unwind_as(NULL, worker.pid, 0, &none, &got), -EINVAL);
	assert_said("stacks: found 0");
	assert_int_equal(unwind_as(NULL, worker.pid, MW_STACKS_MAX + 1, &none, &got), -EINVAL);
	assert_int_equal(unwind_as(NULL, 0, 1, &none, &got), -EINVAL);
	worker.start_ticks++;
	assert_int_equal(unwind_as(NULL, worker.pid, 1, &none, &got), -ESRCH);
	worker.start_ticks--;
	assert_int_equal(unwind_as(NULL, worker.pid, 1, &none, &got), 0);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.end, MW_UNWOUND_NO_CODE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		program_test(without_frame_pointers),
		program_test(with_frame_pointers),
		program_test(stripped),
		program_test(at_a_fixed_address),
		program_test(linked_statically),
		program_test(through_a_signal),
		program_test(in_a_thread),
		program_test(tables_for_debuggers),
		program_test(of_the_dead),
		program_test(programs_of_others),
		program_test(cut_short),
		program_test(says_what_it_likes),
		program_test(no_such_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
