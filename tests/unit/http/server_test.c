// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The server against raw sockets: what comes in broken, what waits, what never leaves. */
#include "http_fixture.h"

/* A string constant and its size, NUL bytes inside and all. */
#define TEXT(s)	  s, sizeof(s) - 1
#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static void exchange(const struct fixture *f, const char *request, size_t size, char *reply, size_t reply_size)
{
	_cleanup_close_ int fd = raw_connect(f);

	raw_send(fd, request, size);
	raw_read(fd, reply, reply_size);
}

static void assert_alive(const struct fixture *f)
{
	char reply[512];

	exchange(f, TEXT(GET("/x")), reply, sizeof(reply));
	assert_non_null(strstr(reply, "404"));
	assert_non_null(strstr(reply, "no /x"));
}

static void survives_garbage(void **state)
{
	static const char nul[] = "GET /\0x HTTP/1.1\r\n\r\n";
	static const char *const requests[] = {
		"\r\n\r\n\r\n",
		"GET\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\xff\xfe\r\n\r\n",
		"GET /%zz%00%ff?&&=&%%% HTTP/1.1\r\n:\r\n \r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
	};
	struct fixture f = {.request_ms = 300};
	char reply[4096];

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		exchange(&f, requests[i], strlen(requests[i]), reply, sizeof(reply));
	exchange(&f, nul, sizeof(nul), reply, sizeof(reply));
	srand(1);
	for (int i = 0; i < 40; i++) {
		for (size_t j = 0; j < sizeof(reply); j++)
			reply[j] = (char)rand();
		memcpy(reply + sizeof(reply) - 4, "\r\n\r\n", 4);
		exchange(&f, reply, sizeof(reply), reply, sizeof(reply));
	}
	assert_alive(&f);
	fixture_stop(&f);
}

static void refuses_huge_headers(void **state)
{
	_cleanup_free_ char *request = malloc(200000);
	struct fixture f = {};
	char reply[4096];

	(void)state;
	memset(request, 'a', 200000);
	memcpy(request, "GET / HTTP/1.1\r\nX: ", 19);
	assert_int_equal(fixture_start(&f), 0);
	exchange(&f, request, 200000, reply, sizeof(reply));
	assert_true(!*reply || strstr(reply, " 431 ") || strstr(reply, " 413 "));
	assert_alive(&f);
	fixture_stop(&f);
}

/* One byte at a time keeps the library's own timer from ever firing; ours fires. */
static void ends_a_request_that_drips(void **state)
{
	struct fixture f = {.request_ms = 400};
	_cleanup_close_ int fd = -1;
	_cleanup_close_ int half = -1;
	__u64 start = mw_now_ns();
	char c;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	half = raw_connect(&f);
	raw_send(half, TEXT("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab"));
	fd = raw_connect(&f);
	while (send(fd, "G", 1, MSG_NOSIGNAL) == 1) {
		assert_true(mw_now_ns() - start < DEADLINE_MS * MW_NS_PER_MS);
		poll(NULL, 0, 20);
	}
	while (recv(half, &c, 1, 0) > 0)
		;
	assert_true(mw_now_ns() - start < DEADLINE_MS * MW_NS_PER_MS);
	assert_alive(&f);
	fixture_stop(&f);
}

