/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What is found out about a newcomer, from a fake /proc. */
#include "fake_tree.h"

#include "core/facts.h"
#include "core/proc.h"

static char proc[PATH_MAX], mount[PATH_MAX];

static void process(const char *executable, const void *cmdline, size_t n)
{
	snprintf(proc, sizeof(proc), "%s/proc", tree);
	snprintf(mount, sizeof(mount), "%s/cgroup", tree);
	tree_file("proc/7/stat", "7 (x) S 1 1 1 0 -1 0 1 0 0 0 1 2 0 0 20 0 1 0 4242 1000 2 3\n");
	tree_file("proc/7/status", "Name:\tx\nState:\tS (sleeping)\nUid:\t1000\t1001\t1002\t1003\nGid:\t0\t0\t0\t0\n");
	tree_file("proc/7/cgroup", "0::/a.slice/b.service/c\n");
	tree_bytes("proc/7/cmdline", cmdline, n);
	if (executable)
		assert_int_equal(symlink(executable, tree_path("proc/7/exe")), 0);
	tree_dir("cgroup/a.slice/b.service/c");
}

static struct mw_facts read_ok(void)
{
	struct mw_facts f;

	assert_int_equal(mw_facts_read(proc, mount, 7, true, &f), 0);
	return f;
}

static void everything(void **state)
{
	static const char cmdline[] = "node\0/usr/bin/npx\0some server\0\0";
	struct mw_facts f;

	(void)state;
	process("/usr/bin/node (deleted)", cmdline, sizeof(cmdline));
	f = read_ok();
	assert_int_equal(f.pid, 7);
	assert_int_equal(f.start, 4242);
	assert_int_equal(f.uid, 1001);
	assert_string_equal(f.executable, "/usr/bin/node");
	assert_string_equal(f.arguments, "/usr/bin/npx some server");
	assert_string_equal(f.cgroup, "/a.slice/b.service/c");
	assert_true(f.ids[0] && f.ids[1] && f.ids[2] && !f.ids[3]); /* c, b.service, a.slice */
	assert_false(f.other_pids);
	assert_string_equal(f.trusted, "");
}

static void odd_ones(void **state)
{
	char longest[9000];
	struct mw_facts f;

	(void)state;
	process("/x", "", 0);
	f = read_ok();
	assert_string_equal(f.arguments, "");
	tree_bytes("proc/7/cmdline", "alone", 5);
	f = read_ok();
	assert_string_equal(f.arguments, "");
	memset(longest, 'a', sizeof(longest));
	longest[3] = '\0';
	tree_bytes("proc/7/cmdline", longest, sizeof(longest));
	f = read_ok();
	assert_int_equal(strlen(f.arguments), sizeof(f.arguments) - 1);
	tree_file("proc/7/cgroup", "0::/\n");
	f = read_ok();
	assert_int_equal(f.ids[0], 0);
	unlink(tree_path("proc/7/exe")); /* as of a kernel thread */
	f = read_ok();
	assert_string_equal(f.executable, "");
}

static void gone(void **state)
{
	struct mw_facts f = {.pid = 99};

	(void)state;
	process("/x", "x\0y", 3);
	assert_int_equal(mw_facts_read(proc, mount, 8, false, &f), -ESRCH);
	tree_file("proc/7/cgroup", "0::/a.slice/gone\n");
	assert_int_equal(mw_facts_read(proc, mount, 7, false, &f), -ESRCH);
	tree_file("proc/7/cgroup", "0::/a.slice/b.service/c (deleted)\n");
	assert_int_equal(mw_facts_read(proc, mount, 7, false, &f), -ESRCH);
	tree_file("proc/7/cgroup", "0::/a.slice\n");
	tree_file("proc/7/status", "Name:\tx\n");
	assert_int_equal(mw_facts_read(proc, mount, 7, false, &f), -EBADMSG);
	assert_int_equal(f.pid, 99);
}

static void children(void **state)
{
	pid_t pids[3];

	(void)state;
	assert_int_equal(mw_proc_children(tree, 7, pids, 3), -ESRCH);
	tree_dir("7/task/7");
	assert_int_equal(mw_proc_children(tree, 7, pids, 3), -EOPNOTSUPP);
	tree_file("7/task/7/children", "");
	assert_int_equal(mw_proc_children(tree, 7, pids, 3), 0);
	tree_file("7/task/7/children", "8 9 ");
	tree_file("7/task/12/children", "11 ");
	assert_int_equal(mw_proc_children(tree, 7, pids, 3), 3);
	assert_int_equal(pids[0] + pids[1] + pids[2], 8 + 9 + 11);
	assert_int_equal(mw_proc_children(tree, 7, pids, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {tree_test(everything), tree_test(odd_ones), tree_test(gone),
					   tree_test(children)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
