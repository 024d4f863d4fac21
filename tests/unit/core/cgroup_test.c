/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "fake_tree.h"

#include <signal.h>
#include <sys/wait.h>

#include "core/cgroup.h"
#include "util/clock.h"

#define HOST "22 1 0:20 / /proc rw shared:5 - proc proc rw\n"

static void finds_the_mount(void **state)
{
	char path[256] = "untouched";

	(void)state;
	assert_int_equal(mw_cgroup_mount(tree, path, sizeof(path)), -ENOENT); /* no mountinfo */
	tree_file("proc/self/mountinfo", HOST "31 23 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
	assert_int_equal(mw_cgroup_mount(tree, path, sizeof(path)), -ENOENT);
	assert_string_equal(path, "untouched");

	tree_file("proc/self/mountinfo", HOST "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n");
	assert_int_equal(mw_cgroup_mount(tree, path, sizeof(path)), 0);
	assert_string_equal(path, "/sys/fs/cgroup/unified");

	/* many optional fields; a bind mount of a part comes first; octal escapes */
	tree_file("proc/self/mountinfo",
		  HOST "40 31 0:38 /docker/x /mnt/part rw - cgroup2 cgroup2 rw\n"
		       "41 31 0:38 / /sys/fs/a\\040b\\134 rw shared:1 master:2 propagate_from:3 - cgroup2 c rw\n");
	assert_int_equal(mw_cgroup_mount(tree, path, sizeof(path)), 0);
	assert_string_equal(path, "/sys/fs/a b\\");

	tree_file("proc/self/mountinfo", "40 31 0:38 /docker/x /mnt/part rw - cgroup2 cgroup2 rw");
	assert_int_equal(mw_cgroup_mount(tree, path, sizeof(path)), 0);
	assert_string_equal(path, "/mnt/part");
	assert_int_equal(mw_cgroup_mount(tree, path, 9), -ENAMETOOLONG);

	tree_file("proc/self/mountinfo", "\n - \n1 2 3\n\\\\\\ - cgroup2\n1 2 3 4 5 6 -");
	assert_int_equal(mw_cgroup_mount(tree, path, sizeof(path)), -ENOENT);
}

static void reads_numbers(void **state)
{
	static const struct {
		const char *text;
		int r;
		__u64 value;
	} rows[] = {
		{"123\n", 0, 123},
		{"123", 0, 123}, /* newline missing */
		{"max\n", 0, MW_UNLIMITED},
		{"max", 0, MW_UNLIMITED},
		{"18446744073709551614\n", 0, MW_UNLIMITED - 1},
		{"18446744073709551616\n", -EBADMSG, 0},
		{"", -EBADMSG, 0},
		{"\n", -EBADMSG, 0},
		{"-1\n", -EBADMSG, 0},
		{" 1\n", -EBADMSG, 0},
		{"1 2\n", -EBADMSG, 0},
		{"maximum\n", -EBADMSG, 0},
		{"11111111111111111111111111111111111111111111111111111111111111111111\n", -EBADMSG, 0},
	};
	_cleanup_close_ int fd = tree_open("");
	__u64 value = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		value = 7;
		tree_file("memory.max", rows[i].text);
		assert_int_equal(mw_cgroup_read_u64(fd, "memory.max", &value), rows[i].r);
		assert_true(value == (rows[i].r ? 7 : rows[i].value));
	}
	assert_int_equal(mw_cgroup_read_u64(fd, "none", &value), -ENOENT);
	tree_bytes("memory.max", "1\0002\n", 4);
	assert_int_equal(mw_cgroup_read_u64(fd, "memory.max", &value), 0); /* ends at the NUL */
}

