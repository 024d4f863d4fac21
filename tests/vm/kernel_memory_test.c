/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The kernel side, on a real kernel: workers that meet their limits. Pauses, OOM, growth. */
#include "kernel_fixture.h"

#define PAGE 4096ULL

struct squeeze {
	size_t bytes;
	__u64 wall_ns; /* by the child's own clock */
	__u64 slept_ns; /* less the time on a CPU, a starved one too */
};

static __u64 cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static int grow_slowly(void *arg)
{
	struct squeeze *s = arg;
	char *memory = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__u64 begin = now_ns(), begin_cpu = cpu_ns();

	for (size_t at = 0; at < s->bytes; at += PAGE)
		memory[at] = 1;
	s->wall_ns = now_ns() - begin;
	s->slept_ns = s->wall_ns - (cpu_ns() - begin_cpu);
	return 0;
}

static struct squeeze *shared_squeeze(size_t bytes)
{
	struct squeeze *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	s->bytes = bytes;
	return s;
}

/* The first one over the budget of that kind: under emulation a reclaim can pass it too. */
static const struct mw_event *find_pause(__u64 worker, enum mw_pause_kind kind)
{
	for (size_t i = 0; i < heard.count; i++) {
		const struct mw_event *e = &heard.events[i];

		if (e->type == MW_EVENT_PAUSE && e->cgroup_id == worker && e->kind == kind)
			return e;
	}
	return NULL;
}

static void test_squeeze_is_measured(void **state)
{
	struct mw_kernel *k = open_kernel("", 8, 0);
	struct mw_pause_stat p[MW_PAUSE_MAX];
	struct squeeze *s = shared_squeeze(26 * MIB);
	const struct mw_event *near, *sleep, *pause;
	const char *dir;
	__u64 id, hist = 0;

	(void)state;
	need_memory();
	need_cap(k, MW_CAP_THROTTLE_EVENT);
	need_cap(k, MW_CAP_PAUSE_MEMSTALL);
	dir = make_cgroup("squeezed");
	id = id_of(dir);
	put(dir, "memory.swap.max", "0");
	put(dir, "memory.high", "%llu", 24 * MIB);
	guard(k, dir, 0, 10000000, 4 * MIB);
	reap(child_in(dir, grow_slowly, s));
	hear_all(k);
	near = find_event(MW_EVENT_NEAR_HIGH, id);
	sleep = find_event(MW_EVENT_THROTTLE, id);
	pause = find_pause(id, MW_PAUSE_HIGH_THROTTLE);
	assert_true(near && sleep && pause);
	print_message("  near-high is event %llu, the first sleep %llu, its pause %llu; %s\n", near->seq, sleep->seq,
		      pause->seq,
		      find_pause(id, MW_PAUSE_HIGH_RECLAIM) ? "a reclaim passed the budget" : "no long reclaim");
	assert_true(near->seq < sleep->seq);
	assert_true(sleep->seq < pause->seq);
	assert_true(near->value >= 20 * MIB && near->value < 25 * MIB);
	assert_true(sleep->duration_ns >= 10000000 && sleep->duration_ns <= 2000000000);
	assert_int_equal(sleep->kind, MW_PAUSE_HIGH_THROTTLE);
	assert_string_equal(sleep->worker, "squeezed");
	assert_int_equal(mw_kernel_pauses_read(k, id, p), 0);
	print_message("  slept %llu of %llu ms; throttle %llu in %llu, memstall %llu, high reclaim %llu ms\n",
		      s->slept_ns / 1000000, s->wall_ns / 1000000, p[MW_PAUSE_HIGH_THROTTLE].total_ns / 1000000,
		      p[MW_PAUSE_HIGH_THROTTLE].count, p[MW_PAUSE_MEMSTALL].total_ns / 1000000,
		      p[MW_PAUSE_HIGH_RECLAIM].total_ns / 1000000);
	assert_true(p[MW_PAUSE_HIGH_THROTTLE].total_ns >= s->slept_ns * 95 / 100);
	assert_true(p[MW_PAUSE_HIGH_THROTTLE].total_ns + p[MW_PAUSE_HIGH_RECLAIM].total_ns <= s->wall_ns);
	assert_in_range(p[MW_PAUSE_HIGH_THROTTLE].count, 1,
			count_events(MW_EVENT_THROTTLE, id)); /* one call may sleep twice */
	assert_true(p[MW_PAUSE_MEMSTALL].total_ns >= p[MW_PAUSE_HIGH_THROTTLE].total_ns * 95 / 100);
	assert_true(p[MW_PAUSE_HIGH_RECLAIM].count > 0);
	assert_int_equal(p[MW_PAUSE_MAX_RECLAIM].count, 0);
	for (int i = 0; i < MW_HIST_SLOTS; i++)
		hist += p[MW_PAUSE_HIGH_THROTTLE].hist[i];
	assert_int_equal(hist, p[MW_PAUSE_HIGH_THROTTLE].count);
	assert_int_equal(stats_of(k).task_storage_failed + stats_of(k).pause_map_full, 0);
	munmap(s, sizeof(*s));
	close_kernel();
	drop_cgroup(dir);
}

