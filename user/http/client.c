// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "http/client.h"

#include <linux/types.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/http_reply.h"

#define SILENCE_MS 60000 /* of a stream: four keep-alive comments missed */

/* One exchange: the connection and how long it may still take. */
struct exchange {
	int fd;
	int timeout_ms; /* -1: none */
	__u64 start_ns;
	bool stream; /* the time begins again with each piece, and a signal ends it */
};

static int left_ms(const struct exchange *x)
{
	__u64 passed_ms = (mw_now_ns() - x->start_ns) / MW_NS_PER_MS;

	if (x->timeout_ms < 0)
		return -1;
	return passed_ms < (__u64)x->timeout_ms ? x->timeout_ms - (int)passed_ms : 0;
}

static int wait_for(const struct exchange *x, short events)
{
	struct pollfd p = {.fd = x->fd, .events = events};
	int n;

	do {
		n = poll(&p, 1, left_ms(x));
	} while (n < 0 && errno == EINTR && !x->stream);
	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

static int connect_error(const char *path, int r, struct mw_error *err)
{
	switch (r) {
	case -ENOENT:
		return mw_fail(err, r, "no daemon: there is no socket %s", path);
	case -ECONNREFUSED:
		return mw_fail(err, r, "no daemon: nobody listens on %s", path);
	case -EACCES:
		return mw_fail(err, r, "no permission for %s: only root and its group have it", path);
	case -EAGAIN:
		return mw_fail(err, -ETIMEDOUT, "the daemon on %s does not take connections", path);
	default:
		errno = -r;
		return mw_fail(err, r, "cannot connect to %s: %m", path);
	}
}

/*
 * A unix connect cannot be polled for: it waits for room in the backlog, as long as the socket's
 * send timeout says. So the socket blocks; sending and receiving use MSG_DONTWAIT.
 */
static int open_connection(const char *path, int timeout_ms, int *ret_fd, struct mw_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	/* At least 1 ms: zero would mean for ever. */
	int wait_ms = timeout_ms < 0 ? 0 : timeout_ms + !timeout_ms;
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
	_cleanup_close_ int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return mw_fail(err, -ENAMETOOLONG, "the socket path has %zu bytes, the limit is %zu: %s", strlen(path),
			       sizeof(address.sun_path) - 1, path);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)))
		return mw_fail(err, -errno, "cannot make a unix socket: %m");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return connect_error(path, -errno, err);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int send_all(const struct exchange *x, const char *data, size_t size)
{
	ssize_t n;
	int r;

	while (size) {
		n = send(x->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0; /* it may have answered before reading all, as with 413 */
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		r = n < 0 ? wait_for(x, POLLOUT) : 0;
		if (r)
			return r;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

int mw_client_text(const char *method, const char *path, const char *body, char **ret_text)
{
	static const char with_body[] = "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
					"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s";
	static const char without[] = "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	char *text;
	int size;

	/* Such a path would begin a header of its own. */
	for (const unsigned char *c = (const unsigned char *)path; *c; c++)
		if (*c <= ' ' || *c == 0x7f)
			return -EINVAL;
	size = body ? asprintf(&text, with_body, method, path, strlen(body), body)
		    : asprintf(&text, without, method, path);
	if (size < 0)
		return -ENOMEM;
	*ret_text = text;
	return size;
}

static int send_request(const struct exchange *x, const char *method, const char *path, const char *body)
{
	_cleanup_free_ char *text = NULL;
	int size = mw_client_text(method, path, body, &text);

	return size < 0 ? size : send_all(x, text, (size_t)size);
}

static int receive_reply(struct exchange *x, struct mw_reply_parser *p)
{
	char buf[16384];
	ssize_t n;
	int r = 0;

	while (!r && p->state != MW_REPLY_DONE) {
		n = recv(x->fd, buf, sizeof(buf), MSG_DONTWAIT);
		/* Closed with a part of our request unread, the socket says so after the last byte of the reply. */
		if (!n || (n < 0 && errno == ECONNRESET))
			return mw_reply_end(p);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0 && x->stream)
			x->start_ns = mw_now_ns();
		r = n < 0 ? wait_for(x, POLLIN) : mw_reply_feed(p, buf, (size_t)n);
	}
	return r;
}

static int explain(int r, const char *method, const char *path, struct mw_error *err)
{
	switch (r) {
	case 0:
		return 0;
	case -EINVAL:
		return mw_fail(err, r, "a request path has no spaces and no control characters: \"%s\"", path);
	case -ETIMEDOUT:
		return mw_fail(err, r, "the daemon does not answer %s %s in time", method, path);
	case -EPROTO:
		return mw_fail(err, r, "the answer to %s %s is not HTTP or stops in the middle", method, path);
	case -EMSGSIZE:
		return mw_fail(err, r, "the answer to %s %s is too large", method, path);
	default:
		errno = -r;
		return mw_fail(err, r, "%s %s: %m", method, path);
	}
}

static int collect(const char *data, size_t size, void *arg)
{
	return mw_text_add(arg, data, size, MW_CLIENT_REPLY_MAX);
}

static int reply_to(struct exchange *x, int sent, const char *method, const char *path, struct mw_reply *ret_reply,
		    struct mw_error *err)
{
	_cleanup_(mw_text_free) struct mw_text text = {};
	_cleanup_(mw_reply_parser_free) struct mw_reply_parser p = {.fn = collect, .arg = &text};
	int r = sent;

	p.no_body = !strcmp(method, "HEAD");
	if (!r)
		r = receive_reply(x, &p);
	if (!r)
		r = collect("", 0, &text); /* so that an empty body is there, too */
	if (r)
		return explain(r, method, path, err);
	*ret_reply = (struct mw_reply){.status = p.status, .size = text.size, .body = TAKE_PTR(text.data)};
	return 0;
}

int mw_client_request(const char *socket_path, const char *method, const char *path, const char *body, int timeout_ms,
		      struct mw_reply *ret_reply, struct mw_error *err)
{
	struct exchange x = {.timeout_ms = timeout_ms, .start_ns = mw_now_ns()};
	_cleanup_close_ int fd = -1;
	int r = open_connection(socket_path, timeout_ms, &fd, err);

	if (r)
		return r;
	x.fd = fd;
	return reply_to(&x, send_request(&x, method, path, body), method, path, ret_reply, err);
}

int mw_client_reply(int fd, const char *method, const char *path, int timeout_ms, struct mw_reply *ret_reply,
		    struct mw_error *err)
{
	struct exchange x = {.fd = fd, .timeout_ms = timeout_ms, .start_ns = mw_now_ns()};

	return reply_to(&x, 0, method, path, ret_reply, err);
}

/* A stream's reply: events when it is a stream, otherwise a text that says why not. */
struct stream_body {
	const struct mw_reply_parser *reply;
	struct mw_event_parser events;
	struct mw_text text;
};

static int take_stream(const char *data, size_t size, void *arg)
{
	struct stream_body *b = arg;

	if (b->reply->status == 200)
		return mw_event_feed(data, size, &b->events);
	return mw_text_add(&b->text, data, size, MW_EVENT_MAX);
}

static void stream_body_free(struct stream_body *b)
{
	mw_event_parser_free(&b->events);
	mw_text_free(&b->text);
}

static int end_of_stream(int r, const struct stream_body *b, const char *path, struct mw_error *err)
{
	unsigned status = b->reply->status;

	if (b->events.stopped)
		return 0;
	if (r && r != -EPROTO)
		return explain(r, "GET", path, err);
	if (status == 200 && b->reply->state > MW_REPLY_HEADER)
		return mw_fail(err, -EPIPE, "the daemon ended the stream %s", path);
	if (r)
		return explain(r, "GET", path, err);
	r = status == 403 ? -EACCES : status == 404 ? -ENOENT : -EPROTO;
	return mw_fail(err, r, "the daemon answers %u to GET %s: %s", status, path, mw_text_str(&b->text));
}

int mw_client_stream(const char *socket_path, const char *path, mw_client_event_fn fn, void *arg, struct mw_error *err)
{
	_cleanup_(mw_reply_parser_free) struct mw_reply_parser p = {.fn = take_stream};
	_cleanup_(stream_body_free) struct stream_body b = {.reply = &p, .events = {.fn = fn, .arg = arg}};
	struct exchange x = {.timeout_ms = SILENCE_MS, .start_ns = mw_now_ns(), .stream = true};
	_cleanup_close_ int fd = -1;
	int r;

	p.arg = &b;
	r = open_connection(socket_path, SILENCE_MS, &fd, err);
	if (r)
		return r;
	x.fd = fd;
	r = send_request(&x, "GET", path, NULL);
	if (!r)
		r = receive_reply(&x, &p);
	return end_of_stream(r, &b, path, err);
}
