/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The keeper with a daemon that is this program again: killed, stopped, ended,
 * and with the keeper itself killed. Cgroups are directories with plain files.
 */
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/keeper.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define WORKERS 3
#define MANY	300

static char dir[64]; /* of one test */

/* ---- the daemon's part, in a process of its own ---- */

static void note(const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/notes", dir);
	f = fopen(path, "ae");
	fprintf(f, "%s %d %d\n", text, getpid(), getppid());
	fclose(f);
}

static int worker_dir(int i)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/w%d", dir, i);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static volatile sig_atomic_t told_to_stop;

static void on_term(int sig)
{
	(void)sig;
	told_to_stop = 1;
}

/* w0 frozen and limited, w1 limited, w2 neither. many: far apart slots, more than a message holds. */
static void pass_workers(struct mw_keeper_link *l, bool many)
{
	for (int i = 0; many && i < MANY; i++)
		mw_keeper_add(l, (__u32)i, 1000 + (__u64)i, worker_dir(2), false);
	for (int i = 0; i < WORKERS; i++) {
		__u32 slot = (__u32)(many ? MANY - 1 - i : i);

		/* What found the socket full goes with the next beats. */
		mw_keeper_add(l, slot, 7 + (__u64)i, worker_dir(i), i < 2);
		while (mw_keeper_table(l)->slots[slot].cgroup_id != 7 + (__u64)i) {
			poll(NULL, 0, 5);
			mw_keeper_beat(l, mw_now_ns());
		}
		if (!i && !mw_keeper_mark_frozen(mw_keeper_table(l), slot, 7, true))
			note("unmarked");
	}
}

static void stay_on_one(void)
{
	cpu_set_t all, one;

	CPU_ZERO(&one);
	sched_getaffinity(0, sizeof(all), &all);
	for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void beat_until_told(struct mw_keeper_link *l, const char *mode)
{
	bool replace = !strcmp(mode, "replace") || !strcmp(mode, "replace-die");
	struct mw_error err;

	while (!told_to_stop) {
		struct pollfd fd = {mw_keeper_fd(l), POLLIN, 0};

		mw_keeper_beat(l, mw_now_ns());
		if (poll(&fd, 1, 50) <= 0)
			continue;
		if (!replace)
			return;
		note(mw_keeper_replace(l, &err) ? "failed" : "replaced");
		if (!strcmp(mode, "replace-die"))
			raise(SIGKILL);
	}
}

/* On the first of our processors, and there only when nobody else wants it. */
static void yield_to_everybody(void)
{
	const struct sched_param none = {0};

	stay_on_one();
	sched_setscheduler(0, SCHED_IDLE, &none);
}

/* argv: PROGRAM fake-daemon MODE DIRECTORY. Only the first of a test has workers: later ones find them mended. */
static int fake_daemon(const char *mode)
{
	struct mw_keeper_link *l;
	struct mw_error err = {""};
	char path[128];
	bool first;

	signal(SIGTERM, on_term);
	if (!strcmp(mode, "exit"))
		return 3;
	if (mw_keeper_connect(MANY, &l, &err)) {
		note(err.text);
		return 9;
	}
	snprintf(path, sizeof(path), "%s/notes", dir);
	first = access(path, F_OK) != 0;
	mw_keeper_beat(l, mw_now_ns());
	if (first)
		pass_workers(l, !strcmp(mode, "many"));
	if (first && !strcmp(mode, "late"))
		mw_keeper_thaw_by(mw_keeper_table(l), mw_now_ns() + 200 * MW_NS_PER_MS);
	else if (first && !strcmp(mode, "held"))
		mw_keeper_thaw_by(mw_keeper_table(l), mw_now_ns() + 3600 * MW_NS_PER_S);
	note("started");
	if (!strcmp(mode, "hang") && first)
		for (;;)
			pause();
	if (!strcmp(mode, "starve") && first) {
		yield_to_everybody();
		for (;;)
			;
	}
	beat_until_told(l, mode);
	note("stopping");
	mw_keeper_stopping(l);
	mw_keeper_disconnect(l);
	return strcmp(mode, "order") ? 0 : 4;
}

/* ---- the test's part ---- */

/* Valgrind 3.19 knows no pidfd_open, and without one there is no keeper. */
static void need_pidfd(void)
{
	int fd = pidfd_open(getpid(), 0);

	if (fd < 0) {
		print_message("no pidfd_open here (%s)\n", strerror(errno));
		skip();
	}
	close(fd);
}

static void write_file(const char *name, const char *text)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static bool file_is(const char *name, const char *text)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[160], found[64] = "";

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	return f && fgets(found, sizeof(found), f) && !strcmp(found, text);
}

