// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* memweir plan: figures that are given, and figures of a worker. */
#include "fake.h"

static char body[1024];
static struct fake_reply table[] = {
	{"GET", "/v1/workers/web-7", 200, body},
	{"GET", "/v1/workers/none", 404, "{\"error\":\"no worker none\"}"},
	{"GET", "/v1/workers/odd", 200, "{\"schema\":1}"},
	{NULL},
};

static void given(void **state)
{
	struct fake f;

	(void)state;
	fake_dir(&f);
	assert_int_equal(memweir(&f, "plan", "-n", "15000", "--each", "180KB", "--fixed", "56MB", "--buffer", "100KB",
				 "--pool", "1000", "--budget", "3GB"),
			 0);
	assert_int_equal(strncmp(last.out, "Memory OK: 2856 MB of 3 GB (95.2 %)\n", 36), 0);
	assert_out("15000 connections × 180.0 KB");
	assert_out("1000 buffers in flight × 100.0 KB");
	assert_out("15800 connections fit\n");
	assert_int_equal(memweir(&f, "plan", "--connections", "15400", "--each", "190KB", "--budget", "3GB"), 3);
	assert_out("Memory warning: 2926 MB of 3 GB (97.5 %)\n");
	assert_int_equal(memweir(&f, "plan", "-n", "16000", "-e", "190KB", "-b", "3GB"), 4);
	assert_out("Memory exceeded: 3040 MB of 3 GB (101.4 %), 15789 connections fit\n");
	assert_int_equal(memweir(&f, "plan", "-n", "1000", "-e", "1KB", "-k", "2KB", "--buffer", "1MB", "-a", "10",
				 "-b", "1GB", "--json"),
			 0);
	assert_out("\"verdict\":\"ok\"");
	assert_out("\"total_bytes\":103000000");
	assert_out("\"percent\":10.3");
	assert_out("\"buffers\":100,");
	assert_out("\"sockets_bytes\":2000000");
	fake_stop(&f);
}

static void usage(void **state)
{
	struct fake f;

	(void)state;
	fake_dir(&f);
	assert_int_equal(memweir(&f, "plan"), 2);
	assert_err("--connections is missing");
	assert_int_equal(memweir(&f, "plan", "-n", "auto", "-e", "1KB", "-b", "1GB"), 2);
	assert_int_equal(memweir(&f, "plan", "-n", "0", "-e", "1KB", "-b", "1GB"), 2);
	assert_int_equal(memweir(&f, "plan", "-n", "-5", "-e", "1KB", "-b", "1GB"), 2);
	assert_int_equal(memweir(&f, "plan", "-n", "5x", "-e", "1KB", "-b", "1GB"), 2);
	assert_err("--connections: found \"5x\", expected a number");
	assert_int_equal(memweir(&f, "plan", "-n", "99999999999999999999", "-e", "1KB", "-b", "1GB"), 2);
	assert_int_equal(memweir(&f, "plan", "-n", "5", "-e", "1KB"), 2);
	assert_err("--budget is missing");
	assert_int_equal(memweir(&f, "plan", "-n", "5", "-b", "1GB"), 2);
	assert_err("--each is missing");
	assert_int_equal(memweir(&f, "plan", "-n", "5", "-e", "much", "-b", "1GB"), 2);
	assert_err("--each: found \"much\", expected a size");
	assert_int_equal(memweir(&f, "plan", "-n", "5", "-e", "1KB", "-b", "max"), 2);
	assert_int_equal(memweir(&f, "plan", "-n", "5", "-e", "1KB", "-b", "1GB", "-a", "101"), 2);
	assert_int_equal(memweir(&f, "plan", "-n", "5", "-e", "1KB", "-b", "1GB", "-a", "0"), 2);
	assert_int_equal(memweir(&f, "plan", "-n", "5", "-e", "1KB", "-b", "1GB", "--pool", "5"), 2);
	assert_err("--pool goes with --buffer only");
	assert_int_equal(memweir(&f, "plan", "-n", "5", "-e", "1KB", "-b", "1GB", "--has", "5"), 2);
	assert_int_equal(memweir(&f, "plan", "-n", "5", "-e", "1KB", "-b", "1GB", "word"), 2);
	assert_int_equal(memweir(&f, "plan", "-n", "9000000000000", "-e", "9000TB", "-b", "1GB"), 1);
	assert_err("more than all memory there can be");
	fake_stop(&f);
}

/* A worker of which the cgroup cannot be seen: usage and main_pid are left, and that is us, with one who listens. */
static void measured(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fds[8];
	struct fake f;

	(void)state;
	snprintf(body, sizeof(body),
		 "{\"schema\":1,\"workers\":[{\"name\":\"web-7\",\"class\":\"tool\",\"cgroup\":\"/no/such/cgroup\","
		 "\"cgroup_id\":0,\"usage_bytes\":60000000,\"max_bytes\":100000000,\"main_pid\":%d}]}",
		 (int)getpid());
	fake_start(&f, table);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/l", f.dir);
	assert_return_code(bind(listener, (struct sockaddr *)&at, sizeof(at)), errno);
	assert_return_code(listen(listener, 8), errno);
	assert_int_equal(memweir(&f, "plan", "--worker", "web-7"), 1);
	assert_err("web-7 has no connections to measure");
	for (size_t i = 0; i < 8; i += 2) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_return_code(connect(fds[i], (struct sockaddr *)&at, sizeof(at)), errno);
		fds[i + 1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		assert_return_code(fds[i + 1], errno);
	}
	assert_int_equal(memweir(&f, "plan", "--worker", "web-7", "--connections", "auto"), 0);
	assert_out("Memory OK: 60 MB of 100 MB (60.0 %)\n");
	assert_out("4 connections × 15.0 MB");
	assert_out("measured on 4 connections, page cache and all; what it takes without any (--fixed) is in each");
	assert_int_equal(memweir(&f, "plan", "--worker", "web-7", "-n", "10", "--fixed", "40MB", "-b", "90MB"), 4 - 1);
	assert_out("Memory warning: 90 MB of 90 MB (100.0 %)\n");
	assert_int_equal(memweir(&f, "plan", "-w", "web-7", "--has", "10", "-n", "20", "--json"), 4);
	assert_out("\"measured_connections\":10");
	assert_out("\"each_bytes\":6000000");
	assert_out("\"verdict\":\"exceeded\"");
	assert_int_equal(memweir(&f, "plan", "--worker", "none", "-n", "10"), 1);
	assert_err("no worker none");
	assert_int_equal(memweir(&f, "plan", "--worker", "odd", "-n", "10"), 1);
	assert_err("has no worker odd");
	for (size_t i = 0; i < 8; i++)
		close(fds[i]);
	close(listener);
	unlink(at.sun_path);
	fake_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given),
		cmocka_unit_test(usage),
		cmocka_unit_test(measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
