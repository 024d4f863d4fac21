/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The kernel side, on a real kernel: capabilities, workers and their events, samples. */
#include "kernel_fixture.h"

#include <pthread.h>
#include <sys/socket.h>

#include "core/proc.h"
#include "daemon/kernel_private.h"
#include "daemon/kernel_walk.h"

static void test_capabilities_have_or_say_why(void **state)
{
	struct mw_kernel *k = open_kernel("", 16, 0);

	(void)state;
	for (int cap = 0; cap < MW_CAP_MAX; cap++) {
		const struct mw_capability_info *info = mw_kernel_capability(k, cap);

		print_message("  %-16s %s%s\n", info->name, info->have ? "yes" : "no: ", info->why);
		assert_true(info->have || info->why[0]);
		assert_true(!info->have || !info->why[0]);
		assert_non_null(info->lost_without);
		assert_non_null(info->how_to_get);
		assert_true(info->have || !world.vm || cap == MW_CAP_BPFFS); /* no directory for pins here */
	}
	close_kernel();
}

static void test_disabled_is_refused(void **state)
{
	struct mw_kernel_options opts = {.pin_dir = "",
					 .max_workers = 4,
					 .disable = 1ULL << MW_CAP_SAMPLE_ITER | 1ULL << MW_CAP_RINGBUF};
	struct mw_kernel *k = NULL;

	(void)state;
	assert_int_equal(mw_kernel_open(&opts, &k, NULL), 0);
	assert_false(mw_kernel_has(k, MW_CAP_SAMPLE_ITER));
	assert_string_equal(mw_kernel_capability(k, MW_CAP_SAMPLE_ITER)->why, "switched off");
	assert_int_equal(mw_kernel_sample(k, MW_SAMPLE_COUNTERS), -EOPNOTSUPP);
	assert_false(mw_kernel_has(k, MW_CAP_STATISTICS)); /* of a pass */
	assert_int_equal(mw_kernel_events_fd(k), -1);
	assert_int_equal(mw_kernel_events_consume(k, hear, &heard), -EOPNOTSUPP);
	mw_kernel_close(k);
	opts.disable = 1ULL << MW_CAP_BTF;
	assert_int_equal(mw_kernel_open(&opts, &k, NULL), 0);
	for (int cap = 0; cap < MW_CAP_MAX; cap++)
		assert_false(mw_kernel_has(k, cap));
	assert_int_equal(mw_kernel_member_add(k, 1, 1), -EOPNOTSUPP);
	mw_kernel_close(k);
}

static void test_bad_options(void **state)
{
	struct mw_kernel_options opts = {.pin_dir = "", .max_workers = 0};
	struct mw_kernel *k = NULL;
	struct mw_error err = {};

	(void)state;
	assert_int_equal(mw_kernel_open(&opts, &k, &err), -EINVAL);
	assert_non_null(strstr(err.text, "max_workers"));
	opts.max_workers = 1;
	opts.ring_bytes = 5000;
	assert_int_equal(mw_kernel_open(&opts, &k, &err), -EINVAL);
	assert_null(k);
}

/* --- samples --- */

struct filler {
	int ready[2], go[2];
};

/* Something of every figure: anonymous, shared and file memory, sockets, dentries. Then quiet until told to go. */
static int fill_memory(void *arg)
{
	struct filler *f = arg;
	int shared = memfd_create("shared", 0), pair[2];
	char *anon = mmap(NULL, 20 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static char block[65536];
	char path[64];

	memset(anon, 1, 20 * MIB);
	for (int i = 0; i < 64; i++)
		if (write(shared, block, sizeof(block)) < 0)
			return 1;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || write(pair[0], block, 4096) < 0)
		return 1;
	for (int i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "/proc/nothing-%d", i);
		access(path, F_OK);
	}
	if (write(f->ready[1], "r", 1) < 0 || read(f->go[0], path, 1) < 0)
		return 1;
	return 0;
}

static bool same_stats(struct mw_kernel *k, const char *dir, struct mw_sample *s)
{
	assert_int_equal(mw_kernel_sample(k, MW_SAMPLE_ALL), 0);
	assert_int_equal(mw_kernel_sample_read(k, 3, id_of(dir), s), 0);
	return s->usage == figure(dir, "memory.current", NULL) && s->anon == figure(dir, "memory.stat", "anon") &&
	       s->file == figure(dir, "memory.stat", "file") && s->shmem == figure(dir, "memory.stat", "shmem") &&
	       s->sock == figure(dir, "memory.stat", "sock") && s->kernel == figure(dir, "memory.stat", "kernel") &&
	       s->slab_reclaimable == figure(dir, "memory.stat", "slab_reclaimable");
}

