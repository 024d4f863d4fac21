/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* cgroups as they really are: making, limiting, filling, freezing, killing, removing. */
#include "cgroup_fixture.h"
#include "core/cgroup_limits.h"

#include <sys/stat.h>

static void creates_limits_and_removes(void **state)
{
	struct mw_limits limits = {30000000, 24000000, 3000000, 30000000, true};
	struct mw_error err = {""};
	int fd = make_worker("w1", &limits), same;
	__u64 id;

	(void)state;
	assert_int_equal(figure(fd, "memory.max"), 30000000 / 4096 * 4096);
	assert_int_equal(figure(fd, "memory.high"), 24000000 / 4096 * 4096);
	assert_int_equal(figure(fd, "memory.low"), 3000000 / 4096 * 4096);
	assert_int_equal(figure(fd, "memory.oom.group"), 1);
	if (!faccessat(fd, "memory.swap.max", F_OK, 0))
		assert_int_equal(figure(fd, "memory.swap.max"), 30000000 / 4096 * 4096);
	id = mw_cgroup_id(fd);
	assert_true(id != 0);
	same = mw_cgroup_open_id(mount, id);
	assert_true(same >= 0);
	assert_int_equal(mw_cgroup_id(same), id);
	close(same);
	assert_int_equal(mw_cgroup_populated(fd), 0);
	ok(mw_setup_remove(mount, ROOT "/tool/w1", &err));
	assert_int_equal(mw_cgroup_open_id(mount, id), -ESTALE);
	assert_int_equal(open_path(ROOT "/tool/w1"), -ENOENT);
	ok(mw_setup_remove(mount, ROOT "/tool/w1", &err)); /* gone already */
	assert_true(mw_cgroup_populated(fd) == -ENODEV || mw_cgroup_populated(fd) == -ENOENT);
	close(fd);
}

static void refuses_an_existing_worker(void **state)
{
	struct mw_error err = {""};
	int fd = make_worker("w1", NULL), other = -1;

	(void)state;
	assert_int_equal(figure(fd, "memory.max"), MW_UNLIMITED);
	assert_int_equal(mw_setup_worker(mount, ROOT "/tool/w1", NULL, &other, &err), -EEXIST);
	assert_int_equal(other, -1);
	assert_non_null(strstr(err.text, "w1 exists"));
	close(fd);
}

static void failure_leaves_nothing(void **state)
{
	/* 2^64 - 2 bytes: the kernel takes it for "max", which is not what was asked. */
	struct mw_limits limits = limits_of(MW_AUTO, 24 * MB);
	struct mw_error err = {""};
	int fd = -1;

	(void)state;
	assert_int_equal(mw_setup_worker(mount, ROOT "/tool/w1", &limits, &fd, &err), -EIO);
	assert_int_equal(fd, -1);
	assert_non_null(strstr(err.text, "memory.max"));
	assert_int_equal(open_path(ROOT "/tool/w1"), -ENOENT);
}

static void root_with_processes_is_busy(void **state)
{
	_cleanup_close_ int root = open_path(ROOT);
	struct mw_error err = {""};
	pid_t pid;

	(void)state;
	ok(mw_setup_remove(mount, ROOT, &err));
	mw_close(&root);
	assert_int_equal(mkdir("/sys/fs/cgroup/" ROOT, 0755), 0);
	root = open_path(ROOT);
	pid = play(root, "sleep", "");
	assert_int_equal(mw_setup_root(mount, ROOT, MW_UNLIMITED, &err), -EBUSY);
	assert_non_null(strstr(err.text, "processes of its own"));
	end(pid);
}

