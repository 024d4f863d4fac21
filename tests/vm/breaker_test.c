/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The squeeze breaker on a real kernel, without BPF (poll mode): a worker over
 * memory.high with nothing to reclaim, unguarded and guarded in the same boot. Root, cgroup v2.
 */
#include "../unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/keeper.h"
#include "daemon/breaker.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define ROOT	  "/sys/fs/cgroup"
#define CLASS	  ROOT "/memweir-test"
#define WORKER	  CLASS "/w"
#define HIGH	  (24ULL << 20)
#define BASE	  (20UL << 20) /* what the worker uses before a burst */
#define BURST	  (13UL << 20)
#define STEP	  (256UL << 10)
#define HUGE_PAGE (2UL << 20)
#define THREADS	  8
#define STACK	  (64UL << 10)
#define PATIENCE  (8 * MW_NS_PER_S) /* an unguarded burst is ended after this long: "at least" */
#define BURSTS	  12
#define SLOT	  0

enum load { LOAD_STEPS, LOAD_READ, LOAD_THREADS, LOAD_HUGE, LOAD_MAX };
static const char *const load_names[] = {"256 KiB steps", "one 13 MB read()", "8 threads", "huge pages"};

/* Between the test and its worker. */
static struct shared {
	int go, done; /* numbers of bursts */
	enum load load;
	__u64 took_ns, longest_ns; /* of the burst; of one step in it */
	__u64 alive; /* counts while the worker runs */
} * shared;

static struct fixture {
	int class_fd, dir;
	pid_t worker;
	__u64 id;
	struct mw_keeper_table *table;
	struct mw_breaker *b;
} fx;

/* ---- the worker ---- */

static char *area, *stacks;

/*
 * Memory that never has huge pages, all of it: what is mapped beside a mapping that may have them grows
 * together with it, and takes 2 MiB at its first touch. So libc's own thread stacks could, before 6.7.
 */
static char *small_pages(size_t n)
{
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise(p, n, MADV_NOHUGEPAGE))
		_exit(8);
	return p;
}

static void touch(char *p, size_t n)
{
	for (size_t i = 0; i < n; i += 4096)
		((volatile char *)p)[i] = 1;
}

static void burst_steps(void)
{
	for (size_t at = 0; at < BURST; at += STEP) {
		__u64 begin = mw_now_ns(), took;

		touch(area + at, STEP);
		took = mw_now_ns() - begin;
		if (took > shared->longest_ns)
			shared->longest_ns = took;
		poll(NULL, 0, 1);
	}
}

static void burst_read(void)
{
	int fd = open("/dev/zero", O_RDONLY);
	size_t at = 0;

	/* A pulse cuts a read of this device short: one of its known costs. */
	while (at < BURST) {
		ssize_t n = read(fd, area + at, BURST - at);

		at += n > 0 ? (size_t)n : 0;
	}
	close(fd);
}

static void *touch_part(void *p)
{
	touch(p, BURST / THREADS / 4096 * 4096);
	return NULL;
}

