/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A worker reports its figures: taken, refused, and not from two processes at once. */
#include "one_worker.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "daemon/serve.h"

static struct mw_server *server;
static bool by_process; /* the route itself: no worker is named */

static void on_request(struct mw_request *r, void *arg)
{
	if (by_process)
		mw_serve_figures(arg, r, "");
	else
		mw_serve_figures_of(arg, r, w);
}

static int start_server(void **state)
{
	struct mw_error err = {0};
	char path[96];
	int fd;

	if (start(state))
		return -1;
	g.member_gid = (gid_t)-1;
	snprintf(g.mount, sizeof(g.mount), "%s", tree);
	by_process = false;
	snprintf(path, sizeof(path), "%s/s", tree);
	return mw_server_listen_unix(path, (gid_t)-1, &fd, &err) || mw_server_new(fd, on_request, &g, &server, &err);
}

static int stop_server(void **state)
{
	mw_server_free(server);
	return stop(state);
}

/* The whole reply to a PUT; good until the next. */
static const char *put(const char *body)
{
	static char reply[8192];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	__u64 end_ns = mw_now_ns() + 20 * MW_NS_PER_S;
	char text[1024];
	size_t used = 0;
	ssize_t n;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", tree);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	n = snprintf(text, sizeof(text),
		     "PUT /v1/workers/self/figures HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		     "Content-Length: %zu\r\n\r\n%s",
		     strlen(body), body);
	assert_int_equal(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
	while (mw_now_ns() < end_ns) {
		mw_server_run(server);
		n = recv(fd, reply + used, sizeof(reply) - 1 - used, MSG_DONTWAIT);
		if (n == 0)
			break;
		used += n > 0 ? (size_t)n : 0;
	}
	reply[used] = '\0';
	return reply;
}

#define POOL(n) "{\"pools\":[{\"name\":\"rx\",\"buffers\":10,\"in_use\":" #n "}]}"

static bool only_root(void)
{
	if (geteuid() == 0)
		return true;
	print_message("skipped: only root has rights without a group\n");
	skip();
	return false;
}

static void taken(void **state)
{
	const char *reply;

	(void)state;
	if (!only_root())
		return;
	assert_null(w->reported);
	reply = put(POOL(3));
	assert_non_null(strstr(reply, "200 OK"));
	assert_non_null(strstr(reply, "\"name\":\"web\",\"next_ms\":5000"));
	assert_int_equal(w->reported->figures.pools[0].values[MW_POOL_IN_USE], 3);
	assert_int_equal(w->reported->pid, getpid());
	assert_int_equal(g.workers.reporting, 1);
	/* Too early: not even read. */
	assert_non_null(strstr(put("garbage"), "too early: once in 5000 ms"));
	w->reported->time_ns -= 4 * MW_NS_PER_S;
	assert_non_null(strstr(put(POOL(4)), "200 OK"));
	assert_int_equal(w->reported->figures.pools[0].values[MW_POOL_IN_USE], 4);
	assert_int_equal(g.workers.reporting, 1);
}

static void garbage(void **state)
{
	static const char *const bodies[] = {"", "[]", "x", "{\"pools\":{}}", "{\"pools\":[{\"name\":\"a/b\"}]}"};

	(void)state;
	if (!only_root())
		return;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		assert_non_null(strstr(put(bodies[i]), "400 Bad"));
		assert_null(w->reported);
	}
	assert_non_null(strstr(put(POOL(3)), "200 OK"));
	w->reported->time_ns -= 4 * MW_NS_PER_S;
	assert_non_null(strstr(put("{\"pools\":7}"), "expected a list"));
	assert_int_equal(w->reported->figures.pools[0].values[MW_POOL_IN_USE], 3); /* the last good ones stay */
}

static void by_two_processes(void **state)
{
	char text[64];
	int status;
	pid_t pid;

	(void)state;
	if (!only_root())
		return;
	assert_non_null(strstr(put(POOL(3)), "200 OK"));
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	w->reported->pid = pid; /* another one's, who lives */
	snprintf(text, sizeof(text), "process %d of worker web reports them already", pid);
	assert_non_null(strstr(put(POOL(5)), text));
	w->reported->time_ns -= 15 * MW_NS_PER_S; /* and does not report any more */
	assert_non_null(strstr(put(POOL(5)), "200 OK"));
	w->reported->pid = pid;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_non_null(strstr(put(POOL(6)), "200 OK")); /* has ended */
	assert_int_equal(w->reported->figures.pools[0].values[MW_POOL_IN_USE], 6);
}

static void of_another_user(void **state)
{
	(void)state;
	if (!only_root())
		return;
	g.member_gid = getegid();
	w->uid = 12345; /* root may speak for anybody */
	assert_non_null(strstr(put(POOL(3)), "200 OK"));
	w->reported->time_ns -= 4 * MW_NS_PER_S;
	assert_int_equal(chmod(tree_path("s"), 0666) | chmod(tree, 0755), 0);
	assert_int_equal(seteuid(12346), 0);
	assert_non_null(strstr(put(POOL(9)), "403 Forbidden"));
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(w->reported->figures.pools[0].values[MW_POOL_IN_USE], 3);
}

static void in_no_worker(void **state)
{
	(void)state;
	by_process = true;
	assert_non_null(strstr(put(POOL(3)), "404 Not Found"));
	assert_non_null(strstr(put(POOL(3)), "in no worker under guard"));
	assert_null(w->reported);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(taken, start_server, stop_server),
		cmocka_unit_test_setup_teardown(garbage, start_server, stop_server),
		cmocka_unit_test_setup_teardown(by_two_processes, start_server, stop_server),
		cmocka_unit_test_setup_teardown(of_another_user, start_server, stop_server),
		cmocka_unit_test_setup_teardown(in_no_worker, start_server, stop_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
