/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The action pool on fake cgroups: plain files in a directory, real processes where one is killed. */
#include "fake_tree.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/action.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define SOON (20 * MW_NS_PER_S)

struct fixture {
	int dir;
	struct mw_actions *pool;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(tree_make(state), 0);
	tree_dir("w");
	f->dir = tree_open("w");
	tree_file("meminfo", "MemTotal: 1 kB\nSwapTotal:  0 kB\nSwapFree: 0 kB\n");
	tree_file("w/memory.current", "60000000\n");
	tree_file("w/memory.stat", "anon 50000000\nfile 9000000\nshmem 1000000\n");
	tree_file("w/memory.swap.max", "max\n");
	tree_file("w/memory.swap.current", "0\n");
	tree_file("w/memory.reclaim", "");
	tree_file("w/memory.max", "max\n");
	tree_file("w/memory.high", "max\n");
	tree_file("w/memory.low", "0\n");
	tree_file("w/memory.oom.group", "0\n");
	tree_file("w/cgroup.procs", "");
	tree_file("w/cgroup.freeze", "0\n");
	tree_file("w/cgroup.events", "populated 0\nfrozen 1\n");
	assert_int_equal(mw_actions_new(2, tree, &f->pool), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mw_actions_free(f->pool), 0);
	close(f->dir);
	tree_remove(state);
	free(f);
	return 0;
}

static struct mw_action_result next(struct fixture *f)
{
	struct pollfd p = {mw_actions_fd(f->pool), POLLIN, 0};
	struct mw_action_result r;

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_true(mw_actions_next(f->pool, &r));
	return r;
}

static struct mw_action_result run(struct fixture *f, const struct mw_action *a)
{
	assert_int_equal(mw_actions_submit(f->pool, a), 0);
	return next(f);
}

static void names_are_there(void **state)
{
	(void)state;
	assert_string_equal(mw_action_name(MW_ACTION_RECLAIM), "reclaim");
	assert_string_equal(mw_action_name(MW_ACTION_MAX), "unknown");
}

static void freeze_and_thaw_mark_the_table(void **state)
{
	struct fixture *f = *state;
	struct mw_action a = mw_action_make(MW_ACTION_FREEZE, f->dir, 5, SOON);
	struct mw_action_result r;
	__u8 mark = 0;

	a.mark = &mark;
	a.arg = f;
	strcpy(a.reason, "asked for");
	r = run(f, &a);
	assert_int_equal(r.status, 0);
	assert_int_equal(r.kind, MW_ACTION_FREEZE);
	assert_int_equal(r.cookie, 5);
	assert_ptr_equal(r.arg, f);
	assert_string_equal(r.reason, "asked for");
	assert_string_equal(r.text, "frozen");
	assert_int_equal(mark, 1);
	assert_string_equal(tree_text("w/cgroup.freeze"), "1");
	a.kind = MW_ACTION_THAW;
	r = run(f, &a);
	assert_int_equal(r.status, 0);
	assert_int_equal(mark, 0);
	assert_string_equal(tree_text("w/cgroup.freeze"), "0");
}

static void dry_run_changes_nothing(void **state)
{
	static const struct mw_action_write write = {"memory.max", 70000000};
	struct fixture *f = *state;

	for (enum mw_action_kind kind = 0; kind < MW_ACTION_MAX; kind++) {
		struct mw_action a = mw_action_make(kind, f->dir, 1, SOON);
		struct mw_action_result r;

		a.dry_run = true;
		a.bytes = 1 << 20;
		a.writes[0] = write;
		a.n_writes = 1;
		a.call = (int (*)(void *, char *, size_t))abort; /* not reached */
		r = run(f, &a);
		assert_int_equal(r.status, 0);
		assert_true(r.dry_run);
		assert_true(!strncmp(r.text, "would ", 6));
	}
	assert_string_equal(tree_text("w/memory.max"), "max\n");
	assert_string_equal(tree_text("w/memory.reclaim"), "");
	assert_string_equal(tree_text("w/cgroup.freeze"), "0\n");
}

static void reclaim_says_why_not(void **state)
{
	struct fixture *f = *state;
	struct mw_action a = mw_action_make(MW_ACTION_RECLAIM, f->dir, 1, 50 * MW_NS_PER_MS);
	struct mw_action_result r;

	a.bytes = 10 << 20;
	/* Page cache is there; the fake kernel frees nothing of it until the deadline. */
	r = run(f, &a);
	assert_int_equal(r.status, -ETIMEDOUT);
	assert_true(r.before_bytes == 60000000 && r.after_bytes == 60000000);
	assert_non_null(strstr(r.text, "deadline"));
	/* None, and nowhere to put the rest. */
	tree_file("w/memory.stat", "anon 60000000\nfile 1000000\nshmem 1000000\n");
	r = run(f, &a);
	assert_int_equal(r.status, -ENOSPC);
	assert_non_null(strstr(r.text, "no page cache"));
	assert_non_null(strstr(r.text, "the host has no swap"));
	tree_file("meminfo", "SwapTotal: 1000000 kB\nSwapFree: 500000 kB\n");
	tree_file("w/memory.swap.max", "0\n");
	r = run(f, &a);
	assert_int_equal(r.status, -ENOSPC);
	assert_non_null(strstr(r.text, "memory.swap.max is 0"));
}

