/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "fake_tree.h"

#include "core/proc.h"
#include "util/clock.h"

static void process(pid_t pid, const char *comm, pid_t ppid, unsigned long long start)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "%d/stat", pid);
	snprintf(text, sizeof(text), "%d (%s) S %d 1 1 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 %llu 1000 2 3\n", pid,
		 comm, ppid, start);
	tree_file(path, text);
}

static void finds_the_cgroup(void **state)
{
	char path[64] = "untouched", longest[5000];

	(void)state;
	assert_int_equal(mw_proc_cgroup(tree, 5, path, sizeof(path)), -ESRCH);
	tree_file("5/cgroup", "9:name=systemd:/x\n1:cpu:/\n");
	assert_int_equal(mw_proc_cgroup(tree, 5, path, sizeof(path)), -ENOENT);
	tree_file("5/cgroup", "9:name=systemd:/0::/x\n0::/memweir/tool/w1\n");
	assert_int_equal(mw_proc_cgroup(tree, 5, path, sizeof(path)), 0);
	assert_string_equal(path, "/memweir/tool/w1");
	tree_file("5/cgroup", "0::/"); /* newline missing */
	assert_int_equal(mw_proc_cgroup(tree, 5, path, sizeof(path)), 0);
	assert_string_equal(path, "/");
	tree_file("5/cgroup", "0::/memweir/tool/w1 (deleted)\n");
	assert_int_equal(mw_proc_cgroup(tree, 5, path, sizeof(path)), -ESRCH);
	tree_file("5/cgroup", "0::/memweir/tool/w1\n");
	assert_int_equal(mw_proc_cgroup(tree, 5, path, 16), -ENAMETOOLONG);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "0::/", 4);
	tree_bytes("5/cgroup", longest, sizeof(longest));
	assert_int_equal(mw_proc_cgroup(tree, 5, path, sizeof(path)), -ENAMETOOLONG);
	tree_bytes("5/cgroup", "\0\1\2\xff", 4);
	assert_int_equal(mw_proc_cgroup(tree, 5, path, sizeof(path)), -ENOENT);
	assert_string_equal(path, "/");
}

static void reads_the_command(void **state)
{
	char comm[16] = "untouched";

	(void)state;
	tree_file("5/comm", "node\n");
	mw_proc_comm(tree, 5, comm, sizeof(comm));
	assert_string_equal(comm, "node");
	mw_proc_comm(tree, 6, comm, sizeof(comm));
	assert_string_equal(comm, "");
	tree_file("5/comm", "much-longer-than-any-command-can-be-but-who-knows-what-a-fake-process-file-may-hold");
	mw_proc_comm(tree, 5, comm, sizeof(comm));
	assert_string_equal(comm, "much-longer-tha");
	mw_proc_comm(tree, 5, comm, 0);
}

static void reads_parent_and_start(void **state)
{
	static const char *const hostile[] = {"", "5", "5 (x", "5 (x)", "5 (x) S", "5 (x) S a b", "5 (x) S -1 2\n"};
	__u64 ticks = 7;
	pid_t ppid = 7;

	(void)state;
	process(5, "x) S 99 (y", 3, 123456789012ULL); /* a name that looks like fields */
	assert_int_equal(mw_proc_ppid(tree, 5, &ppid), 0);
	assert_int_equal(ppid, 3);
	assert_int_equal(mw_proc_start_ticks(tree, 5, &ticks), 0);
	assert_true(ticks == 123456789012ULL);
	assert_int_equal(mw_proc_start_ticks(tree, 6, &ticks), -ESRCH);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		ppid = 7;
		tree_file("5/stat", hostile[i]);
		assert_int_equal(mw_proc_ppid(tree, 5, &ppid), -EBADMSG);
		assert_int_equal(ppid, 7);
		assert_int_equal(mw_proc_start_ticks(tree, 5, &ticks), -EBADMSG);
	}
	tree_file("5/stat", "5 (x) S 99999999999 1\n");
	assert_int_equal(mw_proc_ppid(tree, 5, &ppid), -EBADMSG);
}

/* Ticks of 10 ms; times in between are of the clock that stands still while the machine sleeps. */
static void began_after_what_was_seen(void **state)
{
	const __u64 tick = 1000000000ULL / (__u64)sysconf(_SC_CLK_TCK);
	__u64 ticks, suspended = mw_suspended_ns();

	(void)state;
	assert_true(mw_proc_began_after(501, 500 * tick, 0));
	assert_true(mw_proc_began_after(501, 501 * tick - 1, 0));
	assert_false(mw_proc_began_after(501, 501 * tick, 0));
	assert_false(mw_proc_began_after(501, 400 * tick, 101 * tick));
	assert_true(mw_proc_began_after(501, 400 * tick, 101 * tick - 1));
	assert_int_equal(mw_proc_start_ticks("/proc", getpid(), &ticks), 0);
	assert_false(mw_proc_began_after(ticks, mw_now_ns(), suspended));
	assert_true(mw_proc_began_after(ticks, ticks * tick - suspended - 1, suspended));
	assert_true(mw_proc_same_start(7, 7) && mw_proc_same_start(7, (1ULL << 32) + 7) && !mw_proc_same_start(7, 8));
}