/* Pid of the n-th note (from 1) of a kind; 0: not there yet. */
static pid_t noted(const char *kind, int n, pid_t *ret_ppid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[160], text[64];
	int pid, ppid;

	snprintf(path, sizeof(path), "%s/notes", dir);
	f = fopen(path, "re");
	while (f && fscanf(f, "%63s %d %d\n", text, &pid, &ppid) == 3) {
		if (strcmp(text, kind) || --n)
			continue;
		if (ret_ppid)
			*ret_ppid = ppid;
		return pid;
	}
	return 0;
}

static pid_t wait_noted(const char *kind, int n, pid_t *ret_ppid)
{
	__u64 until = mw_now_ns() + 20 * MW_NS_PER_S;
	pid_t pid = 0;

	while (!pid && mw_now_ns() < until) {
		pid = noted(kind, n, ret_ppid);
		poll(NULL, 0, 5);
	}
	assert_true(pid > 0);
	return pid;
}

static bool mended(void)
{
	return file_is("w0/cgroup.freeze", "0") && file_is("w0/memory.high", "max") && file_is("w1/memory.high", "max");
}

/* Within a second where somebody lets us run: the guard's own test says so. A deadline is no measurement. */
static void expect_mended(__u64 since)
{
	bool done = mended();

	for (; !done && mw_now_ns() - since < 20 * MW_NS_PER_S; done = mended())
		poll(NULL, 0, 2);
	print_message("mended after %llu ms\n", (mw_now_ns() - since) / MW_NS_PER_MS);
	assert_true(done); /* not looked at again: a second mending empties these plain files for a moment */
	assert_true(file_is("w1/cgroup.freeze", "1"));
	assert_true(file_is("w2/cgroup.freeze", "1"));
	assert_true(file_is("w2/memory.high", "24000000"));
}

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/keeper-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	for (int i = 0; i < WORKERS; i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/w%d", dir, i);
		mkdir(path, 0700);
		snprintf(path, sizeof(path), "w%d/cgroup.freeze", i);
		write_file(path, "1");
		snprintf(path, sizeof(path), "w%d/memory.high", i);
		write_file(path, "24000000");
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void say(const char *line)
{
	fprintf(stderr, "keeper: %s\n", line);
}

static pid_t start_keeper(const char *mode, bool once)
{
	char *argv[] = {"test", "fake-daemon", (char *)mode, dir, NULL};
	struct mw_keeper_options opts = {.argv = argv,
					 .daemon_path = strcmp(mode, "none") ? "/proc/self/exe" : "/nowhere",
					 .n_slots = MANY,
					 .once = once,
					 .say = say};
	pid_t pid;

	need_pidfd();
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(mw_keeper_run(&opts));
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void killed_is_mended_and_restarted(void **state)
{
	pid_t keeper = start_keeper("run", false), daemon = wait_noted("started", 1, NULL);
	__u64 begin = mw_now_ns();

	(void)state;
	kill(daemon, SIGKILL);
	expect_mended(begin);
	assert_int_not_equal(wait_noted("started", 2, NULL), daemon);
	kill(keeper, SIGTERM);
	assert_int_equal(status_of(keeper), 0);
	assert_true(noted("stopping", 1, NULL) > 0);
	assert_int_equal(noted("unmarked", 1, NULL), 0);
}

static void many_descriptors_arrive(void **state)
{
	pid_t keeper = start_keeper("many", true), daemon = wait_noted("started", 1, NULL);
	__u64 begin = mw_now_ns();

	(void)state;
	kill(daemon, SIGKILL);
	expect_mended(begin);
	assert_int_equal(status_of(keeper), 128 + SIGKILL);
}

static void stopped_counts_as_hung(void **state)
{
	pid_t keeper = start_keeper("run", false), daemon = wait_noted("started", 1, NULL);
	__u64 begin = mw_now_ns();

	(void)state;
	kill(daemon, SIGSTOP);
	expect_mended(begin);
	wait_noted("started", 2, NULL);
	assert_int_equal(kill(daemon, 0), -1); /* it cannot come back and undo it */
	kill(keeper, SIGINT);
	assert_int_equal(status_of(keeper), 0);
}

static void silence_counts_as_hung(void **state)
{
	pid_t keeper = start_keeper("hang", true);
	__u64 begin;

	(void)state;
	wait_noted("started", 1, NULL);
	begin = mw_now_ns();
	expect_mended(begin);
	assert_int_equal(status_of(keeper), 128 + SIGKILL);
}

/* A second daemon would get no more of a processor that others need; but one that spins, or starves for long, is not
 * kept. */
static void starving_is_not_hanging(void **state)
{
	pid_t keeper, hog = fork();
	bool done;
	__u64 begin;

	(void)state;
	assert_true(hog >= 0);
	if (!hog) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stay_on_one();
		for (;;)
			;
	}
	keeper = start_keeper("starve", true);
	wait_noted("started", 1, NULL);
	poll(NULL, 0, 2500);
	assert_false(mended());
	kill(hog, SIGKILL);
	waitpid(hog, NULL, 0);
	begin = mw_now_ns();
	for (done = mended(); !done && mw_now_ns() - begin < 60 * MW_NS_PER_S; done = mended())
		poll(NULL, 0, 5);
	print_message("mended after %llu ms\n", (mw_now_ns() - begin) / MW_NS_PER_MS);
	assert_true(done);
	assert_int_equal(status_of(keeper), 128 + SIGKILL);
}

/* It beats, but has not thawed what it froze: worse than silence. */
static void a_late_thaw_counts_as_hung(void **state)
{
	__u64 begin = mw_now_ns();
	pid_t keeper = start_keeper("late", true);

	(void)state;
	wait_noted("started", 1, NULL);
	expect_mended(mw_now_ns());
	assert_true(mw_now_ns() - begin >=
		    400 * MW_NS_PER_MS); /* its time is over after 200, and it is given a little more */
	assert_int_equal(status_of(keeper), 128 + SIGKILL);
}

/* Both stopped, as with a whole machine, and the keeper goes on first. How long it was alone at the most. */
static __u64 stop_both(pid_t keeper, pid_t daemon)
{
	__u64 alone = 0;

	for (int i = 0; i < 3; i++) {
		__u64 from;

		kill(keeper, SIGSTOP);
		kill(daemon, SIGSTOP);
		poll(NULL, 0, 1500);
		from = mw_now_ns();
		kill(keeper, SIGCONT);
		poll(NULL, 0, 100);
		kill(daemon, SIGCONT);
		if (mw_now_ns() - from > alone)
			alone = mw_now_ns() - from;
		poll(NULL, 0, 300);
	}
	return alone;
}

/* The daemon gets its time to beat when it goes on, later than the keeper. */
static void own_lateness_is_not_held_against_it(void **state)
{
	for (int i = 0; i < 5;
	     i++) { /* where the keeper was alone for long it was right to act, and that proves nothing */
		pid_t keeper = start_keeper("run", false), daemon = wait_noted("started", 1, NULL);
		__u64 alone = stop_both(keeper, daemon);

		if (alone < 400 * MW_NS_PER_MS) {
			assert_int_equal(kill(daemon, 0), 0);
			assert_int_equal(noted("started", 2, NULL), 0);
			assert_false(mended());
			kill(keeper, SIGTERM);
			assert_int_equal(status_of(keeper), 0);
			return;
		}
		kill(keeper, SIGTERM);
		status_of(keeper);
		tear_down(state);
		set_up(state);
	}
	fail_msg("this machine is late each time");
}

static long wakes_of(pid_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64], line[256];
	long n = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
			return n;
	return -1;
}

