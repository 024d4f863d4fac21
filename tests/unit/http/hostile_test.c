// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Clients that take nothing, too many of them, and many at once; over TCP too. */
#include "http_fixture.h"

#define TEXT(s)	  s, sizeof(s) - 1
#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define MANY	  40

static const char *reply_of(int fd)
{
	static char reply[4096];

	raw_read(fd, reply, sizeof(reply));
	close(fd);
	return reply;
}

static const char *ask(const struct fixture *f, bool tcp, const char *request)
{
	int fd = tcp ? tcp_connect(f) : raw_connect(f);

	raw_send(fd, request, strlen(request));
	return reply_of(fd);
}

/* Who takes nothing of an answer, or of a stream that has more for him, is closed; one that has nothing to take stays.
 */
static void drops_who_takes_nothing(void **state)
{
	struct fixture f = {.stall_ms = 150, .tcp = true, .event_size = 60000};
	int answer[2] = {-1, -1}, stream[2] = {-1, -1}, idle;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	for (int tcp = 0; tcp < 2; tcp++) {
		answer[tcp] = tcp ? tcp_connect(&f) : raw_connect(&f);
		raw_send(answer[tcp], TEXT(GET("/parts")));
		stream[tcp] = tcp ? tcp_connect(&f) : raw_connect(&f);
		raw_send(stream[tcp], TEXT(GET("/events")));
	}
	WAIT_FOR(f.streams == 2);
	/* More than any socket takes, a piece at a time: the feed keeps only so much. */
	for (int i = 0; i < 400 && f.counts.slow < 4; i++) {
		f.broadcast = 3;
		wake(&f);
		WAIT_FOR(!f.broadcast);
	}
	idle = raw_connect(&f);
	raw_send(idle, TEXT(GET("/events")));
	WAIT_FOR(f.counts.slow == 4);
	WAIT_FOR(f.streams == 1);
	poll(NULL, 0, 500);
	assert_int_equal(f.streams, 1);
	assert_int_equal(f.counts.held_bytes, 0);
	for (int tcp = 0; tcp < 2; tcp++) {
		close(answer[tcp]);
		close(stream[tcp]);
	}
	close(idle);
	fixture_stop(&f);
}

/* A reader that takes a little now and then is served to the end, but not for as long as it likes. */
static void waits_for_who_takes_something(void **state)
{
	struct fixture f = {.stall_ms = 2000};
	_cleanup_free_ char *buf = malloc(1 << 20);
	size_t got = 0;
	ssize_t n;
	int fd;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	fd = raw_connect(&f);
	raw_send(fd, TEXT(GET("/parts")));
	while ((n = recv(fd, buf, 1 << 17, 0)) > 0) { /* all of it takes him longer than that */
		got += (size_t)n;
		poll(NULL, 0, 50);
	}
	assert_true(got > 8 << 20);
	assert_int_equal(f.counts.slow, 0);
	close(fd);
	fixture_stop(&f);
}

/* What slow readers hold is bounded over TCP, and root is answered as ever; a small answer is never refused. */
static void bounds_what_is_held(void **state)
{
	struct fixture f = {.tcp = true};
	unsigned held = 0, busy = 0;
	int fds[8];
	char c[16];

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = tcp_connect(&f);
		raw_send(fds[i], TEXT(GET("/parts")));
		assert_int_equal(recv(fds[i], c, sizeof(c), MSG_WAITALL), sizeof(c));
		held += !memcmp(c, "HTTP/1.1 200", 12);
		busy += !memcmp(c, "HTTP/1.1 503", 12);
	}
	assert_int_equal(held, 1); /* 8 MiB and what goes with them: two are more than 16 */
	assert_int_equal(held + busy, ARRAY_SIZE(fds));
	assert_non_null(strstr(ask(&f, true, GET("/who")), "HTTP/1.1 200"));
	assert_non_null(strstr(ask(&f, false, GET("/parts")), "HTTP/1.1 200"));
	WAIT_FOR(f.counts.busy == busy && f.counts.answered[5] == busy);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	WAIT_FOR(!f.counts.held_bytes);
	assert_non_null(strstr(ask(&f, true, GET("/parts")), "HTTP/1.1 200"));
	fixture_stop(&f);
}

/* Many requests that take long: each run ends soon, all are answered, root's before the others'. */
static void takes_turns(void **state)
{
	struct fixture f = {.tcp = true, .busy_ms = 4};
	int fds[MANY], done = 0, gate;
	unsigned runs;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	for (int i = 0; i < MANY / 2; i++) {
		fds[2 * i] = tcp_connect(&f);
		fds[2 * i + 1] = raw_connect(&f);
	}
	gate = raw_connect(&f);
	raw_send(gate, TEXT(GET("/gate")));
	WAIT_FOR(f.gate_reached);
	for (int i = 0; i < MANY; i++)
		raw_send(fds[i], TEXT(GET("/busy")));
	runs = f.runs;
	f.gate_open = true;
	for (int i = 0; i < MANY; i++)
		done += strstr(reply_of(fds[i]), i % 2 ? "unix" : "tcp") != NULL;
	assert_int_equal(done, MANY);
	assert_true(f.runs - runs >= MANY); /* each takes longer than a run may */
	if (!getuid())
		assert_string_equal(f.order + MANY - MANY / 4, "tttttttttt");
	close(gate);
	fixture_stop(&f);
}

