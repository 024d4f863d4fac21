/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "fake_tree.h"

#include "core/owner.h"
#include "core/root.h"

#define ROOT "memweir.slice/memweir-workers.scope"

/* Delegated in these tests: container scopes and user managers, and our own scope. */
static bool delegated(const char *cgroup, void *arg)
{
	const char *name = strrchr(cgroup, '/');

	(void)arg;
	name = name ? name + 1 : cgroup;
	return !strncmp(name, "docker-", 7) || !strncmp(name, "libpod-", 7) || !strncmp(name, "user@", 5) ||
	       !strcmp(cgroup, ROOT);
}

static const struct {
	const char *cgroup;
	enum mw_owner owner;
	const char *unit, *manager;
	bool delegated;
} rows[] = {
	{ROOT, MW_OWNER_OWN, "", "", false},
	{"/" ROOT "/tool/w1", MW_OWNER_OWN, "", "", false},
	{ROOT "2/tool/w1", MW_OWNER_SYSTEMD, "memweir.slice", "systemd", false},
	{"system.slice/ssh.service", MW_OWNER_SYSTEMD, "ssh.service", "systemd", false},
	{"/system.slice/ssh.service/", MW_OWNER_SYSTEMD, "ssh.service", "systemd", false},
	{"system.slice/odd.service/inner", MW_OWNER_SYSTEMD, "odd.service", "systemd", false},
	{"system.slice/docker.service", MW_OWNER_SYSTEMD, "docker.service", "systemd", false},
	{"system.slice/docker-0123.scope", MW_OWNER_SYSTEMD, "docker-0123.scope", "docker", false},
	{"system.slice/docker-0123.scope/inner", MW_OWNER_FOREIGN, "docker-0123.scope", "docker", true},
	{"machine.slice/libpod-0123.scope", MW_OWNER_SYSTEMD, "libpod-0123.scope", "podman", false},
	{"machine.slice/libpod-0123.scope/container", MW_OWNER_FOREIGN, "libpod-0123.scope", "podman", true},
	{"system.slice/cri-containerd-01.scope", MW_OWNER_SYSTEMD, "cri-containerd-01.scope", "containerd", false},
	{"user.slice/user-1000.slice/user@1000.service/app.slice/x.service", MW_OWNER_FOREIGN, "user@1000.service",
	 "systemd", true},
	{"kubepods.slice/kubepods-pod1.slice/cri-containerd-01.scope", MW_OWNER_FOREIGN, "", "kubelet", false},
	{"kubepods/besteffort/pod1/0123", MW_OWNER_FOREIGN, "", "kubelet", false},
	{"system.slice/kubelet.service", MW_OWNER_SYSTEMD, "kubelet.service", "systemd", false},
	{"docker/0123456789abcdef", MW_OWNER_FOREIGN, "", "docker", false},
	{"libpod_parent/libpod-0123", MW_OWNER_FOREIGN, "", "podman", false},
	{"lxc.payload.web", MW_OWNER_FOREIGN, "", "lxc", false},
	{"dockerish", MW_OWNER_FOREIGN, "", "", false},
	{"somebody/else", MW_OWNER_FOREIGN, "", "", false},
	{".service", MW_OWNER_FOREIGN, "", "", false},
	{"", MW_OWNER_FOREIGN, "", "", false},
	{"/", MW_OWNER_FOREIGN, "", "", false},
	{"//a//b//", MW_OWNER_FOREIGN, "", "", false},
};

static void judges(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mw_owner_info info;

		assert_int_equal(mw_owner_judge(ROOT, rows[i].cgroup, delegated, NULL, &info), 0);
		if (info.owner != rows[i].owner || strcmp(info.unit, rows[i].unit) ||
		    strcmp(info.manager, rows[i].manager) || info.delegated != rows[i].delegated)
			fail_msg("%s: %s, unit \"%s\", manager \"%s\", delegated %d", rows[i].cgroup,
				 mw_owner_name(info.owner), info.unit, info.manager, info.delegated);
	}
}

