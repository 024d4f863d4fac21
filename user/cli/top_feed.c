/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/top_feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cli/call.h"
#include "cli/field.h"
#include "http/client.h"
#include "util/cleanup.h"
#include "util/http_reply.h"

#define RETRY_MS  1000
#define ANSWER_MS 15000 /* a document; an action has MW_ACTION_MS */
#define TEXT_MAX  (64U << 20) /* bytes of an answer */
#define READS_MAX 64 /* of one connection in a turn: keys are not to wait for a stream that never pauses */

/* One connection and what goes over it. */
struct exchange {
	int fd; /* -1: none */
	char *text; /* the request */
	size_t size, sent;
	struct mw_reply_parser reply;
	struct mw_text body;
	__u64 until_ms;
};

struct mw_feed {
	const char *socket;
	struct mw_feed_calls calls;
	struct exchange asked[MW_FEED_MAX];
	struct exchange stream;
	struct mw_event_parser events;
	__u64 retry_ms, heard_ms;
	char why[160];
};

static void end_exchange(struct exchange *x)
{
	mw_close(&x->fd);
	mw_freep(&x->text);
	mw_reply_parser_free(&x->reply);
	mw_text_free(&x->body);
	*x = (struct exchange){.fd = -1};
}

struct mw_feed *mw_feed_new(const char *socket, const struct mw_feed_calls *calls)
{
	struct mw_feed *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->socket = socket;
	f->calls = *calls;
	f->stream.fd = -1;
	for (size_t i = 0; i < MW_FEED_MAX; i++)
		f->asked[i].fd = -1;
	snprintf(f->why, sizeof(f->why), "connecting to %s", socket);
	return f;
}

void mw_feed_free(struct mw_feed *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < MW_FEED_MAX; i++)
		end_exchange(&f->asked[i]);
	end_exchange(&f->stream);
	mw_event_parser_free(&f->events);
	free(f);
}

/* A unix socket connects at once or not at all, where it may not block. */
static int connected_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return TAKE_FD(fd);
}

static int begin(const struct mw_feed *f, struct exchange *x, const char *method, const char *path, const char *body)
{
	int size, fd = connected_socket(f->socket);

	if (fd < 0)
		return fd;
	x->fd = fd;
	size = mw_client_text(method, path, body, &x->text);
	if (size < 0) {
		end_exchange(x);
		return size;
	}
	x->size = (size_t)size;
	return 0;
}

static void say_why(const struct mw_feed *f, int r, char *buf, size_t size)
{
	const char *text = r == -ENOENT || r == -ECONNREFUSED ? "daemon away"
			   : r == -EAGAIN		      ? "the daemon does not take connections"
			   : r == -EACCES		      ? "no permission: only root and its group have it"
			   : r == -EPIPE		      ? "the daemon has closed the stream"
			   : r == -ETIMEDOUT		      ? "the daemon does not answer"
							      : strerror(-r);

	snprintf(buf, size, "%s (%.80s)", text, f->socket);
}

/* ---- requests ---- */

static int collect(const char *data, size_t size, void *arg)
{
	return mw_text_add(arg, data, size, TEXT_MAX);
}

bool mw_feed_busy(const struct mw_feed *f, enum mw_feed_kind kind)
{
	return f->asked[kind].fd >= 0;
}

bool mw_feed_ask(struct mw_feed *f, enum mw_feed_kind kind, const char *method, const char *path, const char *body,
		 __u64 now_ms)
{
	struct exchange *x = &f->asked[kind];
	char why[160];
	int r;

	if (x->fd >= 0)
		return false;
	r = begin(f, x, method, path, body);
	if (r) {
		say_why(f, r, why, sizeof(why));
		f->calls.answer(kind, NULL, why, f->calls.arg);
		return false;
	}
	x->reply = (struct mw_reply_parser){.fn = collect, .arg = &x->body};
	x->until_ms = now_ms + (kind >= MW_FEED_DRY ? MW_ACTION_MS : ANSWER_MS);
	return true;
}

/* It is over: by an answer, or by r. The slot is free before the caller hears of it, who may ask again at once. */
static void finish(struct mw_feed *f, enum mw_feed_kind kind, int r)
{
	struct exchange *x = &f->asked[kind];
	_cleanup_json_ struct json_object *doc = r ? NULL : json_tokener_parse(mw_text_str(&x->body));
	unsigned status = x->reply.status;
	char why[512] = "";

	if (r)
		say_why(f, r, why, sizeof(why));
	else if (!json_object_is_type(doc, json_type_object))
		snprintf(why, sizeof(why), "the daemon's answer is no JSON object (status %u)", status);
	else if (status >= 400)
		snprintf(why, sizeof(why), "%.500s", mw_field_str(doc, "error"));
	end_exchange(x);
	f->calls.answer(kind, *why ? NULL : doc, why, f->calls.arg);
}

