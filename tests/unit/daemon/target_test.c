/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What is to be attached, in a folder that stands for the cgroup file system. */
#include "../core/fake_tree.h"

#include "core/cgroup.h"
#include "daemon/target.h"
#include "util/clock.h"

static struct mw_target t;
static struct mw_error err;

static int find(enum mw_target_kind kind, const char *what)
{
	mw_target_free(&t);
	t = (struct mw_target){
		.kind = kind, .what = what ? strdup(what) : NULL, .mount = tree, .root = "memweir", .dir_fd = -1};
	err.text[0] = '\0';
	return mw_target_find(&t, &err);
}

static void cgroup(const char *path, const char *max)
{
	char file[256];

	snprintf(file, sizeof(file), "%s/memory.max", path);
	tree_file(file, max);
	snprintf(file, sizeof(file), "%s/cgroup.events", path);
	tree_file(file, "populated 1\n");
}

static void finds_what_an_administrator_made(void **state)
{
	char name[MW_NAME_SIZE], path[PATH_MAX];

	(void)state;
	cgroup("theirs/in side", "4096000\n");
	assert_int_equal(find(MW_TARGET_CGROUP, "/theirs/in side/"), 0);
	assert_string_equal(t.cgroup, "/theirs/in side");
	assert_int_equal(t.owner, MW_OWNER_OWN);
	assert_null(t.unit);
	assert_true(t.before.known && t.before.limits.max == 4096000 && t.before.limits.high == MW_UNLIMITED);
	mw_target_name(&t, name);
	assert_true(mw_name_valid(name));
	assert_int_equal(mw_target_still(&t, &err), 0);
	snprintf(path, sizeof(path), "%s/theirs/in side", tree); /* and as a path of the file system */
	assert_int_equal(find(MW_TARGET_CGROUP, path), 0);
	assert_string_equal(t.cgroup, "/theirs/in side");
	remove(tree_path("theirs/in side/cgroup.events"));
	assert_int_equal(mw_target_still(&t, &err), -ENODEV);
}

static void says_who_owns_it(void **state)
{
	(void)state;
	cgroup("kubepods/pod1", "max\n");
	assert_int_equal(find(MW_TARGET_CGROUP, "/kubepods/pod1"), 0);
	assert_int_equal(t.owner, MW_OWNER_FOREIGN);
	cgroup("docker/0123456789abcdef", "max\n");
	assert_int_equal(find(MW_TARGET_CGROUP, "/docker/0123456789abcdef"), 0);
	assert_int_equal(t.owner, MW_OWNER_OWN);
	cgroup("system.slice/x.service/inner", "max\n");
	assert_int_equal(find(MW_TARGET_CGROUP, "/system.slice/x.service/inner"), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "--unit x.service"));
}

static void refuses(void **state)
{
	static const struct {
		enum mw_target_kind kind;
		const char *what;
		int code;
		const char *words;
	} bad[] = {
		{MW_TARGET_CGROUP, "relative", -EINVAL, "expected a path from the cgroup root"},
		{MW_TARGET_CGROUP, "", -EINVAL, "expected a path"},
		{MW_TARGET_CGROUP, "/a/../b", -EINVAL, "expected a path"},
		{MW_TARGET_CGROUP, "/a/..", -EINVAL, "expected a path"},
		{MW_TARGET_CGROUP, "/", -EPERM, "no limits"},
		{MW_TARGET_CGROUP, "/none", -ENOENT, "no such cgroup"},
		{MW_TARGET_CGROUP, "/memweir/tool/w1", -EBUSY, "under guard already"},
		{MW_TARGET_UNIT, "", -EINVAL, "expected the name"},
		{MW_TARGET_UNIT, "a/b", -EINVAL, "expected the name"},
		{MW_TARGET_PID, NULL, -ESRCH, "no process 0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int r = find(bad[i].kind, bad[i].what);

		if (r != bad[i].code || !strstr(err.text, bad[i].words))
			fail_msg("%s: %d, \"%s\"", bad[i].what ?: "-", r, err.text);
	}
	mw_target_free(&t);
	mw_target_free(&t);
}

/* What runs our workers is not limited like one. */
static void refuses_what_is_above_ours(void **state)
{
	(void)state;
	cgroup("outer/memweir", "max\n");
	mw_target_free(&t);
	t = (struct mw_target){.kind = MW_TARGET_CGROUP,
			       .what = strdup("/outer"),
			       .mount = tree,
			       .root = "outer/memweir",
			       .dir_fd = -1};
	assert_int_equal(mw_target_find(&t, &err), -EBUSY);
	assert_non_null(strstr(err.text, "memweir's workers stand below /outer"));
	mw_target_free(&t);
}

static void notices_another_process_of_that_pid(void **state)
{
	(void)state;
	mw_target_free(&t);
	t = (struct mw_target){
		.kind = MW_TARGET_PID, .pid = getpid(), .move = true, .mount = tree, .root = "", .dir_fd = -1};
	if (mw_target_find(&t, &err) == -ENOENT)
		skip(); /* this host has no cgroup v2 */
	assert_int_equal(mw_target_still(&t, &err), 0);
	t.pid_start++;
	assert_int_equal(mw_target_still(&t, &err), -ESRCH);
	assert_non_null(strstr(err.text, "ended meanwhile"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(finds_what_an_administrator_made),
		tree_test(says_who_owns_it),
		tree_test(refuses),
		tree_test(refuses_what_is_above_ours),
		tree_test(notices_another_process_of_that_pid),
	};

	t.dir_fd = -1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
