/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Code that was written at run time: the list of its program, and which lists are taken. */
#include "program.h"

#include "symbols/jit.h"

static void lines(void **state)
{
	static const char *const none[] = {"",
					   "7f00",
					   "7f00 10",
					   "7f00 10 ",
					   "x 10 f",
					   "7f00  f",
					   "7f00 0 f",
					   "ffffffffffffffff 2 f",
					   "11112222333344445 1 f",
					   "# map"};
	struct mw_jit_code c;

	(void)state;
	assert_true(mw_jit_line("7f00 1a void f(int, char)", 25, &c));
	assert_int_equal(c.start, 0x7f00);
	assert_int_equal(c.size, 0x1a);
	assert_int_equal(c.name_n, 17);
	assert_memory_equal(c.name, "void f(int, char)", 17);
	assert_true(mw_jit_line("0x7F00 0x1 f", 12, &c));
	assert_int_equal(c.start, 0x7f00);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		if (mw_jit_line(none[i], strlen(none[i]), &c))
			fail_msg("taken: \"%s\"", none[i]);
	}
}

static void the_later_line_is_right(void **state)
{
	static const char text[] = "1000 100 old\n2000 10 other\nno line\n1080 10 new\n3000 1 last";
	static const __u64 addresses[] = {0xfff, 0x1000, 0x1080, 0x108f, 0x1090, 0x10ff, 0x1100, 0x2000, 0x3000};
	static const char *const names[] = {NULL, "old", "new", "new", "old", "old", NULL, "other", "last"};
	struct mw_jit_code codes[ARRAY_SIZE(addresses)];

	(void)state;
	mw_jit_find(text, strlen(text), addresses, ARRAY_SIZE(addresses), codes);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		if (!names[i])
			assert_null(codes[i].name);
		else
			assert_memory_equal(codes[i].name, names[i], strlen(names[i]));
	}
}

static void names_of_engines(void **state)
{
	static const struct {
		const char *name, *function, *file;
		__u32 line, column;
	} rows[] = {
		{"JS:*leakyPut /srv/n.js:1:18", "leakyPut", "/srv/n.js", 1, 18},
		{"JS:~ file:///srv/a b.mjs:12:3", "(anonymous)", "file:///srv/a b.mjs", 12, 3},
		{"LazyCompile:*emit node:events:466:44", "emit", "node:events", 466, 44},
		{"Function:^get x node.js:3", "get", "x node.js", 3, 0},
		{"JS:~next", "next", "", 0, 0},
		{"py::work:/srv/app.py", "work", "/srv/app.py", 0, 0},
		{"py::work", "py::work", "", 0, 0},
		{"java.lang.String::hashCode", "java.lang.String::hashCode", "", 0, 0},
		{"Builtin:ArrayPush", "Builtin:ArrayPush", "", 0, 0},
		{"JS:", "JS:", "", 0, 0},
		{"JS:*:99999999999:1", ":99999999999", "", 1, 0},
	};
	struct mw_jit_name n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		mw_jit_split(rows[i].name, strlen(rows[i].name), &n);
		if (strcmp(n.function, rows[i].function) || strcmp(n.file, rows[i].file) || n.line != rows[i].line ||
		    n.column != rows[i].column)
			fail_msg("%s: %s|%s|%u|%u", rows[i].name, n.function, n.file, n.line, n.column);
	}
}

static void names_too_long(void **state)
{
	char name[4096] = "py::";
	struct mw_jit_name n;

	(void)state;
	memset(name + 4, 'x', 2000);
	name[2004] = ':';
	memset(name + 2005, 'y', 2000);
	mw_jit_split(name, 4005, &n);
	assert_int_equal(strlen(n.function), sizeof(n.function) - 1);
	assert_int_equal(strlen(n.file), sizeof(n.file) - 1);
}

/* A page of code of its own, as an engine makes it. */
static const char jit_program[] = "#include <stdio.h>\n#include <sys/mman.h>\n#include <unistd.h>\n"
				  "int main(void) {\n"
				  "	char *p = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,\n"
				  "		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n"
				  "	printf(\"%p %p\\n\", (void *)(p + 0x10), (void *)(p + 0x110));\n"
				  "	fflush(stdout); for (;;) pause(); }\n";

static char list[64];

static void remove_list(void)
{
	if (*list)
		remove(list);
	*list = '\0';
}

static int jit_remove(void **state)
{
	remove_list();
	return program_remove(state);
}

/* /tmp/perf-PID.map of the worker. */
static void write_list(const char *second)
{
	FILE *f;

	remove_list();
	snprintf(list, sizeof(list), "/tmp/perf-%d.map", worker.pid);
	f = fopen(list, "we");
	assert_non_null(f);
	fprintf(f, "%llx 40 JS:*leak /srv/a.js:7:9\n%llx 40 %s\n", worker.pcs[0] - 0x10, worker.pcs[1] - 0x10, second);
	fclose(f);
}