/* ---- both ---- */

/* -EAGAIN: later; 0: sent. */
static int send_more(struct exchange *x)
{
	while (x->sent < x->size) {
		ssize_t n = send(x->fd, x->text + x->sent, x->size - x->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EPIPE || errno == ECONNRESET ? 0 : -errno; /* it may have answered before */
		x->sent += (size_t)n;
	}
	return 0;
}

/* 0: all of it is here; -EAGAIN: later; -EPIPE: it was closed in the middle. */
static int receive_more(struct mw_feed *f, struct exchange *x, __u64 now_ms)
{
	char buf[32768];
	int r = 0;

	for (int i = 0; i < READS_MAX && x->reply.state != MW_REPLY_DONE; i++) {
		ssize_t n = recv(x->fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return -EAGAIN;
		if (n <= 0)
			return mw_reply_end(&x->reply) ? -EPIPE : 0;
		f->heard_ms = now_ms;
		r = mw_reply_feed(&x->reply, buf, (size_t)n);
		if (r)
			return r;
	}
	return x->reply.state == MW_REPLY_DONE ? 0 : -EAGAIN;
}

static int step_exchange(struct mw_feed *f, struct exchange *x, __u64 now_ms)
{
	int r = send_more(x);

	return r ? r : receive_more(f, x, now_ms);
}

/* ---- the stream ---- */

static int on_event(const char *event, const char *data, void *arg)
{
	struct mw_feed *f = arg;

	if (strcmp(event, "workers") == 0)
		f->calls.live(data, f->calls.arg);
	return 0;
}

static int take_stream(const char *data, size_t size, void *arg)
{
	struct mw_feed *f = arg;

	if (f->stream.reply.status == 200)
		return mw_event_feed(data, size, &f->events);
	return mw_text_add(&f->stream.body, data, size, MW_EVENT_MAX);
}

static void lose_stream(struct mw_feed *f, int r, __u64 now_ms)
{
	unsigned status = f->stream.reply.status;

	if (status >= 400)
		snprintf(f->why, sizeof(f->why), "the daemon answers %u to /v1/live: looking every few seconds",
			 status);
	else
		say_why(f, r ? r : -EPIPE, f->why, sizeof(f->why));
	end_exchange(&f->stream);
	mw_event_parser_free(&f->events);
	f->events = (struct mw_event_parser){0};
	f->retry_ms = now_ms + (status >= 400 ? 10 : 1) * RETRY_MS;
	f->calls.lost(f->calls.arg);
}

static void step_stream(struct mw_feed *f, __u64 now_ms)
{
	int r;

	if (f->stream.fd < 0 && now_ms < f->retry_ms)
		return;
	if (f->stream.fd < 0) {
		f->events = (struct mw_event_parser){.fn = on_event, .arg = f};
		r = begin(f, &f->stream, "GET", "/v1/live", NULL);
		f->stream.reply = (struct mw_reply_parser){.fn = take_stream, .arg = f};
		if (r)
			return lose_stream(f, r, now_ms);
	}
	r = step_exchange(f, &f->stream, now_ms);
	if (r != -EAGAIN)
		lose_stream(f, r, now_ms);
}

void mw_feed_step(struct mw_feed *f, __u64 now_ms)
{
	step_stream(f, now_ms);
	for (int i = 0; i < MW_FEED_MAX; i++) {
		struct exchange *x = &f->asked[i];
		int r = x->fd < 0 ? -EAGAIN : step_exchange(f, x, now_ms);

		if (r == -EAGAIN && x->fd >= 0 && now_ms >= x->until_ms)
			r = -ETIMEDOUT;
		if (r != -EAGAIN)
			finish(f, (enum mw_feed_kind)i, r);
	}
}

static int poll_for(const struct exchange *x, struct pollfd *p)
{
	if (x->fd < 0)
		return 0;
	*p = (struct pollfd){.fd = x->fd, .events = x->sent < x->size ? POLLIN | POLLOUT : POLLIN};
	return 1;
}

int mw_feed_polls(const struct mw_feed *f, struct pollfd fds[MW_FEED_FDS])
{
	int n = poll_for(&f->stream, fds);

	for (int i = 0; i < MW_FEED_MAX; i++)
		n += poll_for(&f->asked[i], fds + n);
	return n;
}

bool mw_feed_connected(const struct mw_feed *f)
{
	return f->stream.fd >= 0 && f->stream.reply.status == 200;
}

__u64 mw_feed_heard_ms(const struct mw_feed *f)
{
	return f->heard_ms;
}

const char *mw_feed_why(const struct mw_feed *f)
{
	return f->why;
}