/* Programs load while it sleeps: the end that comes has no begin. */
static void test_load_in_mid_stall(void **state)
{
	struct mw_kernel *k = open_kernel("", 8, 0);
	struct squeeze *s = shared_squeeze(28 * MIB);
	struct mw_pause_stat p[MW_PAUSE_MAX];
	const char *dir;
	__u64 loaded;
	pid_t pid;

	(void)state;
	need_memory();
	need_cap(k, MW_CAP_PAUSE_MEMSTALL);
	close_kernel();
	dir = make_cgroup("asleep");
	put(dir, "memory.swap.max", "0");
	put(dir, "memory.high", "%llu", 24 * MIB);
	pid = child_in(dir, grow_slowly, s);
	wait_for(figure(dir, "memory.events", "high") > 16);
	loaded = now_ns();
	k = open_kernel("", 8, 0);
	guard(k, dir, 0, 0, 0);
	/* asleep here with near certainty; sleeps are up to 2 s, and far more than one */
	wait_for(mw_kernel_pauses_read(k, id_of(dir), p) == 0 && p[MW_PAUSE_MEMSTALL].count > 0);
	put(dir, "cgroup.kill", "1");
	reap(pid);
	mw_kernel_pauses_read(k, id_of(dir), p);
	for (int kind = 0; kind < MW_PAUSE_MAX; kind++)
		assert_true(p[kind].total_ns <= now_ns() - loaded);
	print_message("  unmatched ends: %llu\n", stats_of(k).pause_unmatched);
	assert_true(stats_of(k).pause_unmatched <= 2);
	munmap(s, sizeof(*s));
	close_kernel();
	drop_cgroup(dir);
}

/* Reads large files through a small limit: page cache is reclaimed at memory.max. */
static int read_files(void *arg)
{
	static const char *const files[] = {"/usr/lib/llvm-14/lib/libLLVM-14.so.1", "/usr/bin/qemu-system-x86_64",
					    "/usr/lib/llvm-14/lib/libclang-cpp.so.14"};
	static char block[65536];
	size_t total = 0;

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(files) && total < 60 * MIB; i++) {
		int fd = open(files[i], O_RDONLY);
		ssize_t n;

		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		while (total < 60 * MIB && (n = read(fd, block, sizeof(block))) > 0)
			total += n;
	}
	return total >= 60 * MIB ? 0 : 1;
}

static void test_reclaim_at_max_is_measured(void **state)
{
	struct mw_kernel *k = open_kernel("", 8, 0);
	struct mw_pause_stat p[MW_PAUSE_MAX];
	const char *dir;
	int status;

	(void)state;
	need_memory();
	need_cap(k, MW_CAP_PAUSE_RECLAIM);
	dir = make_cgroup("reader");
	put(dir, "memory.max", "%llu", 20 * MIB);
	guard(k, dir, 0, 1, 0);
	status = reap(child_in(dir, read_files, NULL));
	need(WIFEXITED(status) && WEXITSTATUS(status) == 0, "no 60 MiB of files to read");
	hear_all(k);
	assert_int_equal(mw_kernel_pauses_read(k, id_of(dir), p), 0);
	print_message("  %llu reclaims at max, %llu ms, longest %llu us\n", p[MW_PAUSE_MAX_RECLAIM].count,
		      p[MW_PAUSE_MAX_RECLAIM].total_ns / 1000000, p[MW_PAUSE_MAX_RECLAIM].max_ns / 1000);
	assert_true(figure(dir, "memory.events", "max") > 0);
	assert_true(p[MW_PAUSE_MAX_RECLAIM].count > 0 && p[MW_PAUSE_MAX_RECLAIM].max_ns > 0);
	assert_true(p[MW_PAUSE_MAX_RECLAIM].total_ns >= p[MW_PAUSE_MAX_RECLAIM].max_ns);
	assert_int_equal(p[MW_PAUSE_HIGH_RECLAIM].count, 0);
	assert_true(find_event(MW_EVENT_PAUSE, id_of(dir))->value > 0); /* pages reclaimed */
	close_kernel();
	drop_cgroup(dir);
}

