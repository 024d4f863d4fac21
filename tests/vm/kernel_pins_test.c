/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What stays when the daemon goes: pins, their adoption and their end; and what bpftool and cat make of them. */
#include "kernel_fixture.h"

#include "daemon/kernel_private.h"

static char bpffs[] = "/tmp/mwbpf-XXXXXX";
static char pins[64];

/* A bpffs of our own, so that a guard on this host is left alone. */
static int mount_bpffs(void **state)
{
	if (make_world(state) || !mkdtemp(bpffs) || mount("bpf", bpffs, "bpf", 0, NULL) < 0)
		return -1;
	snprintf(pins, sizeof(pins), "%s/memweir", bpffs);
	return 0;
}

static int unmount_bpffs(void **state)
{
	umount2(bpffs, MNT_DETACH);
	rmdir(bpffs);
	return drop_world(state);
}

/* After every test: nothing is left. */
static int unload(void **state)
{
	struct mw_error err = {};

	end_test(state);
	if (mw_kernel_unload(pins, &err))
		print_message("%s\n", err.text);
	return access(pins, F_OK) == 0 ? -1 : 0;
}

static int count_entries(const char *folder)
{
	char path[PATH_MAX];
	_cleanup_closedir_ DIR *dir = NULL;
	int n = 0;

	snprintf(path, sizeof(path), "%s/%s", pins, folder);
	dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));)
		n += e->d_name[0] != '.';
	return n;
}