static void reads_what_fits(void **state)
{
	_cleanup_close_ int fd = tree_open("");
	char buf[8];

	(void)state;
	tree_file("f", "1234567");
	assert_int_equal(mw_cgroup_read(fd, "f", buf, sizeof(buf)), 7);
	assert_string_equal(buf, "1234567");
	tree_file("f", "12345678");
	assert_int_equal(mw_cgroup_read(fd, "f", buf, sizeof(buf)), -E2BIG);
	assert_string_equal(buf, "1234567");
	assert_int_equal(mw_cgroup_read(fd, "f", buf, 0), -E2BIG);
	assert_int_equal(mw_cgroup_read(fd, ".", buf, sizeof(buf)), -EISDIR);
	tree_file("f", "");
	assert_int_equal(mw_cgroup_read(fd, "f", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
}

static void writes(void **state)
{
	_cleanup_close_ int fd = tree_open("");
	char buf[32];

	(void)state;
	assert_int_equal(mw_cgroup_write_u64(fd, "memory.high", 1), -ENOENT); /* makes no file */
	tree_file("memory.high", "123456789");
	assert_int_equal(mw_cgroup_write_u64(fd, "memory.high", MW_UNLIMITED), 0);
	mw_cgroup_read(fd, "memory.high", buf, sizeof(buf));
	assert_string_equal(buf, "max");
	assert_int_equal(mw_cgroup_write_u64(fd, "memory.high", MW_UNLIMITED - 1), 0);
	mw_cgroup_read(fd, "memory.high", buf, sizeof(buf));
	assert_string_equal(buf, "18446744073709551614");
}

static void finds_keys(void **state)
{
	const char *text = "file_mapped 1\nfile 22\nanon\nlast 33";
	__u64 value = 7;

	(void)state;
	assert_int_equal(mw_keyed_u64(text, "file", &value), 0);
	assert_int_equal(value, 22);
	assert_int_equal(mw_keyed_u64(text, "last", &value), 0);
	assert_int_equal(value, 33);
	assert_int_equal(mw_keyed_u64(text, "anon", &value), -ENOENT);
	assert_int_equal(mw_keyed_u64(text, "ile", &value), -ENOENT);
	assert_int_equal(mw_keyed_u64("", "file", &value), -ENOENT);
	assert_int_equal(mw_keyed_u64("file -1\n", "file", &value), -EBADMSG);
	assert_int_equal(mw_keyed_u64("file \n5\n", "file", &value), -EBADMSG);
	assert_int_equal(mw_keyed_u64("\n\n\nfile 4\n", "file", &value), 0);
	assert_int_equal(value, 4);
}

static void knows_the_memory_controller(void **state)
{
	_cleanup_close_ int fd = tree_open("");

	(void)state;
	assert_false(mw_cgroup_has_memory(fd));
	tree_file("cgroup.controllers", "cpuset cpu memory_x pids\n");
	assert_false(mw_cgroup_has_memory(fd));
	tree_file("cgroup.controllers", "cpuset cpu io memory\n");
	assert_true(mw_cgroup_has_memory(fd));
}

static void samples(void **state)
{
	__u64 events[MW_MEMCG_EVENT_MAX] = {[MW_MEMCG_HIGH] = 8};
	struct mw_sample s = {.usage = 7};
	_cleanup_close_ int fd = -1;

	(void)state;
	tree_dir("w");
	fd = tree_open("w");
	assert_int_equal(mw_cgroup_sample(fd, &s), -ENOENT); /* no cgroup.procs: it is gone */
	assert_int_equal(s.usage, 7);
	assert_int_equal(mw_cgroup_events(fd, events), -ENOENT);
	assert_int_equal(events[MW_MEMCG_HIGH], 8);
	tree_file("w/cgroup.procs", "");
	assert_int_equal(mw_cgroup_sample(fd, &s), 0);
	assert_true(s.max == MW_UNLIMITED && s.high == MW_UNLIMITED && !s.usage && !s.peak && !s.anon && !s.low);
	assert_true(s.cgroup_id == mw_cgroup_id(fd) && s.cgroup_id);
	tree_file("w/memory.current", "4096\n");
	tree_file("w/memory.max", "30000000\n");
	tree_file("w/memory.high", "garbage");
	tree_file("w/memory.events", "low 0\nhigh 5\nmax 1\noom 0\noom_kill 2\noom_group_kill 1\n");
	tree_file("w/memory.stat", "anon 1\nfile 2\nkernel 3\nsock 4\nshmem 5\nslab_reclaimable 6\nslab 9\n");
	assert_int_equal(mw_cgroup_sample(fd, &s), 0);
	assert_int_equal(mw_cgroup_events(fd, events), 0);
	assert_memory_equal(events, s.events, sizeof(events));
	assert_true(s.usage == 4096 && s.max == 30000000 && s.high == MW_UNLIMITED);
	assert_true(s.events[MW_MEMCG_HIGH] == 5 && s.events[MW_MEMCG_OOM_KILL] == 2 &&
		    s.events[MW_MEMCG_OOM_GROUP_KILL] == 1);
	assert_true(s.anon == 1 && s.file == 2 && s.kernel == 3 && s.sock == 4 && s.shmem == 5 &&
		    s.slab_reclaimable == 6);
}

static void lists_members(void **state)
{
	_cleanup_close_ int fd = tree_open("");
	pid_t pids[4] = {0};

	(void)state;
	assert_int_equal(mw_cgroup_pids(fd, false, pids, 4), -ENOENT);
	tree_file("cgroup.procs", "1\n22\n0\n333"); /* one of another pid namespace, newline missing */
	assert_int_equal(mw_cgroup_pids(fd, false, pids, 2), 3);
	assert_true(pids[0] == 1 && pids[1] == 22 && pids[2] == 0);
	assert_int_equal(mw_cgroup_has_pid(fd, 333), 1);
	assert_int_equal(mw_cgroup_has_pid(fd, 33), 0);
	tree_file("a/cgroup.procs", "4\n");
	tree_file("a/b/cgroup.procs", "5\n");
	tree_dir("empty"); /* vanishing: no cgroup.procs any more */
	assert_int_equal(mw_cgroup_pids(fd, false, NULL, 0), 3);
	assert_int_equal(mw_cgroup_pids(fd, true, NULL, 0), 5);
	tree_file("cgroup.procs", "1\nx\n");
	assert_int_equal(mw_cgroup_pids(fd, false, pids, 4), -EBADMSG);
	tree_file("cgroup.procs", "99999999999\n");
	assert_int_equal(mw_cgroup_pids(fd, false, pids, 4), -EBADMSG);
	tree_bytes("cgroup.procs", "\0\0\0\0", 4);
	assert_int_equal(mw_cgroup_pids(fd, false, pids, 4), -EBADMSG);
}

/* More than one read holds, numbers across the borders. */
static void lists_many_members(void **state)
{
	_cleanup_close_ int fd = tree_open("");
	_cleanup_free_ char *text = malloc(200000);
	_cleanup_free_ pid_t *pids = calloc(20000, sizeof(*pids));
	size_t n = 0;

	(void)state;
	for (int i = 1; i <= 20000; i++)
		n += (size_t)sprintf(text + n, "%d\n", i);
	tree_bytes("cgroup.procs", text, n);
	assert_int_equal(mw_cgroup_pids(fd, true, pids, 20000), 20000);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(pids[i], i + 1);
}

static void lists_cgroups(void **state)
{
	struct mw_cgroup_entry e[4];
	_cleanup_close_ int fd = tree_open("");
	char name[200] = "tool/";
	__u64 ids[8];

	(void)state;
	assert_int_equal(mw_cgroup_list(fd, NULL, 0), 0);
	tree_file("tool/w1/cgroup.procs", "");
	tree_dir("tool/w1/inner");
	tree_dir("context/w2");
	tree_dir("daemon/x");
	tree_dir("empty");
	tree_dir("tool/.hidden");
	memset(name + 5, 'a', MW_NAME_SIZE); /* one too long */
	tree_dir(name);
	assert_int_equal(mw_cgroup_list(fd, NULL, 0), 2);
	assert_int_equal(mw_cgroup_list(fd, e, 4), 2);
	if (strcmp(e[0].class_name, "tool"))
		e[0] = e[1];
	assert_string_equal(e[0].class_name, "tool");
	assert_string_equal(e[0].name, "w1");
	assert_true(e[0].id);
	assert_int_equal(mw_cgroup_descendants(fd, ids, 8), 9); /* hidden ones are none */
	assert_int_equal(mw_cgroup_remove_below(fd) < 0, 1); /* files stand in the way here */
}

static void refuses_bottomless_trees(void **state)
{
	_cleanup_close_ int fd = tree_open("");
	char path[400] = "d";

	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(path, "/d");
	tree_dir(path);
	assert_int_equal(mw_cgroup_descendants(fd, NULL, 0), -ELOOP);
}

static void knows_states(void **state)
{
	_cleanup_close_ int fd = tree_open("");

	(void)state;
	assert_int_equal(mw_cgroup_populated(fd), -ENOENT);
	tree_file("cgroup.events", "populated 1\nfrozen 0\n");
	assert_int_equal(mw_cgroup_populated(fd), 1);
	tree_file("cgroup.events", "frozen 0\n");
	assert_int_equal(mw_cgroup_populated(fd), -ENOENT);
	tree_file("cgroup.freeze", "0\n");
	assert_int_equal(mw_cgroup_frozen(fd), 0);
	assert_int_equal(mw_cgroup_freeze(fd, true), 0);
	assert_int_equal(mw_cgroup_frozen(fd), 1);
}

static void kills_members_without_cgroup_kill(void **state)
{
	_cleanup_close_ int fd = tree_open("");
	pid_t pid = fork();
	char text[32];
	int status;

	(void)state;
	if (!pid)
		for (;;)
			pause();
	snprintf(text, sizeof(text), "%d\n", pid);
	tree_file("cgroup.procs", text);
	assert_int_equal(mw_cgroup_kill(fd), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void reclaims_only_where_it_can(void **state)
{
	_cleanup_close_ int fd = tree_open("");
	__u64 freed = 7, soon = mw_now_ns() + 50 * MW_NS_PER_MS;

	(void)state;
	assert_int_equal(mw_cgroup_reclaim(fd, 4096, soon, &freed), -ENOENT);
	tree_file("cgroup.procs", "");
	assert_int_equal(mw_cgroup_reclaim(fd, 4096, soon, &freed), -EOPNOTSUPP);
	assert_int_equal(freed, 7);
	tree_file("memory.reclaim", "");
	tree_file("memory.current", "1000000\n");
	assert_int_equal(mw_cgroup_reclaim(fd, 1 << 20, soon, &freed), 0); /* frees nothing: until the deadline */
	assert_int_equal(freed, 0);
	tree_file("memory.reclaim", "");
	freed = 7;
	assert_int_equal(mw_cgroup_reclaim(fd, 100, soon + MW_NS_PER_S, &freed), 0); /* less than a page */
	/* once: believed where the kernel does not complain, and over after as much as was asked for */
	assert_int_equal(mw_cgroup_reclaim_once(fd, 3 << 20, mw_now_ns() + MW_NS_PER_S, &freed), 0);
	assert_int_equal(freed, 3 << 20);
	assert_int_equal(mw_cgroup_reclaim_once(fd, 3 << 20, mw_now_ns() - 1, &freed), 0);
	assert_int_equal(freed, 0);
	assert_int_equal(freed, 0);
}

static void follows_protection_upwards(void **state)
{
	char blocker[64] = "x";
	__u64 low = 7;

	(void)state;
	tree_file("a/memory.low", "0\n");
	tree_file("a/b/memory.low", "500\n");
	tree_file("a/b/c/memory.low", "1000\n");
	assert_int_equal(mw_cgroup_effective_low(tree, "/a/b/c", &low, blocker, sizeof(blocker)), 0);
	assert_int_equal(low, 0);
	assert_string_equal(blocker, "a");
	tree_file("a/memory.low", "max\n");
	assert_int_equal(mw_cgroup_effective_low(tree, "a/b/c", &low, blocker, sizeof(blocker)), 0);
	assert_int_equal(low, 500);
	assert_string_equal(blocker, "a/b");
	assert_int_equal(mw_cgroup_effective_low(tree, "a/b/c", &low, blocker, 3), -ENAMETOOLONG);
	assert_int_equal(mw_cgroup_effective_low(tree, "a", &low, blocker, sizeof(blocker)), 0);
	assert_true(low == MW_UNLIMITED);
	assert_string_equal(blocker, "");
	assert_int_equal(mw_cgroup_effective_low(tree, "a/none", &low, blocker, sizeof(blocker)), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(finds_the_mount),
		tree_test(reads_numbers),
		tree_test(reads_what_fits),
		tree_test(writes),
		cmocka_unit_test(finds_keys),
		tree_test(knows_the_memory_controller),
		tree_test(samples),
		tree_test(lists_members),
		tree_test(lists_many_members),
		tree_test(lists_cgroups),
		tree_test(refuses_bottomless_trees),
		tree_test(knows_states),
		tree_test(kills_members_without_cgroup_kill),
		tree_test(reclaims_only_where_it_can),
		tree_test(follows_protection_upwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