static void gone_is_said(void **state)
{
	struct fixture *f = *state;
	struct mw_action a;
	struct mw_action_result r;
	char path[80];

	snprintf(path, sizeof(path), "%s/gone", tree);
	mkdir(path, 0700);
	a = mw_action_make(MW_ACTION_FREEZE, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), 1, SOON);
	rmdir(path);
	r = run(f, &a);
	assert_int_equal(r.status, -ENODEV);
	assert_non_null(strstr(r.text, "gone"));
	a.kind = MW_ACTION_KILL;
	assert_int_equal(run(f, &a).status, -ENODEV);
	close(a.dir_fd);
}

static void lower_max_is_refused_unless_forced(void **state)
{
	struct fixture *f = *state;
	struct mw_action a = mw_action_make(MW_ACTION_LIMIT, f->dir, 1, 50 * MW_NS_PER_MS);
	struct mw_action_result r;

	a.writes[0] = (struct mw_action_write){"memory.max", 50000000};
	a.n_writes = 1;
	r = run(f, &a);
	assert_int_equal(r.status, -EBUSY);
	assert_string_equal(tree_text("w/memory.max"), "max\n");
	assert_non_null(strstr(r.text, "60.0 MB in use"));
	a.force = true;
	assert_int_equal(run(f, &a).status, 0);
	assert_string_equal(tree_text("w/memory.max"), "50000000");
}

static void limits_are_written_and_marked(void **state)
{
	struct mw_limits limits = {
		.max = 100000000, .high = 90000000, .low = 10000000, .swap_max = MW_UNLIMITED, .oom_group = true};
	struct fixture *f = *state;
	struct mw_action a = mw_action_make(MW_ACTION_LIMIT, f->dir, 1, SOON);
	struct mw_action_result r;
	__u8 mark = 0;

	a.mark = &mark;
	mw_action_limits(&a, &limits);
	r = run(f, &a);
	assert_int_equal(r.status, 0);
	assert_int_equal(mark, 1);
	assert_string_equal(tree_text("w/memory.max"), "100000000");
	assert_string_equal(tree_text("w/memory.high"), "90000000");
	assert_string_equal(tree_text("w/memory.low"), "10000000");
	assert_string_equal(tree_text("w/memory.swap.max"), "max");
	assert_string_equal(tree_text("w/memory.oom.group"), "1");
	limits.high = MW_UNLIMITED;
	mw_action_limits(&a, &limits);
	assert_int_equal(run(f, &a).status, 0);
	assert_int_equal(mark, 0);
}

static bool no(int dir_fd, void *arg)
{
	(void)dir_fd;
	++*(int *)arg;
	return false;
}

