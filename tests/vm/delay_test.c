/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The ledger of pauses beside the kernel's delay accounting (taskstats), for one task on a real kernel. Both count the
 * same waits, but not from the same line to the same line: where they have to differ, the test says why.
 */
#include "pause_fixture.h"
#include "taskstats.h"

/* What a child is to do; then it stays, until its account was read. */
struct errand {
	int (*fn)(void *arg);
	void *arg;
	int done[2];
};

static int stay_after(void *arg)
{
	struct errand *e = arg;
	int r;

	sigaction(SIGUSR1, &(struct sigaction){.sa_handler = ask_to_stop}, NULL);
	if (write(e->done[1], "b", 1) != 1)
		return 1;
	r = e->fn(e->arg);
	if (write(e->done[1], "e", 1) != 1)
		return 1;
	for (;;)
		pause();
	return r;
}

static void hear_child(const struct errand *e, char said)
{
	struct pollfd p = {.fd = e->done[0], .events = POLLIN};
	char c = 0;

	assert_int_equal(poll(&p, 1, 2 * WAIT_S * 1000), 1);
	assert_int_equal(read(e->done[0], &c, 1), 1);
	assert_int_equal(c, said);
}

static pid_t send_child(const struct guarded *g, struct errand *e)
{
	pid_t pid;

	assert_return_code(pipe2(e->done, O_CLOEXEC), errno);
	pid = child_in(g->dir, stay_after, e);
	hear_child(e, 'b');
	return pid;
}

/* After it is done: both accounts stand still. */
static struct taskstats end_child(struct guarded *g, const struct errand *e, pid_t pid)
{
	struct taskstats t = {};

	hear_child(e, 'e');
	assert_int_equal(taskstats_of(pid, &t), 0);
	say_pauses(g);
	print_message("  taskstats %d: freepages %llu, %.1f ms; swapin %llu, %.1f ms; thrashing %llu, %.1f ms; compact "
		      "%llu, %.1f ms\n",
		      t.version, t.freepages_count, (double)t.freepages_delay_total / 1e6, t.swapin_count,
		      (double)t.swapin_delay_total / 1e6, t.thrashing_count, (double)t.thrashing_delay_total / 1e6,
		      t.compact_count, (double)t.compact_delay_total / 1e6);
	put(g->dir, "cgroup.kill", "1");
	reap(pid);
	close(e->done[0]);
	close(e->done[1]);
	assert_int_equal(stats_of(g->k).pause_unmatched, 0);
	return t;
}

/* The kernel keeps such accounts only while it is told to, and of tasks that were forked since. */
static void need_accounts(void)
{
	struct taskstats t;

	need(world.vm, "switches the whole machine's delay accounting on");
	need(put("/proc/sys/kernel", "task_delayacct", "1") == 0, "no kernel.task_delayacct to switch on");
	need(taskstats_of(getpid(), &t) == 0, "no taskstats in this kernel");
}

static int end_accounts(void **state)
{
	if (world.vm)
		put("/proc/sys/kernel", "task_delayacct", "0");
	return give_back(state);
}

/* less <= more, but for a share of clocks that are read at different moments. */
static bool about_at_most(__u64 less, __u64 more)
{
	return less <= more + more / 10;
}

/*
 * Where the machine's clock is unsteady (TSC unsynchronized, as processors of an emulator often are) the scheduler's
 * stands still between ticks, and a pass that took no time by it the kernel does not count.
 */
static bool clock_steady(void)
{
	char source[32] = "";
	int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, source, sizeof(source) - 1) < 0)
		source[0] = '\0';
	mw_close(&fd);
	return strncmp(source, "tsc", 3) == 0 || strncmp(source, "kvm-clock", 9) == 0;
}

#define TICK_SLOT 22 /* 2^22 ns: a tick of 250 Hz, 4 ms */