static void populated_is_not_removed(void **state)
{
	struct mw_error err = {""};
	int fd = make_worker("w1", NULL);
	pid_t pid = play(fd, "sleep", "");

	(void)state;
	assert_int_equal(mw_setup_remove(mount, ROOT "/tool/w1", &err), -EBUSY);
	assert_int_equal(mw_cgroup_has_pid(fd, pid), 1);
	end(pid);
	wait_for(mw_cgroup_populated(fd) == 0);
	assert_int_equal(mkdirat(fd, "left", 0755), 0); /* by the worker */
	assert_int_equal(mkdirat(fd, "left/below", 0755), 0);
	ok(mw_setup_remove(mount, ROOT "/tool/w1", &err));
	assert_int_equal(open_path(ROOT "/tool/w1"), -ENOENT);
	close(fd);
}

static void attaches(void **state)
{
	struct mw_error err = {""};
	int a = make_worker("a", NULL), b = make_worker("b", NULL);
	pid_t pid = play(a, "sleep", "");

	(void)state;
	ok(mw_setup_attach(mount, ROOT "/tool/b", pid, &err));
	assert_int_equal(mw_cgroup_has_pid(a, pid), 0);
	assert_int_equal(mw_cgroup_has_pid(b, pid), 1);
	end(pid);
	assert_int_equal(mw_setup_attach(mount, ROOT "/tool/b", pid, &err), -ESRCH);
	assert_int_equal(mw_setup_attach(mount, ROOT "/tool/none", getpid(), &err), -ENOENT);
	close(a);
	close(b);
}

static void put_limits(int fd, const struct mw_limits *limits)
{
	struct mw_limit_file files[MW_LIMIT_FILES];
	struct mw_error err = {""};
	size_t n = mw_limit_files(fd, limits, files);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(mw_cgroup_write_u64(fd, files[i].file, files[i].value), 0);
	ok(mw_limit_verify(fd, "w1", files, n, &err));
}

/* New limits around a worker that lives in them: at no point is there one below its usage. */
static void changes_limits_in_a_safe_order(void **state)
{
	struct mw_limits small = limits_of(30 * MB, 24 * MB), big = limits_of(100 * MB, 90 * MB);
	int fd = make_worker("w1", &small);
	pid_t pid = play(fd, "touch", "18874368");

	(void)state;
	wait_for(figure(fd, "memory.current") > 18 * MB);
	for (int i = 0; i < 5; i++) {
		put_limits(fd, &big);
		put_limits(fd, &small);
	}
	assert_int_equal(keyed(fd, "memory.events", "high"), 0);
	assert_int_equal(keyed(fd, "memory.events", "max"), 0);
	assert_int_equal(kill(pid, 0), 0);
	end(pid);
	close(fd);
}

static void class_carries_budget_or_profile(void **state)
{
	struct mw_profile p = {.max_heap = 50000000,
			       .hibernate_threshold = 0.85,
			       .swap_max = MW_AUTO,
			       .low = MW_AUTO,
			       .oom_group = true,
			       .policy = MW_POLICY_PROTECT,
			       .budget = 40 * MB};
	struct mw_class cls = {.name = "pool", .profile = p};
	struct mw_error err = {""};
	_cleanup_close_ int fd = -1;

	(void)state;
	ok(mw_setup_class(mount, ROOT, &cls, &err));
	fd = open_path(ROOT "/pool");
	assert_int_equal(figure(fd, "memory.max"), 40 * MB);
	assert_int_equal(figure(fd, "memory.high"), MW_UNLIMITED);
	assert_int_equal(figure(fd, "memory.oom.group"), 0);
	ok(mw_setup_low(mount, ROOT "/pool", 8 * MB, &err));
	ok(mw_setup_class(mount, ROOT, &cls, &err));
	assert_int_equal(figure(fd, "memory.low"), 8 * MB); /* kept */

	cls.profile.share = true;
	ok(mw_setup_class(mount, ROOT, &cls, &err));
	assert_int_equal(figure(fd, "memory.max"), 40 * MB); /* the lesser of the two */
	assert_int_equal(figure(fd, "memory.high"), 42500000 / 4096 * 4096);
	assert_int_equal(figure(fd, "memory.oom.group"), 1);
	cls.profile.policy = MW_POLICY_OBSERVE;
	cls.profile.budget = MW_UNLIMITED;
	ok(mw_setup_class(mount, ROOT, &cls, &err));
	assert_int_equal(figure(fd, "memory.max"), MW_UNLIMITED);
}