static void start_jit(uid_t uid)
{
	const char *argv[] = {NULL, NULL};

	tree_file("jit.c", jit_program);
	in_tree("gcc -O1 -static -o jit jit.c && chmod 755 . jit");
	argv[0] = tree_path("jit");
	start_worker_in(NULL, uid, argv);
}

static void assert_not_taken(const char *words)
{
	ask_worker();
	assert_frame(0, 0, "", "", 0);
	assert_int_equal(symbols.unread, 1);
	if (!strstr(symbols.problem, words))
		fail_msg("expected \"%s\" in \"%s\"", words, symbols.problem);
}

static void a_list_of_its_own(void **state)
{
	(void)state;
	start_jit(0);
	ask_worker();
	assert_frame(0, 0, "", "", 0);
	assert_int_equal(frame(0, 0)->offset, worker.pcs[0]);
	assert_int_equal(symbols.unread, 0);
	write_list("py::odd\xff\x1b[31m:/srv/b.py");
	ask_worker();
	assert_frame(0, 0, "leak", "/srv/a.js", 7);
	assert_int_equal(frame(0, 0)->column, 9);
	assert_string_equal(frame(0, 0)->module, "[jit]");
	assert_frame(1, 0, "odd??[31m", "/srv/b.py", 0);
}

static void lists_that_are_not_taken(void **state)
{
	char other[PATH_MAX];

	(void)state;
	start_jit(0);
	write_list("f");
	assert_int_equal(chmod(list, 0666), 0);
	assert_not_taken("everybody may write it");
	snprintf(other, sizeof(other), "%s", tree_path("list"));
	assert_int_equal(chmod(list, 0644), 0);
	assert_int_equal(truncate(list, MW_JIT_BYTES + 1), 0);
	assert_not_taken("67108865 bytes, expected at most 67108864");
	write_list("f");
	assert_int_equal(unlink(list), 0);
	assert_int_equal(symlink(other, list), 0);
	assert_not_taken("not a regular file");
	assert_int_equal(unlink(list), 0);
	assert_int_equal(mkfifo(list, 0600), 0);
	assert_not_taken("not a regular file");
	assert_int_equal(unlink(list), 0);
	assert_int_equal(mkdir(list, 0700), 0);
	assert_not_taken("not a regular file");
}

/* Needs root: a worker of another user, whose list somebody else wrote, or who may not read his own. */
static void a_list_of_somebody_else(void **state)
{
	(void)state;
	if (geteuid()) {
		printf("skipped: needs root, to start a process of another user\n");
		skip();
	}
	start_jit(1234);
	write_list("f");
	assert_not_taken("it is user 0's, expected 1234");
	assert_int_equal(chown(list, 1234, 1234), 0);
	ask_worker();
	assert_frame(0, 0, "leak", "/srv/a.js", 7);
	assert_int_equal(chmod(list, 0), 0);
	assert_not_taken("Permission denied");
}

/* Needs root. In a container the worker has another number, and its list is in a folder of its own. */
static void a_list_in_a_container(void **state)
{
	char root[PATH_MAX];
	const char *argv[] = {"unshare", "--pid", "--mount", "--fork", "--kill-child", "--root", root, "/jit", NULL};
	char text[256];
	pid_t children[2];

	(void)state;
	if (geteuid() || system("unshare --pid --mount --fork true 2>/dev/null")) {
		printf("skipped: needs root, to make namespaces\n");
		skip();
	}
	tree_file("jit.c", jit_program);
	in_tree("mkdir -p root/tmp && gcc -O2 -static -o root/jit jit.c");
	snprintf(root, sizeof(root), "%s", tree_path("root"));
	start_worker_in(NULL, 0, argv);
	assert_int_equal(mw_proc_children("/proc", worker.pid, children, 2), 1);
	snprintf(text, sizeof(text), "%llx 40 JS:*leak /srv/a.js:7:9\n", worker.pcs[0] - 0x10);
	tree_file("root/tmp/perf-1.map", text);
	worker.start_ticks = 0;
	assert_int_equal(ask_about(NULL, children[0], true), 0);
	assert_frame(0, 0, "leak", "/srv/a.js", 7);
	/* A link that leads out of there leads nowhere. */
	in_tree("mv root/tmp root/old && mkdir tmp && mv root/old/perf-1.map tmp/ && ln -s $PWD/tmp root/tmp");
	assert_int_equal(ask_about(NULL, children[0], true), 0);
	assert_frame(0, 0, "", "", 0);
}

#define jit_case(f) cmocka_unit_test_setup_teardown(f, program_make, jit_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(the_later_line_is_right),
		cmocka_unit_test(names_of_engines),
		cmocka_unit_test(names_too_long),
		jit_case(a_list_of_its_own),
		jit_case(lists_that_are_not_taken),
		jit_case(a_list_of_somebody_else),
		jit_case(a_list_in_a_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
