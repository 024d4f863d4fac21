/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Real programs, compiled in the tree of a test: they print addresses of theirs and wait. */
#ifndef MW_TESTS_PROGRAM_H
#define MW_TESTS_PROGRAM_H

#include "core/fake_tree.h"

#include <errno.h>
#include <libgen.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/proc.h"
#include "symbols/answer.h"

#define PCS_MAX 32

struct worker {
	pid_t pid;
	__u64 start_ticks;
	__u64 pcs[PCS_MAX];
	size_t n;
};

static struct worker worker;
static struct mw_symbols symbols;
static struct mw_error said;

/* memweir-symbols of the same build: BUILD/tests/unit/symbols/x_test is four below. */
static inline const char *symbols_program(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);

	assert_true(n > 0);
	path[n] = '\0';
	for (int i = 0; i < 4; i++)
		dirname(path);
	strcat(path, "/memweir-symbols");
	return path;
}

/* A command of the shell, in the tree. */
static inline void in_tree(const char *command)
{
	char line[8192];
	int status;

	snprintf(line, sizeof(line), "cd %s && { %s; } >said 2>&1", tree, command);
	/* Under sanitizers the environment is for us alone. */
	status = system(line);
	if (status)
		fail_msg("%s: status %#x", line, (unsigned int)status);
}

static inline void end_worker(void)
{
	if (worker.pid > 0) {
		kill(worker.pid, SIGKILL);
		waitpid(worker.pid, NULL, 0);
	}
	worker = (struct worker){0};
}

/*
 * A copy of this process that has the pid of one that has ended; it waits until it is killed, and begins a tick later
 * at least. Only root may choose a pid: 0 where it is refused.
 */
static inline pid_t start_as(pid_t pid)
{
	struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (__u64)(unsigned long)&pid, .set_tid_size = 1};
	pid_t child;

	poll(NULL, 0, 30);
	child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (child > 0)
		return child;
	print_message("pid %d is not given again: %s\n", pid, strerror(errno));
	return 0;
}

/* Start it, and take the addresses it prints: hexadecimal digits, spaces between, one line. root: a folder to be /. */
static inline void start_worker_in(const char *root, uid_t uid, const char *const *argv)
{
	int fds[2];
	FILE *out;
	char line[1024], *at = line, *end;

	end_worker();
	assert_int_equal(pipe(fds), 0);
	worker.pid = fork();
	assert_true(worker.pid >= 0);
	if (!worker.pid) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		if (root && (chroot(root) || chdir("/")))
			_exit(120);
		if (uid && (setgid(uid) || setuid(uid)))
			_exit(121);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(fds[1]);
	out = fdopen(fds[0], "r");
	assert_non_null(out);
	if (!fgets(line, sizeof(line), out))
		fail_msg("%s says nothing", argv[0]);
	fclose(out);
	for (; worker.n < PCS_MAX; at = end) {
		__u64 pc = strtoull(at, &end, 16);

		if (end == at)
			break;
		worker.pcs[worker.n++] = pc;
	}
	assert_true(worker.n > 0);
	assert_int_equal(mw_proc_start_ticks("/proc", worker.pid, &worker.start_ticks), 0);
}

static inline void start_worker(const char *path)
{
	const char *argv[] = {tree_path(path), NULL};

	start_worker_in(NULL, 0, argv);
}

/* All its addresses, as return addresses; modules: those of the dead. */
static inline int ask_about(const struct mw_modules *modules, pid_t pid, bool is_return)
{
	struct mw_address addresses[PCS_MAX];
	struct mw_symbols_question q = {
		.pid = pid,
		.start_ticks = pid ? worker.start_ticks : 0,
		.modules = modules,
		.addresses = addresses,
		.n = worker.n,
		.program = symbols_program(),
		.timeout_ms = 60000,
	};

	for (size_t i = 0; i < worker.n; i++)
		addresses[i] = (struct mw_address){worker.pcs[i], is_return};
	mw_symbols_free(&symbols);
	said.text[0] = '\0';
	return mw_symbols_ask(&q, &symbols, &said);
}

static inline void ask_worker(void)
{
	int r = ask_about(NULL, worker.pid, true);

	if (r)
		fail_msg("%d, %s", r, said.text);
}