static void kill_looks_twice_and_waits(void **state)
{
	struct fixture *f = *state;
	struct mw_action a = mw_action_make(MW_ACTION_KILL, f->dir, 1, 100 * MW_NS_PER_MS);
	struct mw_action_result r;
	char pid_text[16];
	int looks = 0, status;
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	snprintf(pid_text, sizeof(pid_text), "%d\n", pid);
	tree_file("w/cgroup.kill", "");
	tree_file("w/cgroup.procs", pid_text);
	tree_file("w/cgroup.events", "populated 1\nfrozen 0\n");
	a.still = no;
	a.arg = &looks;
	r = run(f, &a);
	assert_int_equal(r.status, -ECANCELED);
	assert_int_equal(looks, 1);
	assert_string_equal(tree_text("w/cgroup.kill"), "");
	a.still = NULL;
	a.deadline_ns = mw_now_ns() + 100 * MW_NS_PER_MS;
	r = run(f, &a);
	assert_int_equal(r.status, -ETIMEDOUT); /* the fake kernel's cgroup never empties */
	assert_string_equal(tree_text("w/cgroup.kill"), "1");
	assert_non_null(strstr(r.text, "killed 1 process"));
	tree_file("w/cgroup.events", "populated 0\nfrozen 0\n");
	assert_int_equal(run(f, &a).status, 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* ---- the pool ---- */

static int gate[2]; /* a call that hangs until something is written here */
static int order[8], n_order;

static int hang(void *arg, char *text, size_t size)
{
	char c;

	(void)arg;
	snprintf(text, size, "let go");
	return read(gate[0], &c, 1) == 1 ? 0 : -EIO;
}

static int note(void *arg, char *text, size_t size)
{
	(void)text, (void)size;
	order[__atomic_fetch_add(&n_order, 1, __ATOMIC_ACQ_REL)] = (int)(long)arg;
	return 0;
}

static struct mw_action a_call(int (*fn)(void *, char *, size_t), long arg, __u64 cookie)
{
	struct mw_action a = mw_action_make(MW_ACTION_CALL, -1, cookie, SOON);

	a.call = fn;
	a.arg = (void *)arg;
	return a;
}

static void same_cookie_keeps_its_order(void **state)
{
	struct fixture *f = *state;
	struct mw_action hung = a_call(hang, 0, 9);

	n_order = 0;
	assert_int_equal(pipe(gate), 0);
	assert_int_equal(mw_actions_submit(f->pool, &hung), 0);
	for (long i = 1; i <= 3; i++) {
		struct mw_action a = a_call(note, i, 9), other = a_call(note, i + 10, 8);

		assert_int_equal(mw_actions_submit(f->pool, &a), 0);
		assert_int_equal(mw_actions_submit(f->pool, &other), 0);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(next(f).cookie, 8); /* a hanging one does not hold up the others */
	assert_int_equal(write(gate[1], "x", 1), 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(next(f).cookie, 9);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(order[i], i + 11);
		assert_int_equal(order[i + 3], i + 1);
	}
	close(gate[0]);
	close(gate[1]);
}

static void kill_overtakes_a_hanging_action(void **state)
{
	struct fixture *f = *state;
	struct mw_action hung = a_call(hang, 0, 9), queued = a_call(note, 1, 9);
	struct mw_action kill_it = mw_action_make(MW_ACTION_KILL, f->dir, 9, SOON);

	n_order = 0;
	tree_file("w/cgroup.kill", "");
	assert_int_equal(pipe(gate), 0);
	assert_int_equal(mw_actions_submit(f->pool, &hung), 0);
	assert_int_equal(mw_actions_submit(f->pool, &queued), 0);
	assert_int_equal(mw_actions_submit(f->pool, &kill_it), 0);
	assert_int_equal(next(f).kind, MW_ACTION_KILL);
	assert_int_equal(write(gate[1], "x", 1), 1);
	assert_int_equal(next(f).kind, MW_ACTION_CALL);
	next(f);
	close(gate[0]);
	close(gate[1]);
}

static void full_queue_is_counted(void **state)
{
	struct fixture *f = *state;
	struct mw_action hung = a_call(hang, 0, 9);
	int sent = 0;

	assert_int_equal(pipe(gate), 0);
	while (mw_actions_submit(f->pool, &hung) == 0)
		sent++;
	assert_int_equal(sent, MW_ACTIONS_QUEUE);
	assert_int_equal(mw_actions_submit(f->pool, &hung), -EAGAIN);
	assert_true(mw_actions_refused(f->pool) == 2);
	for (int i = 0; i < sent; i++) {
		assert_int_equal(write(gate[1], "x", 1), 1);
		assert_int_equal(next(f).status, 0);
	}
	close(gate[0]);
	close(gate[1]);
}

static void wrong_actions_are_refused(void **state)
{
	struct fixture *f = *state;
	struct mw_actions *none = NULL;
	struct mw_action a = mw_action_make(MW_ACTION_CALL, -1, 1, SOON);

	assert_int_equal(mw_actions_submit(f->pool, &a), -EINVAL);
	a = mw_action_make(MW_ACTION_RECLAIM, f->dir, 1, SOON);
	assert_int_equal(mw_actions_submit(f->pool, &a), -EINVAL); /* how much? */
	a = mw_action_make(MW_ACTION_KILL, -1, 1, SOON);
	assert_int_equal(mw_actions_submit(f->pool, &a), -EINVAL);
	assert_int_equal(mw_actions_new(0, "/proc", &none), -EINVAL);
	assert_int_equal(mw_actions_new(MW_ACTIONS_THREADS + 1, "/proc", &none), -EINVAL);
	assert_null(none);
}

static int open_gate(void *arg, char *text, size_t size)
{
	(void)text, (void)size;
	poll(NULL, 0, 50); /* mw_actions_free has begun */
	return note(arg, text, size);
}

static void stopping_does_calls_and_drops_the_rest(void **state)
{
	struct fixture *f = *state;
	struct mw_action first = a_call(open_gate, 1, 9), last = a_call(note, 2, 9);
	struct mw_action freeze = mw_action_make(MW_ACTION_FREEZE, f->dir, 9, SOON);

	n_order = 0;
	assert_int_equal(mw_actions_submit(f->pool, &first), 0);
	assert_int_equal(mw_actions_submit(f->pool, &freeze), 0);
	assert_int_equal(mw_actions_submit(f->pool, &last), 0);
	assert_int_equal(mw_actions_free(f->pool), 0);
	f->pool = NULL;
	assert_int_equal(n_order, 2);
	assert_string_equal(tree_text("w/cgroup.freeze"), "0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_there),
		cmocka_unit_test_setup_teardown(freeze_and_thaw_mark_the_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(dry_run_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reclaim_says_why_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(gone_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lower_max_is_refused_unless_forced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits_are_written_and_marked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kill_looks_twice_and_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(same_cookie_keeps_its_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kill_overtakes_a_hanging_action, set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_queue_is_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_actions_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stopping_does_calls_and_drops_the_rest, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("core/action", tests, NULL, NULL);
}