static void says_how_it_is_written(void **state)
{
	static const struct {
		const char *cgroup;
		enum mw_owner writer;
		bool below, payload;
	} cases[] = {
		{"system.slice/ssh.service", MW_OWNER_SYSTEMD, false, false},
		{"system.slice/odd.service/inner", MW_OWNER_SYSTEMD, true, false},
		{"system.slice", MW_OWNER_SYSTEMD, false, false},
		{"system.slice/docker-0123.scope", MW_OWNER_SYSTEMD, false, false},
		{"system.slice/docker-0123.scope/inner", MW_OWNER_FOREIGN, true, false},
		{"machine.slice/libpod-0123.scope/container", MW_OWNER_OWN, true, true},
		{"/machine.slice/libpod-0123.scope/container/", MW_OWNER_OWN, true, true},
		{"machine.slice/libpod-0123.scope/container/deep", MW_OWNER_FOREIGN, true, false},
		{"system.slice/x.scope/container", MW_OWNER_SYSTEMD, true, false}, /* not delegated */
		{"user.slice/user@1000.service/user.slice/libpod-1.scope/container", MW_OWNER_OWN, true, true},
		{"user.slice/user@1.service/x.slice/x-1.scope/container", MW_OWNER_OWN, true, true}, /* marks none */
		{"user.slice/user@1000.service/user.slice/x-1.scope/container/deep", MW_OWNER_FOREIGN, true, false},
		{"user.slice/user@1000.service/user.slice/x-1.scope", MW_OWNER_FOREIGN, true, false},
		{"user.slice/user@1000.service/app.slice/x.service/container", MW_OWNER_FOREIGN, true, false},
		{"user.slice/user@1000.service/container", MW_OWNER_FOREIGN, true, false},
		{"user.slice/user@1000.service/app.slice/x.service", MW_OWNER_FOREIGN, true, false},
		{"kubepods.slice/kubepods-pod1.slice/cri-containerd-01.scope", MW_OWNER_FOREIGN, false, false},
		{"kubepods.slice/crio-01.scope/container", MW_OWNER_FOREIGN, false, false},
		{"docker/0123456789abcdef", MW_OWNER_OWN, false, false}, /* nobody writes there again and again */
		{"libpod_parent/libpod-0123", MW_OWNER_OWN, false, false},
		{"somebody/else", MW_OWNER_OWN, false, false},
		{"container", MW_OWNER_OWN, false, false},
		{"x.scope/container", MW_OWNER_SYSTEMD, true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mw_owner_info info;

		assert_int_equal(mw_owner_judge(ROOT, cases[i].cgroup, delegated, NULL, &info), 0);
		if (mw_owner_writer(&info) != cases[i].writer || (info.unit[0] && info.below != cases[i].below) ||
		    info.payload != cases[i].payload)
			fail_msg("%s: %s, below %d, payload %d", cases[i].cgroup, mw_owner_name(mw_owner_writer(&info)),
				 info.below, info.payload);
	}
}

static void refuses_odd_paths(void **state)
{
	struct mw_owner_info info = {.owner = MW_OWNER_SYSTEMD};
	char path[6000];

	(void)state;
	assert_int_equal(mw_owner_judge(ROOT, ROOT "/../../etc", delegated, NULL, &info), -EINVAL);
	assert_int_equal(mw_owner_judge(ROOT, "..", delegated, NULL, &info), -EINVAL);
	assert_int_equal(mw_owner_judge(ROOT, "a/..b/c..", delegated, NULL, &info), 0);
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(mw_owner_judge(ROOT, path, delegated, NULL, &info), -ENAMETOOLONG);
}

static void says_it(void **state)
{
	struct mw_owner_info info;
	char text[512];

	(void)state;
	mw_owner_judge(ROOT, "system.slice/docker-0123.scope", delegated, NULL, &info);
	mw_owner_say(&info, "/system.slice/docker-0123.scope", text, sizeof(text));
	assert_non_null(strstr(text, "systemd unit docker-0123.scope (a container of docker)"));
	mw_owner_judge(ROOT, "kubepods/pod1", delegated, NULL, &info);
	assert_non_null(strstr(mw_owner_say(&info, "kubepods/pod1", text, sizeof(text)), "kubelet"));
	mw_owner_judge(ROOT, ROOT "/tool/w1", delegated, NULL, &info);
	assert_string_equal(mw_owner_say(&info, ROOT "/tool/w1", text, sizeof(text)), "");
	assert_int_equal(mw_owner_of(tree, "", "system.slice/ssh.service", &info), 0);
	assert_int_equal(info.owner, MW_OWNER_SYSTEMD);
	assert_string_equal(info.unit, "ssh.service");
	assert_int_equal(mw_owner_of(tree, "", "memweir/tool/w1", &info), 0);
	assert_int_not_equal(info.owner, MW_OWNER_SYSTEMD);
	assert_string_equal(mw_owner_name(MW_OWNER_FOREIGN), "foreign");
	assert_string_equal(mw_owner_name(MW_OWNER_MAX), "unknown");
}

static void takes_a_configured_root(void **state)
{
	static const char *const bad[] = {"/", "a//b", "../a", "a/../b", "./a", "a/."};
	struct mw_error err = {""};
	char root[64] = "untouched";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(mw_root_find(tree, bad[i], root, sizeof(root), &err), -EINVAL);
		assert_string_equal(root, "untouched");
		assert_non_null(strstr(err.text, "tree.root"));
	}
	assert_int_equal(mw_root_find(tree, "/agents/memweir/", root, sizeof(root), &err), 0);
	assert_string_equal(root, "agents/memweir");
	assert_int_equal(mw_root_find(tree, "agents/memweir", root, 14, &err), -ENAMETOOLONG);
	assert_true(mw_root_is_unit(ROOT) && mw_root_is_unit(MW_ROOT_SCOPE));
	assert_false(mw_root_is_unit("memweir") || mw_root_is_unit("x-" MW_ROOT_SCOPE) || mw_root_is_unit(""));
	tree_file(ROOT "/daemon/cgroup.procs", "1\n"); /* PID 1 is no holder of ours */
	assert_int_equal(mw_root_release(tree, ROOT), 0);
	assert_int_equal(mw_root_release(tree, "none"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges), cmocka_unit_test(says_how_it_is_written), cmocka_unit_test(refuses_odd_paths),
		tree_test(says_it),	  tree_test(takes_a_configured_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
