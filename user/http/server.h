/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * HTTP over a unix socket (libmicrohttpd, which nothing outside of user/http sees), driven by the
 * caller's event loop. It knows requests and answers, nothing of memory.
 */
#ifndef MW_SERVER_H
#define MW_SERVER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"
#include "util/kept.h"
#include "util/peer.h"

#define MW_HTTP_BODY_MAX 65536 /* a larger request body is answered 413 */

struct mw_server;
struct mw_request; /* one HTTP request; valid until it is answered */

/* Method, path ("/v1/workers/w1", decoded, no query) and body (NUL-terminated, "" if none). */
const char *mw_request_method(const struct mw_request *r);
const char *mw_request_path(const struct mw_request *r);
const char *mw_request_body(const struct mw_request *r);
const char *mw_request_query(const struct mw_request *r, const char *key); /* decoded value, "" for "?key", or NULL */
const char *mw_request_header(const struct mw_request *r, const char *name); /* NULL if it was not sent */
bool mw_request_over_tcp(const struct mw_request *r);
/* Peer of the unix socket (SO_PEERCRED) when it connected; over TCP nobody: uid -1, pid 0. */
struct mw_peer mw_request_peer(const struct mw_request *r);
/* It as a pidfd, the caller's: the very process where the kernel has that (SO_PEERPIDFD), else by its pid. -errno. */
int mw_request_peer_pidfd(const struct mw_request *r);
/* Was it in this group then? Its supplementary ones count. Not to be asked of a request whose client may have left. */
bool mw_request_in_group(const struct mw_request *r, gid_t gid);

/* Nobody is there to read its answer any more, as far as is known: of a client over TCP that is seen late. */
bool mw_request_left(const struct mw_request *r);

/*
 * Answer now or later (an action in a thread): exactly once, from the loop's
 * thread. body is copied, and may be NULL with size 0. The request is gone afterwards. A client that
 * went away in between is fine, and so is a server that was freed in between.
 */
void mw_request_answer(struct mw_request *r, unsigned status, const char *content_type, const char *body, size_t size);
/* The same with a body that is taken over, and copied bit by bit as the client takes it: for the large ones. */
void mw_request_answer_parts(struct mw_request *r, unsigned status, const char *content_type, struct mw_parts *body);

/* What a stream is about. Each has its own events and numbers. */
enum mw_topic {
	MW_TOPIC_EVENTS, /* what happened: the last 256 KiB are kept until ten minutes after the last reader left */
	MW_TOPIC_LIVE, /* how the workers are: 2 MiB, nothing is kept for nobody */
	MW_TOPIC_MAX,
};

/*
 * The same with data that stays where it is as long as the program runs (a page that is part of it), with the headers a
 * page needs. etag, without its quotes, names this state of it: who has it already is answered 304. NULL: none.
 */
void mw_request_answer_file(struct mw_request *r, unsigned status, const char *content_type, const void *data,
			    size_t size, const char *etag);

/*
 * Turn the request into a stream of server-sent events; the stream lives until
 * the client leaves or mw_server_free. mw_server_broadcast never blocks: a client
 * further behind than the topic keeps loses the oldest events and is told how many by "event: lost",
 * data {"lost":N}, in their place. A comment comes first, and every 15 s in between. Each event has an id; who comes
 * back with it (the header Last-Event-ID or, where that is missing, ?last_event_id=) goes on behind it.
 */
void mw_request_stream(struct mw_request *r, enum mw_topic t);
/* To every stream of root and of owner: other users' streams go on without it. */
void mw_server_broadcast(struct mw_server *s, enum mw_topic t, uid_t owner, const char *event, const char *data);
size_t mw_server_streams(const struct mw_server *s, enum mw_topic t); /* who listens now */
/* Somebody listens, or may come back: events have to be made. Of one that is not, tell the server with pass. */
bool mw_server_followed(const struct mw_server *s, enum mw_topic t);
void mw_server_pass(struct mw_server *s, enum mw_topic t);

/* How many requests were answered with each status; the caller's rows, in no order. Returns how many. */
#define MW_HTTP_CODES 16
struct mw_answers {
	unsigned status; /* what comes when all are taken counts in the last */
	__u64 n;
};
size_t mw_server_answers(const struct mw_server *s, struct mw_answers rows[MW_HTTP_CODES]);

/* Called for each complete request, in the loop's thread. Must answer or keep it for later. */
typedef void (*mw_request_fn)(struct mw_request *r, void *arg);

/*
 * listen_fd: a listening stream socket, taken over on success. limits: 128
 * connections at once (more wait in the backlog), 10 s for a request to come in whole, 64 KiB
 * bodies, 16 KiB of headers, one request a connection (so that the 10 s hold for each).
 */
int mw_server_new(int listen_fd, mw_request_fn fn, void *arg, struct mw_server **ret_server, struct mw_error *err);
void mw_server_free(struct mw_server *s);
int mw_server_epoll_fd(const struct mw_server *s); /* watch for readable */
/* Do what is ready; ret: milliseconds until it must be called again at the latest, -1: only when readable. */
int mw_server_run(struct mw_server *s);
bool mw_server_connected(const struct mw_server *s); /* somebody is: it may have to run after whatever happens */
/* How long what is not read is kept for who comes back. */
void mw_server_set_linger(struct mw_server *s, enum mw_topic t, unsigned linger_ms);
/* Other times than 10 s and 15 s, and than 30 s and 10 min, for tests. */
void mw_server_set_times(struct mw_server *s, unsigned request_ms, unsigned keep_alive_ms);
void mw_server_set_stalls(struct mw_server *s, unsigned answer_ms, unsigned stream_ms);

/*
 * Listen over TCP too, on listen_fd, taken over on success, in the place of what was listened on before; -1: no more.
 * Whoever can connect is heard there and may only read; 32 connections at once.
 */
int mw_server_set_tcp(struct mw_server *s, int listen_fd, struct mw_error *err);

struct mw_server_counts {
	__u64 connections[2]; /* taken: of the unix socket, over TCP */
	__u64 answered[6]; /* requests by the first digit of their status */
	__u64 refused; /* connections closed for too many of the same user, or over TCP */
	__u64 timed_out; /* closed since no whole request came in time */
	__u64 unasked; /* closed by the client, or by us for what is not HTTP, before there was a request */
	__u64 slow; /* closed since an answer was not taken */
	__u64 busy; /* answered 503 since too much waits for slow readers */
	__u64 events_lost; /* by streams that were too slow or came back too late */
	__u64 bytes; /* of answers and streams */
	__u64 now; /* connections there are */
	__u64 streams; /* of them */
	__u64 held_bytes; /* of answers that are not taken yet */
};
struct mw_server_counts mw_server_counts(const struct mw_server *s);

/*
 * Listening unix socket at path, owned by us: for gid too, with mode 0660, or for us alone, 0600, with (gid_t)-1. A
 * stale one (one that nobody answers on) is removed. Where the kernel can (SO_PASSRIGHTS), nobody can pass descriptors
 * through it. -EADDRINUSE when somebody listens there, -EEXIST when the path is something else than a socket,
 * -ENAMETOOLONG with the limit (107 bytes) said in err.
 */
int mw_server_listen_unix(const char *path, gid_t gid, int *ret_fd, struct mw_error *err);
/*
 * Listening TCP socket at text (util/address.h). -EINVAL; -EADDRINUSE; or errno of socket and bind, such as -EACCES for
 * a low port, -EADDRNOTAVAIL without IPv6.
 */
int mw_server_listen_tcp(const char *text, int *ret_fd, struct mw_error *err);

#endif
