/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What a program asks of itself: its worker by the cgroup's id, and tighter limits. */
#include "one_worker.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/serve.h"

static struct mw_server *server;
static void (*route)(struct mw_guard *g, struct mw_request *r, const char *rest);

static void on_request(struct mw_request *r, void *arg)
{
	route(arg, r, "");
}

static int start_server(void **state)
{
	struct mw_error err = {0};
	char path[96];
	int fd;

	if (start(state))
		return -1;
	snprintf(path, sizeof(path), "%s/s", tree);
	return mw_server_listen_unix(path, (gid_t)-1, &fd, &err) || mw_server_new(fd, on_request, &g, &server, &err);
}

static int stop_server(void **state)
{
	mw_server_free(server);
	return stop(state);
}

/* The whole reply; good until the next. */
static const char *answer(const char *method, const char *path, const char *body)
{
	static char reply[8192];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	__u64 end_ns = mw_now_ns() + 20 * MW_NS_PER_S;
	size_t used = 0;
	ssize_t n;
	char text[1024];

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", tree);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	n = snprintf(text, sizeof(text),
		     "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", method, path,
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

static void by_cgroup_id(void **state)
{
	struct mw_worker *other;
	const char *reply;

	(void)state;
	route = mw_serve_ps;
	assert_int_equal(mw_worker_add(&g.workers, "other", "tool", "/other", -1, 8, 5, &other), 0);
	reply = answer("GET", "/v1/workers?cgroup_id=7", "");
	assert_non_null(strstr(reply, "200 OK"));
	assert_non_null(strstr(reply, "\"name\":\"web\""));
	assert_non_null(strstr(reply, "\"max_heap_bytes\":50000000"));
	assert_non_null(strstr(reply, "\"max_bin_heap_bytes\":25000000"));
	assert_non_null(strstr(reply, "\"hibernate_threshold\":0.85"));
	assert_null(strstr(reply, "\"other\""));
	assert_non_null(strstr(answer("GET", "/v1/workers?cgroup_id=9", ""), "\"workers\":[]"));
	assert_non_null(strstr(answer("GET", "/v1/workers?cgroup_id=", ""), "400 Bad"));
	assert_non_null(strstr(answer("GET", "/v1/workers?cgroup_id=7x", ""), "400 Bad"));
}

static void only_tighter(void **state)
{
	const char *reply;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: only root may set\n");
		skip();
	}
	route = mw_serve_set;
	reply = answer("PATCH", "/v1/config",
		       "{\"target\":\"worker web\",\"tighten\":true,\"settings\":{\"max_heap\":\"60000000\"}}");
	assert_non_null(strstr(reply, "may only be tightened"));
	assert_int_equal(w->profile.max_heap, 50000000);
	reply = answer("PATCH", "/v1/config",
		       "{\"target\":\"class tool\",\"tighten\":true,\"settings\":{\"max_heap\":\"9000000\"}}");
	assert_non_null(strstr(reply, "400 Bad"));
	reply = answer(
		"PATCH", "/v1/config",
		"{\"target\":\"worker web\",\"tighten\":true,\"save\":true,\"settings\":{\"max_heap\":\"9000000\"}}");
	assert_non_null(strstr(reply, "400 Bad"));
	assert_int_equal(w->profile.max_heap, 50000000); /* what is taken: tests/vm/lib */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_cgroup_id, start_server, stop_server),
		cmocka_unit_test_setup_teardown(only_tighter, start_server, stop_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
