/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A real server on a socket of its own, its loop in a thread, for the tests of both sides. */
#ifndef MW_TESTS_HTTP_FIXTURE_H
#define MW_TESTS_HTTP_FIXTURE_H

#include "../unit.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "http/client.h"
#include "http/server.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define DEADLINE_MS 20000

struct fixture {
	char dir[32];
	char path[64];
	struct mw_server *server;
	pthread_t thread;
	int wake_fd;
	atomic_bool stop;
	atomic_uint runs; /* how often the loop called mw_server_run */
	atomic_uint pending; /* requests kept for later */
	atomic_uint answer; /* set it: the loop answers what is pending */
	atomic_bool close_tcp; /* set it: the loop listens there no more */
	atomic_uint broadcast; /* set it: the loop broadcasts that many numbered events */
	atomic_size_t streams;
	atomic_bool followed;
	unsigned linger_ms;
	unsigned stall_ms; /* of answers and streams alike */
	unsigned busy_ms; /* that a request to /busy takes */
	atomic_bool gate_reached, gate_open; /* a request to /gate holds up the loop in between */
	char order[256]; /* in which those were served: t over TCP, u the others */
	bool tcp; /* listens there too, on port */
	unsigned port;
	struct mw_server_counts counts; /* after the last run */
	unsigned sent;
	size_t event_size;
	unsigned keep_alive_ms;
	unsigned request_ms;
	struct mw_request *kept[256];
};

static inline void answer_text(struct mw_request *r, unsigned status, const char *text)
{
	mw_request_answer(r, status, "text/plain", text, strlen(text));
}

/* "begin", size bytes of letters in parts that are shared, "end"; or with 0 only the first. */
static inline struct mw_parts *parts_of(size_t size)
{
	struct mw_kept *words = mw_kept_new("beginend", 8), *letters;
	struct mw_parts *p = mw_parts_new();
	char text[100000];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 23);
	letters = mw_kept_new(text, sizeof(text));
	assert_int_equal(mw_parts_add(p, words, 0, 5), 0);
	for (size_t n = 0, part; n < size; n += part) {
		size_t from = n % sizeof(text);

		part = sizeof(text) - from;
		part = part > 77777 ? 77777 : part;
		part = part > size - n ? size - n : part;
		assert_int_equal(mw_parts_add(p, letters, from, part), 0);
	}
	if (size)
		assert_int_equal(mw_parts_add(p, words, 5, 3), 0);
	mw_kept_drop(words);
	mw_kept_drop(letters);
	return p;
}

/* What the test server can do: say something about the request, answer later, stream, be large. */
static inline void on_request(struct mw_request *r, void *arg)
{
	struct fixture *f = arg;
	const char *path = mw_request_path(r);
	char text[256];
	char *large;
	struct mw_peer peer;

	if (!strcmp(path, "/echo")) {
		mw_request_answer(r, 200, "text/plain", mw_request_body(r), strlen(mw_request_body(r)));
	} else if (!strcmp(path, "/who")) {
		peer = mw_request_peer(r);
		snprintf(text, sizeof(text), "%s %u %d %s %s %s", mw_request_method(r), peer.uid, peer.pid,
			 mw_request_query(r, "a b") ? mw_request_query(r, "a b") : "-",
			 mw_request_query(r, "flag") ? "flag" : "-", mw_request_header(r, "Host"));
		answer_text(r, 200, text);
	} else if (!strcmp(path, "/later")) {
		f->kept[f->pending] = r;
		f->pending++;
	} else if (!strcmp(path, "/events")) {
		mw_request_stream(r, MW_TOPIC_EVENTS);
	} else if (!strcmp(path, "/large")) {
		large = malloc(5 << 20);
		memset(large, 'x', 5 << 20);
		mw_request_answer(r, 200, "text/plain", large, 5 << 20);
		free(large);
	} else if (!strcmp(path, "/parts")) {
		mw_request_answer_parts(r, 200, "text/plain", parts_of(8 << 20));
	} else if (!strcmp(path, "/part")) {
		mw_request_answer_parts(r, 200, "text/plain", parts_of(0));
	} else if (!strcmp(path, "/file")) {
		mw_request_answer_file(r, 200, "text/html", "<p>page</p>", 11, "v1");
	} else if (!strcmp(path, "/busy")) {
		for (__u64 end = mw_now_ns() + f->busy_ms * MW_NS_PER_MS; mw_now_ns() < end;)
			;
		f->order[strlen(f->order)] = mw_request_over_tcp(r) ? 't' : 'u';
		answer_text(r, 200, mw_request_over_tcp(r) ? "tcp" : "unix");
	} else if (!strcmp(path, "/gate")) {
		f->gate_reached = true;
		while (!f->gate_open)
			poll(NULL, 0, 1);
		answer_text(r, 200, "open");
	} else if (!strcmp(path, "/empty")) {
		mw_request_answer(r, 204, "text/plain", NULL, 0);
	} else {
		snprintf(text, sizeof(text), "no %s", path);
		answer_text(r, 404, text);
	}
}

