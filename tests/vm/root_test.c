/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* ROOT under systemd: the scope, who holds it open, and what PID 1 does with it. */
#include "cgroup_fixture.h"

#include <dirent.h>

#include "core/owner.h"
#include "core/root.h"
#include "core/systemd.h"

#define SCOPE MW_ROOT_SLICE "/" MW_ROOT_SCOPE
#define LEAF  SCOPE "/" MW_ROOT_LEAF

static void find_root(void)
{
	struct mw_error err = {""};
	char root[256] = "";

	ok(mw_root_find(mount, "", root, sizeof(root), &err));
	assert_string_equal(root, SCOPE);
}

/* The one process in the leaf. */
static pid_t holder(void)
{
	_cleanup_close_ int fd = open_path(LEAF);
	char comm[32];
	pid_t pid = 0;

	assert_true(fd >= 0);
	assert_int_equal(mw_cgroup_pids(fd, false, &pid, 1), 1);
	mw_proc_comm("/proc", pid, comm, sizeof(comm));
	assert_string_equal(comm, MW_ROOT_HOLDER);
	return pid;
}

static int needs_systemd(void **state)
{
	struct mw_error err = {""};

	(void)state;
	if (!mw_systemd_running())
		return 0;
	ok(mw_setup_init(&err));
	return 0;
}

#define skip_without_systemd()                                                                                         \
	do {                                                                                                           \
		if (!mw_systemd_running()) {                                                                           \
			print_message("skipped: no systemd (scripts/vm --systemd)\n");                                 \
			skip();                                                                                        \
		}                                                                                                      \
	} while (0)

/* End all that is in the scope: PID 1 then removes it. */
static int end_scope(void **state)
{
	_cleanup_close_ int fd = open_path(SCOPE);

	(void)state;
	if (fd < 0)
		return 0;
	mw_cgroup_kill(fd);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	wait_for(access("/sys/fs/cgroup/" SCOPE, F_OK));
	return 0;
}

static int worker_in(const char *path, const struct mw_limits *limits, pid_t *ret_pid)
{
	struct mw_class tool = {.name = "tool", .profile = {.policy = MW_POLICY_PROTECT, .budget = MW_UNLIMITED}};
	struct mw_error err = {""};
	int fd = -1;

	ok(mw_setup_root(mount, SCOPE, MW_UNLIMITED, &err));
	ok(mw_setup_class(mount, SCOPE, &tool, &err));
	ok(mw_setup_worker(mount, path, limits, &fd, &err));
	*ret_pid = play(fd, "sleep", "");
	return fd;
}

static void makes_a_scope_held_from_a_leaf(void **state)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_close_ int fd = -1;
	char path[64];
	pid_t pid, parent;
	int entries = 0;

	(void)state;
	skip_without_systemd();
	find_root();
	fd = open_path(SCOPE);
	assert_int_equal(mw_cgroup_pids(fd, false, &pid, 1), 0);
	pid = holder();
	assert_int_equal(mw_proc_ppid("/proc", pid, &parent), 0);
	assert_int_equal(parent, 1);
	assert_int_equal(getsid(pid), pid);
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (readdir(dir))
		entries++;
	assert_int_equal(entries, 2); /* . and .. */
}

static void takes_up_what_is_there(void **state)
{
	pid_t first;

	(void)state;
	skip_without_systemd();
	find_root();
	first = holder();
	find_root();
	assert_int_equal(holder(), first);
}

static void keeps_workers_when_the_holder_dies(void **state)
{
	struct mw_limits limits = limits_of(30 * MB, 24 * MB);
	pid_t old, worker;
	int fd;

	(void)state;
	skip_without_systemd();
	find_root();
	fd = worker_in(SCOPE "/tool/w1", &limits, &worker);
	old = holder();
	kill(old, SIGKILL);
	wait_for(kill(old, 0));
	find_root();
	assert_true(holder() != old);
	assert_int_equal(mw_cgroup_has_pid(fd, worker), 1);
	assert_int_equal(figure(fd, "memory.max"), 30 * MB);
	close(fd);
}

static void makes_it_anew_when_it_is_gone(void **state)
{
	pid_t old;

	(void)state;
	skip_without_systemd();
	find_root();
	old = holder();
	kill(old, SIGKILL);
	wait_for(kill(old, 0));
	find_root(); /* PID 1 may still be clearing the old one */
	assert_true(holder() != old);
	assert_int_equal(mw_root_release(mount, SCOPE), 0);
	wait_for(access("/sys/fs/cgroup/" SCOPE, F_OK));
	assert_int_equal(mw_root_release(mount, SCOPE), 0);
}