/* A frame of the answer, which has to be there. */
static inline const struct mw_frame *frame(size_t place, size_t at)
{
	if (place >= symbols.n || at >= symbols.places[place].n)
		fail_msg("no frame %zu of address %zu (unread %zu, %s)", at, place, symbols.unread, symbols.problem);
	return &symbols.frames[symbols.places[place].first + at];
}

static inline size_t frames_at(size_t place)
{
	assert_true(place < symbols.n);
	return symbols.places[place].n;
}

static inline bool ends_with(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && !strcmp(text + strlen(text) - strlen(end), end);
}

#define assert_frame(place, at, its_function, its_file, its_line)                                                      \
	do {                                                                                                           \
		const struct mw_frame *_f = frame(place, at);                                                          \
                                                                                                                       \
		if (strcmp(_f->function, its_function) != 0 || !ends_with(_f->file, its_file) ||                       \
		    _f->line != (its_line))                                                                            \
			fail_msg("frame %d of %d: %s %s:%u, expected %s %s:%d (%s)", (int)(at), (int)(place),          \
				 _f->function, _f->file, _f->line, its_function, its_file, (int)(its_line),            \
				 symbols.problem);                                                                     \
	} while (0)

#define assert_said(words)                                                                                             \
	do {                                                                                                           \
		if (!strstr(said.text, words))                                                                         \
			fail_msg("expected \"%s\" in \"%s\"", words, said.text);                                       \
	} while (0)

/* Its pcs: in a function, in one put into another that is put into a third, in a static one, in the C library. */
static const char c_program[] = "#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n"
				"#line 1 \"weir.c\"\n"
				"#define KEEP __asm__ volatile(\"\" ::: \"memory\")\n"
				"__attribute__((noinline)) void *where(void) { return __builtin_return_address(0); }\n"
				"__attribute__((noinline)) void *plain(void) { void *p = where(); KEEP; return p; }\n"
				"static inline __attribute__((always_inline)) void *innermost(void) {\n"
				"	void *p = where(); KEEP; return p;\n"
				"}\n"
				"static inline __attribute__((always_inline)) void *middle(void) {\n"
				"	return innermost();\n"
				"}\n"
				"__attribute__((noinline)) void *outer(void) {\n"
				"	void *p = middle(); KEEP; return p;\n"
				"}\n"
				"static __attribute__((noinline)) void *hidden(void) {\n"
				"	void *p = where(); __asm__ volatile(\"nop\"); KEEP; return p;\n"
				"}\n"
				"int main(void) {\n"
				"	printf(\"%p %p %p %p\\n\", plain(), outer(), hidden(),\n"
				"	       (void *)((char *)(void *)abort + 1));\n"
				"	fflush(stdout);\n"
				"	for (;;) pause();\n"
				"}\n";

static inline void assert_c_program(void)
{
	assert_frame(0, 0, "plain", "/weir.c", 3);
	assert_int_equal(frames_at(0), 1);
	assert_int_equal(frames_at(1), 3);
	assert_frame(1, 0, "innermost", "/weir.c", 5);
	assert_frame(1, 1, "middle", "/weir.c", 8);
	assert_frame(1, 2, "outer", "/weir.c", 11);
	assert_true(frame(1, 0)->inlined && frame(1, 1)->inlined && !frame(1, 2)->inlined);
	assert_frame(2, 0, "hidden", "/weir.c", 14);
	for (size_t i = 0; i < 3; i++) {
		assert_true(strlen(frame(i, 0)->build_id) == 40);
		assert_true(frame(i, 0)->offset > 0);
	}
}

/* Symbols, and no lines. static_too: those that are not for other modules, as well. */
static inline void assert_c_symbols(bool static_too)
{
	assert_frame(0, 0, "plain", "", 0);
	assert_frame(1, 0, "outer", "", 0);
	assert_int_equal(frames_at(1), 1);
	assert_frame(2, 0, static_too ? "hidden" : "", "", 0);
	assert_true(frame(2, 0)->offset > 0 && *frame(2, 0)->module);
}

static inline int program_make(void **state)
{
	if (tree_make(state))
		return -1;
	tree_file("weir.c", c_program);
	return 0;
}

static inline int program_remove(void **state)
{
	end_worker();
	mw_symbols_free(&symbols);
	return tree_remove(state);
}

#define program_test(f) cmocka_unit_test_setup_teardown(f, program_make, program_remove)

#endif