/* --- OOM and growth --- */

static int grow_at_once(void *arg)
{
	memset(mmap(NULL, *(size_t *)arg, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1,
	       *(size_t *)arg);
	return 0;
}

static void test_oom_names_the_victim(void **state)
{
	struct mw_kernel *k = open_kernel("", 8, 0);
	size_t bytes = 40 * MIB;
	const struct mw_event *oom, *end;
	const char *dir;
	pid_t pid;
	__u64 id;

	(void)state;
	need_memory();
	need_cap(k, MW_CAP_OOM);
	dir = make_cgroup("victim");
	id = id_of(dir);
	put(dir, "memory.swap.max", "0");
	put(dir, "memory.max", "%llu", 20 * MIB);
	guard(k, dir, 0, 0, 0);
	pid = child_in(dir, grow_at_once, &bytes);
	assert_int_equal(WTERMSIG(reap(pid)), SIGKILL);
	hear_all(k);
	oom = find_event(MW_EVENT_OOM, id);
	end = find_event(MW_EVENT_EXIT, id);
	assert_true(oom && end && oom->seq < end->seq);
	assert_int_equal(oom->pid, pid);
	assert_true(oom->value > 15 * MIB && oom->value < 24 * MIB);
	assert_true(!mw_kernel_has(k, MW_CAP_GROWTH) || oom->flags == MW_OOM_MEMCG);
	assert_int_equal(end->value, SIGKILL);
	assert_int_equal(end->pid, pid);
	close_kernel();
	drop_cgroup(dir);
}

static int __attribute__((noinline)) touch_pages(void *arg)
{
	size_t bytes = *(size_t *)arg;
	volatile char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t at = 0; at < bytes; at += PAGE)
		memory[at] = 1;
	return 0;
}

static void test_growth_adds_up(void **state)
{
	struct mw_kernel *k = open_kernel("", 8, 0);
	struct mw_site_row rows[64];
	struct mw_worker_info info;
	size_t bytes = 64 * MIB;
	__u64 sites = 0, expected = bytes / PAGE;
	const char *dir;
	bool ours = false;
	int n;

	(void)state;
	need_memory();
	need_cap(k, MW_CAP_GROWTH);
	dir = make_cgroup("grower");
	guard(k, dir, 0, 0, 0);
	reap(child_in(dir, touch_pages, &bytes));
	assert_int_equal(mw_kernel_worker_info(k, id_of(dir), &info), 0);
	print_message("  %llu pages in %llu charges, %llu stacks; %llu pages touched\n", info.charged_pages,
		      info.charges, info.growth_stacks, expected);
	assert_in_range(info.charged_pages, expected, expected * 102 / 100);
	n = mw_kernel_sites_read(k, id_of(dir), rows, ARRAY_SIZE(rows));
	assert_in_range(n, 1, ARRAY_SIZE(rows) - 1);
	for (int i = 0; i < n; i++) {
		sites += rows[i].site.pages;
		assert_true(i == 0 || rows[i].site.pages <= rows[i - 1].site.pages);
	}
	assert_int_equal(sites + info.pending_pages, info.charged_pages);
	for (int i = 0; i < MW_STACK_DEPTH; i++)
		ours |= rows[0].frames[i] >= (__u64)touch_pages && rows[0].frames[i] < (__u64)touch_pages + 512;
	assert_true(rows[0].stack_id >= 0 && ours);
	assert_true(rows[0].site.pages > expected / 2);
	close_kernel();
	drop_cgroup(dir);
}

/* Each place in the code that this is written at is a stack of its own. */
#define TOUCH_BATCH                                                                                                    \
	do {                                                                                                           \
		volatile char *memory = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);                   \
                                                                                                                       \
		for (size_t at = 0; at < 64 * PAGE; at += PAGE)                                                        \
			memory[at] = 1;                                                                                \
		usleep(*(useconds_t *)between);                                                                        \
	} while (0);
#define FOUR_TIMES(what) what what what what

enum { PLACES = 48 };

static int touch_from_many_places(void *between)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	FOUR_TIMES(FOUR_TIMES(TOUCH_BATCH TOUCH_BATCH TOUCH_BATCH))
	return 0;
}