static void limits_bodies(void **state)
{
	static const char chunked[] = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n";
	static const char announced[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n";
	_cleanup_free_ char *body = malloc(70000);
	struct fixture f = {};
	char *reply = body;
	size_t size;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	exchange(&f, TEXT("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\nExpect: 100-continue\r\n\r\n"),
		 reply, 4096);
	assert_non_null(strstr(reply, "HTTP/1.1 413"));
	exchange(&f, TEXT("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 16777217\r\n\r\n"), reply, 4096);
	assert_non_null(strstr(reply, "HTTP/1.1 413"));
	/* Who does not ask first is let finish: else its own writing would fail before it reads the answer. */
	memset(body, 'b', 70000);
	memcpy(body, announced, strlen(announced));
	exchange(&f, body, strlen(announced) + 65537, reply, 4096);
	assert_non_null(strstr(reply, "HTTP/1.1 413"));
	size = strlen(chunked);
	memcpy(body, chunked, size);
	memset(body + size, 'b', 0x10001);
	size += 0x10001;
	memcpy(body + size, "\r\n0\r\n\r\n", 7);
	exchange(&f, body, size + 7, reply, 4096);
	assert_non_null(strstr(reply, "HTTP/1.1 413"));
	exchange(&f, TEXT("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na\0b"), reply, 4096);
	assert_non_null(strstr(reply, "HTTP/1.1 400"));
	fixture_stop(&f);
}

/* An idle server sleeps: with nothing, with a pending request, with a stream, with a half request. */
static void does_not_spin(void **state)
{
	struct fixture f = {};
	_cleanup_close_ int later = -1, stream = -1, half = -1;
	unsigned before;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	later = raw_connect(&f);
	raw_send(later, TEXT(GET("/later")));
	stream = raw_connect(&f);
	raw_send(stream, TEXT(GET("/events")));
	half = raw_connect(&f);
	raw_send(half, TEXT("GET /"));
	WAIT_FOR(f.pending == 1 && f.streams == 1);
	poll(NULL, 0, 200); /* measured is a time in which nothing happens */
	before = f.runs;
	poll(NULL, 0, 500);
	assert_true(f.runs - before <= 3);
	f.answer = 1;
	wake(&f);
	WAIT_FOR(!f.pending);
	fixture_stop(&f);
}

static void answers_later(void **state)
{
	struct fixture f = {.request_ms = 2000};
	_cleanup_close_ int fd = -1;
	char reply[1024];

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	fd = raw_connect(&f);
	raw_send(fd, TEXT(GET("/later")));
	WAIT_FOR(f.pending == 1);
	poll(NULL, 0, 3000); /* longer than a request may take: it is the answer that takes long */
	assert_alive(&f);
	f.answer = 1;
	wake(&f);
	raw_read(fd, reply, sizeof(reply));
	assert_non_null(strstr(reply, "HTTP/1.1 200"));
	assert_non_null(strstr(reply, "at last"));
	fixture_stop(&f);
}

/* In parts it is the same text, with its length said; the next one has to wait for nobody who does not read. */
static void answers_in_parts(void **state)
{
	size_t size = 8 << 20, room = size + 4096, got;
	_cleanup_free_ char *reply = malloc(room);
	struct fixture f = {};
	const char *body;
	int idle;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	idle = raw_connect(&f);
	raw_send(idle, TEXT(GET("/parts")));
	for (int round = 0; round < 2; round++) {
		_cleanup_close_ int fd = raw_connect(&f);

		raw_send(fd, TEXT(GET("/parts")));
		got = raw_read(fd, reply, room);
		assert_non_null(strstr(reply, "HTTP/1.1 200"));
		assert_non_null(strstr(reply, "Content-Length: 8388616\r\n"));
		body = strstr(reply, "\r\n\r\n") + 4;
		assert_int_equal(got - (size_t)(body - reply), size + 8);
		assert_memory_equal(body, "begin", 5);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(body[5 + i], 'a' + i % 100000 % 23);
		assert_string_equal(body + 5 + size, "end");
	}
	exchange(&f, TEXT(GET("/part")), reply, room);
	assert_non_null(strstr(reply, "\r\n\r\nbegin"));
	close(idle); /* in the middle of it */
	assert_alive(&f);
	idle = raw_connect(&f);
	raw_send(idle, TEXT(GET("/parts")));
	assert_int_equal(recv(idle, reply, 1, 0), 1);
	fixture_stop(&f); /* and so the server */
	close(idle);
}

static void clients_leave_while_pending(void **state)
{
	struct fixture f = {};
	int fd;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	for (unsigned i = 0; i < 20; i++) {
		fd = raw_connect(&f);
		raw_send(fd, TEXT(GET("/later")));
		WAIT_FOR(f.pending == i + 1);
		close(fd);
	}
	f.answer = 1;
	wake(&f);
	WAIT_FOR(!f.pending);
	assert_alive(&f);
	fixture_stop(&f);
}

/* Pending requests and streams at the end: nothing aborts, nothing leaks, later answers only free. */
static void stops_with_open_connections(void **state)
{
	struct fixture f = {};
	_cleanup_close_ int gone = -1, later = -1, stream = -1, half = -1;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	later = raw_connect(&f);
	raw_send(later, TEXT(GET("/later")));
	gone = raw_connect(&f);
	raw_send(gone, TEXT(GET("/later")));
	stream = raw_connect(&f);
	raw_send(stream, TEXT(GET("/events")));
	half = raw_connect(&f);
	raw_send(half, TEXT("GET"));
	WAIT_FOR(f.pending == 2 && f.streams == 1);
	mw_close(&gone);
	fixture_stop(&f);
}

static void notices_streams_that_leave(void **state)
{
	struct fixture f = {};
	int fds[10];

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = raw_connect(&f);
		raw_send(fds[i], TEXT(GET("/events")));
	}
	WAIT_FOR(f.streams == ARRAY_SIZE(fds));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	WAIT_FOR(f.streams == 0);
	assert_alive(&f);
	fixture_stop(&f);
}

