// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * A request has two owners: its connection (libmicrohttpd) and whoever was
 * given it to answer. The one who lets go last frees it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "http/internal.h"
#include "util/cleanup.h"

#define DROPPED_MAX (16ULL << 20) /* of a body that is announced to be larger nothing is read, whoever sends it */
#define PIECE	    (128 << 10) /* of an answer in parts; a socket takes about that at once */

const char *mw_request_method(const struct mw_request *r)
{
	return r->method;
}

const char *mw_request_path(const struct mw_request *r)
{
	return r->path;
}

const char *mw_request_body(const struct mw_request *r)
{
	return r->body ? r->body : "";
}

const char *mw_request_query(const struct mw_request *r, const char *key)
{
	const char *value = NULL;

	if (!r->connection || MHD_lookup_connection_value_n(r->connection, MHD_GET_ARGUMENT_KIND, key, strlen(key),
							    &value, NULL) != MHD_YES)
		return NULL;
	return value ? value : "";
}

const char *mw_request_header(const struct mw_request *r, const char *name)
{
	return r->connection ? MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name) : NULL;
}

struct mw_peer mw_request_peer(const struct mw_request *r)
{
	return r->peer;
}

int mw_request_peer_pidfd(const struct mw_request *r)
{
	return r->connection ? mw_peer_pidfd(r->fd, &r->peer) : -ESRCH;
}

bool mw_request_in_group(const struct mw_request *r, gid_t gid)
{
	return r->connection && mw_peer_in_group(r->fd, &r->peer, gid);
}

static void request_free(struct mw_request *r)
{
	if (r->response)
		MHD_destroy_response(r->response);
	mw_stream_leave(&r->stream);
	free(r->method);
	free(r->path);
	free(r->body);
	free(r);
}

void mw_request_resume(struct mw_request *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	MHD_resume_connection(r->connection);
}

static struct slot *slot_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

int mw_connection_fd(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

static void add_headers(struct MHD_Response *response, const char *content_type)
{
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
}

/* The answer, if any, is in the request: on to the connection, or nowhere when that is gone. */
static void release(struct mw_request *r)
{
	r->released = true;
	if (!r->connection)
		request_free(r);
	else
		mw_request_resume(r);
}

void mw_request_answer(struct mw_request *r, unsigned status, const char *content_type, const char *body, size_t size)
{
	if (r->connection) {
		r->status = status;
		r->response = MHD_create_response_from_buffer(size, (void *)(body ? body : ""), MHD_RESPMEM_MUST_COPY);
		if (r->response)
			add_headers(r->response, content_type);
	}
	release(r);
}

static ssize_t parts_reader(void *cls, uint64_t pos, char *buf, size_t max)
{
	size_t n = mw_parts_read(cls, pos, buf, max);

	return n ? (ssize_t)n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void parts_free(void *cls)
{
	mw_parts_free(cls);
}

void mw_request_answer_parts(struct mw_request *r, unsigned status, const char *content_type, struct mw_parts *body)
{
	_cleanup_free_ char *small = body->size <= PIECE ? malloc(body->size + 1) : NULL;

	if (small) { /* goes out with the headers */
		mw_request_answer(r, status, content_type, small, mw_parts_read(body, 0, small, body->size));
		mw_parts_free(body);
		return;
	}
	if (r->connection) {
		r->status = status;
		r->response = MHD_create_response_from_callback(body->size, PIECE, parts_reader, body, parts_free);
	}
	if (r->response)
		add_headers(r->response, content_type);
	else
		mw_parts_free(body);
	release(r);
}

/* libmicrohttpd asks for more of a stream. Suspending with 0 bytes is its way to wait. */
static ssize_t stream_reader(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct mw_request *r = cls;
	size_t n;

	(void)pos;
	if (r->left)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = mw_stream_read(&r->stream, r->server->feed, buf, max);
	if (!n) {
		r->suspended = true;
		MHD_suspend_connection(r->connection);
	}
	return (ssize_t)n;
}

void mw_request_stream(struct mw_request *r)
{
	/* One who closed his sending half has left: a browser over TCP says no more than that. */
	struct epoll_event watch = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.ptr = r};

	if (r->connection) {
		mw_stream_join(&r->stream, r->server->feed, r->peer.uid);
		r->stream.keep_alive = true; /* a first chunk, so that the headers go out at once over TCP */
		r->status = MHD_HTTP_OK;
		r->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, stream_reader, r, NULL);
	}
	if (r->response) {
		r->streaming = true;
		add_headers(r->response, "text/event-stream");
		/* A failure is late news of a leaving client: the next write tells. */
		(void)epoll_ctl(r->server->epoll_fd, EPOLL_CTL_ADD, r->fd, &watch);
	}
	release(r);
}

