/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Where the daemon listens over TCP: at start, tried again, changed, and refused. */
#include "one_worker.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "daemon/serve.h"
#include "daemon/serve_tcp.h"

static int taken_fd;
static char taken[32]; /* an address somebody listens on */

static void on_request(struct mw_request *r, void *arg)
{
	(void)arg;
	mw_request_answer(r, 200, "text/plain", "ok", 2);
}

static int start_server(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	struct mw_error err = {0};
	char path[96];
	int fd;

	if (start(state))
		return -1;
	taken_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(taken_fd, (struct sockaddr *)&address, size) || listen(taken_fd, 1) ||
	    getsockname(taken_fd, (struct sockaddr *)&address, &size))
		return -1;
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", ntohs(address.sin_port));
	g.http_on[0] = g.cfg.http.listen[0] = '\0';
	snprintf(path, sizeof(path), "%s/s", tree);
	return mw_server_listen_unix(path, (gid_t)-1, &fd, &err) || mw_server_new(fd, on_request, &g, &g.server, &err);
}

static int stop_server(void **state)
{
	mw_server_free(g.server);
	g.server = NULL;
	if (taken_fd >= 0)
		close(taken_fd);
	return stop(state);
}

static const char *listening(void)
{
	static char text[96];
	struct json_object *o = mw_serve_tcp_json(&g), *v = NULL;

	json_object_object_get_ex(o, "listen", &v);
	snprintf(text, sizeof(text), "%s", v ? json_object_get_string(v) : "none");
	json_object_put(o);
	return text;
}

/* As reload does it: 0, or what it is refused with, and then nothing has changed. */
static int change_to(const char *text)
{
	struct mw_config fresh = g.cfg;
	struct mw_error err = {0};
	int fd = -1, r;

	snprintf(fresh.http.listen, sizeof(fresh.http.listen), "%s", text);
	r = mw_serve_tcp_open(&g, &fresh, &fd, &err);
	if (r < 0) {
		assert_non_null(strstr(err.text, text));
		assert_int_equal(fd, -1);
		return r;
	}
	g.cfg = fresh;
	mw_serve_tcp_take(&g, fd);
	return 0;
}

/* In use at the start: no failure; tried again a minute later and not before; it must not keep a reload from others. */
static void tries_again(void **state)
{
	__u64 now_ns = mw_now_ns();

	(void)state;
	snprintf(g.cfg.http.listen, sizeof(g.cfg.http.listen), "%s", taken);
	mw_serve_tcp_start(&g);
	assert_string_equal(listening(), "none");
	mw_serve_tcp_tick(&g, now_ns + 61 * MW_NS_PER_S);
	assert_string_equal(listening(), "none");
	assert_int_equal(change_to(taken), 0);
	assert_string_equal(listening(), "none");
	close(taken_fd);
	taken_fd = -1;
	mw_serve_tcp_tick(&g, now_ns + 90 * MW_NS_PER_S);
	assert_string_equal(listening(), "none");
	mw_serve_tcp_tick(&g, now_ns + 122 * MW_NS_PER_S);
	assert_string_equal(listening(), taken);
	mw_serve_tcp_tick(&g, now_ns + 300 * MW_NS_PER_S);
}

static void changes(void **state)
{
	char free_one[32];

	(void)state;
	snprintf(free_one, sizeof(free_one), "%s", taken);
	assert_int_equal(change_to(taken), -EADDRINUSE);
	assert_string_equal(listening(), "none");
	close(taken_fd);
	taken_fd = -1;
	assert_int_equal(change_to(free_one), 0);
	assert_string_equal(listening(), free_one);
	assert_int_equal(change_to(free_one), 0); /* the same again: nothing to open */
	assert_string_equal(listening(), free_one);
	assert_int_equal(change_to("203.0.113.1:80"), -EINVAL);
	assert_string_equal(listening(), free_one);
	assert_int_equal(change_to(""), 0);
	assert_string_equal(listening(), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tries_again, start_server, stop_server),
		cmocka_unit_test_setup_teardown(changes, start_server, stop_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