static inline void do_orders(struct fixture *f)
{
	_cleanup_free_ char *data = calloc(1, f->event_size + 32);
	int n;

	for (unsigned i = 0; f->answer && i < f->pending; i++)
		answer_text(f->kept[i], 200, "at last");
	if (f->answer)
		f->answer = f->pending = 0;
	if (f->close_tcp) {
		assert_int_equal(mw_server_set_tcp(f->server, -1, NULL), 0);
		f->close_tcp = false;
	}
	for (; f->broadcast; f->broadcast--) {
		n = sprintf(data, "{\"n\":%u}", f->sent++);
		memset(data + n, ' ', f->event_size);
		mw_server_broadcast(f->server, MW_TOPIC_EVENTS, getuid(), "count", data);
	}
}

static inline void *loop(void *arg)
{
	struct fixture *f = arg;
	struct pollfd fds[2] = {{.fd = mw_server_epoll_fd(f->server), .events = POLLIN},
				{.fd = f->wake_fd, .events = POLLIN}};
	eventfd_t value;
	int timeout_ms = 0;

	while (!f->stop) {
		assert_true(poll(fds, 2, timeout_ms) >= 0);
		if (fds[1].revents && !eventfd_read(f->wake_fd, &value))
			do_orders(f);
		timeout_ms = mw_server_run(f->server);
		f->counts = mw_server_counts(f->server);
		f->runs++;
		f->followed = mw_server_followed(f->server, MW_TOPIC_EVENTS);
		f->streams = mw_server_streams(f->server, MW_TOPIC_EVENTS);
	}
	return NULL;
}

static inline void wake(struct fixture *f)
{
	assert_int_equal(eventfd_write(f->wake_fd, 1), 0);
}

/* Wait for a condition with a deadline. */
#define WAIT_FOR(condition)                                                                                            \
	do {                                                                                                           \
		__u64 _end = mw_now_ns() + DEADLINE_MS * MW_NS_PER_MS;                                                 \
		while (!(condition)) {                                                                                 \
			if (mw_now_ns() > _end)                                                                        \
				fail_msg("waited in vain for %s", #condition);                                         \
			poll(NULL, 0, 2);                                                                              \
		}                                                                                                      \
	} while (0)

/* On a port that is free now. */
static inline void listen_tcp(struct fixture *f)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(listen(fd, 128), 0);
	f->port = ntohs(address.sin_port);
	assert_int_equal(mw_server_set_tcp(f->server, fd, NULL), 0);
}

static inline int fixture_start(struct fixture *f)
{
	struct mw_error err = {};
	int fd;

	strcpy(f->dir, "/tmp/mw-http-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
	assert_int_equal(mw_server_listen_unix(f->path, (gid_t)-1, &fd, &err), 0);
	assert_int_equal(mw_server_new(fd, on_request, f, &f->server, &err), 0);
	if (f->keep_alive_ms || f->request_ms)
		mw_server_set_times(f->server, f->request_ms ? f->request_ms : 10000,
				    f->keep_alive_ms ? f->keep_alive_ms : 15000);
	if (f->linger_ms)
		mw_server_set_linger(f->server, MW_TOPIC_EVENTS, f->linger_ms);
	if (f->stall_ms)
		mw_server_set_stalls(f->server, f->stall_ms, f->stall_ms);
	if (f->tcp)
		listen_tcp(f);
	f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return pthread_create(&f->thread, NULL, loop, f);
}

static inline void fixture_stop(struct fixture *f)
{
	f->stop = true;
	wake(f);
	pthread_join(f->thread, NULL);
	mw_server_free(f->server);
	/* Answering after the server is gone only frees. */
	for (unsigned i = 0; i < f->pending; i++)
		answer_text(f->kept[i], 200, "too late");
	close(f->wake_fd);
	unlink(f->path);
	assert_int_equal(rmdir(f->dir), 0);
}

static inline int raw_connect(const struct fixture *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = DEADLINE_MS / 1000};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, f->path);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static inline int tcp_connect(const struct fixture *f)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((in_port_t)f->port)};
	struct timeval limit = {.tv_sec = DEADLINE_MS / 1000};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static inline void raw_send(int fd, const char *text, size_t size)
{
	(void)!send(fd, text, size, MSG_NOSIGNAL);
}

/* All up to the end of the connection, NUL-terminated; fails the test when the end does not come. */
static inline size_t raw_read(int fd, char *buf, size_t size)
{
	size_t done = 0;
	ssize_t n = 1;

	while (n > 0 && done < size - 1) {
		n = recv(fd, buf + done, size - 1 - done, 0);
		if (n < 0 && errno == EAGAIN)
			fail_msg("the server did not close");
		done += n > 0 ? (size_t)n : 0;
	}
	buf[done] = '\0';
	return done;
}

#endif
