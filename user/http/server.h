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
/* Peer of the unix socket (SO_PEERCRED) when it connected; over TCP nobody: uid -1, pid 0. */
struct mw_peer mw_request_peer(const struct mw_request *r);
/* It as a pidfd, the caller's: the very process where the kernel has that (SO_PEERPIDFD), else by its pid. -errno. */
int mw_request_peer_pidfd(const struct mw_request *r);
/* Was it in this group then? Its supplementary ones count. Not to be asked of a request whose client may have left. */
bool mw_request_in_group(const struct mw_request *r, gid_t gid);

/*
 * Answer now or later (an action in a thread): exactly once, from the loop's
 * thread. body is copied, and may be NULL with size 0. The request is gone afterwards. A client that
 * went away in between is fine, and so is a server that was freed in between.
 */
void mw_request_answer(struct mw_request *r, unsigned status, const char *content_type, const char *body, size_t size);
/* The same with a body that is taken over, and copied bit by bit as the client takes it: for the large ones. */
void mw_request_answer_parts(struct mw_request *r, unsigned status, const char *content_type, struct mw_parts *body);

/*
 * Turn the request into a stream of server-sent events; the stream lives until
 * the client leaves or mw_server_free. mw_server_broadcast never blocks: a client
 * more than 256 KiB behind loses the oldest events and is told how many by "event: lost",
 * data {"lost":N}, in their place. A comment comes first, and every 15 s in between.
 */
void mw_request_stream(struct mw_request *r);
/* To every stream of root and of owner: other users' streams go on without it. */
void mw_server_broadcast(struct mw_server *s, uid_t owner, const char *event, const char *data);
size_t mw_server_streams(const struct mw_server *s);

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
/* Other times than 10 s and 15 s, for tests. */
void mw_server_set_times(struct mw_server *s, unsigned request_ms, unsigned keep_alive_ms);

/*
 * Listening unix socket at path, owned by us: for gid too, with mode 0660, or for us alone, 0600, with (gid_t)-1. A
 * stale one (one that nobody answers on) is removed. Where the kernel can (SO_PASSRIGHTS), nobody can pass descriptors
 * through it. -EADDRINUSE when somebody listens there, -EEXIST when the path is something else than a socket,
 * -ENAMETOOLONG with the limit (107 bytes) said in err.
 */
int mw_server_listen_unix(const char *path, gid_t gid, int *ret_fd, struct mw_error *err);

#endif