static void lists_what_is_there(void **state)
{
	struct mw_cgroup_entry entries[4];
	_cleanup_close_ int root = open_path(ROOT), a = make_worker("a", NULL), b = make_worker("b", NULL);
	__u64 ids[8];

	(void)state;
	assert_int_equal(mkdirat(root, "daemon", 0755), 0);
	assert_int_equal(mkdirat(root, "daemon/x", 0755), 0);
	assert_int_equal(mkdirat(a, "inner", 0755), 0);
	assert_int_equal(mw_cgroup_list(root, entries, 4), 2);
	assert_string_equal(entries[0].class_name, "tool");
	assert_true(entries[0].id == mw_cgroup_id(a) || entries[1].id == mw_cgroup_id(a));
	assert_true(entries[0].id == mw_cgroup_id(b) || entries[1].id == mw_cgroup_id(b));
	assert_int_equal(mw_cgroup_descendants(root, ids, 8), 6);
	assert_int_equal(mw_cgroup_descendants(a, ids, 8), 1);
}

static void names_what_blocks_protection(void **state)
{
	struct mw_error err = {""};
	int fd = make_worker("w1", NULL);
	char blocker[256];
	__u64 low;

	(void)state;
	ok(mw_setup_low(mount, ROOT "/tool/w1", 4 * MB, &err));
	assert_int_equal(mw_cgroup_effective_low(mount, "/" ROOT "/tool/w1", &low, blocker, sizeof(blocker)), 0);
	assert_int_equal(low, 0);
	assert_string_equal(blocker, ROOT);
	ok(mw_setup_low(mount, ROOT, 4 * MB, &err));
	assert_int_equal(mw_cgroup_effective_low(mount, ROOT "/tool/w1", &low, blocker, sizeof(blocker)), 0);
	assert_string_equal(blocker, ROOT "/tool");
	ok(mw_setup_low(mount, ROOT "/tool", 2 * MB, &err));
	assert_int_equal(mw_cgroup_effective_low(mount, ROOT "/tool/w1", &low, blocker, sizeof(blocker)), 0);
	assert_int_equal(low, 2 * MB);
	ok(mw_setup_low(mount, ROOT "/tool", 4 * MB, &err));
	assert_int_equal(mw_cgroup_effective_low(mount, ROOT "/tool/w1", &low, blocker, sizeof(blocker)), 0);
	assert_int_equal(low, 4 * MB);
	assert_string_equal(blocker, "");
	assert_int_equal(mw_cgroup_effective_low(mount, ROOT "/tool/none", &low, blocker, sizeof(blocker)), -ENOENT);
	close(fd);
}