static void sends_keep_alives(void **state)
{
	struct fixture f = {.keep_alive_ms = 50};
	_cleanup_close_ int fd = -1;
	char buf[4096];
	size_t done = 0;
	unsigned comments = 0;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	fd = raw_connect(&f);
	raw_send(fd, TEXT(GET("/events")));
	while (comments < 4) {
		ssize_t n = recv(fd, buf + done, sizeof(buf) - 1 - done, 0);

		assert_true(n > 0);
		done += (size_t)n;
		buf[done] = '\0';
		comments = 0;
		for (char *c = buf; (c = strstr(c, ": keep-alive\nid: ")); c++)
			comments++;
	}
	assert_non_null(strstr(buf, "text/event-stream"));
	fixture_stop(&f);
}

/* Up to its deadline or until what is there has this in it. */
static void read_until(int fd, char *buf, size_t size, const char *what)
{
	size_t done = 0;
	ssize_t n;

	for (buf[0] = '\0'; !strstr(buf, what); buf[done] = '\0') {
		n = recv(fd, buf + done, size - 1 - done, 0);
		if (n <= 0)
			fail_msg("the stream ended without %s: %s", what, buf);
		done += (size_t)n;
	}
}

/* What happened between two connections comes with the second, by header or, for a first one, by the address. */
static void goes_on_behind_the_last_id(void **state)
{
	struct fixture f = {};
	char buf[8192], request[256], id[64];
	int fd;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	fd = raw_connect(&f);
	raw_send(fd, TEXT(GET("/events")));
	WAIT_FOR(f.streams == 1);
	f.broadcast = 1;
	wake(&f);
	read_until(fd, buf, sizeof(buf), "{\"n\":0}");
	assert_int_equal(sscanf(strstr(buf, "retry: 2000\nid: "), "retry: 2000\nid: %16[0-9a-f]-0", id), 1);
	close(fd);
	WAIT_FOR(f.streams == 0);
	f.broadcast = 3;
	wake(&f);
	WAIT_FOR(!f.broadcast);
	for (int by_query = 0; by_query < 2; by_query++) {
		if (by_query)
			snprintf(request, sizeof(request), "GET /events?last_event_id=%s-1 HTTP/1.1\r\nHost: x\r\n\r\n",
				 id);
		else
			snprintf(request, sizeof(request),
				 "GET /events?last_event_id=old HTTP/1.1\r\nHost: x\r\nLast-Event-ID: %s-1\r\n\r\n",
				 id);
		fd = raw_connect(&f);
		raw_send(fd, request, strlen(request));
		read_until(fd, buf, sizeof(buf), "{\"n\":3}");
		assert_null(strstr(buf, "lost"));
		assert_null(strstr(buf, "{\"n\":0}"));
		assert_non_null(strstr(buf, "{\"n\":1}"));
		assert_non_null(strstr(buf, "{\"n\":2}"));
		close(fd);
	}
	fixture_stop(&f);
}