static void test_sample_equals_files(void **state)
{
	static const char *const keys[] = {"low", "high", "max", "oom", "oom_kill", "oom_group_kill"};
	struct mw_kernel *k = open_kernel("", 8, 0);
	_cleanup_close_ int dir_fd = -1;
	struct mw_sample s = {};
	struct filler f;
	const char *dir;
	pid_t pid;
	char c;

	(void)state;
	need_memory();
	need_cap(k, MW_CAP_SAMPLE_FLUSH);
	need_cap(k, MW_CAP_STATISTICS);
	dir = make_cgroup("filler");
	put(dir, "memory.max", "%llu", 100 * MIB);
	put(dir, "memory.low", "%llu", 5 * MIB);
	guard(k, dir, 3, 0, 0);
	assert_int_equal(mw_kernel_sample_read(k, 3, id_of(dir), &s), -EAGAIN);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(mw_kernel_subtree_add(k, dir_fd, true) >= 0);
	assert_true(pipe(f.ready) == 0 && pipe(f.go) == 0);
	pid = child_in(dir, fill_memory, &f);
	assert_int_equal(read(f.ready[0], &c, 1), 1);
	wait_for(same_stats(k, dir, &s)); /* equal, to the byte, as soon as it is quiet */
	assert_true(s.anon >= 20 * MIB && s.shmem >= 4 * MIB && s.kernel > 0 && s.slab_reclaimable > 0);
	assert_int_equal(s.max, 100 * MIB);
	assert_int_equal(s.low, 5 * MIB);
	assert_int_equal(s.high, MW_UNLIMITED);
	assert_true(s.peak >= s.usage);
	assert_int_equal(s.seq % 2, 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		assert_int_equal(s.events[i], figure(dir, "memory.events", keys[i]));
	}
	assert_int_equal(write(f.go[1], "g", 1), 1);
	reap(pid);
	assert_int_equal(mw_kernel_worker_remove(k, id_of(dir)), 0);
	assert_int_equal(mw_kernel_sample_read(k, 3, id_of(dir), &s), -EAGAIN);
	close_kernel();
	drop_cgroup(dir);
}

#define MANY 500

static void test_one_pass_samples_many(void **state)
{
	struct mw_kernel *k = open_kernel("", MANY, 0);
	_cleanup_close_ int root = open(world.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct mw_stats before, after;
	struct mw_sample s;
	char name[32];
	int handle;

	(void)state;
	need_memory();
	need_cap(k, MW_CAP_SAMPLE_ITER);
	for (__u32 i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many-%u", i);
		guard(k, make_cgroup(name), i, 0, 0);
		snprintf(name, sizeof(name), "many-%u/memory.max", i);
		put(world.root, name, "%llu", (i + 1) * MIB);
	}
	handle = mw_kernel_subtree_add(k, root, false);
	assert_true(handle >= 0);
	before = stats_of(k);
	assert_int_equal(mw_kernel_sample(k, MW_SAMPLE_ALL), 0);
	after = stats_of(k);
	assert_int_equal(after.sample_passes - before.sample_passes, 1);
	assert_int_equal(after.sample_cgroups - before.sample_cgroups, MANY + 1);
	for (__u32 i = 0; i < MANY; i++) {
		char dir[PATH_MAX];

		snprintf(dir, sizeof(dir), "%s/many-%u", world.root, i);
		assert_int_equal(mw_kernel_sample_read(k, i, id_of(dir), &s), 0);
		assert_int_equal(s.max, (i + 1) * MIB);
		rmdir(dir);
	}
	mw_kernel_subtree_remove(k, handle);
	assert_int_equal(mw_kernel_sample(k, MW_SAMPLE_COUNTERS), 0);
	close_kernel();
}

static int fork_three(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(i);
		waitpid(pid, NULL, 0);
	}
	return execl("/bin/sh", "sh", "-c", "exit 7", NULL);
}