static void a_daemon_that_beats_is_left_alone(void **state)
{
	pid_t keeper = start_keeper("held", false);
	long n = 0;

	(void)state;
	wait_noted("started", 1, NULL);
	poll(NULL, 0, 500);
	for (int i = 0; i < 5 && (n < 4 || n > 16);
	     i++) { /* one quiet time of the machine is enough: who polls has none */
		long before = wakes_of(keeper);

		poll(NULL, 0, 2000);
		n = wakes_of(keeper) - before;
		print_message("%ld wakes in 2 s\n", n);
	}
	assert_in_range(n, 4, 16);
	kill(keeper, SIGTERM);
	assert_int_equal(status_of(keeper), 0);
}

static void status_is_passed_through(void **state)
{
	pid_t keeper;

	(void)state;
	assert_int_equal(status_of(start_keeper("exit", false)), 3);
	assert_int_equal(status_of(start_keeper("none", false)), 127);
	keeper = start_keeper("order", false);
	kill(wait_noted("started", 1, NULL), SIGTERM); /* not through the keeper */
	assert_int_equal(status_of(keeper), 4);
	assert_true(mended()); /* what a daemon leaves limited without a guard is lifted, however it ended */
}

static void dead_keeper_is_replaced(void **state)
{
	pid_t keeper = start_keeper("replace", false), daemon, second;
	__u64 begin;

	(void)state;
	daemon = wait_noted("started", 1, NULL);
	kill(keeper, SIGKILL);
	assert_int_equal(status_of(keeper), 128 + SIGKILL);
	assert_int_equal(wait_noted("replaced", 1, NULL), daemon);
	assert_false(mended()); /* a dead keeper alone changes nothing */
	poll(NULL, 0, 500); /* the new one finds its feet; the daemon goes on beating */
	begin = mw_now_ns();
	kill(daemon, SIGKILL);
	expect_mended(begin);
	wait_noted("started", 2, &second); /* its parent is the second keeper */
	assert_int_not_equal(second, keeper);
	kill(second, SIGTERM);
	wait_noted("stopping", 1, NULL);
}

