/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "core/config.h"
#include "util/cleanup.h"

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_valid(void **state)
{
	static const char *const good[] = {"a",	     "7",      "node-4711", "A.b_c-d",	"daemon2", "daemon_",
					   "Daemon", "cgroup", "memory",    "cgroup_x", A63};
	static const char *const bad[] = {"",	".", ".a",     "-a",	       "_a",	     "a/b",	"a b",	 "a\n",
					  "..", "ä", "daemon", "cgroup.procs", "memory.max", "cgroup.", A63 "a", "a;"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(mw_name_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(mw_name_valid(bad[i]));
}

static void test_from(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{"nginx.service", "nginx.service"},
		{"/my container/1", "my_container_1"},
		{"user@1000.service", "user_1000.service"},
		{"", "worker"},
		{"///", "worker"},
		{"daemon", "daemon_"},
		{".hidden", "hidden"},
		{"..", "worker"},
		{"cgroup.procs", "cgroup_procs"},
		{"/memory.max", "memory_max"},
		{"a\nb", "a_b"},
		{"\xff\xfe", "worker"},
		{"w\xc3\xa4", "w__"},
		{A63 "bcd", A63},
	};
	char name[MW_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		mw_name_from(cases[i].text, name);
		assert_string_equal(name, cases[i].name);
		assert_true(mw_name_valid(name));
	}
}

/* Any bytes at all give a valid name. */
static void test_from_anything(void **state)
{
	unsigned int seed = 1;
	char text[128], name[MW_NAME_SIZE];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len = seed % sizeof(text);

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			text[i] = (char)(seed >> 16);
		}
		text[len] = '\0';
		seed = seed * 1103515245 + 12345;
		mw_name_from(text, name);
		assert_true(mw_name_valid(name));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_from),
		cmocka_unit_test(test_from_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
