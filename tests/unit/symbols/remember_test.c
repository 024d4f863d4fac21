/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Processes looked at while they live, and asked about when they have ended. */
#include "program.h"

#include "symbols/remember.h"
#include "util/clock.h"

static struct mw_remembered *r;
static bool ended;

static int make(void **state)
{
	r = mw_remembered_new(symbols_program());
	assert_non_null(r);
	return program_make(state);
}

static int end(void **state)
{
	mw_remembered_free(r);
	return program_remove(state);
}

static int ask_of(pid_t pid, __u64 start_ticks)
{
	struct mw_address addresses[PCS_MAX];
	struct mw_symbols_question q = {
		.pid = pid, .start_ticks = start_ticks, .addresses = addresses, .n = worker.n, .timeout_ms = 60000};

	for (size_t i = 0; i < worker.n; i++)
		addresses[i] = (struct mw_address){worker.pcs[i], true};
	mw_symbols_free(&symbols);
	said.text[0] = '\0';
	ended = false;
	return mw_remembered_ask(r, &q, 0, &ended, &symbols, &said);
}

static int ask(pid_t pid)
{
	return ask_of(pid, 0);
}

/* It dies, its addresses stay. */
static pid_t end_it(void)
{
	struct worker was = worker;

	end_worker();
	worker = was;
	worker.pid = 0;
	return was.pid;
}

static void named_when_it_has_ended(void **state)
{
	pid_t pid;

	(void)state;
	in_tree("gcc -O2 -g -o weir weir.c");
	start_worker("weir");
	assert_int_equal(mw_remember(r, worker.pid, mw_now_ns()), 2);
	pid = end_it();
	assert_int_equal(ask(pid), 0);
	assert_true(ended);
	assert_c_program();
	/* Another file in its place; what was found before is known. */
	in_tree("rm weir && gcc -O1 -g -fno-inline -o weir weir.c");
	assert_int_equal(ask(pid), 0);
	assert_c_program();
}

static void nobody_looked(void **state)
{
	(void)state;
	in_tree("gcc -O2 -g -o weir weir.c");
	start_worker("weir");
	assert_int_equal(ask(end_it()), -ESRCH);
	assert_true(ended);
	assert_said("nobody looked at it before");
	assert_int_equal(mw_remember(r, 0x7ffffff0, mw_now_ns()), -ESRCH);
}

/* Who has its pid is another one: also where that one is looked at, what was known of the dead one stays. */
static void pid_of_another(void **state)
{
	__u64 start;
	pid_t pid;

	(void)state;
	in_tree("gcc -O2 -g -o weir weir.c");
	start_worker("weir");
	start = worker.start_ticks;
	assert_int_equal(ask_of(worker.pid, start + 1), -ESRCH);
	assert_true(ended);
	assert_said("its pid is another one's now, and nobody looked at it before");
	assert_int_equal(ask_of(worker.pid, (1ULL << 32) + start), 0); /* what is known is its low half */
	assert_false(ended);
	assert_int_equal(mw_remember(r, worker.pid, mw_now_ns()), 1);
	pid = start_as(end_it());
	if (!pid)
		skip();
	worker.pid = pid; /* to be ended */
	assert_int_equal(ask_of(pid, start), 0);
	assert_true(ended);
	assert_c_program();
	assert_int_equal(mw_remember(r, pid, mw_now_ns()), 2);
	assert_int_equal(ask_of(pid, start), 0);
	assert_true(ended);
	assert_c_program();
	assert_int_equal(ask(pid), 0); /* as it is now */
	assert_false(ended);
	assert_int_equal(frames_at(0), 1);
	assert_string_equal(frame(0, 0)->function, "");
}

/* What it was named while it lived, it is named without its file. */
static void file_is_gone(void **state)
{
	pid_t pid;

	(void)state;
	in_tree("gcc -O2 -g -o weir weir.c");
	start_worker("weir");
	assert_int_equal(ask(worker.pid), 0);
	assert_false(ended);
	assert_c_program();
	in_tree("rm weir");
	pid = end_it();
	assert_int_equal(ask(pid), 0);
	assert_true(ended);
	assert_c_program();
}

/* Of a second process of the same program nothing has to be asked, and it is somewhere else in memory. */
static void same_files(void **state)
{
	__u64 now = mw_now_ns();

	(void)state;
	in_tree("gcc -O2 -g -o weir weir.c");
	start_worker("weir");
	assert_int_equal(mw_remember(r, worker.pid, now), 2);
	assert_int_equal(mw_remember(r, worker.pid, now + MW_NS_PER_S), 1);
	assert_int_equal(mw_remember(r, worker.pid, now + MW_NS_PER_S + MW_NS_PER_MS), 0); /* known for a second */
	assert_int_equal(mw_remember(r, worker.pid, now + 2 * MW_NS_PER_S), 1);
	start_worker("weir");
	assert_int_equal(mw_remember(r, worker.pid, now), 1);
	assert_int_equal(ask(end_it()), 0);
	assert_c_program();
	/* Written over, in the same inode perhaps: another file. */
	in_tree("rm weir && gcc -O2 -g -Wl,--build-id=0x0123456789012345678901234567890123456789 -o weir weir.c");
	start_worker("weir");
	assert_int_equal(mw_remember(r, worker.pid, now), 2);
	assert_int_equal(ask(end_it()), 0);
	assert_c_program();
	assert_string_equal(frame(0, 0)->build_id, "0123456789012345678901234567890123456789");
}

/* A process like this one, that ends with it. */
static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	return pid;
}

static void bounded(void **state)
{
	pid_t first = 0, pids[1500];
	size_t n = 0;

	(void)state;
	in_tree("gcc -O2 -g -o weir weir.c");
	start_worker("weir");
	for (; n < ARRAY_SIZE(pids) && mw_remembered_bytes(r) < MW_REMEMBERED_BYTES - 8192; n++) {
		pids[n] = sleeper();
		assert_true(mw_remember(r, pids[n], mw_now_ns()) > 0);
		if (!n)
			first = pids[n];
	}
	assert_true(n > 20 && n < ARRAY_SIZE(pids));
	for (int i = 0; i < 20; i++) { /* who is looked at stays */
		mw_remember(r, first, mw_now_ns());
		kill(pids[n - 1], SIGKILL);
		waitpid(pids[n - 1], NULL, 0);
		pids[n - 1] = sleeper();
		assert_true(mw_remember(r, pids[n - 1], mw_now_ns()) > 0);
		assert_true(mw_remembered_bytes(r) <= MW_REMEMBERED_BYTES);
	}
	for (size_t i = 0; i < n; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	assert_int_equal(ask(first), 0);
	assert_int_equal(ask(pids[1]), -ESRCH);
}

#define remember_case(f) cmocka_unit_test_setup_teardown(f, make, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		remember_case(named_when_it_has_ended),
		remember_case(nobody_looked),
		remember_case(pid_of_another),
		remember_case(file_is_gone),
		remember_case(same_files),
		remember_case(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