/* Nobody is left who limited the workers, and the keeper that should know has only just been started. */
static void daemon_dead_before_its_keeper_looks(void **state)
{
	pid_t keeper = start_keeper("replace-die", false), daemon, second;
	__u64 begin;

	(void)state;
	daemon = wait_noted("started", 1, NULL);
	begin = mw_now_ns();
	kill(keeper, SIGKILL);
	assert_int_equal(status_of(keeper), 128 + SIGKILL);
	assert_int_equal(wait_noted("replaced", 1, NULL), daemon);
	expect_mended(begin);
	assert_int_not_equal(wait_noted("started", 2, &second), daemon);
	assert_int_not_equal(second, keeper);
	kill(second, SIGTERM);
	wait_noted("stopping", 1, NULL);
}

/* The next datagram that begins with text, within 10 s. */
static void expect_notice(int fd, const char *text)
{
	struct pollfd p = {fd, POLLIN, 0};
	char buf[256];

	for (;;) {
		ssize_t n;

		assert_int_equal(poll(&p, 1, 10000), 1);
		n = recv(fd, buf, sizeof(buf) - 1, 0);
		assert_true(n > 0);
		buf[n] = '\0';
		if (!strncmp(buf, text, strlen(text)))
			return;
	}
}

static void service_manager_is_told(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	pid_t keeper;

	(void)state;
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/notify", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
	setenv("WATCHDOG_USEC", "4000000", 1);
	keeper = start_keeper("run", false);
	unsetenv("WATCHDOG_USEC");
	expect_notice(fd, "READY=1\nSTATUS=");
	expect_notice(fd, "WATCHDOG=1");
	kill(keeper, SIGTERM);
	expect_notice(fd, "STOPPING=1");
	assert_int_equal(status_of(keeper), 0);
}