/* Who leaves or is cut off while it waits for its turn is forgotten; who has left is not served. */
static void leaves_while_waiting(void **state)
{
	struct fixture f = {.tcp = true, .busy_ms = 20};
	int fds[30], gate;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	gate = raw_connect(&f);
	raw_send(gate, TEXT(GET("/gate")));
	WAIT_FOR(f.gate_reached);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = i % 2 ? tcp_connect(&f) : raw_connect(&f);
		raw_send(fds[i], TEXT(GET("/busy")));
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i += 3)
		close(fds[i]);
	f.gate_open = true;
	WAIT_FOR(strlen(f.order) > 1);
	fixture_stop(&f); /* with the rest still waiting */
	assert_true(strlen(f.order) < ARRAY_SIZE(fds));
	close(gate);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (i % 3)
			close(fds[i]);
}

/* Nobody in particular asks, reading only, by the names of this machine; and what it costs is counted. */
static void listens_over_tcp(void **state)
{
	struct fixture f = {.tcp = true};

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	assert_non_null(strstr(ask(&f, true, GET("/who")), "GET 4294967295 0 - - localhost"));
	assert_non_null(strstr(ask(&f, true, "GET /who HTTP/1.1\r\nHost: h\r\n\r\n"), " 421 "));
	assert_non_null(strstr(ask(&f, true, "GET /who HTTP/1.0\r\n\r\n"), " 421 "));
	assert_non_null(
		strstr(ask(&f, true, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"), " 403 "));
	assert_non_null(strstr(ask(&f, false, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"), " 200 "));
	WAIT_FOR(f.counts.connections[1] == 4 && f.counts.connections[0] == 1);
	WAIT_FOR(f.counts.answered[4] == 3 && f.counts.answered[2] == 2 && !f.counts.now);
	fixture_stop(&f);
}

/* More connections over TCP than it has: those that never ask go, one that asks is answered, the unix socket as ever.
 */
static void tcp_has_its_share(void **state)
{
	struct fixture f = {.tcp = true};
	int fds[100];

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = tcp_connect(&f);
	assert_non_null(strstr(ask(&f, true, GET("/who")), "HTTP/1.1 200"));
	assert_non_null(strstr(ask(&f, false, GET("/who")), "HTTP/1.1 200"));
	WAIT_FOR(f.counts.refused > ARRAY_SIZE(fds) - 60);
	WAIT_FOR(f.counts.now <= 32);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	fixture_stop(&f);
}

/* Another address, or none: who was connected there is cut off, whatever it waits for; the unix socket goes on. */
static void stops_listening(void **state)
{
	struct fixture f = {.tcp = true};
	int fds[4], there;
	char c[4096];

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	there = raw_connect(&f);
	raw_send(there, TEXT(GET("/events")));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = tcp_connect(&f);
	raw_send(fds[0], TEXT(GET("/events")));
	raw_send(fds[1], TEXT(GET("/later")));
	raw_send(fds[2], TEXT("GET /half"));
	raw_send(fds[3], TEXT(GET("/parts")));
	WAIT_FOR(f.streams == 2 && f.pending == 1 && f.counts.held_bytes);
	f.close_tcp = true;
	wake(&f);
	WAIT_FOR(!f.close_tcp);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		while (recv(fds[i], c, sizeof(c), 0) > 0)
			;
		close(fds[i]);
	}
	f.answer = 1; /* of the one that is gone */
	wake(&f);
	WAIT_FOR(!f.pending);
	assert_non_null(strstr(ask(&f, false, GET("/who")), "HTTP/1.1 200"));
	WAIT_FOR(f.streams == 1 && !f.counts.held_bytes);
	close(there);
	fixture_stop(&f);
}

/* Streams do not take all that TCP has. */
static void streams_leave_room(void **state)
{
	struct fixture f = {.tcp = true};
	int fds[30], streams = 0;
	char c[16];

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = tcp_connect(&f);
		raw_send(fds[i], TEXT(GET("/events")));
		assert_int_equal(recv(fds[i], c, sizeof(c), MSG_WAITALL), sizeof(c));
		streams += !memcmp(c, "HTTP/1.1 200", 12);
	}
	assert_int_equal(streams, 24);
	assert_non_null(strstr(ask(&f, true, GET("/who")), "HTTP/1.1 200"));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	fixture_stop(&f);
}

/* Root's own connections that do not ask: who waits for one gets it sooner than those would be closed otherwise. */
static void hurries_when_full(void **state)
{
	struct fixture f = {.request_ms = 10000};
	int fds[128];

	(void)state;
	if (getuid()) {
		print_message("skipped: users have a share, root has all\n");
		skip();
	}
	assert_int_equal(fixture_start(&f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = raw_connect(&f);
	assert_non_null(strstr(ask(&f, false, GET("/who")), "HTTP/1.1 200"));
	WAIT_FOR(f.counts.refused);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drops_who_takes_nothing), cmocka_unit_test(waits_for_who_takes_something),
		cmocka_unit_test(bounds_what_is_held),	   cmocka_unit_test(takes_turns),
		cmocka_unit_test(leaves_while_waiting),	   cmocka_unit_test(listens_over_tcp),
		cmocka_unit_test(tcp_has_its_share),	   cmocka_unit_test(streams_leave_room),
		cmocka_unit_test(hurries_when_full),	   cmocka_unit_test(stops_listening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