/* A place of the kernel's map of stacks is for one of them: a second of the same hash has a place in the other map. */
static void test_stacks_of_one_hash(void **state)
{
	struct mw_kernel *k = open_kernel("", 8, 0); /* 64 places in each */
	struct mw_site_row rows[PLACES * 2];
	useconds_t between = 4000; /* growth_stacks_per_s is 500 */
	__u64 all = 0, with = 0;
	unsigned second = 0;
	const char *dir;
	int n;

	(void)state;
	need_memory();
	need_cap(k, MW_CAP_GROWTH);
	dir = make_cgroup("hashed");
	guard(k, dir, 0, 0, 0);
	assert_int_equal(reap(child_in(dir, touch_from_many_places, &between)), 0);
	n = mw_kernel_sites_read(k, id_of(dir), rows, ARRAY_SIZE(rows));
	assert_in_range(n, 1, ARRAY_SIZE(rows) - 1);
	for (int i = 0; i < n; i++) {
		all += rows[i].site.pages;
		with += rows[i].stack_id >= 0 ? rows[i].site.pages : 0;
		second += rows[i].stack_id >= MW_SECOND_STACK;
		assert_true(rows[i].stack_id < 0 || rows[i].frames[0]);
	}
	print_message("  %d sites, %u in the second map, %llu of %llu pages with a stack\n", n, second, with, all);
	assert_in_range(second, 1, PLACES);
	assert_true(with >= all * 3 / 4);
	close_kernel();
	drop_cgroup(dir);
}

struct copies {
	__u64 cgroup_id, pages;
	pid_t pid;
	unsigned n, good;
};

static void take_copy(const struct mw_copy *c, void *arg)
{
	struct copies *all = arg;

	all->n++;
	all->pages += c->pages;
	all->good += c->cgroup_id == all->cgroup_id && c->pid == (__u32)all->pid && c->pc >= (__u64)touch_pages &&
		     c->pc < (__u64)touch_pages + 512 && c->from <= c->sp && c->sp - c->from < 1024 &&
		     c->size >= 1024 && c->size <= MW_COPY_BYTES && c->started_ns;
}

/* Stacks of who is asked for, so many and no more, each for all that was charged since the one before. */
static void test_copies_of_whom_is_asked_for(void **state)
{
	struct mw_kernel *k = open_kernel("", 8, 0);
	struct mw_worker_info info;
	struct mw_stats stats;
	size_t bytes = 32 * MIB;
	const char *dir;

	(void)state;
	need_memory();
	need_cap(k, MW_CAP_GROWTH_COPIES);
	dir = make_cgroup("copied");
	guard(k, dir, 0, 0, 0);
	for (unsigned left = 0; left < 24; left += 8) {
		struct copies all = {.cgroup_id = id_of(dir)};
		__u64 before;

		assert_int_equal(mw_kernel_copies_want(k, all.cgroup_id, left, 1), 0);
		assert_int_equal(mw_kernel_copies_wanted(k, all.cgroup_id), left > 0);
		mw_kernel_worker_info(k, all.cgroup_id, &info);
		before = info.charged_pages;
		all.pid = child_in(dir, touch_pages, &bytes);
		reap(all.pid);
		mw_kernel_worker_info(k, all.cgroup_id, &info);
		assert_true(mw_kernel_copies_read(k, take_copy, &all) >= 0);
		print_message("  %u wanted, %u copied, %u of them of the loop, for %llu of %llu pages\n", left, all.n,
			      all.good, all.pages, info.charged_pages - before);
		assert_int_equal(all.n, left);
		assert_true(all.good + 2 >= left); /* but for its beginning, in the library */
		assert_true(all.pages <= info.charged_pages - before);
		assert_int_equal(mw_kernel_copies_read(k, take_copy, &all), 0);
	}
	assert_int_equal(mw_kernel_stats(k, &stats), 0);
	assert_int_equal(stats.copies, 24);
	assert_int_equal(mw_kernel_copies_want(k, id_of(dir), 0, 0), 0);
	assert_false(mw_kernel_copies_wanted(k, id_of(dir)));
	close_kernel();
	drop_cgroup(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_squeeze_is_measured, end_test),
		cmocka_unit_test_teardown(test_load_in_mid_stall, end_test),
		cmocka_unit_test_teardown(test_reclaim_at_max_is_measured, end_test),
		cmocka_unit_test_teardown(test_oom_names_the_victim, end_test),
		cmocka_unit_test_teardown(test_growth_adds_up, end_test),
		cmocka_unit_test_teardown(test_stacks_of_one_hash, end_test),
		cmocka_unit_test_teardown(test_copies_of_whom_is_asked_for, end_test),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
