// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * A request has two owners: its connection (libmicrohttpd) and whoever was
 * given it to answer. The one who lets go last frees it.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "http/host.h"
#include "http/internal.h"
#include "util/cleanup.h"

#define DROPPED_MAX (16ULL << 20) /* of a body that is announced to be larger nothing is read, whoever sends it */

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

bool mw_request_over_tcp(const struct mw_request *r)
{
	return r->tcp;
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

/* While it waits libmicrohttpd does not look. Who has only closed its sending half still reads. */
bool mw_request_left(const struct mw_request *r)
{
	struct pollfd fd = {.fd = r->fd};

	return !r->connection || (poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR));
}

void mw_request_free(struct mw_request *r)
{
	if (r->response)
		MHD_destroy_response(r->response);
	mw_stream_leave(&r->stream);
	free(r->method);
	free(r->path);
	free(r->body);
	free(r);
}

enum mw_share mw_request_share(const struct mw_request *r)
{
	if (r->tcp)
		return MW_SHARE_TCP;
	return r->peer.uid ? MW_SHARE_USERS : MW_SHARE_ROOT;
}

void mw_request_resume(struct mw_request *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	MHD_resume_connection(r->connection);
}

/* Called by libmicrohttpd when it is through with a request, answered or not. */
void mw_request_on_completed(void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code)
{
	struct mw_server *s = ((struct door *)cls)->server;
	struct mw_request *r = *context;
	struct slot *slot = mw_room_of(c);

	(void)code;
	*context = NULL;
	if (slot)
		slot->request = NULL;
	if (!r)
		return;
	if (r->streaming)
		(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, r->fd, NULL);
	mw_turn_leave(r);
	s->held[mw_request_share(r)] -= r->held;
	r->connection = NULL;
	if (r->released || !r->handed_out)
		mw_request_free(r);
}

static struct mw_request *request_new(const struct door *d, struct MHD_Connection *c, const char *method,
				      const char *path)
{
	struct mw_request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->server = d->server;
	r->tcp = d->tcp;
	r->connection = c;
	r->fd = mw_room_fd(c);
	r->method = strdup(method);
	r->path = strdup(path);
	if (!r->method || !r->path) {
		mw_request_free(r);
		return NULL;
	}
	r->peer = d->tcp ? (struct mw_peer){(uid_t)-1, (gid_t)-1, 0} : mw_peer_of(r->fd);
	return r;
}

static enum MHD_Result refuse(struct mw_request *r, struct slot *slot)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "{\"error\":\"%s\"}", r->refusal_text);

	mw_request_answer(r, r->refusal, "application/json", text, (size_t)n);
	return mw_answer_queue(r, slot);
}

/* The first thing that is wrong with it, of what can be said before its body is there. */
static unsigned wrong(const struct mw_request *r, const struct slot *slot, const char *version, const char **ret_why)
{
	const struct mw_origin origin = {
		.method = r->method,
		.host = mw_request_header(r, MHD_HTTP_HEADER_HOST),
		.origin = mw_request_header(r, "Origin"),
		.referer = mw_request_header(r, MHD_HTTP_HEADER_REFERER),
		.user_agent = mw_request_header(r, MHD_HTTP_HEADER_USER_AGENT),
		.fetch_site = mw_request_header(r, "Sec-Fetch-Site"),
		.fetch_mode = mw_request_header(r, "Sec-Fetch-Mode"),
		.fetch_dest = mw_request_header(r, "Sec-Fetch-Dest"),
		.tcp = r->tcp,
	};

	if (strcmp(version, MHD_HTTP_VERSION_1_1) != 0 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0) {
		*ret_why = "expected HTTP/1.1 or HTTP/1.0";
		return MHD_HTTP_HTTP_VERSION_NOT_SUPPORTED;
	}
	if (r->path[0] != '/' || slot->nul) {
		*ret_why = slot->nul ? "the address has a NUL byte" : "expected a path, which begins with a slash";
		return MHD_HTTP_BAD_REQUEST;
	}
	return mw_origin_check(&origin, ret_why);
}

/* What is refused is answered when its body has come, unless the client waits for a word or announces a flood. */
static enum MHD_Result begin(struct mw_request *r, struct slot *slot, const char *version)
{
	const char *announced = mw_request_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
	__u64 length = announced ? strtoull(announced, NULL, 10) : 0;

	r->refusal = wrong(r, slot, version, &r->refusal_text);
	if (!r->refusal && length > MW_HTTP_BODY_MAX) {
		r->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
		r->refusal_text = "the body is larger than 64 KiB";
	}
	if (r->refusal && (length > DROPPED_MAX || mw_request_header(r, MHD_HTTP_HEADER_EXPECT)))
		return refuse(r, slot);
	return MHD_YES;
}

/*
 * A body that is too large is read to its end and dropped, and answered then: a client that is still sending when the
 * socket is closed does not get to see the answer.
 */
static enum MHD_Result add_body(struct mw_request *r, const char *data, size_t size)
{
	char *body;

	if (!r->refusal && size > MW_HTTP_BODY_MAX - r->body_size) {
		r->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
		r->refusal_text = "the body is larger than 64 KiB";
	}
	if (r->refusal)
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

static enum MHD_Result hand_out(struct mw_request *r, struct slot *slot)
{
	struct mw_server *s = r->server;

	if (!r->refusal && r->body && strlen(r->body) != r->body_size) {
		r->refusal = MHD_HTTP_BAD_REQUEST;
		r->refusal_text = "the body has a NUL byte";
	}
	if (r->refusal)
		return refuse(r, slot);
	if (mw_turn_take(s)) {
		r->handed_out = true;
		s->fn(r, s->arg);
		if (r->released)
			return mw_answer_queue(r, slot);
	} else {
		mw_turn_wait(r);
	}
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
	struct mw_request *r = *context;
	struct slot *slot = mw_room_of(c);
	size_t size = *data_size;

	if (!slot)
		return MHD_NO;
	if (!r) {
		r = request_new(cls, c, method, url);
		*context = r;
		slot->request = r;
		slot->asked = true;
		return r ? begin(r, slot, version) : MHD_NO;
	}
	if (size) {
		*data_size = 0;
		return add_body(r, data, size);
	}
	slot->deadline_ns = 0;
	if (r->left)
		return MHD_NO;
	return r->released ? mw_answer_queue(r, slot) : hand_out(r, slot);
}
