// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The client against the real server, and against servers that answer strangely. */
#include "http_fixture.h"

#include "util/http_reply.h"

#define CLIENTS 100

static void talks_to_the_server(void **state)
{
	_cleanup_free_ char *body = calloc(1, MW_HTTP_BODY_MAX + 2);
	struct fixture f = {};
	struct mw_error err = {};
	struct mw_reply reply;
	char who[128];

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(mw_client_request(f.path, "PUT", "/who?a%20b=%25", NULL, DEADLINE_MS, &reply, &err), 0);
	snprintf(who, sizeof(who), "PUT %u %d %% - localhost", getuid(), getpid());
	assert_string_equal(reply.body, who);
	free(reply.body);
	assert_int_equal(mw_client_request(f.path, "GET", "/nowhere", NULL, DEADLINE_MS, &reply, &err), 0);
	assert_int_equal(reply.status, 404);
	free(reply.body);
	assert_int_equal(mw_client_request(f.path, "GET", "/empty", NULL, DEADLINE_MS, &reply, &err), 0);
	assert_int_equal(reply.status, 204);
	assert_string_equal(reply.body, "");
	free(reply.body);
	assert_int_equal(mw_client_request(f.path, "HEAD", "/large", NULL, DEADLINE_MS, &reply, &err), 0);
	assert_int_equal(reply.size, 0);
	free(reply.body);
	assert_int_equal(mw_client_request(f.path, "GET", "/large", NULL, DEADLINE_MS, &reply, &err), 0);
	assert_int_equal(reply.size, 5 << 20);
	assert_int_equal(strspn(reply.body, "x"), 5 << 20);
	free(reply.body);
	memset(body, 'b', MW_HTTP_BODY_MAX);
	assert_int_equal(mw_client_request(f.path, "POST", "/echo", body, DEADLINE_MS, &reply, &err), 0);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.body, body);
	free(reply.body);
	body[MW_HTTP_BODY_MAX] = 'b';
	assert_int_equal(mw_client_request(f.path, "POST", "/echo", body, DEADLINE_MS, &reply, &err), 0);
	assert_int_equal(reply.status, 413);
	free(reply.body);
	fixture_stop(&f);
}

static void refused_body_of_megabytes(void **state)
{
	_cleanup_free_ char *body = calloc(1, (4 << 20) + 1);
	struct fixture f = {};
	struct mw_reply reply;

	(void)state;
	memset(body, 'b', 4 << 20);
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(mw_client_request(f.path, "POST", "/echo", body, DEADLINE_MS, &reply, NULL), 0);
	assert_int_equal(reply.status, 413);
	free(reply.body);
	fixture_stop(&f);
}

static void says_what_is_wrong(void **state)
{
	char dir[] = "/tmp/mw-http-XXXXXX", path[64], longer[120] = "/tmp/";
	struct mw_reply reply = {.status = 7};
	struct mw_error err = {};
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	assert_int_equal(mw_client_request(path, "GET", "/", NULL, 100, &reply, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(mw_server_listen_unix(path, (gid_t)-1, &fd, &err), 0);
	/* Nobody accepts: the connection is in the backlog and no answer comes. */
	assert_int_equal(mw_client_request(path, "GET", "/", NULL, 50, &reply, &err), -ETIMEDOUT);
	assert_int_equal(mw_client_request(path, "GET", "/ HTTP/1.1\r\nX:", NULL, 50, &reply, &err), -EINVAL);
	close(fd);
	assert_int_equal(mw_client_request(path, "GET", "/", NULL, 100, &reply, &err), -ECONNREFUSED);
	memset(longer + 5, 'p', 103);
	assert_int_equal(mw_client_request(longer, "GET", "/", NULL, 100, &reply, &err), -ENAMETOOLONG);
	assert_non_null(strstr(err.text, "107"));
	assert_int_equal(reply.status, 7);
	unlink(path);
	rmdir(dir);
}

/* A full backlog holds a connect until its deadline, not for ever and not in a spin. */
static void waits_for_a_full_backlog(void **state)
{
	char dir[] = "/tmp/mw-http-XXXXXX", path[64];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct mw_reply reply;
	int fd, fds[3];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	strcpy(address.sun_path, path);
	assert_int_equal(mw_server_listen_unix(path, (gid_t)-1, &fd, NULL), 0);
	assert_int_equal(listen(fd, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(fds[i], (struct sockaddr *)&address, sizeof(address));
	}
	assert_int_equal(mw_client_request(path, "GET", "/", NULL, 100, &reply, NULL), -ETIMEDOUT);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	close(fd);
	unlink(path);
	rmdir(dir);
}

static void *one_client(void *arg)
{
	struct fixture *f = arg;
	struct mw_reply reply = {};
	char body[32];
	long good = 0;

	for (int i = 0; i < 5; i++) {
		snprintf(body, sizeof(body), "%p %d", (void *)&reply, i);
		if (mw_client_request(f->path, "POST", "/echo", body, DEADLINE_MS, &reply, NULL))
			continue;
		good += reply.status == 200 && !strcmp(reply.body, body);
		free(reply.body);
	}
	return (void *)good;
}

static void many_at_once(void **state)
{
	struct fixture f = {};
	pthread_t threads[CLIENTS];
	long good = 0;
	void *result;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	for (int i = 0; i < CLIENTS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, one_client, &f), 0);
	for (int i = 0; i < CLIENTS; i++) {
		pthread_join(threads[i], &result);
		good += (long)result;
	}
	assert_int_equal(good, 5 * CLIENTS);
	fixture_stop(&f);
}

/* Checks the order; "lost" stands in the place of what is missing. */
struct counter {
	unsigned next;
	unsigned lost;
	unsigned events;
	unsigned until;
	unsigned after_ms; /* wait that long after the first event, once */
	atomic_bool begun;
	bool wrong;
	const struct fixture *f;
	int result;
};

static int count_event(const char *event, const char *data, void *arg)
{
	struct counter *c = arg;
	unsigned n = 0;

	if (!strcmp(event, "lost")) {
		c->wrong |= sscanf(data, "{\"lost\":%u}", &n) != 1 || !n;
		c->lost += n;
		c->next += n;
	} else {
		c->wrong |= sscanf(data, "{\"n\":%u}", &n) != 1 || n != c->next;
		c->next++;
		c->events++;
	}
	if (!c->begun) {
		c->begun = true;
		poll(NULL, 0, (int)c->after_ms);
	}
	return c->wrong || c->next >= c->until;
}

static void *one_stream(void *arg)
{
	struct counter *c = arg;
	struct mw_error err = {};

	c->result = mw_client_stream(c->f->path, "/events", count_event, c, &err);
	return NULL;
}

static void streams_in_order(void **state)
{
	struct fixture f = {.event_size = 10};
	struct counter c[5];
	pthread_t threads[ARRAY_SIZE(c)];

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		c[i] = (struct counter){.f = &f, .until = 500};
		assert_int_equal(pthread_create(&threads[i], NULL, one_stream, &c[i]), 0);
	}
	WAIT_FOR(f.streams == ARRAY_SIZE(c));
	for (int i = 0; i < 5; i++) {
		f.broadcast = 100;
		wake(&f);
		WAIT_FOR(!f.broadcast);
	}
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(c[i].result, 0);
		assert_false(c[i].wrong);
		assert_int_equal(c[i].events, 500);
	}
	WAIT_FOR(!f.streams);
	fixture_stop(&f);
}

