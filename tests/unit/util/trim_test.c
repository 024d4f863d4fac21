/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What is given back is gone from memory, and what it held is still there. */
#include "../unit.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/trim.h"

/* Resident kB of the mappings of a library. */
static long resident(const char *library)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/smaps", "re");
	bool here = false;
	char line[512];
	long sum = 0, kb;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (strchr("0123456789abcdef", line[0]))
			here = strstr(line, library);
		else if (here && sscanf(line, "Rss: %ld kB", &kb) == 1)
			sum += kb;
	}
	return sum;
}

/* A library nobody of ours is linked with, and what it brings along. */
static void *stranger(void)
{
	void *gnutls = dlopen("libgnutls.so.30", RTLD_NOW);

	if (!gnutls)
		skip();
	return gnutls;
}

static void strangers_code_goes_and_comes_back(void **state)
{
	void *gnutls = stranger();
	const char *(*version)(const char *) = NULL;
	long before, libc = resident("/libc.so");
	char text[32];

	(void)state;
	*(void **)&version = dlsym(gnutls, "gnutls_check_version");
	assert_non_null(version);
	before = resident("/libgnutls.so");
	mw_trim_after_start();
	print_message("gnutls %ld kB, then %ld kB\n", before, resident("/libgnutls.so"));
	assert_true(resident("/libgnutls.so") < before / 2);
	assert_true(resident("/libc.so") >= libc);
	snprintf(text, sizeof(text), "%.3f", 1.5);
	assert_string_equal(text, "1.500");
	assert_non_null(version(NULL));
	assert_null(version("99.0"));
	dlclose(gnutls);
}

static void only_zeros_go(void **state)
{
	/* stdio's, the allocator's and the time zone's data are in libc's */
	_cleanup_free_ char *text = NULL;

	(void)state;
	for (int i = 0; i < 3; i++) {
		mw_trim_zeros("libcgroup.so");
		mw_trim_zeros("libc.so");
		mw_trim_zeros("libnothing.so");
	}
	text = malloc(100000);
	assert_non_null(text);
	assert_int_equal(snprintf(text, 100000, "%s", getenv("PATH") ? "some" : "none"), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_code_goes_and_comes_back),
		cmocka_unit_test(only_zeros_go),
	};

	return cmocka_run_group_tests_name("util/trim", tests, NULL, NULL);
}