/* Output of a command, all of it. */
static const char *output_of(const char *fmt, ...)
{
	static char text[1 << 18];
	char command[512];
	va_list args;
	size_t used = 0, n;
	FILE *pipe;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	pipe = popen(command, "r");
	while (pipe && (n = fread(text + used, 1, sizeof(text) - 1 - used, pipe)) > 0)
		used += n;
	text[used] = '\0';
	if (pipe)
		pclose(pipe);
	return text;
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

static __u64 forks_of(struct mw_kernel *k, __u64 id)
{
	struct mw_worker_info info = {};

	assert_int_equal(mw_kernel_worker_info(k, id, &info), 0);
	return info.forks;
}

static void test_counting_goes_on(void **state)
{
	struct mw_kernel *k = open_kernel(pins, 16, 0);
	int forks = 20;
	const char *dir;
	__u64 id, ids[4];

	(void)state;
	need_cap(k, MW_CAP_WORKER_EVENTS);
	need_cap(k, MW_CAP_BPFFS);
	assert_false(mw_kernel_adopted(k));
	dir = make_cgroup("stays");
	id = id_of(dir);
	guard(k, dir, 5, 0, 0);
	reap(child_in(dir, fork_many, &forks));
	assert_int_equal(hear_all(k), 42);
	close_kernel();
	reap(child_in(dir, fork_many, &forks)); /* nobody is there */
	k = open_kernel(pins, 16, 0);
	assert_true(mw_kernel_adopted(k));
	assert_int_equal(mw_kernel_worker_ids(k, ids, 4), 1);
	assert_int_equal(ids[0], id);
	assert_int_equal(forks_of(k, id), 40);
	guard(k, dir, 5, 0, 0); /* as an adopting daemon does: counters stay */
	assert_int_equal(forks_of(k, id), 40);
	assert_int_equal(hear_all(k), 42); /* exactly what came while we were away */
	for (size_t i = 0; i < heard.count; i++)
		assert_int_equal(heard.events[i].seq, 42 + i);
	reap(child_in(dir, fork_many, &forks));
	assert_int_equal(forks_of(k, id), 60);
	assert_int_equal(hear_all(k), 84);
	close_kernel();
	drop_cgroup(dir);
}

/* Id of the program behind a pinned link, as bpftool says it. */
static long running_program(void)
{
	const char *at = strstr(output_of("bpftool -j link show pinned %s/links/worker_fork", pins), "\"prog_id\":");

	return at ? strtol(at + strlen("\"prog_id\":"), NULL, 10) : -1;
}

static int touch_12_mib(void *arg)
{
	size_t bytes = 12 << 20;

	(void)arg;
	memset(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1, bytes);
	return 0;
}

static void add_count(const struct mw_pause_key *key, const struct mw_pause_stat *stat, void *sum)
{
	(void)key;
	*(__u64 *)sum += stat->count;
}

/* Programs of an earlier daemon go on: what they count is news to the next one all the same. */
static void test_pauses_are_news_once(void **state)
{
	struct mw_kernel *k = open_kernel(pins, 16, 0);
	__u64 sum = 0;
	const char *dir;

	(void)state;
	need_memory();
	need_cap(k, MW_CAP_PAUSE_RECLAIM);
	need_cap(k, MW_CAP_BPFFS);
	dir = make_cgroup("pauser");
	put(dir, "memory.high", "%llu", 8 * MIB);
	guard(k, dir, 5, 0, 0);
	close_kernel();
	k = open_kernel(pins, 16, 0);
	assert_true(mw_kernel_adopted(k));
	assert_true(mw_kernel_pauses_moved(k));
	assert_int_equal(mw_kernel_pauses_each(k, add_count, &sum), 0);
	assert_false(mw_kernel_pauses_moved(k));
	reap(child_in(dir, touch_12_mib, NULL));
	assert_true(mw_kernel_pauses_moved(k));
	sum = 0;
	assert_int_equal(mw_kernel_pauses_each(k, add_count, &sum), 0);
	assert_true(sum > 0);
	assert_int_equal(stats_of(k).pauses_counted, sum);
	assert_false(mw_kernel_pauses_moved(k));
	close_kernel();
	drop_cgroup(dir);
}

/* Daemons come and go while a worker forks, every second one without what disable names. Returns how often. */
static size_t come_and_go(__u64 disable, int forks, __u64 *ret_forks, __u64 *ret_heard, __u64 *ret_emitted)
{
	struct mw_kernel *k = open_kernel(pins, 16, 0);
	size_t takeovers = 0, links;
	const char *dir;
	long before;
	pid_t pid;
	__u64 id;

	need_cap(k, MW_CAP_WORKER_EVENTS);
	need_cap(k, MW_CAP_BPFFS);
	links = count_entries("links");
	before = running_program();
	assert_true(before > 0);
	dir = make_cgroup("busy");
	id = id_of(dir);
	guard(k, dir, 0, 0, 0);
	pid = child_in(dir, fork_many, &forks);
	*ret_heard = 0;
	do {
		*ret_heard += hear_all(k);
		close_kernel();
		k = open_kernel_without(pins, 16, 0, takeovers % 2 ? 0 : disable);
		takeovers++;
		assert_true(mw_kernel_adopted(k));
	} while (waitpid(pid, NULL, WNOHANG) == 0);
	*ret_heard += hear_all(k);
	*ret_heard += stats_of(k).events_lost;
	*ret_emitted = stats_of(k).events_emitted;
	*ret_forks = forks_of(k, id);
	print_message("  %zu takeovers within %d forks: %llu counted, %llu of %d events\n", takeovers, forks,
		      *ret_forks, *ret_emitted, 2 * forks + 2);
	assert_true(takeovers > 1);
	if (!disable)
		assert_int_equal(running_program(), before);
	else
		assert_int_not_equal(running_program(), before);
	if (!disable)
		assert_int_equal(count_entries("links"), links);
	close_kernel();
	drop_cgroup(dir);
	return takeovers;
}

/* The same build again: its programs just go on. Nothing twice, nothing missed. */
static void test_restart_is_exact(void **state)
{
	__u64 forks, got, emitted;

	(void)state;
	come_and_go(0, 3000, &forks, &got, &emitted);
	assert_int_equal(forks, 3000);
	assert_int_equal(got, 2 * 3000 + 2);
	assert_int_equal(emitted, 2 * 3000 + 2);
}

/*
 * Other programs, as after an upgrade: the new ones take over. An event in the very middle of the switch may meet both
 * generations, or neither: at most one for each processor and takeover.
 */
static void test_upgrade_takes_over(void **state)
{
	__u64 forks, got, emitted;
	long slack;

	(void)state;
	slack = (long)come_and_go(1ULL << MW_CAP_OOM, 3000, &forks, &got, &emitted) * sysconf(_SC_NPROCESSORS_ONLN);
	assert_in_range(forks + slack, 3000, 3000 + 2 * slack);
	assert_in_range(emitted + slack, 2 * 3000 + 2, 2 * 3000 + 2 + 2 * slack);
	assert_int_equal(got, emitted);
}

static void test_one_daemon_at_a_time(void **state)
{
	struct mw_kernel *k = open_kernel(pins, 16, 0), *second = NULL;
	struct mw_kernel_options opts = {.pin_dir = pins, .max_workers = 16};
	struct mw_error err = {};

	(void)state;
	need_cap(k, MW_CAP_BPFFS);
	assert_int_equal(mw_kernel_open(&opts, &second, &err), -EBUSY);
	assert_non_null(strstr(err.text, pins));
	assert_null(second);
	assert_int_equal(mw_kernel_unload(pins, &err), -EBUSY);
	opts.probe_only = true; /* doctor looks while the daemon runs */
	assert_int_equal(mw_kernel_open(&opts, &second, &err), 0);
	for (int cap = 0; cap < MW_CAP_MAX; cap++)
		assert_int_equal(mw_kernel_has(second, cap), mw_kernel_has(k, cap));
	mw_kernel_close(second);
}

static void test_unload_leaves_nothing(void **state)
{
	struct mw_kernel *k = open_kernel(pins, 16, 0);
	struct mw_error err = {};
	char path[96];

	(void)state;
	need_cap(k, MW_CAP_BPFFS);
	assert_true(count_entries("maps") == MAP_MAX && count_entries("links") > 5 && count_entries("show") == 3);
	close_kernel();
	snprintf(path, sizeof(path), "%s/maps-old-3", pins);
	mkdir(path, 0700);
	assert_int_equal(mw_kernel_unload(pins, &err), 0);
	assert_int_equal(access(pins, F_OK), -1);
	assert_int_equal(mw_kernel_unload(pins, &err), 0);
	assert_int_equal(mw_kernel_unload("/tmp", &err), -EINVAL);
}

static void test_other_version_is_set_aside(void **state)
{
	struct mw_kernel *k = open_kernel(pins, 16, 0);
	__u64 ids[4];
	struct mw_worker_info info = {.name = "old"};

	(void)state;
	need_cap(k, MW_CAP_BPFFS);
	assert_int_equal(mw_kernel_worker_add(k, 4711, &info), 0);
	close_kernel();
	output_of("bpftool map update pinned %s/maps/config key 0 0 0 0 value 99 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0", pins);
	k = open_kernel(pins, 16, 0);
	assert_false(mw_kernel_adopted(k));
	assert_int_equal(mw_kernel_worker_ids(k, ids, 4), 0);
	assert_int_equal(count_entries("maps"), MAP_MAX);
	assert_int_equal(count_entries(""), 3); /* nothing set aside is left */
	close_kernel();
	k = open_kernel(pins, 16, 0);
	assert_true(mw_kernel_adopted(k));
	close_kernel();
	k = open_kernel(pins, 32, 0); /* more room than the pins have */
	assert_false(mw_kernel_adopted(k));
	close_kernel();
	k = open_kernel(pins, 8, 0); /* and less */
	assert_true(mw_kernel_adopted(k));
}

static void test_bpftool_sees_names(void **state)
{
	static const char *const typed[] = {"recent",	    "workers", "members", "pauses", "samples",
					    "growth_sites", "tasks",   "stats",	  "config"};
	struct mw_kernel *k = open_kernel(pins, 16, 0);
	int forks = 1;
	const char *dir, *text;

	(void)state;
	need_cap(k, MW_CAP_BPFFS);
	need(system("command -v bpftool >/dev/null") == 0, "no bpftool");
	dir = make_cgroup("named");
	guard(k, dir, 0, 0, 0);
	reap(child_in(dir, fork_many, &forks));
	for (size_t i = 0; i < ARRAY_SIZE(typed); i++) {
		text = output_of("bpftool map show pinned %s/maps/%s", pins, typed[i]);
		if (!strstr(text, "btf_id"))
			fail_msg("no BTF for maps/%s: %s", typed[i], text);
	}
	text = output_of("bpftool map dump pinned %s/maps/recent", pins);
	assert_non_null(strstr(text, "\"type\": \"MW_EVENT_FORK\""));
	assert_non_null(strstr(text, "\"worker\": \"named\""));
	text = output_of("bpftool map dump pinned %s/maps/workers", pins);
	assert_non_null(strstr(text, "\"name\": \"named\""));
	assert_non_null(strstr(text, "\"forks\": 1"));
	assert_non_null(strstr(output_of("bpftool map dump pinned %s/maps/stats", pins), "\"events_emitted\": 4"));
	close_kernel();
	drop_cgroup(dir);
}

/* Plays bpftool listening at the tap until it is interrupted. */
static pid_t start_listener(const char *output)
{
	char map[96];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	snprintf(map, sizeof(map), "%s/maps/tap", pins);
	if (!freopen(output, "w", stdout))
		_exit(1);
	execlp("bpftool", "bpftool", "map", "event_pipe", "pinned", map, NULL);
	_exit(127);
}

static void test_bpftool_listens(void **state)
{
	struct mw_kernel *k = open_kernel(pins, 16, 0);
	int forks = 1, heard_by_tap;
	const char *dir, *text;
	pid_t pid;

	(void)state;
	need_cap(k, MW_CAP_BPFFS);
	need(system("command -v bpftool >/dev/null") == 0, "no bpftool");
	dir = make_cgroup("tapped");
	guard(k, dir, 0, 0, 0);
	pid = start_listener("/tmp/mwtap");
	do {
		reap(child_in(dir, fork_many, &forks));
		heard_by_tap = stats_of(k).events_emitted - stats_of(k).tap_unread;
		assert_true(stats_of(k).events_emitted < 10000);
	} while (heard_by_tap < 4);
	kill(pid, SIGINT); /* it prints what it has and ends */
	reap(pid);
	text = output_of("cat /tmp/mwtap");
	if (!strstr(text, "== @"))
		fail_msg("bpftool printed: %s", text);
	unlink("/tmp/mwtap");
	close_kernel();
	drop_cgroup(dir);
}

static void test_show_prints_tables(void **state)
{
	struct mw_kernel *k = open_kernel(pins, 16, 0);
	int forks = 150;
	const char *dir, *text;
	_cleanup_close_ int fd = -1;

	(void)state;
	need_cap(k, MW_CAP_SHOW);
	need_cap(k, MW_CAP_BPFFS);
	dir = make_cgroup("shown");
	if (world.memory)
		put(dir, "memory.max", "100003840");
	guard(k, dir, 2, 0, 0);
	reap(child_in(dir, fork_many, &forks));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mw_kernel_subtree_add(k, fd, true);
	mw_kernel_sample(k, MW_SAMPLE_ALL);
	text = output_of("cat %s/show/workers", pins);
	print_message("%s\n", text);
	assert_non_null(strstr(text, "WORKER"));
	assert_non_null(strstr(text, "shown"));
	assert_null(strstr(strstr(text, "WORKER") + 1, "WORKER"));
	assert_true(!world.memory || strstr(text, " 100.0 "));
	text = output_of("cat %s/show/pauses", pins);
	assert_non_null(strstr(text, "KIND"));
	text = output_of("cat %s/show/events", pins);
	print_message("%.600s\n", text);
	assert_non_null(strstr(text, "      46 ")); /* 302 events, the last 256 of them */
	assert_null(strstr(text, "      45 "));
	assert_true(strstr(text, "     300 ") < strstr(text, "     301 "));
	close_kernel();
	drop_cgroup(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_counting_goes_on, unload),
		cmocka_unit_test_teardown(test_pauses_are_news_once, unload),
		cmocka_unit_test_teardown(test_restart_is_exact, unload),
		cmocka_unit_test_teardown(test_upgrade_takes_over, unload),
		cmocka_unit_test_teardown(test_one_daemon_at_a_time, unload),
		cmocka_unit_test_teardown(test_unload_leaves_nothing, unload),
		cmocka_unit_test_teardown(test_other_version_is_set_aside, unload),
		cmocka_unit_test_teardown(test_bpftool_sees_names, unload),
		cmocka_unit_test_teardown(test_bpftool_listens, unload),
		cmocka_unit_test_teardown(test_show_prints_tables, unload),
	};

	return cmocka_run_group_tests(tests, mount_bpffs, unmount_bpffs);
}