static void test_processes_and_member_cgroups(void **state)
{
	struct mw_kernel *k = open_kernel("", 8, 0);
	struct mw_worker_info info;
	const struct mw_event *event;
	const char *dir, *below;
	__u64 id, below_id;

	(void)state;
	need_cap(k, MW_CAP_WORKER_EVENTS);
	dir = make_cgroup("parent");
	id = id_of(dir);
	guard(k, dir, 0, 0, 0);
	below = make_cgroup("parent/below");
	below_id = id_of(below);
	reap(child_in(below, fork_three, NULL));
	drop_cgroup(below);
	hear_all(k);
	assert_int_equal(mw_kernel_worker_info(k, id, &info), 0);
	assert_int_equal(info.forks, 3);
	assert_int_equal(info.execs, 1);
	assert_int_equal(info.exits, 4);
	assert_int_equal(count_events(MW_EVENT_FORK, id), 3);
	assert_int_equal(count_events(MW_EVENT_EXIT, id), 4);
	assert_int_equal(count_events(MW_EVENT_ATTACH, id), 1);
	assert_int_equal(find_event(MW_EVENT_MKDIR, id)->value, below_id);
	assert_int_equal(find_event(MW_EVENT_RELEASE, id)->value, below_id);
	event = find_event(MW_EVENT_EXEC, id);
	assert_string_equal(event->comm, "sh");
	for (size_t i = 0; i < heard.count; i++)
		assert_int_equal(heard.events[i].seq, i);
	assert_int_equal(WEXITSTATUS(heard.events[heard.count - 2].value), 7); /* the last but the release */
	assert_int_equal(mw_kernel_bad_records(k), 0);
	close_kernel();
	drop_cgroup(dir);
}

