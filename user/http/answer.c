// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Answers. What is sent slowly is held in memory until its reader has it: how much that may be is bounded for root, for
 * users and for TCP each, so that none of them keeps the others from being answered.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "http/internal.h"
#include "util/cleanup.h"

#define PIECE	     (128 << 10) /* of an answer in parts; a socket takes about that at once */
#define HELD_FREE    (64 << 10) /* a smaller answer is never refused */
#define BUSY_TEXT    "other large answers are being read slowly: try again"
#define STREAMS_TEXT "there are too many streams over TCP: close one"

#define CSP_DATA "default-src 'none'; frame-ancestors 'none'"
#define CSP_PAGE                                                                                                       \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "          \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "            \
	"trusted-types 'none'"

static const size_t held_max[] = {
	[MW_SHARE_ROOT] = 64 << 20,
	[MW_SHARE_USERS] = 16 << 20,
	[MW_SHARE_TCP] = 16 << 20,
};
_Static_assert(ARRAY_SIZE(held_max) == MW_SHARE_MAX, "a bound for every share");

static void add_headers(struct mw_request *r, const char *content_type, const char *csp, const char *cache)
{
	const char *const headers[][2] = {
		{MHD_HTTP_HEADER_CONTENT_TYPE, content_type},  {MHD_HTTP_HEADER_CONNECTION, "close"},
		{MHD_HTTP_HEADER_CACHE_CONTROL, cache},	       {"Content-Security-Policy", csp},
		{"X-Content-Type-Options", "nosniff"},	       {"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Opener-Policy", "same-origin"}, {"Cross-Origin-Resource-Policy", "same-origin"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		MHD_add_response_header(r->response, headers[i][0], headers[i][1]);
	if (r->status == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(r->response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
}

/* The answer, if any, is in the request: on to the connection, or nowhere when that is gone. */
static void release(struct mw_request *r)
{
	r->released = true;
	if (!r->connection)
		mw_request_free(r);
	else
		mw_request_resume(r);
}

/* One that alone is larger than all may be goes through: somebody has asked for it and would never get it. */
static bool hold(struct mw_request *r, __u64 size)
{
	enum mw_share share = mw_request_share(r);
	size_t *held = &r->server->held[share];

	if (size > HELD_FREE && *held && *held + size > held_max[share])
		return false;
	*held += size;
	r->held = size;
	r->size = size;
	return true;
}

static void answer_now(struct mw_request *r, unsigned status, const char *content_type, const char *body, size_t size)
{
	r->status = status;
	r->response = MHD_create_response_from_buffer(size, (void *)(body ? body : ""), MHD_RESPMEM_MUST_COPY);
	if (!r->response)
		return;
	(void)hold(r, size);
	r->server->counts.bytes += size;
	add_headers(r, content_type, CSP_DATA, "no-store");
}

static void answer_busy(struct mw_request *r, const char *why)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "{\"error\":\"%s\"}", why);

	r->server->counts.busy++;
	answer_now(r, MHD_HTTP_SERVICE_UNAVAILABLE, "application/json", text, (size_t)n);
}

void mw_request_answer(struct mw_request *r, unsigned status, const char *content_type, const char *body, size_t size)
{
	struct mw_parts *parts;
	struct mw_kept *copy;

	if (size <= PIECE) {
		if (r->connection)
			answer_now(r, status, content_type, body, size);
		release(r);
		return;
	}
	/* The parts hold it from here on. */
	parts = mw_parts_new();
	copy = mw_kept_new(body, size);
	if (parts && copy && !mw_parts_add(parts, copy, 0, size)) {
		mw_kept_drop(copy);
		mw_request_answer_parts(r, status, content_type, parts);
		return;
	}
	mw_kept_drop(copy);
	mw_parts_free(parts);
	release(r);
}

struct body {
	struct mw_request *request;
	struct mw_parts *parts;
};

static ssize_t parts_reader(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct body *b = cls;
	size_t n = mw_parts_read(b->parts, pos, buf, max);

	b->request->pulled += n;
	b->request->server->counts.bytes += n;
	return n ? (ssize_t)n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void body_free(void *cls)
{
	struct body *b = cls;

	mw_parts_free(b->parts);
	free(b);
}

/* The request outlives the response: libmicrohttpd drops that before it says that it is through with the request. */
static struct MHD_Response *response_of(struct mw_request *r, struct mw_parts *parts)
{
	struct body *b = malloc(sizeof(*b));
	struct MHD_Response *response;

	if (!b)
		return NULL;
	*b = (struct body){r, parts};
	response = MHD_create_response_from_callback(parts->size, PIECE, parts_reader, b, body_free);
	if (!response)
		free(b);
	return response;
}

void mw_request_answer_parts(struct mw_request *r, unsigned status, const char *content_type, struct mw_parts *body)
{
	_cleanup_free_ char *small = body->size <= PIECE ? malloc(body->size + 1) : NULL;

	if (small) { /* goes out with the headers */
		mw_request_answer(r, status, content_type, small, mw_parts_read(body, 0, small, body->size));
		mw_parts_free(body);
		return;
	}
	if (r->connection && !hold(r, body->size + PIECE)) {
		answer_busy(r, BUSY_TEXT);
	} else if (r->connection) {
		r->status = status;
		r->response = response_of(r, body);
		if (r->response) {
			body = NULL;
			add_headers(r, content_type, CSP_DATA, "no-store");
		}
	}
	mw_parts_free(body);
	release(r);
}

/* Is it the one the client has? It may name several. */
static bool has_already(const struct mw_request *r, const char *quoted)
{
	const char *known = mw_request_header(r, MHD_HTTP_HEADER_IF_NONE_MATCH);

	return known && (strcmp(known, "*") == 0 || strstr(known, quoted));
}

void mw_request_answer_file(struct mw_request *r, unsigned status, const char *content_type, const void *data,
			    size_t size, const char *etag)
{
	char quoted[80];

	snprintf(quoted, sizeof(quoted), "\"%s\"", etag ? etag : "");
	if (r->connection && etag && status == MHD_HTTP_OK && has_already(r, quoted)) {
		status = MHD_HTTP_NOT_MODIFIED;
		size = 0;
	}
	if (r->connection) {
		r->status = status;
		r->size = size;
		r->server->counts.bytes += size;
		r->response = MHD_create_response_from_buffer(size, (void *)data, MHD_RESPMEM_PERSISTENT);
	}
	if (r->response) {
		add_headers(r, content_type, CSP_PAGE, etag ? "no-cache" : "no-store");
		if (etag)
			MHD_add_response_header(r->response, MHD_HTTP_HEADER_ETAG, quoted);
	}
	release(r);
}

/* libmicrohttpd asks for more of a stream. Suspending with 0 bytes is its way to wait. */
static ssize_t stream_reader(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct mw_request *r = cls;
	struct mw_server_counts *counts = &r->server->counts;
	size_t n;

	(void)pos;
	if (r->left)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = mw_stream_read(&r->stream, r->server->topics[r->topic].feed, buf, max);
	counts->events_lost += r->stream.lost - r->lost;
	counts->bytes += n;
	r->lost = r->stream.lost;
	r->pulled += n;
	if (!n) {
		r->suspended = true;
		MHD_suspend_connection(r->connection);
	}
	return (ssize_t)n;
}

/* A browser sends the header when it comes back by itself, and goes on with the address it began with. */
static const char *read_last(const struct mw_request *r)
{
	const char *id = mw_request_header(r, "Last-Event-ID");

	return id ? id : mw_request_query(r, "last_event_id");
}

static bool too_many_streams(const struct mw_request *r)
{
	const struct mw_server *s = r->server;
	size_t n = 0;

	for (const struct slot *slot = s->slots; r->tcp && slot < s->slots + MW_HTTP_SLOTS; slot++)
		n += slot->request && slot->request->tcp && slot->request->streaming;
	return n >= MW_HTTP_TCP_STREAMS;
}

void mw_request_stream(struct mw_request *r, enum mw_topic t)
{
	/* One who closed his sending half has left: a browser over TCP says no more than that. */
	struct epoll_event watch = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.ptr = r};
	struct mw_feed *feed = r->connection ? r->server->topics[t].feed : NULL;

	if (strcmp(r->method, "HEAD") == 0) {
		mw_request_answer(r, MHD_HTTP_OK, "text/event-stream", NULL, 0);
		return;
	}
	if (feed && too_many_streams(r)) {
		answer_busy(r, STREAMS_TEXT);
		release(r);
		return;
	}
	if (feed && !mw_feed_open(feed)) {
		r->topic = t;
		mw_stream_join(&r->stream, feed, r->tcp ? 0 : r->peer.uid, read_last(r));
		r->status = MHD_HTTP_OK;
		r->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, stream_reader, r, NULL);
	}
	if (r->response) {
		r->streaming = true;
		add_headers(r, "text/event-stream", CSP_DATA, "no-store");
		/* A failure is late news of a leaving client: the next write tells. */
		(void)epoll_ctl(r->server->epoll_fd, EPOLL_CTL_ADD, r->fd, &watch);
	}
	release(r);
}

static void count_answer(struct mw_server *s, unsigned status)
{
	struct mw_answers *a = s->answers;

	while (a < s->answers + MW_HTTP_CODES - 1 && a->status && a->status != status)
		a++;
	a->status = a->status ? a->status : status;
	a->n++;
	s->counts.answered[status / 100 % 6]++;
}

enum MHD_Result mw_answer_queue(struct mw_request *r, struct slot *slot)
{
	enum MHD_Result queued;

	if (!r->response)
		return MHD_NO; /* no memory for an answer: close */
	/* Who takes too long with it is ours to say: room.c. */
	MHD_set_connection_option(r->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
	mw_room_answering(slot, r, r->size);
	count_answer(r->server, r->status);
	queued = MHD_queue_response(r->connection, r->status, r->response);
	MHD_destroy_response(TAKE_PTR(r->response));
	return queued;
}
