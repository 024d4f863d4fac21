/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The ledger of pauses, on a real kernel: every kind where it can be provoked, parts and whole, and PSI beside it. */
#include "pause_fixture.h"

/*
 * The parts that lie inside memstalls, and what is left, make the whole. A swap-in has a part inside, which is not told
 * apart from the rest of it: at most this much.
 */
static void assert_balanced(const struct mw_pause_stat p[MW_PAUSE_MAX], __u64 in_swap_ns)
{
	static const int parts[] = {MW_PAUSE_HIGH_RECLAIM, MW_PAUSE_MAX_RECLAIM, MW_PAUSE_GLOBAL_RECLAIM,
				    MW_PAUSE_NODE_RECLAIM, MW_PAUSE_COMPACTION,	 MW_PAUSE_THRASH,
				    MW_PAUSE_OTHER};
	__u64 sum = 0, whole = p[MW_PAUSE_MEMSTALL].total_ns;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		sum += p[parts[i]].total_ns;
	assert_true(sum <= whole && sum + in_swap_ns >= whole * 99 / 100);
	for (int kind = 0; kind < MW_PAUSE_MAX; kind++) {
		__u64 hist = 0;

		for (int i = 0; i < MW_HIST_SLOTS; i++)
			hist += p[kind].hist[i];
		assert_int_equal(hist, p[kind].count);
		assert_true(p[kind].max_ns <= p[kind].total_ns);
	}
}

static void test_page_cache_that_comes_back(void **state)
{
	struct guarded g = open_guarded("rereader", 24 * MIB, CAP(PAUSE_MEMSTALL));
	struct rounds r = {28 * MIB, 100000};
	pid_t pid;

	(void)state;
	need(access(library, R_OK) == 0, "no library of 50 MB to read");
	pid = child_in(g.dir, read_again, &r);
	/* When the kernel takes pages for a workingset is its own affair. */
	wait_for(read_pauses(&g) && g.p[MW_PAUSE_THRASH].count >= 20 && g.p[MW_PAUSE_MEMSTALL].count >= 500);
	put(g.dir, "cgroup.kill", "1");
	reap(pid);
	say_pauses(&g);
	assert_true(figure(g.dir, "memory.stat", "workingset_refault_file") > 0);
	assert_true(g.p[MW_PAUSE_MAX_RECLAIM].count > 0);
	assert_true(g.p[MW_PAUSE_THRASH].count > 0);
	assert_balanced(g.p, 0);
	assert_true(g.p[MW_PAUSE_OTHER].total_ns <= g.p[MW_PAUSE_MEMSTALL].total_ns / 5);
	assert_psi_agrees(&g);
	close_guarded(&g);
}

static void swap_that_comes_back(const char *name, int (*touch)(void *arg))
{
	struct guarded g = open_guarded(name, 24 * MIB, CAP(PAUSE_MEMSTALL) | CAP(PAUSE_SWAP_IN));
	struct rounds r = {40 * MIB, 4};

	need(file_has("/proc/swaps", "zram"), "no swap on zram");
	assert_int_equal(reap(child_in(g.dir, touch, &r)), 0);
	say_pauses(&g);
	assert_true(g.p[MW_PAUSE_SWAP_IN].count >= 10 * MIB / PAGE);
	assert_true(g.p[MW_PAUSE_SWAP_IN].total_ns > 0);
	assert_true(g.p[MW_PAUSE_MAX_RECLAIM].count > 0);
	assert_balanced(g.p, g.p[MW_PAUSE_SWAP_IN].total_ns);
	assert_psi_agrees(&g);
	close_guarded(&g);
}

static void test_swap_that_comes_back(void **state)
{
	(void)state;
	swap_that_comes_back("swapper", touch_again);
}

static void test_shared_memory_that_comes_back(void **state)
{
	(void)state;
	swap_that_comes_back("sharer", touch_shared_again);
}