/*
 * Reclaim: the same passes. The kernel counts the inner part of each, ours the whole of it, which is a little longer;
 * and a pass that freed nothing and is repeated at once, with less consideration, it counts again.
 */
static void assert_same_reclaim(const struct guarded *g, const struct taskstats *t)
{
	static const int kinds[] = {MW_PAUSE_HIGH_RECLAIM, MW_PAUSE_MAX_RECLAIM, MW_PAUSE_GLOBAL_RECLAIM,
				    MW_PAUSE_NODE_RECLAIM};
	__u64 count = 0, total_ns = 0, longest_ns = 0, unseen = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		count += g->p[kinds[i]].count;
		total_ns += g->p[kinds[i]].total_ns;
		if (g->p[kinds[i]].max_ns > longest_ns)
			longest_ns = g->p[kinds[i]].max_ns;
		for (size_t slot = 0; slot < TICK_SLOT && !clock_steady(); slot++)
			unseen += g->p[kinds[i]].hist[slot];
	}
	print_message("  %llu passes, of which %llu may be unseen\n", count, unseen);
	assert_true(count > 0);
	unseen = unseen < t->freepages_count ? unseen : t->freepages_count; /* about half at most */
	assert_true(about_at_most(count, t->freepages_count + 1 + unseen));
	assert_in_range(t->freepages_count, 0, 4 * count);
	assert_true(about_at_most(t->freepages_delay_total, total_ns));
	/* An interruption between the two begins or ends of a pass outweighs a handful of passes. */
	assert_true(count < 100 || total_ns - longest_ns <= 2 * t->freepages_delay_total);
}

/*
 * Thrashing: the kernel counts waits for the lock of an evicted page, and reads of one from swap; each is a memstall.
 * It leaves out the reading ahead of evicted pages of files, which is our thrash as well.
 */
static void test_file(void **state)
{
	struct guarded g = open_guarded("rereader", 24 * MIB, CAP(PAUSE_MEMSTALL) | CAP(PAUSE_RECLAIM));
	struct rounds r = {28 * MIB, 100000};
	struct errand e = {.fn = read_again, .arg = &r};
	struct taskstats t;
	pid_t pid;

	(void)state;
	need_accounts();
	need(access(library, R_OK) == 0, "no library of 50 MB to read");
	pid = send_child(&g, &e);
	wait_for(read_pauses(&g) && g.p[MW_PAUSE_THRASH].count >= 20 && g.p[MW_PAUSE_MAX_RECLAIM].count >= 500);
	kill(pid, SIGUSR1);
	t = end_child(&g, &e, pid);
	assert_same_reclaim(&g, &t);
	assert_true(about_at_most(t.freepages_count + t.thrashing_count, g.p[MW_PAUSE_MEMSTALL].count));
	assert_true(about_at_most(t.freepages_delay_total + t.thrashing_delay_total, g.p[MW_PAUSE_MEMSTALL].total_ns));
	close_guarded(&g);
}

/* Swap-in: one page a fault here. The kernel counts its reading, ours the whole fault but for reclaim in it. */
static void test_swap(void **state)
{
	struct guarded g =
		open_guarded("swapper", 24 * MIB, CAP(PAUSE_MEMSTALL) | CAP(PAUSE_RECLAIM) | CAP(PAUSE_SWAP_IN));
	struct rounds r = {40 * MIB, 4};
	struct errand e = {.fn = touch_again, .arg = &r};
	const struct mw_pause_stat *swap_in = &g.p[MW_PAUSE_SWAP_IN];
	struct taskstats t;

	(void)state;
	need_accounts();
	need(file_has("/proc/swaps", "zram"), "no swap on zram");
	t = end_child(&g, &e, send_child(&g, &e));
	assert_same_reclaim(&g, &t);
	assert_true(swap_in->count >= 10 * MIB / PAGE);
	assert_true(about_at_most(t.swapin_count, swap_in->count) && about_at_most(swap_in->count, t.swapin_count));
	assert_true(about_at_most(t.swapin_delay_total, swap_in->total_ns));
	assert_true(about_at_most(t.thrashing_delay_total, swap_in->total_ns));
	assert_true(about_at_most(t.freepages_count + t.thrashing_count, g.p[MW_PAUSE_MEMSTALL].count));
	close_guarded(&g);
}

