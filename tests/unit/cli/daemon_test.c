/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The verbs that start the daemon program: which one, with which options, and whose status comes back. */
#include "fake.h"

static struct fake f;
static char binary[128], program[128];

/* A memweir of its own with a daemon program beside it that prints its arguments and ends with 7. */
static int start(void **state)
{
	static const char script[] = "#!/bin/sh\necho \"$@\"\nexit 7\n";
	char command[PATH_MAX + 256];
	FILE *out;

	(void)state;
	fake_dir(&f);
	snprintf(binary, sizeof(binary), "%s/memweir", f.dir);
	snprintf(program, sizeof(program), "%s/memweir-daemon", f.dir);
	snprintf(command, sizeof(command), "cp '%s' '%s'", memweir_path(), binary);
	if (system(command) != 0)
		return -1;
	out = fopen(program, "we");
	fputs(script, out);
	fclose(out);
	chmod(program, 0700);
	return setenv("MEMWEIR_BIN", binary, 1);
}

static int stop(void **state)
{
	(void)state;
	unlink(binary);
	unlink(program);
	fake_stop(&f);
	return 0;
}

static void unload_and_doctor(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "daemon", "--unload"), 7);
	assert_string_equal(last.out, "--unload\n");
	assert_int_equal(memweir(&f, "doctor"), 7);
	assert_string_equal(last.out, "--doctor\n");
	assert_int_equal(memweir(&f, "doctor", "--json"), 7);
	assert_string_equal(last.out, "--doctor --json\n");
}

/* The keeper starts it; a daemon that ends before it ever beat is not started again. */
static void daemon_takes_options(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "daemon", "--no-restart", "-n", "--config", "/a b", "--disable=oom,pause",
				 "--root", "/r", "--state-dir", "/s", "--run-dir", "/d"),
			 7);
	assert_string_equal(last.out,
			    "--dry-run --config /a b --disable oom,pause --root /r --state-dir /s --run-dir /d\n");
	assert_int_equal(memweir(&f, "daemon", "extra"), 2);
}

static void no_program(void **state)
{
	(void)state;
	if (access(MW_LIBEXEC "/memweir-daemon", F_OK) == 0) {
		print_message("[   WHY    ] memweir is installed: the real daemon would be started\n");
		skip();
	}
	unlink(program);
	assert_int_equal(memweir(&f, "daemon"), 1);
	assert_err("the daemon program ");
	assert_int_equal(memweir(&f, "doctor"), 1);
	assert_err("No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unload_and_doctor),
		cmocka_unit_test(daemon_takes_options),
		cmocka_unit_test(no_program),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
