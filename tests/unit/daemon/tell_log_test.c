/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The log, with a journal of the test's own: exact bytes, a full socket, none, a flood. */
#include "../unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/tell_log.h"
#include "util/clock.h"
#include "util/ratelimit.h"

static struct mw_log *journal_log;
static struct mw_worker web;
static char path[100], got[MW_ENTRY_MAX + 1];
static int server = -1, err_read = -1, err_was = -1;

static void listen_at(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int size = 1;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(setsockopt(server, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	assert_int_equal(bind(server, (struct sockaddr *)&a, sizeof(a)), 0);
}

/* stderr is a pipe that $JOURNAL_STREAM names. */
static int start(void **state)
{
	struct stat st;
	char text[64];
	int fds[2];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/memweir-tell-%d", (int)getpid());
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	err_was = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	err_read = fds[0];
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
	snprintf(web.name, sizeof(web.name), "web-7");
	snprintf(web.class_name, sizeof(web.class_name), "tool");
	web.cgroup = (char *)"/m/web-7";
	web.cgroup_id = 42;
	web.main_pid = 4711;
	web.usage = (struct mw_usage){.time_ns = 1, .current = 1000, .max = 2000};
	web.check.percent = 50;
	web.trend = (struct mw_trend){.rate_bytes_per_s = 10.4, .time_to_limit_s = 96.2};
	return mw_log_new(path, &journal_log);
}

static int stop(void **state)
{
	(void)state;
	dup2(err_was, STDERR_FILENO);
	close(err_was);
	close(err_read);
	if (server >= 0)
		close(server);
	server = -1;
	unlink(path);
	mw_log_free(journal_log);
	return 0;
}

static ssize_t receive(void)
{
	ssize_t n = recv(server, got, sizeof(got) - 1, 0);

	got[n < 0 ? 0 : n] = 0;
	return n;
}

static const char *printed(void)
{
	ssize_t n = read(err_read, got, sizeof(got) - 1);

	got[n < 0 ? 0 : n] = 0;
	return got;
}

static void line(const char *kind, const struct mw_fact *fact, const char *text)
{
	mw_log_line(journal_log, mw_told_find(kind), NULL, LOG_WARNING, &web, fact, text);
}

static void test_bytes(void **state)
{
	const struct mw_fact fact = {.reason = "heap_size", .pause_ns = 7, .incident = "I-1"};
	char want[1024];

	(void)state;
	listen_at();
	line("died", &fact, "it died");
	assert_true(receive() > 0);
	snprintf(want, sizeof(want),
		 "MESSAGE=it died\nPRIORITY=4\nSYSLOG_IDENTIFIER=memweir\nMESSAGE_ID=%s\nMEMWEIR_EVENT=died\n"
		 "MEMWEIR_WORKER=web-7\nMEMWEIR_CLASS=tool\nMEMWEIR_CGROUP=/m/web-7\nMEMWEIR_CGROUP_ID=42\n"
		 "MEMWEIR_USAGE_BYTES=1000\nMEMWEIR_MAX_BYTES=2000\nMEMWEIR_PERCENT=50.00\n"
		 "MEMWEIR_REASON=heap_size\nMEMWEIR_PAUSE_NS=7\nMEMWEIR_INCIDENT=I-1\nOBJECT_PID=4711\n",
		 mw_told_find("died")->message_id);
	assert_string_equal(got, want);
	line("memory-high", NULL, "high");
	receive();
	assert_non_null(strstr(got, "\nMEMWEIR_RATE_BYTES_PER_S=10\nMEMWEIR_TIME_TO_LIMIT_S=96\n"));
	assert_string_equal(printed(), "");
	assert_int_equal(mw_log_counts(journal_log).without_fields, 0);
}

static void test_several_lines(void **state)
{
	static const char begins[] = "MESSAGE\n\7\0\0\0\0\0\0\0one\ntwo\nPRIORITY=4\n";

	(void)state;
	listen_at();
	line("died", NULL, "one\ntwo");
	assert_true(receive() > (ssize_t)sizeof(begins));
	assert_memory_equal(got, begins, sizeof(begins) - 1);
}

/* A field without room is left out whole; what comes after it is there. */
static void test_too_long(void **state)
{
	static struct mw_entry e;
	char text[MW_ENTRY_MAX];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	e.n = e.left_out = 0;
	mw_entry_text(&e, "A", text);
	mw_entry_text(&e, "B", "");
	mw_entry_text(&e, "C", NULL);
	mw_entry_number(&e, "D", 18446744073709551615ULL);
	assert_int_equal(e.left_out, 1);
	assert_int_equal(e.n, strlen("D=18446744073709551615\n"));
	assert_memory_equal(e.bytes, "D=18446744073709551615\n", e.n);
}

static void test_no_journal(void **state)
{
	(void)state;
	line("died", NULL, "it died");
	assert_string_equal(printed(), "<4>it died\n");
	assert_int_equal(mw_log_counts(journal_log).without_fields, 1);
	assert_int_equal(mw_log_counts(journal_log).lost, 0);
}

/* A journal that does not read: no wait, the plain line; and when stderr is full too, the count. */
static void test_full(void **state)
{
	struct mw_log_counts c;
	unsigned n = 0;

	(void)state;
	listen_at();
	while (mw_log_counts(journal_log).lost == 0 && n++ < 100000)
		line("died", NULL, "it died, and died, and died");
	c = mw_log_counts(journal_log);
	assert_int_equal(c.lost, 1);
	assert_true(c.without_fields > 1 && c.without_fields < n);
	assert_true(receive() > 0);
	assert_memory_equal(printed(), "<4>it died, and died", 20);
}

static void test_elsewhere(void **state)
{
	(void)state;
	listen_at();
	unsetenv("JOURNAL_STREAM");
	line("died", NULL, "it died");
	assert_true(receive() < 0);
	assert_string_equal(printed(), "memweir: it died\n");
}

static void test_flood(void **state)
{
	const struct mw_told_kind *k = mw_told_find("told");
	unsigned n = 0;

	(void)state;
	listen_at();
	for (int i = 0; i < 50; i++) {
		mw_log_line(journal_log, k, NULL, LOG_INFO, &web, NULL, "told");
		n += receive() > 0;
	}
	assert_int_equal(n, MW_FLOOD_BURST);
	assert_int_equal(mw_log_counts(journal_log).suppressed, 50 - MW_FLOOD_BURST);
	for (int i = 0; i < 50; i++) { /* never suppressed */
		line("died", NULL, "died");
		assert_true(receive() > 0);
	}
	mw_log_tick(journal_log, mw_now_ns());
	assert_true(receive() < 0);
	mw_log_tick(journal_log, mw_now_ns() + 2 * MW_FLOOD_WINDOW_NS);
	assert_true(receive() > 0);
	assert_non_null(strstr(got, "MESSAGE=30 more lines \"told\" of worker web-7 suppressed"));
	assert_non_null(strstr(got, "\nMEMWEIR_WORKER=web-7\nMEMWEIR_SUPPRESSED=30\nMEMWEIR_SUPPRESSED_EVENT=told\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bytes, start, stop),
		cmocka_unit_test_setup_teardown(test_several_lines, start, stop),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test_setup_teardown(test_no_journal, start, stop),
		cmocka_unit_test_setup_teardown(test_full, start, stop),
		cmocka_unit_test_setup_teardown(test_elsewhere, start, stop),
		cmocka_unit_test_setup_teardown(test_flood, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