/* Called by libmicrohttpd when it is through with a request, answered or not. */
void mw_request_on_completed(void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code)
{
	struct mw_server *s = cls;
	struct mw_request *r = *context;
	struct slot *slot = slot_of(c);

	(void)code;
	*context = NULL;
	if (slot)
		slot->request = NULL;
	if (!r)
		return;
	if (r->streaming)
		(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, r->fd, NULL);
	r->connection = NULL;
	if (r->released || !r->handed_out)
		request_free(r);
}

static struct mw_request *request_new(struct mw_server *s, struct MHD_Connection *c, const char *method,
				      const char *path)
{
	struct mw_request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->server = s;
	r->connection = c;
	r->fd = mw_connection_fd(c);
	r->method = strdup(method);
	r->path = strdup(path);
	if (!r->method || !r->path) {
		request_free(r);
		return NULL;
	}
	r->peer = mw_peer_of(r->fd);
	return r;
}

static enum MHD_Result queue_answer(struct mw_request *r)
{
	enum MHD_Result queued;

	if (!r->response)
		return MHD_NO; /* no memory for an answer: close */
	if (r->streaming)
		MHD_set_connection_option(r->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
	queued = MHD_queue_response(r->connection, r->status, r->response);
	MHD_destroy_response(TAKE_PTR(r->response));
	return queued;
}

static enum MHD_Result refuse(struct mw_request *r, unsigned status, const char *text)
{
	mw_request_answer(r, status, "text/plain", text, strlen(text));
	return queue_answer(r);
}

static enum MHD_Result begin(struct mw_request *r)
{
	const char *announced = mw_request_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
	__u64 length = announced ? strtoull(announced, NULL, 10) : 0;

	if (length > MW_HTTP_BODY_MAX && (length > DROPPED_MAX || mw_request_header(r, MHD_HTTP_HEADER_EXPECT)))
		return refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than 64 KiB\n");
	r->too_large = length > MW_HTTP_BODY_MAX;
	return MHD_YES;
}

/*
 * A body that is too large is read to its end and dropped, and answered then: a client that is still sending when the
 * socket is closed does not get to see the answer.
 */
static enum MHD_Result add_body(struct mw_request *r, const char *data, size_t size)
{
	char *body;

	r->too_large |= size > MW_HTTP_BODY_MAX - r->body_size;
	if (r->too_large)
		return MHD_YES;
	body = realloc(r->body, r->body_size + size + 1);
	if (!body)
		return MHD_NO;
	memcpy(body + r->body_size, data, size);
	r->body = body;
	r->body_size += size;
	body[r->body_size] = '\0';
	return MHD_YES;
}

static enum MHD_Result hand_out(struct mw_server *s, struct mw_request *r)
{
	if (r->too_large)
		return refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than 64 KiB\n");
	if (r->body && strlen(r->body) != r->body_size)
		return refuse(r, MHD_HTTP_BAD_REQUEST, "the body has a NUL byte\n");
	r->handed_out = true;
	s->fn(r, s->arg);
	if (r->released)
		return queue_answer(r);
	r->suspended = true;
	MHD_suspend_connection(r->connection);
	return MHD_YES;
}

/*
 * Called by libmicrohttpd with the headers, with each part of the body, when the request is
 * there, and again after a resume.
 */
enum MHD_Result mw_request_on_data(void *cls, struct MHD_Connection *c, const char *url, const char *method,
				   const char *version, const char *data, size_t *data_size, void **context)
{
	struct mw_server *s = cls;
	struct mw_request *r = *context;
	struct slot *slot = slot_of(c);
	size_t size = *data_size;

	(void)version;
	if (!slot)
		return MHD_NO;
	if (!r) {
		r = request_new(s, c, method, url);
		*context = r;
		slot->request = r;
		return r ? begin(r) : MHD_NO;
	}
	if (size) {
		*data_size = 0;
		return add_body(r, data, size);
	}
	slot->deadline_ns = 0;
	return r->released ? queue_answer(r) : hand_out(s, r);
}