static int fork_many(void *arg)
{
	for (int i = 0; i < *(int *)arg; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	return 0;
}

/* What did not fit is counted, and the gaps in seq are exactly that. */
static void test_full_ring_is_counted(void **state)
{
	struct mw_kernel *k = open_kernel("", 8, 4096);
	int forks = 100;
	struct mw_stats stats;
	const char *dir;

	(void)state;
	need_cap(k, MW_CAP_WORKER_EVENTS);
	dir = make_cgroup("flood");
	guard(k, dir, 0, 0, 0);
	reap(child_in(dir, fork_many, &forks));
	hear_all(k);
	stats = stats_of(k);
	assert_int_equal(stats.events_emitted, 2 * forks + 2); /* and its own attach and exit */
	assert_true(stats.events_lost > 0);
	assert_int_equal(heard.count + stats.events_lost, stats.events_emitted);
	assert_int_equal(stats.tap_unread, stats.events_emitted);
	forks = 1;
	reap(child_in(dir, fork_many, &forks)); /* after the gap */
	hear_all(k);
	assert_int_equal(heard.events[heard.count - 1].seq - heard.events[0].seq + 1, heard.count + stats.events_lost);
	close_kernel();
	drop_cgroup(dir);
}

/* Nothing is told or counted about what is not guarded. */
static void test_unguarded_is_left_alone(void **state)
{
	struct mw_kernel *k = open_kernel("", 8, 0);
	int forks = 10;
	const char *guarded, *other;
	struct mw_worker_info info;

	(void)state;
	need_cap(k, MW_CAP_WORKER_EVENTS);
	guarded = make_cgroup("guarded");
	other = make_cgroup("other");
	guard(k, guarded, 0, 1, MW_UNLIMITED / 4);
	reap(child_in(other, fork_many, &forks));
	reap(child_in(guarded, fork_many, &forks));
	assert_int_equal(mw_kernel_worker_remove(k, id_of(guarded)), 0);
	reap(child_in(guarded, fork_many, &forks)); /* no longer */
	hear_all(k);
	for (size_t i = 0; i < heard.count; i++)
		assert_int_equal(heard.events[i].cgroup_id, id_of(guarded));
	assert_int_equal(count_events(MW_EVENT_FORK, id_of(guarded)), 10);
	assert_int_equal(mw_kernel_worker_info(k, id_of(other), &info), -ENOENT);
}

static void test_own_cost_is_told(void **state)
{
	struct mw_kernel *k = open_kernel("", 8, 0);
	struct mw_program_cost rows[32];
	_cleanup_close_ int stats = open("/proc/sys/kernel/bpf_stats_enabled", O_RDWR | O_CLOEXEC);
	char before = '0';
	__u64 runs = 0;
	int n, forks = 20;

	(void)state;
	need_cap(k, MW_CAP_WORKER_EVENTS);
	need(stats >= 0 && pread(stats, &before, 1, 0) == 1 && pwrite(stats, "1", 1, 0) == 1, "no bpf_stats_enabled");
	reap(child_in(make_cgroup("costly"), fork_many, &forks));
	assert_int_equal(pwrite(stats, &before, 1, 0), 1);
	n = mw_kernel_costs(k, rows, ARRAY_SIZE(rows));
	assert_in_range(n, 6, ARRAY_SIZE(rows));
	for (int i = 0; i < n; i++) {
		if (strcmp(rows[i].name, "worker_fork") == 0)
			runs = rows[i].runs;
		assert_int_equal(rows[i].skipped, 0);
	}
	assert_true(runs >= 20);
}

static void test_workers_and_slots(void **state)
{
	struct mw_kernel *k = open_kernel("", 2, 0);
	struct mw_worker_info info = {.name = "a", .slot = 0}, got;
	__u64 ids[4];

	(void)state;
	need_cap(k, MW_CAP_WORKER_EVENTS);
	assert_int_equal(mw_kernel_worker_add(k, 901, &info), 0);
	assert_int_equal(mw_kernel_worker_add(k, 902, &info), -EEXIST);
	info.slot = 2;
	assert_int_equal(mw_kernel_worker_add(k, 902, &info), -EINVAL);
	info.slot = 1;
	info.forks = 77; /* counters are the kernel's */
	snprintf(info.name, sizeof(info.name), "b");
	assert_int_equal(mw_kernel_worker_add(k, 901, &info), 0);
	assert_int_equal(mw_kernel_worker_info(k, 901, &got), 0);
	assert_string_equal(got.name, "b");
	assert_int_equal(got.slot, 1);
	assert_int_equal(got.forks, 0);
	info.slot = 0;
	assert_int_equal(mw_kernel_worker_add(k, 902, &info), 0);
	/* Both known: they change places, as where a new daemon numbers them another way. */
	for (int turn = 0; turn < 2; turn++) {
		info.slot = turn;
		assert_int_equal(mw_kernel_worker_add(k, 901, &info), 0);
		assert_int_equal(mw_kernel_worker_info(k, 901, &got), 0);
		assert_int_equal(got.slot, turn);
		assert_int_equal(mw_kernel_worker_info(k, 902, &got), 0);
		assert_int_equal(got.slot, !turn);
	}
	assert_int_equal(mw_kernel_worker_ids(k, ids, 4), 2);
	assert_int_equal(mw_kernel_worker_remove(k, 902), 0);
	assert_int_equal(mw_kernel_worker_remove(k, 902), 0);
	assert_int_equal(mw_kernel_worker_info(k, 902, &got), -ENOENT);
	assert_int_equal(mw_kernel_worker_ids(k, ids, 4), 1);
	info.slot = 0; /* the one that is free again */
	for (int i = 0; i < 200; i++) { /* past the sweep */
		assert_int_equal(mw_kernel_worker_add(k, 1000 + i, &info), 0);
		assert_int_equal(mw_kernel_worker_remove(k, 1000 + i), 0);
	}
	assert_true(mw_kernel_map_bytes(k) > 64 * 1024); /* 6.1 leaves the ring out */
	close_kernel();
}

static int touch_memory(void *arg)
{
	size_t bytes = 64 * MIB;
	volatile char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	for (size_t at = 0; at < bytes; at += 4096)
		memory[at] = 1;
	return 0;
}

/* By its pid and its start: the one may be another process's by the time that somebody looks. */
static void test_sites_know_their_process(void **state)
{
	struct mw_kernel *k = open_kernel("", 8, 0);
	struct mw_site_row rows[16];
	const char *dir;
	siginfo_t info;
	__u64 ticks;
	pid_t pid;
	int n;

	(void)state;
	need_cap(k, MW_CAP_GROWTH);
	dir = make_cgroup("sites");
	guard(k, dir, 0, 0, 0);
	pid = child_in(dir, touch_memory, NULL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(mw_proc_start_ticks("/proc", pid, &ticks), 0);
	n = mw_kernel_sites_read(k, id_of(dir), rows, ARRAY_SIZE(rows));
	assert_in_range(n, 1, ARRAY_SIZE(rows));
	for (int i = 0; i < n; i++) {
		assert_int_equal(rows[i].site.pid, pid);
		assert_int_equal(rows[i].site.started, ticks);
	}
	assert_int_equal(reap(pid), 0);
	close_kernel();
	drop_cgroup(dir);
}

#define SITES 10000

/* Sites of a worker, which stay, among those of others, which go and come. */
struct sites {
	int map;
	unsigned met[SITES];
	bool stop;
};

static struct mw_site_key site_key(__u64 cgroup_id, __u64 i)
{
	return (struct mw_site_key){.cgroup_id = cgroup_id, .stack_id = (__s64)i};
}

static void put_site(int map, __u64 cgroup_id, __u64 i)
{
	struct mw_site_key key = site_key(cgroup_id, i);
	struct mw_site site = {.pages = i + 1};

	assert_int_equal(bpf_map_update_elem(map, &key, &site, BPF_ANY), 0);
}

static int meet(const void *at, void *value, void *arg)
{
	const struct mw_site_key *key = at;
	const struct mw_site *site = value;
	struct sites *s = arg;

	assert_int_equal(site->pages, key->stack_id + 1);
	if (key->cgroup_id == 1)
		s->met[key->stack_id]++;
	else if (key->stack_id % 2)
		bpf_map_delete_elem(s->map, key); /* the one a walk by keys would go on from */
	return 0;
}

static void test_walk_meets_all_once(void **state)
{
	static struct sites s;
	__u64 since = now_ns();

	(void)state;
	s.map = bpf_map_create(BPF_MAP_TYPE_HASH, "walked", sizeof(struct mw_site_key), sizeof(struct mw_site),
			       4 * SITES, NULL);
	need(s.map >= 0, strerror(errno));
	for (__u64 i = 0; i < SITES; i++) {
		put_site(s.map, 1, i);
		put_site(s.map, 2, i);
	}
	assert_int_equal(mw_map_walk(s.map, sizeof(struct mw_site_key), sizeof(struct mw_site), meet, &s), 0);
	print_message("  %u made, and met in %llu us\n", 2 * SITES, (now_ns() - since) / 1000);
	for (int i = 0; i < SITES; i++)
		assert_int_equal(s.met[i], 1);
	close(s.map);
}

static void *sites_of_others(void *arg)
{
	struct sites *s = arg;

	for (__u64 i = 0; !__atomic_load_n(&s->stop, __ATOMIC_RELAXED); i++) {
		struct mw_site_key key = site_key(2, i % 512);
		struct mw_site site = {.pages = 1};

		if (i / 512 % 2)
			bpf_map_delete_elem(s->map, &key);
		else
			bpf_map_update_elem(s->map, &key, &site, BPF_ANY);
	}
	return NULL;
}

/* While the sites of workers that are gone are cleared away. */
static void test_sites_are_summed_once(void **state)
{
	struct mw_kernel *k = open_kernel("", 1024, 0);
	static struct sites s;
	__u64 pages = 0, expected = 0, since, took;
	struct mw_site_row rows[4];
	pthread_t others;

	(void)state;
	need_cap(k, MW_CAP_GROWTH);
	s.map = k->maps[MAP_SITES];
	for (__u64 i = 0; i < SITES; i++) {
		put_site(s.map, 1, i);
		expected += i + 1;
	}
	assert_int_equal(pthread_create(&others, NULL, sites_of_others, &s), 0);
	since = now_ns();
	for (int i = 0; i < 200; i++) {
		assert_int_equal(mw_kernel_sites_sum(k, 1, &pages), 0);
		assert_int_equal(pages, expected);
		assert_int_equal(mw_kernel_sites_read(k, 1, rows, 4), 4);
		for (int j = 0; j < 4; j++)
			assert_int_equal(rows[j].site.pages, SITES - j);
	}
	took = now_ns() - since;
	print_message("  %d sites: %llu us a walk\n", SITES, took / 400000);
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	pthread_join(others, NULL);

	close_kernel();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_capabilities_have_or_say_why, end_test),
		cmocka_unit_test_teardown(test_disabled_is_refused, end_test),
		cmocka_unit_test_teardown(test_bad_options, end_test),
		cmocka_unit_test_teardown(test_sample_equals_files, end_test),
		cmocka_unit_test_teardown(test_one_pass_samples_many, end_test),
		cmocka_unit_test_teardown(test_processes_and_member_cgroups, end_test),
		cmocka_unit_test_teardown(test_full_ring_is_counted, end_test),
		cmocka_unit_test_teardown(test_unguarded_is_left_alone, end_test),
		cmocka_unit_test_teardown(test_own_cost_is_told, end_test),
		cmocka_unit_test_teardown(test_workers_and_slots, end_test),
		cmocka_unit_test_teardown(test_sites_know_their_process, end_test),
		cmocka_unit_test_teardown(test_walk_meets_all_once, end_test),
		cmocka_unit_test_teardown(test_sites_are_summed_once, end_test),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