/* Limits of the scope itself go through PID 1 and stay; limits below are ours and stay. */
static void limits_stay_over_a_reload(void **state)
{
	struct mw_limits limits = {30 * MB, 24 * MB, 2 * MB, MW_UNLIMITED, true};
	struct mw_error err = {""};
	_cleanup_close_ int slice = -1, scope = -1, fd = -1;
	char blocker[256];
	pid_t worker;
	__u64 low;

	(void)state;
	skip_without_systemd();
	find_root();
	fd = worker_in(SCOPE "/tool/w1", &limits, &worker);
	scope = open_path(SCOPE);
	slice = open_path(MW_ROOT_SLICE);
	ok(mw_setup_root(mount, SCOPE, 500 * MB, &err));
	ok(mw_setup_low(mount, SCOPE "/tool", 2 * MB, &err));
	ok(mw_setup_low(mount, SCOPE, 2 * MB, &err));
	wait_for(figure(scope, "memory.max") == 500 * MB);
	wait_for(figure(scope, "memory.low") == 2 * MB && figure(slice, "memory.low") == 2 * MB);
	ok(mw_setup_low(mount, SCOPE, 0, &err)); /* at once after one another: PID 1 may not have written the first */
	ok(mw_setup_low(mount, SCOPE, 2 * MB, &err));
	ok(mw_setup_low(mount, SCOPE, 0, &err));
	wait_for(figure(scope, "memory.low") == 0 && figure(slice, "memory.low") == 0);
	ok(mw_setup_low(mount, SCOPE, 2 * MB, &err));
	wait_for(figure(scope, "memory.low") == 2 * MB && figure(slice, "memory.low") == 2 * MB);
	assert_int_equal(mw_cgroup_effective_low(mount, SCOPE "/tool/w1", &low, blocker, sizeof(blocker)), 0);
	assert_int_equal(low, 2 * MB);
	assert_int_equal(system("systemctl daemon-reload"), 0);
	assert_int_equal(system("systemctl set-property --runtime " MW_ROOT_SCOPE " CPUWeight=90"), 0);
	assert_int_equal(figure(scope, "memory.max"), 500 * MB);
	assert_int_equal(figure(fd, "memory.max"), 30 * MB);
	assert_int_equal(figure(fd, "memory.high"), 24 * MB);
	assert_int_equal(figure(fd, "memory.low"), 2 * MB);
	assert_int_equal(mw_cgroup_has_pid(fd, worker), 1);
}

static void knows_who_owns(void **state)
{
	char own[256], text[512];
	struct mw_owner_info info;
	pid_t worker;

	(void)state;
	skip_without_systemd();
	find_root();
	close(worker_in(SCOPE "/tool/w1", NULL, &worker));
	assert_int_equal(mw_proc_cgroup("/proc", 1, own, sizeof(own)), 0);
	assert_int_equal(mw_owner_of(mount, "", own, &info), 0);
	assert_int_equal(info.owner, MW_OWNER_SYSTEMD);
	assert_string_equal(info.unit, "init.scope");
	assert_int_equal(mw_owner_of(mount, "", SCOPE, &info), 0);
	assert_int_equal(info.owner, MW_OWNER_SYSTEMD);
	assert_string_equal(info.unit, MW_ROOT_SCOPE);
	assert_int_equal(mw_owner_of(mount, "", SCOPE "/tool/w1", &info), 0);
	assert_int_not_equal(info.owner, MW_OWNER_SYSTEMD); /* delegated */
	assert_int_equal(mw_owner_of(mount, SCOPE, SCOPE "/tool/w1", &info), 0);
	assert_int_equal(info.owner, MW_OWNER_OWN);
	assert_int_equal(mw_owner_of(mount, SCOPE, own, &info), 0);
	assert_non_null(strstr(mw_owner_say(&info, own, text, sizeof(text)), "init.scope"));
}

static void says_what_systemd_refuses(void **state)
{
	struct mw_unit_value value = {"NoSuchProperty", 1}, max = {"MemoryMax", 1};
	struct mw_error err = {""};

	(void)state;
	skip_without_systemd();
	assert_true(mw_systemd_set("init.scope", &value, 1, &err) < 0);
	assert_non_null(strstr(err.text, "NoSuchProperty"));
	assert_true(mw_systemd_set("no-such-memweir.scope", &max, 1, &err) < 0);
	assert_non_null(strstr(err.text, "no-such-memweir.scope"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(makes_a_scope_held_from_a_leaf, end_scope),
		cmocka_unit_test_teardown(takes_up_what_is_there, end_scope),
		cmocka_unit_test_teardown(keeps_workers_when_the_holder_dies, end_scope),
		cmocka_unit_test_teardown(makes_it_anew_when_it_is_gone, end_scope),
		cmocka_unit_test_teardown(limits_stay_over_a_reload, end_scope),
		cmocka_unit_test_teardown(knows_who_owns, end_scope),
		cmocka_unit_test(says_what_systemd_refuses),
	};

	if (argc == 3)
		return role(argv[1], argv[2]);
	if (!can_run())
		return SKIPPED;
	return cmocka_run_group_tests(tests, needs_systemd, NULL);
}