static void kills_all_below(void **state)
{
	int fd = make_worker("w1", NULL);
	pid_t pid = play(fd, "fork", ""), pids[8];

	(void)state;
	wait_for(mw_cgroup_pids(fd, true, pids, 8) == 2);
	assert_int_equal(mw_cgroup_kill(fd), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	wait_for(mw_cgroup_populated(fd) == 0);
	close(fd);
}

static void freezes_and_thaws(void **state)
{
	int fd = make_worker("w1", NULL);
	pid_t pid = play(fd, "sleep", "");

	(void)state;
	assert_int_equal(mw_cgroup_frozen(fd), 0);
	assert_int_equal(mw_cgroup_freeze(fd, true), 0);
	assert_int_equal(mw_cgroup_frozen(fd), 1);
	wait_for(keyed(fd, "cgroup.events", "frozen") == 1);
	assert_int_equal(mw_cgroup_freeze(fd, false), 0);
	wait_for(keyed(fd, "cgroup.events", "frozen") == 0);
	end(pid);
	close(fd);
}

/* A task the kernel makes sleep over memory.high is seen, and lifting with a pulse sets it free. */
static void sees_a_throttled_task(void **state)
{
	struct mw_limits limits = limits_of(30 * MB, 24 * MB);
	int fd = make_worker("w1", &limits);
	pid_t pid = play(fd, "grow", "28311552"), tids[4];

	(void)state;
	wait_for(mw_cgroup_throttled("/proc", fd, tids, 4) > 0);
	assert_int_equal(tids[0], pid);
	assert_int_equal(mw_proc_throttled("/proc", pid) >= 0, 1);
	assert_int_equal(mw_cgroup_write_u64(fd, "memory.high", MW_UNLIMITED), 0);
	while (mw_cgroup_throttled("/proc", fd, tids, 4) > 0) {
		assert_int_equal(mw_cgroup_freeze(fd, true), 0);
		assert_int_equal(mw_cgroup_freeze(fd, false), 0);
	}
	wait_for(figure(fd, "memory.current") > 27 * MB);
	assert_int_equal(mw_cgroup_throttled("/proc", fd, tids, 4), 0);
	end(pid);
	close(fd);
}

static void samples_from_files(void **state)
{
	struct mw_limits limits = limits_of(40 * MB, 32 * MB);
	int fd = make_worker("w1", &limits);
	struct mw_sample s = {0};
	pid_t pid = play(fd, "touch", "10485760");

	(void)state;
	/* usage is read before memory.stat: while it still grows the one may be older than the other */
	wait_for(!mw_cgroup_sample(fd, &s) && s.anon >= 10 * MB && s.usage >= 10 * MB);
	assert_int_equal(s.cgroup_id, mw_cgroup_id(fd));
	assert_int_equal(s.max, 40 * MB);
	assert_int_equal(s.high, 32 * MB);
	assert_true(s.peak >= s.usage - MB && s.kernel > 0 && s.time_ns > 0);
	assert_int_equal(s.events[MW_MEMCG_OOM_KILL], 0);
	end(pid);
	wait_for(mw_cgroup_populated(fd) == 0);
	assert_int_equal(unlinkat(AT_FDCWD, "/sys/fs/cgroup/" ROOT "/tool/w1", AT_REMOVEDIR), 0);
	assert_true(mw_cgroup_sample(fd, &s) == -ENOENT || mw_cgroup_sample(fd, &s) == -ENODEV);
	close(fd);
}

static void knows_a_tree_that_fills(void **state)
{
	int fd = make_worker("w1", NULL);
	pid_t pid = play(fd, "fork", ""), other, pids[8];
	char path[256];
	__u64 start, again;

	(void)state;
	wait_for(mw_cgroup_pids(fd, true, pids, 8) == 2);
	assert_true(mw_proc_tree_fills("/proc", pid, pids, 2));
	assert_int_equal(mw_proc_cgroup("/proc", pid, path, sizeof(path)), 0);
	assert_string_equal(path, "/" ROOT "/tool/w1");
	assert_int_equal(mw_proc_start_ticks("/proc", pid, &start), 0);
	assert_int_equal(mw_proc_start_ticks("/proc", pids[1], &again), 0);
	assert_true(again >= start);
	other = play(fd, "sleep", "");
	wait_for(mw_cgroup_pids(fd, true, pids, 8) == 3);
	assert_false(mw_proc_tree_fills("/proc", pid, pids, 3));
	end(other);
	end(pid);
	close(fd);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		vm_test(creates_limits_and_removes),
		vm_test(refuses_an_existing_worker),
		vm_test(failure_leaves_nothing),
		vm_test(root_with_processes_is_busy),
		vm_test(populated_is_not_removed),
		vm_test(attaches),
		vm_test(changes_limits_in_a_safe_order),
		vm_test(class_carries_budget_or_profile),
		vm_test(lists_what_is_there),
		vm_test(names_what_blocks_protection),
		vm_test(kills_all_below),
		vm_test(freezes_and_thaws),
		vm_test(sees_a_throttled_task),
		vm_test(samples_from_files),
		vm_test(knows_a_tree_that_fills),
	};

	if (argc == 3)
		return role(argv[1], argv[2]);
	if (!can_run())
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