static void burst_threads(void)
{
	pthread_t threads[THREADS];
	pthread_attr_t own;

	pthread_attr_init(&own);
	for (int i = 0; i < THREADS; i++) {
		pthread_attr_setstack(&own, stacks + i * STACK, STACK);
		pthread_create(&threads[i], &own, touch_part, area + (size_t)i * HUGE_PAGE);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void burst_huge(void)
{
	size_t room = 7 * HUGE_PAGE;
	/* Of its own: where small pages have been, their page tables stay and keep huge ones out. */
	char *huge = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *aligned = (char *)(((unsigned long)huge + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));

	madvise(huge, room, MADV_HUGEPAGE);
	for (size_t i = 0; i < 6; i++)
		touch(aligned + i * HUGE_PAGE, 4096);
	munmap(huge, room);
}

static void burst(void)
{
	static void (*const bursts[])(void) = {burst_steps, burst_read, burst_threads, burst_huge};
	__u64 begin = mw_now_ns();

	shared->longest_ns = 0;
	bursts[shared->load]();
	shared->took_ns = mw_now_ns() - begin;
	if (shared->load != LOAD_STEPS)
		shared->longest_ns = shared->took_ns;
	madvise(area, 16 * HUGE_PAGE, MADV_DONTNEED);
}

static void worker_main(void)
{
	int fd = open(WORKER "/cgroup.procs", O_WRONLY);

	if (write(fd, "0", 1) != 1)
		_exit(9);
	close(fd);
	memset(small_pages(BASE), 1, BASE);
	stacks = small_pages(THREADS * STACK);
	area = small_pages(17 * HUGE_PAGE);
	area = (char *)(((unsigned long)area + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	for (;;) {
		int go = __atomic_load_n(&shared->go, __ATOMIC_ACQUIRE);

		if (go != shared->done) {
			burst();
			__atomic_store_n(&shared->done, go, __ATOMIC_RELEASE);
		}
		__atomic_fetch_add(&shared->alive, 1, __ATOMIC_RELAXED);
		poll(NULL, 0, 1);
	}
}

/* ---- the test's hands ---- */

/* How long whoever waits here got no turn, although nothing limits him: the machine stood still, for workers as well.
 */
static __u64 stood_ns;

static bool wait_until(bool (*condition)(void), __u64 ns)
{
	__u64 now = mw_now_ns(), until = now + ns, last;
	bool met = condition();

	while (!met && now < until) {
		poll(NULL, 0, 1);
		last = now;
		now = mw_now_ns();
		if (now - last > 100 * MW_NS_PER_MS)
			stood_ns += now - last;
		met = condition();
	}
	return met;
}

static bool burst_done(void)
{
	return __atomic_load_n(&shared->done, __ATOMIC_ACQUIRE) == shared->go;
}

static bool worker_settled(void)
{
	__u64 bytes = 0;

	mw_cgroup_read_u64(fx.dir, "memory.current", &bytes);
	return shared->alive > 5 && bytes > BASE && bytes < HIGH - (2 << 20);
}

/* Says what it has instead where it does not. */
static void expect_settled(void)
{
	__u64 bytes = 0;

	if (wait_until(worker_settled, 10 * MW_NS_PER_S))
		return;
	mw_cgroup_read_u64(fx.dir, "memory.current", &bytes);
	fail_msg("the worker has %llu bytes, expected %lu to %llu; it came round %llu times", bytes, BASE,
		 HIGH - (2 << 20), shared->alive);
}

static bool asleep(void)
{
	pid_t tid;

	return mw_cgroup_throttled("/proc", fx.dir, &tid, 1) > 0;
}

static void begin_burst(enum load load, const char *high)
{
	expect_settled();
	assert_int_equal(mw_cgroup_write(fx.dir, "memory.high", high), 0);
	shared->load = load;
	__atomic_add_fetch(&shared->go, 1, __ATOMIC_RELEASE);
}

/* End a burst that is throttled, by hand. */
static void end_burst(void)
{
	mw_cgroup_write(fx.dir, "memory.high", "max");
	while (!wait_until(burst_done, 20 * MW_NS_PER_MS)) {
		mw_cgroup_freeze(fx.dir, true);
		mw_cgroup_freeze(fx.dir, false);
	}
}

static void start_breaker(bool poll_events)
{
	struct mw_breaker_options opts = {.proc_root = "/proc",
					  .table = fx.table,
					  .max_workers = 4,
					  .poll_events = poll_events};

	assert_int_equal(mw_breaker_new(&opts, &fx.b, NULL), 0);
	assert_int_equal(mw_breaker_add(fx.b, SLOT, fx.id, fx.dir, &fx.class_fd, 1, true), 0);
}

static void stop_breaker(void)
{
	mw_breaker_free(fx.b);
	fx.b = NULL;
}

static int set_up(void **state)
{
	int fd = open(ROOT "/cgroup.subtree_control", O_WRONLY);

	(void)state;
	if (fd < 0 || write(fd, "+memory", 7) < 0) {
		print_message("needs root and the memory controller on cgroup v2\n");
		return -1;
	}
	close(fd);
	mkdir(CLASS, 0755);
	fx.class_fd = mw_cgroup_open(CLASS);
	mw_cgroup_write(fx.class_fd, "cgroup.subtree_control", "+memory");
	mkdir(WORKER, 0755);
	fx.dir = mw_cgroup_open(WORKER);
	fx.id = mw_cgroup_id(fx.dir);
	mw_cgroup_write(fx.dir, "memory.max", "64M");
	mw_cgroup_write(fx.dir, "memory.swap.max", "0");
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fx.table = calloc(1, sizeof(*fx.table) + 4 * sizeof(fx.table->slots[0]));
	fx.table->slots[SLOT].cgroup_id = fx.id;
	fx.worker = fork();
	if (!fx.worker)
		worker_main();
	return fx.dir < 0;
}

static int tear_down(void **state)
{
	(void)state;
	mw_cgroup_kill(fx.dir);
	waitpid(fx.worker, NULL, 0);
	rmdir(WORKER);
	rmdir(CLASS);
	free(fx.table);
	return 0;
}

/* ---- tests ---- */

static __u64 less(__u64 a, __u64 b)
{
	return a > b ? a - b : 0;
}

/* Time of an unlimited burst: what is longer than this is stall. */
static __u64 measure_free(enum load load, __u64 *ret_longest)
{
	__u64 took = 0;

	*ret_longest = 0;
	for (int i = 0; i < 5; i++) {
		begin_burst(load, "max");
		assert_true(wait_until(burst_done, 20 * MW_NS_PER_S));
		if (shared->took_ns > took)
			took = shared->took_ns;
		if (shared->longest_ns > *ret_longest)
			*ret_longest = shared->longest_ns;
	}
	return took;
}

static __u64 measure_unguarded(enum load load)
{
	__u64 begin;

	begin_burst(load, "24M");
	begin = mw_now_ns();
	if (wait_until(burst_done, PATIENCE))
		return shared->took_ns;
	begin = mw_now_ns() - begin;
	end_burst();
	return begin;
}

static void poll_mode_ends_the_squeeze(void **state)
{
	(void)state;
	for (enum load load = 0; load < LOAD_MAX; load++) {
		__u64 free_longest, usual = measure_free(load, &free_longest),
				    unguarded = less(measure_unguarded(load), usual);
		__u64 longest = 0, total = 0;

		start_breaker(true);
		for (int i = 0; i < BURSTS; i++) {
			stood_ns = 0;
			begin_burst(load, "24M");
			assert_true(wait_until(burst_done, 20 * MW_NS_PER_S));
			if (less(shared->longest_ns, free_longest + stood_ns) > longest)
				longest = less(shared->longest_ns, free_longest + stood_ns);
			total += less(shared->took_ns, usual + stood_ns);
		}
		stop_breaker();
		print_message("%-17s unlimited burst %llu ms; stall unguarded %s%llu ms, guarded %llu ms a burst, "
			      "longest %llu ms of %d\n",
			      load_names[load], usual / MW_NS_PER_MS, unguarded + usual >= PATIENCE ? ">= " : "",
			      unguarded / MW_NS_PER_MS, total / BURSTS / MW_NS_PER_MS, longest / MW_NS_PER_MS, BURSTS);
		assert_true(unguarded > MW_NS_PER_S); /* there was something to end */
		/* what holds on any machine, also an emulated one that has other things to do; how long exactly: make
		 * bench */
		assert_true(longest <= MW_NS_PER_S);
		assert_true(total / BURSTS * 10 <= unguarded);
	}
}

static void reports_tell_what_was_done(void **state)
{
	struct mw_breaker_report r;
	struct pollfd p;

	(void)state;
	start_breaker(true);
	begin_burst(LOAD_READ, "24M");
	assert_true(wait_until(burst_done, 20 * MW_NS_PER_S));
	p = (struct pollfd){mw_breaker_fd(fx.b), POLLIN, 0};
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_true(mw_breaker_next(fx.b, &r));
	print_message("sleep of %llu ms seen, %u pulses\n", r.slept_ns / MW_NS_PER_MS, r.pulses);
	assert_true(r.lifted && r.pulses > 0 && r.tid > 0);
	assert_int_equal(r.cgroup_id, fx.id);
	assert_int_equal(mw_cgroup_frozen(fx.dir), 0);
	assert_int_equal(fx.table->slots[SLOT].frozen, 0);
	stop_breaker();
}

static void ancestor_is_lifted(void **state)
{
	struct mw_breaker_report r;
	struct pollfd p;

	(void)state;
	start_breaker(true);
	expect_settled();
	mw_cgroup_write(fx.class_fd, "memory.high", "24M");
	begin_burst(LOAD_READ, "max");
	assert_true(wait_until(burst_done, 20 * MW_NS_PER_S));
	p = (struct pollfd){mw_breaker_fd(fx.b), POLLIN, 0};
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_true(mw_breaker_next(fx.b, &r));
	assert_int_equal(r.lifted_above, mw_cgroup_id(fx.class_fd));
	print_message("class over its memory.high: burst of %llu ms\n", shared->took_ns / MW_NS_PER_MS);
	stop_breaker();
	mw_cgroup_write(fx.class_fd, "memory.high", "max");
}

static void administrators_freeze_stays(void **state)
{
	struct mw_breaker_report r = {0};

	(void)state;
	begin_burst(LOAD_READ, "24M");
	assert_true(wait_until(asleep, 10 * MW_NS_PER_S));
	mw_cgroup_freeze(fx.dir, true);
	start_breaker(false);
	mw_breaker_throttle(fx.b, SLOT, fx.worker, mw_now_ns());
	for (int i = 0; i < 100; i++) {
		assert_int_equal(mw_cgroup_frozen(fx.dir), 1);
		poll(NULL, 0, 5);
	}
	mw_breaker_remove(fx.b, SLOT);
	while (mw_breaker_next(fx.b, &r))
		assert_int_equal(r.pulses, 0);
	assert_true(r.lifted);
	stop_breaker();
	assert_int_equal(mw_cgroup_frozen(fx.dir), 1);
	mw_cgroup_freeze(fx.dir, false);
	end_burst();
}

static void say(const char *line)
{
	print_message("keeper: %s\n", line);
}

/* This program again: freezes the worker as a pulse does, and dies before the thaw. */
static int dying_daemon(void)
{
	int dir = mw_cgroup_open(WORKER);
	struct mw_keeper_link *l;
	__u64 id = mw_cgroup_id(dir);

	if (mw_keeper_connect(4, &l, NULL))
		return 9;
	mw_keeper_beat(l, mw_now_ns());
	mw_keeper_add(l, SLOT, id, dir, true);
	if (!mw_keeper_mark_frozen(mw_keeper_table(l), SLOT, id, true))
		return 8;
	mw_cgroup_freeze(dir, true);
	return kill(getpid(), SIGKILL);
}

static __u64 alive_before;

static bool goes_on(void)
{
	return __atomic_load_n(&shared->alive, __ATOMIC_RELAXED) > alive_before + 5;
}

static void death_between_freeze_and_thaw_is_mended(void **state)
{
	char *argv[] = {"test", "dying-daemon", NULL};
	const struct mw_keeper_options opts = {
		.argv = argv, .daemon_path = "/proc/self/exe", .n_slots = 4, .once = true, .say = say};
	__u64 high = 0, begin;
	pid_t keeper;

	(void)state;
	expect_settled();
	mw_cgroup_write(fx.dir, "memory.high", "24M");
	keeper = fork();
	if (!keeper)
		_exit(mw_keeper_run(&opts));
	begin = mw_now_ns();
	assert_int_equal(waitpid(keeper, NULL, 0), keeper);
	alive_before = __atomic_load_n(&shared->alive, __ATOMIC_RELAXED);
	assert_true(wait_until(goes_on, 10 * MW_NS_PER_S)); /* thawed it is already, below; its turn may be late */
	print_message("worker runs again %llu ms after the daemon's start\n", (mw_now_ns() - begin) / MW_NS_PER_MS);
	assert_int_equal(mw_cgroup_frozen(fx.dir), 0);
	assert_int_equal(mw_cgroup_read_u64(fx.dir, "memory.high", &high), 0);
	assert_true(high == MW_UNLIMITED);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_tell_what_was_done),
		cmocka_unit_test(poll_mode_ends_the_squeeze),
		cmocka_unit_test(ancestor_is_lifted),
		cmocka_unit_test(administrators_freeze_stays),
		cmocka_unit_test(death_between_freeze_and_thaw_is_mended),
	};

	if (argc == 2 && !strcmp(argv[1], "dying-daemon"))
		return dying_daemon();
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests_name("vm/breaker", tests, set_up, tear_down);
}
