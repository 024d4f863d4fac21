/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The little HTTP client of the command line, for the unix socket only. Ours
 * and not libcurl's: `memweir run` stands in front of every tool a platform starts,
 * and loading libcurl with what it needs costs several times the whole rest of its start-up.
 */
#ifndef MW_CLIENT_H
#define MW_CLIENT_H

#include <stddef.h>

#include "util/error.h"

struct mw_reply {
	unsigned status; /* 200 ... */
	char *body; /* NUL-terminated, the caller's (free) */
	size_t size;
};

#define MW_CLIENT_REPLY_MAX (256ULL << 20) /* a larger reply is -EMSGSIZE, as is an event of more than 1 MiB */

/*
 * One request and its whole reply, of any status. body may be NULL. timeout_ms: for the
 * whole exchange, -1 for none. -ECONNREFUSED or -ENOENT: no daemon; -EACCES; -ETIMEDOUT; -ENAMETOOLONG
 * for a socket path of more than 107 bytes; -EINVAL for a path with spaces or control characters;
 * -EPROTO for an answer that is not HTTP or stops in the middle; err says it in words.
 */
int mw_client_request(const char *socket_path, const char *method, const char *path, const char *body, int timeout_ms,
		      struct mw_reply *ret_reply, struct mw_error *err);

/* The same in two halves, for a connection that another process makes: the request as it goes over the wire, its length
 * or -errno; and the reply to it. */
int mw_client_text(const char *method, const char *path, const char *body, char **ret_text);
int mw_client_reply(int fd, const char *method, const char *path, int timeout_ms, struct mw_reply *ret_reply,
		    struct mw_error *err);

/*
 * GET a stream of server-sent events; fn gets each event's name ("message" if it has none) and data
 * (lines joined by newlines), stops with non-zero. 0: fn stopped it; -EPIPE: the daemon ended it; -EINTR: a
 * signal came, so that a handler can end it; -ETIMEDOUT: no byte for a minute, where
 * a daemon that lives sends one every 15 s; -EACCES, -ENOENT and -EPROTO for the statuses 403, 404
 * and others but 200; or as above.
 */
typedef int (*mw_client_event_fn)(const char *event, const char *data, void *arg);
int mw_client_stream(const char *socket_path, const char *path, mw_client_event_fn fn, void *arg, struct mw_error *err);

#endif