/* Whose limit: that of the cgroup above. */
static void test_limit_above(void **state)
{
	struct mw_kernel *k = open_kernel_with(CAP(PAUSE_LIMIT) | CAP(PAUSE_MEMSTALL));
	struct rounds r = {40 * MIB, 1};
	const struct mw_event *pause;
	const char *outer, *inner;

	(void)state;
	need_memory();
	outer = make_cgroup("outer");
	put(outer, "cgroup.subtree_control", "+memory");
	put(outer, "memory.max", "%llu", 20 * MIB);
	inner = make_cgroup("outer/inner");
	guard(k, inner, 0, 1, 0);
	reap(child_in(inner, read_again, &r));
	hear_all(k);
	pause = find_event(MW_EVENT_PAUSE, id_of(inner));
	assert_true(pause != NULL);
	assert_int_equal(pause->limit_id, id_of(outer));
	assert_true(pause->value > 0); /* pages reclaimed */
	close_kernel();
	drop_cgroup(inner);
	drop_cgroup(outer);
}

static void test_oom_is_a_pause(void **state)
{
	struct guarded g = open_guarded("dier", 20 * MIB, CAP(PAUSE_OOM));
	struct rounds r = {40 * MIB, 1};

	(void)state;
	put(g.dir, "memory.swap.max", "0");
	assert_int_equal(WTERMSIG(reap(child_in(g.dir, touch_again, &r))), SIGKILL);
	say_pauses(&g);
	assert_true(g.p[MW_PAUSE_OOM].count >= 1 && g.p[MW_PAUSE_OOM].total_ns > 0);
	close_guarded(&g);
}

/* Who asks the kernel to compact memory does it itself. */
static void test_compaction(void **state)
{
	struct guarded g;

	(void)state;
	need(world.vm, "compacts the whole machine's memory");
	g = open_guarded("compactor", 0, CAP(PAUSE_COMPACTION));
	assert_int_equal(reap(child_in(g.dir, compact, NULL)), 0);
	say_pauses(&g);
	assert_true(g.p[MW_PAUSE_COMPACTION].count > 0 && g.p[MW_PAUSE_COMPACTION].total_ns > 0);
	close_guarded(&g);
}

/* Who reserves more huge pages than are free makes room for them by itself, until it is killed; nobody else is. */
static void test_reclaim_for_the_host(void **state)
{
	__u64 pages = figure("/proc", "meminfo", "MemFree:") / 2048 + 20;
	struct guarded g;
	pid_t pid;

	(void)state;
	need(world.vm, "makes the whole machine short of memory");
	need(access("/proc/sys/vm/nr_hugepages", W_OK) == 0, "no huge pages to reserve");
	need_memory();
	g = open_guarded("thirsty", 0, CAP(PAUSE_HOST_RECLAIM));
	pid = child_in(g.dir, reserve, &pages);
	/* Two thousand huge pages come first, which takes half a minute under emulation. */
	for (int s = 0; s < 4 * WAIT_S && !g.p[MW_PAUSE_GLOBAL_RECLAIM].count; s++) {
		poll(NULL, 0, 1000);
		assert_true(read_pauses(&g));
	}
	put(g.dir, "cgroup.kill", "1");
	reap(pid);
	say_pauses(&g);
	assert_true(g.p[MW_PAUSE_GLOBAL_RECLAIM].total_ns > 0);
	close_guarded(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_page_cache_that_comes_back, end_test),
		cmocka_unit_test_teardown(test_swap_that_comes_back, end_test),
		cmocka_unit_test_teardown(test_shared_memory_that_comes_back, end_test),
		cmocka_unit_test_teardown(test_limit_above, end_test),
		cmocka_unit_test_teardown(test_oom_is_a_pause, end_test),
		cmocka_unit_test_teardown(test_compaction, end_test),
		cmocka_unit_test_teardown(test_reclaim_for_the_host, give_back),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