/* Once nobody has come back for long enough nothing is kept, only counted, and the server sleeps. */
static void forgets_what_nobody_comes_back_for(void **state)
{
	struct fixture f = {.linger_ms = 50};
	char buf[8192], request[256], id[64];
	unsigned runs;
	int fd;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	fd = raw_connect(&f);
	raw_send(fd, TEXT(GET("/events")));
	read_until(fd, buf, sizeof(buf), "-0\n\n");
	assert_int_equal(sscanf(strstr(buf, "\nid: "), "\nid: %16[0-9a-f]-0", id), 1);
	WAIT_FOR(f.followed);
	close(fd);
	WAIT_FOR(!f.followed);
	runs = f.runs;
	poll(NULL, 0, 200);
	assert_true(f.runs - runs <= 2);
	f.broadcast = 5;
	wake(&f);
	WAIT_FOR(!f.broadcast);
	fd = raw_connect(&f);
	snprintf(request, sizeof(request), "GET /events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: %s-0\r\n\r\n", id);
	raw_send(fd, request, strlen(request));
	read_until(fd, buf, sizeof(buf), "event: lost\ndata: {\"lost\":5}\n\n");
	close(fd);
	fixture_stop(&f);
}

/* Reads the reply to a request of that text; what a test looks for is in it. */
static const char *reply_to(const struct fixture *f, const char *request)
{
	static char reply[65536];

	exchange(f, request, strlen(request), reply, sizeof(reply));
	return reply;
}

static void assert_reply(const struct fixture *f, const char *request, const char *status)
{
	const char *reply = reply_to(f, request);

	if (strncmp(reply, "HTTP/1.1 ", 9) != 0 || strncmp(reply + 9, status, 3) != 0)
		fail_msg("%s\nexpected %s, not\n%s", request, status, reply);
}