/* A reader that is stuck while 2 MB of events come, beside one that reads: only the first loses, and knows how many. */
static void a_stuck_reader_loses_and_is_told(void **state)
{
	static const char request[] = "GET /events HTTP/1.1\r\n\r\n";
	struct fixture f = {.event_size = 2000};
	struct counter good = {.f = &f, .until = 1000}, late = {.f = &f, .until = 1000};
	_cleanup_(mw_reply_parser_free) struct mw_reply_parser reply = {};
	_cleanup_(mw_event_parser_free) struct mw_event_parser events = {.fn = count_event, .arg = &late};
	_cleanup_close_ int stuck = -1;
	unsigned runs;
	pthread_t thread;
	char buf[4096];
	ssize_t n = 1;
	int r = 0;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	stuck = raw_connect(&f);
	raw_send(stuck, request, strlen(request));
	assert_int_equal(pthread_create(&thread, NULL, one_stream, &good), 0);
	WAIT_FOR(f.streams == 2);
	for (unsigned i = 0; i < 100; i++) {
		f.broadcast = 10;
		wake(&f);
		WAIT_FOR(!f.broadcast);
	}
	pthread_join(thread, NULL);
	assert_false(good.wrong);
	assert_int_equal(good.next, 1000);
	WAIT_FOR(f.streams == 1);
	poll(NULL, 0, 100); /* a stuck reader must not keep the server busy */
	runs = f.runs;
	poll(NULL, 0, 300);
	assert_true(f.runs - runs <= 3);
	reply.fn = mw_event_feed;
	reply.arg = &events;
	while (!r && n > 0) {
		n = recv(stuck, buf, sizeof(buf), 0);
		r = n > 0 ? mw_reply_feed(&reply, buf, (size_t)n) : 0;
	}
	assert_int_equal(r, -ECANCELED);
	assert_false(late.wrong);
	assert_true(late.lost > 100);
	assert_int_equal(late.lost + late.events, 1000);
	fixture_stop(&f);
}

static void a_stream_that_is_none(void **state)
{
	struct fixture f = {};
	struct mw_error err = {};
	struct counter c = {.f = &f, .until = 1};
	pthread_t thread;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(mw_client_stream(f.path, "/nowhere", count_event, &c, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no /nowhere"));
	assert_int_equal(pthread_create(&thread, NULL, one_stream, &c), 0);
	WAIT_FOR(f.streams == 1);
	fixture_stop(&f);
	pthread_join(thread, NULL);
	assert_int_equal(c.result, -EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(talks_to_the_server),
		cmocka_unit_test(refused_body_of_megabytes),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(waits_for_a_full_backlog),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(streams_in_order),
		cmocka_unit_test(a_stuck_reader_loses_and_is_told),
		cmocka_unit_test(a_stream_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