static void says_whether_it_runs(void **state)
{
	__u64 cpu = 7;
	char is = 0;

	(void)state;
	assert_int_equal(mw_proc_thread(tree, 5, &is, &cpu), -ESRCH);
	tree_file("5/task/5/stat", "5 (x) S (y) R 3 1 1 0 -1 0 1 0 0 0 12 30 0 0 20 0 1 0 4242 1000 2 3\n");
	assert_int_equal(mw_proc_thread(tree, 5, &is, &cpu), 0);
	assert_int_equal(is, 'R');
	assert_true(cpu == 42 * 1000000000ULL / (__u64)sysconf(_SC_CLK_TCK));
	tree_file("5/task/5/stat", "5 (x) R 3 1 1 0 -1 0 1\n");
	assert_int_equal(mw_proc_thread(tree, 5, &is, &cpu), -EBADMSG);
}

static void reads_memory(void **state)
{
	__u64 anon = 7, swap = 7, shmem = 7, file = 7;

	(void)state;
	assert_int_equal(mw_proc_memory(tree, 5, &anon, &swap, &shmem, &file), -ESRCH);
	assert_int_equal(anon, 7);
	tree_file("5/status",
		  "Name:\tx\nRssAnon:\t    100 kB\nRssFile:\t   50 kB\nRssShmem:\t  7 kB\nVmSwap:\t   3 kB");
	assert_int_equal(mw_proc_memory(tree, 5, &anon, &swap, &shmem, &file), 0);
	assert_true(anon == 102400 && file == 51200 && shmem == 7168 && swap == 3072);
	tree_file("5/status", "Name:\tkthreadd\n"); /* has no memory of its own */
	assert_int_equal(mw_proc_memory(tree, 5, &anon, &swap, &shmem, &file), 0);
	assert_true(!anon && !file && !shmem && !swap);
	tree_file("5/status", "RssAnon:\tlots\nVmSwap:\t99999999999999999999 kB\nRssFile:");
	assert_int_equal(mw_proc_memory(tree, 5, &anon, &swap, &shmem, &file), 0);
	assert_true(!anon && !file && !swap);
}

static void knows_who_is_dying(void **state)
{
	(void)state;
	assert_true(mw_proc_dying(tree, 8)); /* there is none */
	tree_file("8/stat", "8 (x) S 3 8 8 0 -1 4194560 0 0 0 0 12 30 0 0 20 0 1 0 4242 1000 2 3\n");
	tree_file("8/status", "Name:\tx\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000004000\n");
	assert_false(mw_proc_dying(tree, 8)); /* SIGTERM may be held off */
	tree_file("8/status", "Name:\tx\nSigPnd:\t0000000000000100\nShdPnd:\t0000000000000000\n");
	assert_true(mw_proc_dying(tree, 8));
	tree_file("8/status", "Name:\tx\n");
	assert_false(mw_proc_dying(tree, 8));
	tree_file("8/stat", "8 (x) R 3 8 8 0 -1 4194564 0 0 0 0 12 30 0 0 20 0 1 0 4242 1000 2 3\n");
	assert_true(mw_proc_dying(tree, 8));
}

static void knows_the_throttle(void **state)
{
	(void)state;
	assert_int_equal(mw_proc_throttled(tree, 5), -ESRCH);
	tree_file("5/wchan", "mem_cgroup_handle_over_high");
	assert_int_equal(mw_proc_throttled(tree, 5), 1);
	tree_file("5/wchan", "__mem_cgroup_handle_over_high");
	assert_int_equal(mw_proc_throttled(tree, 5), 1);
	tree_file("5/wchan", "do_epoll_wait");
	assert_int_equal(mw_proc_throttled(tree, 5), 0);
	tree_file("5/wchan", "0");
	assert_int_equal(mw_proc_throttled(tree, 5), 0);
}

static void knows_a_tree(void **state)
{
	pid_t members[] = {10, 11, 12};

	(void)state;
	process(1, "init", 0, 1);
	process(10, "main", 1, 2);
	process(11, "child", 10, 3);
	process(12, "grandchild", 11, 4);
	assert_true(mw_proc_tree_fills(tree, 10, members, 3));
	assert_true(mw_proc_tree_fills(tree, 1, (pid_t[]){1, 10, 12}, 3));
	assert_false(mw_proc_tree_fills(tree, 11, members, 3));
	assert_false(mw_proc_tree_fills(tree, 10, (pid_t[]){11, 12}, 2)); /* it is not in there itself */
	assert_false(mw_proc_tree_fills(tree, 10, NULL, 0));
	assert_true(mw_proc_tree_fills(tree, 10, (pid_t[]){10, 99}, 2)); /* 99 has ended meanwhile */
	process(12, "adopted", 1, 4);
	assert_false(mw_proc_tree_fills(tree, 10, members, 3));
	process(11, "loop", 12, 3);
	process(12, "loop", 11, 3);
	assert_false(mw_proc_tree_fills(tree, 10, members, 3));
}

static void reads_swap(void **state)
{
	__u64 total = 7, unused = 7;

	(void)state;
	assert_int_equal(mw_proc_swap(tree, &total, &unused), -ENOENT);
	tree_file("meminfo", "MemTotal: 5 kB\nSwapCached: 9 kB\nSwapTotal:    1024 kB\nSwapFree:      512 kB\n");
	assert_int_equal(mw_proc_swap(tree, &total, &unused), 0);
	assert_true(total == 1 << 20 && unused == 512 << 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(finds_the_cgroup),	      tree_test(reads_the_command), tree_test(reads_parent_and_start),
		tree_test(says_whether_it_runs),      tree_test(reads_memory),	    tree_test(knows_who_is_dying),
		tree_test(knows_the_throttle),	      tree_test(knows_a_tree),	    tree_test(reads_swap),
		tree_test(began_after_what_was_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