/* Static data with the headers of a page; who has it already is told so; HEAD says the same without it. */
static void answers_with_files(void **state)
{
	struct fixture f = {};
	const char *reply;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	reply = reply_to(&f, GET("/file"));
	assert_non_null(strstr(reply, "HTTP/1.1 200"));
	assert_non_null(strstr(reply, "Content-Type: text/html\r\n"));
	assert_non_null(strstr(reply, "ETag: \"v1\"\r\n"));
	assert_non_null(strstr(reply, "Cache-Control: no-cache\r\n"));
	assert_non_null(strstr(reply, "script-src 'self'"));
	assert_non_null(strstr(reply, "frame-ancestors 'none'"));
	assert_non_null(strstr(reply, "X-Content-Type-Options: nosniff\r\n"));
	assert_non_null(strstr(reply, "Referrer-Policy: no-referrer\r\n"));
	assert_non_null(strstr(reply, "Cross-Origin-Opener-Policy: same-origin\r\n"));
	assert_non_null(strstr(reply, "Cross-Origin-Resource-Policy: same-origin\r\n"));
	assert_non_null(strstr(reply, "\r\n\r\n<p>page</p>"));
	reply = reply_to(&f, "GET /file HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"v0\", W/\"v1\"\r\n\r\n");
	assert_non_null(strstr(reply, "HTTP/1.1 304"));
	assert_non_null(strstr(reply, "ETag: \"v1\"\r\n"));
	assert_null(strstr(reply, "page"));
	assert_reply(&f, "GET /file HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n", "304");
	assert_reply(&f, "GET /file HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"v11\"\r\n\r\n", "200");
	reply = reply_to(&f, "HEAD /file HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(strstr(reply, "HTTP/1.1 200"));
	assert_non_null(strstr(reply, "Content-Length: 11\r\n"));
	assert_null(strstr(reply, "page"));
	reply = reply_to(&f, "HEAD /events HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(strstr(reply, "text/event-stream"));
	reply = reply_to(&f, GET("/x"));
	assert_non_null(strstr(reply, "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"));
	fixture_stop(&f);
}

/* The rules themselves are host_test's; here: they are asked, before the body and for a whole one alike. */
static void a_browser_never_acts(void **state)
{
	struct fixture f = {};

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	assert_reply(&f, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nok", "200");
	assert_reply(&f,
		     "POST /echo HTTP/1.1\r\nHost: localhost:9\r\nOrigin: http://localhost:9\r\n"
		     "Content-Length: 2\r\n\r\nno",
		     "403");
	assert_reply(&f,
		     "POST /echo HTTP/1.1\r\nHost: localhost:9\r\nSec-Fetch-Mode: cors\r\nContent-Length: 2\r\n"
		     "Expect: 100-continue\r\n\r\n",
		     "403");
	assert_reply(&f, "GET /x HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n\r\n", "403");
	assert_reply(&f, "GET /x HTTP/1.1\r\nHost: rebound.example:9\r\n\r\n", "421");
	assert_non_null(strstr(reply_to(&f, "GET /x HTTP/1.1\r\nHost: rebound.example\r\n\r\n"), "no other name"));
	fixture_stop(&f);
}

/* Addresses that are no plain path of ours, and versions nobody speaks. */
static void refuses_odd_addresses(void **state)
{
	struct fixture f = {.request_ms = 2000};

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	assert_reply(&f, GET("/x%00y"), "400");
	assert_reply(&f, GET("/x?a=%00"), "400");
	assert_reply(&f, GET("http://localhost/who"), "400");
	assert_reply(&f, GET("*"), "400");
	assert_reply(&f, GET("who"), "400");
	assert_reply(&f, "CONNECT localhost:80 HTTP/1.1\r\nHost: x\r\n\r\n", "400");
	assert_reply(&f, GET("/../who"), "404");
	assert_reply(&f, GET("/./who"), "404");
	assert_reply(&f, GET("//who"), "404");
	assert_reply(&f, GET("/%2e%2e/who"), "404");
	assert_reply(&f, GET("/who%20"), "404");
	assert_reply(&f, "GET /who HTTP/1.0\r\n\r\n", "200");
	assert_null(strstr(reply_to(&f, "GET /who\r\n\r\n"), " 200 "));
	assert_null(strstr(reply_to(&f, "GET /who HTTP/2.0\r\nHost: x\r\n\r\n"), " 200 "));
	assert_null(strstr(reply_to(&f, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), " 200 "));
	/* The second of two in one go is not served: one request a connection. */
	assert_null(strstr(strstr(reply_to(&f, GET("/x") GET("/who")), "no /x"), "HTTP/1.1"));
	assert_alive(&f);
	fixture_stop(&f);
}

/* More connections than the server takes at once: the rest waits in the backlog and is served. */
static void serves_more_than_its_limit(void **state)
{
	struct fixture f = {.request_ms = 60000,
			    .keep_alive_ms = 15000}; /* a full one gives who is silent a fifth of it */
	int fds[160];
	char reply[1024];
	unsigned before;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = raw_connect(&f);
	/* Again a time comes in which nothing happens, though some wait to be accepted. */
	for (int quiet = 0, tries = 0; quiet < 3; tries++) {
		assert_true(tries < 200);
		before = f.runs;
		poll(NULL, 0, 100);
		quiet = f.runs - before <= 1 ? quiet + 1 : 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		raw_send(fds[i], TEXT(GET("/x")));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		raw_read(fds[i], reply, sizeof(reply));
		assert_non_null(strstr(reply, "no /x"));
		close(fds[i]);
	}
	fixture_stop(&f);
}

static void listens_with_group_and_mode(void **state)
{
	struct fixture f = {};
	struct stat st;
	struct mw_error err = {};
	char path[sizeof(f.path) + 8];
	int fd = -1;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600); /* no group: ours alone */
	snprintf(path, sizeof(path), "%s.group", f.path);
	assert_int_equal(mw_server_listen_unix(path, getgid(), &fd, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_gid, getgid());
	mw_close(&fd);
	unlink(path);
	assert_int_equal(mw_server_listen_unix(f.path, getgid(), &fd, &err), -EADDRINUSE);
	assert_int_equal(fd, -1);
	assert_non_null(strstr(err.text, f.path));
	assert_alive(&f);
	fixture_stop(&f);
}

static void replaces_a_stale_socket(void **state)
{
	char dir[] = "/tmp/mw-http-XXXXXX", path[64];
	struct mw_error err = {};
	_cleanup_close_ int fd = -1;
	int file = -1;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	assert_int_equal(mw_server_listen_unix(path, getgid(), &fd, &err), 0);
	mw_close(&fd); /* the file stays */
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(mw_server_listen_unix(path, getgid(), &fd, &err), 0);
	unlink(path);
	fclose(fopen(path, "w"));
	assert_int_equal(mw_server_listen_unix(path, getgid(), &file, &err), -EEXIST);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	rmdir(dir);
}

static void refuses_a_long_path(void **state)
{
	char path[200] = "/tmp/", mine[16];
	struct mw_error err = {};
	int fd = -1;

	(void)state;
	memset(path + 5, 'p', 108 - 5);
	memcpy(path + 5, mine, (size_t)snprintf(mine, sizeof(mine), "%d-", getpid()));
	assert_int_equal(mw_server_listen_unix(path, getgid(), &fd, &err), -ENAMETOOLONG);
	assert_non_null(strstr(err.text, "107"));
	path[107] = '\0';
	assert_int_equal(mw_server_listen_unix(path, getgid(), &fd, &err), 0);
	unlink(path);
	close(fd);
}

static int curl(const struct fixture *f, const char *rest, char *ret_out, size_t size)
{
	char command[512];
	FILE *p;

	snprintf(command, sizeof(command), "curl -sS --max-time 20 --unix-socket %s %s 2>&1", f->path, rest);
	p = popen(command, "r");
	ret_out[fread(ret_out, 1, size - 1, p)] = '\0';
	return pclose(p);
}

static void talks_to_curl(void **state)
{
	struct fixture f = {};
	char out[1024] = "";

	(void)state;
	if (system("command -v curl >/dev/null")) {
		print_message("skipped: there is no curl\n");
		skip();
	}
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(curl(&f, "'http://h/who?a%20b=c%26d&flag'", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "GET "));
	assert_non_null(strstr(out, "c&d flag h"));
	assert_int_equal(curl(&f, "-d hello http://h/echo", out, sizeof(out)), 0);
	assert_string_equal(out, "hello");
	assert_int_equal(curl(&f, "-I http://h/large", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "Content-Length: 5242880"));
	assert_int_equal(curl(&f, "http://h/a http://h/b", out, sizeof(out)), 0);
	assert_string_equal(out, "no /ano /b");
	/* It does not ask first: the program is smaller than what curl asks for. */
	assert_int_equal(curl(&f, "--data-binary @/proc/self/exe -o /dev/null -w '%{http_code}' http://h/echo", out,
			      sizeof(out)),
			 0);
	assert_string_equal(out, "413");
	assert_int_equal(curl(&f, "-N -s -m 4 http://h/events", out, sizeof(out)) >> 8, 28); /* its own timeout */
	assert_non_null(strstr(out, ": memweir\nretry: "));
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_garbage),
		cmocka_unit_test(refuses_huge_headers),
		cmocka_unit_test(ends_a_request_that_drips),
		cmocka_unit_test(limits_bodies),
		cmocka_unit_test(does_not_spin),
		cmocka_unit_test(answers_later),
		cmocka_unit_test(answers_in_parts),
		cmocka_unit_test(clients_leave_while_pending),
		cmocka_unit_test(stops_with_open_connections),
		cmocka_unit_test(notices_streams_that_leave),
		cmocka_unit_test(sends_keep_alives),
		cmocka_unit_test(goes_on_behind_the_last_id),
		cmocka_unit_test(forgets_what_nobody_comes_back_for),
		cmocka_unit_test(answers_with_files),
		cmocka_unit_test(a_browser_never_acts),
		cmocka_unit_test(refuses_odd_addresses),
		cmocka_unit_test(serves_more_than_its_limit),
		cmocka_unit_test(listens_with_group_and_mode),
		cmocka_unit_test(replaces_a_stale_socket),
		cmocka_unit_test(refuses_a_long_path),
		cmocka_unit_test(talks_to_curl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