static void without_keeper_the_table_is_private(void **state)
{
	struct mw_keeper_link *l = NULL;
	int fd = open(dir, O_RDONLY | O_CLOEXEC);

	(void)state;
	unsetenv(MW_KEEPER_ENV);
	assert_int_equal(mw_keeper_connect(8, &l, NULL), 0);
	assert_int_equal(mw_keeper_fd(l), -1);
	assert_int_equal(mw_keeper_table(l)->n_slots, 8);
	assert_int_equal(mw_keeper_add(l, 8, 1, fd, true), -EINVAL);
	assert_int_equal(mw_keeper_add(l, 3, 44, fd, true), 0);
	assert_int_equal(mw_keeper_table(l)->slots[3].cgroup_id, 44);
	assert_false(mw_keeper_mark_frozen(mw_keeper_table(l), 3, 45, true));
	assert_true(mw_keeper_mark_frozen(mw_keeper_table(l), 3, 44, true));
	mw_keeper_drop(l, 3);
	assert_int_equal(mw_keeper_table(l)->slots[3].cgroup_id, 0);
	assert_int_equal(mw_keeper_table(l)->slots[3].frozen, 0);
	assert_int_equal(mw_keeper_replace(l, NULL), -ENOENT);
	mw_keeper_beat(l, 5);
	mw_keeper_disconnect(l);
	close(fd);
}

static void broken_environment_is_refused(void **state)
{
	struct mw_keeper_link *l = NULL;

	(void)state;
	setenv(MW_KEEPER_ENV, "1,2", 1);
	assert_int_equal(mw_keeper_connect(8, &l, NULL), -EINVAL);
	setenv(MW_KEEPER_ENV, "900,901,902", 1);
	assert_int_equal(mw_keeper_connect(8, &l, NULL), -EINVAL);
	unsetenv(MW_KEEPER_ENV);
	assert_null(l);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(killed_is_mended_and_restarted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_descriptors_arrive, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stopped_counts_as_hung, set_up, tear_down),
		cmocka_unit_test_setup_teardown(silence_counts_as_hung, set_up, tear_down),
		cmocka_unit_test_setup_teardown(starving_is_not_hanging, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_late_thaw_counts_as_hung, set_up, tear_down),
		cmocka_unit_test_setup_teardown(own_lateness_is_not_held_against_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_daemon_that_beats_is_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(status_is_passed_through, set_up, tear_down),
		cmocka_unit_test_setup_teardown(dead_keeper_is_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(daemon_dead_before_its_keeper_looks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(service_manager_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_keeper_the_table_is_private, set_up, tear_down),
		cmocka_unit_test_setup_teardown(broken_environment_is_refused, set_up, tear_down),
	};

	if (argc == 4 && !strcmp(argv[1], "fake-daemon")) {
		snprintf(dir, sizeof(dir), "%s", argv[3]);
		return fake_daemon(argv[2]);
	}
	if (argc > 5 && !strcmp(argv[2], "--keep"))
		return mw_keeper_adopt(atoi(argv[3]), argv + 5, say);
	return cmocka_run_group_tests_name("core/keeper", tests, NULL, NULL);
}
