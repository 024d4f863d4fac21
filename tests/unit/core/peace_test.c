/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "fake_tree.h"

#include "core/peace.h"

static struct mw_killer_seen seen[MW_KILLERS];
static char buf[600];

static void process(int pid, const char *comm, const char *exe)
{
	char path[64], link[PATH_MAX];

	snprintf(path, sizeof(path), "%d/comm", pid);
	tree_file(path, comm);
	snprintf(path, sizeof(path), "%d/exe", pid);
	snprintf(link, sizeof(link), "%s", tree_path(path));
	if (exe)
		assert_int_equal(symlink(exe, link), 0);
}

#define arguments(path, words) tree_bytes(path, words, sizeof(words))

static void nobody(void **state)
{
	(void)state;
	mw_killers_find("/nonexistent", seen);
	for (int k = 0; k < MW_KILLERS; k++)
		assert_int_equal(seen[k].pid, 0);
	tree_file("self/comm", "earlyoom\n"); /* not a process of its own */
	tree_file("12x/comm", "earlyoom\n");
	process(1, "systemd\n", "/usr/lib/systemd/systemd");
	process(7, "earlyoom\n", "/usr/bin/sleep"); /* a name anybody can take */
	mw_killers_find(tree, seen);
	for (enum mw_killer k = 0; k < MW_KILLERS; k++) {
		assert_int_equal(seen[k].pid, 0);
		assert_string_equal(mw_killer_says(k, &seen[k], NULL, 0, buf, sizeof(buf)), "does not run");
		assert_false(mw_killer_threatens(k, &seen[k], NULL, 0));
	}
}

static void all_of_them(void **state)
{
	(void)state;
	process(50, "systemd-oomd\n", "/usr/lib/systemd/systemd-oomd (deleted)");
	process(51, "oomd\n", NULL); /* its file cannot be read */
	process(52, "other\n", "/usr/bin/earlyoom");
	arguments("52/cmdline", "earlyoom\0-r\0003600\0-m\0008,4\0-s20\0--avoid\0x");
	mw_killers_find(tree, seen);
	assert_int_equal(seen[MW_KILLER_SYSTEMD_OOMD].pid, 50);
	assert_int_equal(seen[MW_KILLER_OOMD].pid, 51);
	assert_int_equal(seen[MW_KILLER_EARLYOOM].pid, 52);
	assert_string_equal(seen[MW_KILLER_EARLYOOM].mem_percent, "8");
	assert_string_equal(seen[MW_KILLER_EARLYOOM].swap_percent, "20");
	assert_string_equal(
		mw_killer_says(MW_KILLER_EARLYOOM, &seen[MW_KILLER_EARLYOOM], NULL, 0, buf, sizeof(buf)),
		"pid 52 ends the process with the highest oom_score, a worker's too, when the host has less than 8 % "
		"of "
		"its memory available and less than 20 % of its swap free; limits of workers are nothing to it");
	assert_non_null(strstr(mw_killer_says(MW_KILLER_OOMD, &seen[MW_KILLER_OOMD], NULL, 0, buf, sizeof(buf)),
			       "pid 51 kills whole cgroups by its own rules"));
	assert_non_null(
		strstr(mw_killer_says(MW_KILLER_SYSTEMD_OOMD, &seen[MW_KILLER_SYSTEMD_OOMD], NULL, 0, buf, sizeof(buf)),
		       "oomctl"));
}

static void earlyooms_arguments(void **state)
{
	struct mw_killer_seen *e = &seen[MW_KILLER_EARLYOOM];

	(void)state;
	process(5, "earlyoom\n", "/usr/bin/earlyoom");
	mw_killers_find(tree, seen); /* no command line */
	assert_non_null(strstr(mw_killer_says(MW_KILLER_EARLYOOM, e, NULL, 0, buf, sizeof(buf)),
			       "less than 10 % of its memory available and less than 10 % of its swap free"));
	arguments("5/cmdline", "earlyoom\0-m\0much\0-s\000123456789\0-m");
	mw_killers_find(tree, seen);
	assert_string_equal(e->mem_percent, "");
	assert_string_equal(e->swap_percent, "");
	arguments("5/cmdline", "earlyoom\0-M\000400000");
	mw_killers_find(tree, seen);
	assert_true(e->by_size);
	assert_non_null(strstr(mw_killer_says(MW_KILLER_EARLYOOM, e, NULL, 0, buf, sizeof(buf)),
			       "fall below what it was told"));
	assert_false(mw_killer_threatens(MW_KILLER_EARLYOOM, e, NULL, 0)); /* the host's memory, not a limit */
}

static void what_systemd_oomd_watches(void **state)
{
	struct mw_killer_seen oomd = {.pid = 9};
	struct mw_oomd_unit units[4];
	size_t n = mw_units_above("memweir.slice/memweir-workers.scope/tool", units, 4);

	(void)state;
	assert_int_equal(n, 3);
	assert_string_equal(units[0].name, "-.slice");
	assert_string_equal(units[1].name, "memweir.slice");
	assert_string_equal(units[2].name, "memweir-workers.scope");
	assert_false(mw_killer_threatens(MW_KILLER_SYSTEMD_OOMD, &oomd, units, n));
	assert_non_null(strstr(mw_killer_says(MW_KILLER_SYSTEMD_OOMD, &oomd, units, n, buf, sizeof(buf)),
			       "watches no unit above the workers"));
	units[0].swap = true;
	assert_false(mw_killer_threatens(MW_KILLER_SYSTEMD_OOMD, &oomd, units, n));
	assert_non_null(strstr(mw_killer_says(MW_KILLER_SYSTEMD_OOMD, &oomd, units, n, buf, sizeof(buf)),
			       "watches the swap of -.slice: "));
	units[1].pressure = true;
	assert_true(mw_killer_threatens(MW_KILLER_SYSTEMD_OOMD, &oomd, units, n));
	assert_non_null(strstr(mw_killer_says(MW_KILLER_SYSTEMD_OOMD, &oomd, units, n, buf, sizeof(buf)),
			       "watches memweir.slice: when its memory pressure stays over the limit"));
	oomd.pid = 0;
	assert_false(mw_killer_threatens(MW_KILLER_SYSTEMD_OOMD, &oomd, units, n));
}

static void units_above(void **state)
{
	struct mw_oomd_unit units[2];

	(void)state;
	assert_int_equal(mw_units_above("", units, 2), 1);
	assert_int_equal(mw_units_above("memweir", units, 2), 1); /* no unit */
	assert_int_equal(mw_units_above(".slice/a", units, 2), 1);
	assert_int_equal(mw_units_above("a.slice/a-b.slice/x.scope", units, 2), 2);
	assert_int_equal(mw_units_above("a.slice", units, 0), 0);
}

/* Whatever the buffer holds, it is a text. */
static void cut(void **state)
{
	struct mw_killer_seen oomd = {.pid = 123456};

	(void)state;
	for (size_t size = 1; size < 100; size++) {
		for (enum mw_killer k = 0; k < MW_KILLERS; k++)
			assert_true(strlen(mw_killer_says(k, &oomd, NULL, 0, buf, size)) < size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody, tree_make, tree_remove),
		cmocka_unit_test_setup_teardown(all_of_them, tree_make, tree_remove),
		cmocka_unit_test_setup_teardown(earlyooms_arguments, tree_make, tree_remove),
		cmocka_unit_test(what_systemd_oomd_watches),
		cmocka_unit_test(units_above),
		cmocka_unit_test(cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