#define HUGE_PAGE (2 * MIB)
#define LEFT	  (300 * MIB)

/* Most of memory in huge pages, every second page of what is left, and then huge pages again: there is room, in holes.
 */
static int reserve_in_holes(void *arg)
{
	__u64 few = (*(__u64 *)arg - LEFT) / HUGE_PAGE, all = *(__u64 *)arg / HUGE_PAGE + 20;
	size_t bytes = 2 * LEFT / 3;
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || reserve(&few))
		return 1;
	memset(memory, 1, bytes);
	for (size_t at = 0; at < bytes; at += 2 * PAGE)
		madvise(memory + at, PAGE, MADV_DONTNEED);
	return reserve(&all);
}

static bool said_anything(const struct errand *e)
{
	struct pollfd p = {.fd = e->done[0], .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* One errand of it, until both were seen or it has come to its end. Whether the kernel had to compact. */
static bool starve_host(__u64 bytes)
{
	struct guarded g = open_guarded("thirsty", 0, CAP(PAUSE_HOST_RECLAIM) | CAP(PAUSE_COMPACTION));
	struct errand e = {.fn = reserve_in_holes, .arg = &bytes};
	struct taskstats t;
	pid_t pid = send_child(&g, &e);
	bool compacted;

	for (int s = 0; s < 2 * WAIT_S && !said_anything(&e); s++) {
		poll(NULL, 0, 1000);
		assert_true(read_pauses(&g));
		if (g.p[MW_PAUSE_GLOBAL_RECLAIM].count >= 10 && g.p[MW_PAUSE_COMPACTION].count)
			break;
	}
	kill(pid, SIGUSR1);
	t = end_child(&g, &e, pid);
	assert_same_reclaim(&g, &t);
	assert_true(about_at_most(g.p[MW_PAUSE_COMPACTION].total_ns, t.compact_delay_total));
	compacted = g.p[MW_PAUSE_COMPACTION].count && t.compact_count;
	close_guarded(&g);
	return compacted;
}

/*
 * Compaction: the kernel counts attempts to get a huge page by it, also those that find nothing to do, which are in our
 * other; ours are the zones that were really compacted in such an attempt. Its own daemon may be quicker once.
 */
static void test_host(void **state)
{
	__u64 bytes = figure("/proc", "meminfo", "MemFree:") * 1024;
	bool compacted = false;

	need_accounts();
	need(access("/proc/sys/vm/nr_hugepages", W_OK) == 0 && bytes > 2 * LEFT, "no huge pages to reserve");
	need_memory();
	for (int i = 0; i < 20 && !compacted; i++) {
		compacted = starve_host(bytes);
		give_back(state);
	}
	assert_true(compacted);
}

/* Compaction that was asked for is none that a task waits for to get a page: the kernel leaves it out. Ours count it.
 */
static void test_asked_compaction(void **state)
{
	struct errand e = {.fn = compact};
	struct taskstats t;
	struct guarded g;

	(void)state;
	need_accounts();
	g = open_guarded("compactor", 0, CAP(PAUSE_COMPACTION));
	t = end_child(&g, &e, send_child(&g, &e));
	assert_true(g.p[MW_PAUSE_COMPACTION].count > 0 && g.p[MW_PAUSE_COMPACTION].total_ns > 0);
	assert_int_equal(t.compact_count, 0);
	close_guarded(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_file, end_accounts),
		cmocka_unit_test_teardown(test_swap, end_accounts),
		cmocka_unit_test_teardown(test_host, end_accounts),
		cmocka_unit_test_teardown(test_asked_compaction, end_accounts),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
