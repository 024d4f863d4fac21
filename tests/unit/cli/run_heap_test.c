/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Where the heap sampler can do nothing, run says so and starts the command all the same; wrong figures it refuses. */
#include "fake.h"

#include <elf.h>

static struct fake none; /* nobody guards: the command is what run becomes */

static int start(void **state)
{
	(void)state;
	fake_dir(&none);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fake_stop(&none);
	return 0;
}

#define ASK "run", "-c", "tool", "--heap-sample"

static void without_a_daemon_too(void **state)
{
	(void)state;
	assert_int_equal(memweir(&none, ASK, "--", "sh", "-c", "echo $MEMWEIR_HEAP_SAMPLE ${LD_PRELOAD##*/}"), 0);
	assert_string_equal(last.out, "524288 libmemweir-heap.so\n");
	assert_false(strstr(last.err, "heap") != NULL);
	assert_int_equal(memweir(&none, "run", "-c", "tool", "sh", "-c", "echo ${MEMWEIR_HEAP_SAMPLE-none}"), 0);
	assert_string_equal(last.out, "none\n");
}

static void wrong_figures(void **state)
{
	static const char *const wrong[] = {"--heap-sample=", "--heap-sample=1", "--heap-sample=2G", "--heap-sample=x",
					    "--heap-sample=-1"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(memweir(&none, "run", "-c", "tool", wrong[i], "echo", "ran"), 125);
		assert_string_equal(last.out, "");
		assert_err("memweir run: --heap-sample=");
		assert_err("expected ");
	}
	assert_int_equal(memweir(&none, "run", "-c", "tool", "--heap-sample=1", "true"), 125);
	assert_err("--heap-sample=1: expected yes, no or a size from 1KiB to 1GiB\n");
}

/* A file of that name with these first bytes, which may be executed. */
static void make(const char *path, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

/* Native as this program is, with these program headers behind it. */
static void make_elf(const char *path, const char *linker, unsigned machine)
{
	struct {
		Elf64_Ehdr elf;
		Elf64_Phdr ph[2];
		char linker[64];
	} file = {0};
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_int_equal(read(fd, &file.elf, sizeof(file.elf)), sizeof(file.elf));
	close(fd);
	file.elf.e_machine = machine ? (Elf64_Half)machine : file.elf.e_machine;
	file.elf.e_phoff = sizeof(file.elf);
	file.elf.e_phnum = 2;
	file.ph[0].p_type = PT_LOAD;
	file.ph[1].p_type = linker ? PT_INTERP : PT_NOTE;
	file.ph[1].p_offset = offsetof(typeof(file), linker);
	file.ph[1].p_filesz = sizeof(file.linker);
	snprintf(file.linker, sizeof(file.linker), "%s", linker ? linker : "");
	make(path, &file, sizeof(file));
}

static void says(const char *command, const char *what)
{
	char expect[256];

	memweir(&none, ASK, command);
	snprintf(expect, sizeof(expect), "memweir run: no heap samples: %s\n", what);
	if (!strstr(last.err, expect))
		fail_msg("%s: said %s", command, last.err);
}

static void programs_it_is_nothing_for(void **state)
{
	char path[128], script[256], what[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/log", none.dir);
	make_elf(path, NULL, 0);
	snprintf(what, sizeof(what), "%s is statically linked", path);
	says(path, what);
	make_elf(path, "/lib/ld-musl-x86_64.so.1", 0);
	snprintf(what, sizeof(what), "%s is linked with musl and not with glibc", path);
	says(path, what);
	make_elf(path, "/lib/ld-linux.so.2", EM_S390);
	snprintf(what, sizeof(what), "%s is made for another kind of processor", path);
	says(path, what);
	/* a script is its interpreter, found where env finds it */
	make_elf(path, NULL, 0);
	snprintf(script, sizeof(script), "#!/usr/bin/env -S A=b log\necho no\n");
	make(none.socket, script, strlen(script));
	setenv("PATH", none.dir, 1);
	snprintf(what, sizeof(what), "%s is statically linked", path);
	says(none.socket, what);
	setenv("PATH", "/usr/bin:/bin", 1);
}

/* Whatever the file holds: no sentence, or a sentence, and exec's own verdict behind it. */
static void odd_files(void **state)
{
	static const char *const odd[] = {"",
					  "#!",
					  "#!\n",
					  "#! \t \n",
					  "#!/usr/bin/env -S no-such-command\n",
					  "\177ELF",
					  "#!/nowhere/at/all\n",
					  "just text"};
	char path[128], self[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/log", none.dir);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		make(path, odd[i], strlen(odd[i]));
		assert_true(memweir(&none, ASK, path) < 1000);
	}
	snprintf(self, sizeof(self), "#!%s\n", path); /* interpreted by itself */
	make(path, self, strlen(self));
	assert_true(memweir(&none, ASK, path) < 1000);
	assert_int_equal(memweir(&none, ASK, "no-such-command"), 127);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_daemon_too),
		cmocka_unit_test(wrong_figures),
		cmocka_unit_test(programs_it_is_nothing_for),
		cmocka_unit_test(odd_files),
	};

	setenv("PATH", "/usr/bin:/bin", 1);
	return cmocka_run_group_tests(tests, start, stop);
}
