/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What server.c (connections, the loop) and request.c (requests, answers) share. */
#ifndef MW_HTTP_INTERNAL_H
#define MW_HTTP_INTERNAL_H

#include <microhttpd.h>

#include "http/server.h"
#include "http/stream.h"

#define MW_HTTP_CONNECTIONS 128
#define MW_HTTP_PER_USER    64 /* of them, of one user who is not root */
#define MW_HTTP_USERS	    96 /* of all users who are not root: the rest is root's */

struct mw_request {
	struct mw_server *server;
	struct MHD_Connection *connection; /* NULL: gone */
	char *method;
	char *path;
	char *body;
	size_t body_size;
	int fd;
	struct mw_peer peer;
	unsigned status;
	struct MHD_Response *response; /* from the answer until it is queued */
	bool too_large;
	bool handed_out; /* to the caller's function */
	bool released; /* answered: nobody but the connection has it */
	bool suspended;
	bool streaming;
	bool left; /* the stream's client is gone */
	struct mw_stream stream;
};

struct slot {
	int fd; /* -1: free */
	uid_t uid; /* of its peer */
	__u64 deadline_ns; /* for the whole request; 0: it is there */
	struct mw_request *request;
};

struct mw_server {
	struct MHD_Daemon *daemon;
	struct mw_feed *feed;
	mw_request_fn fn;
	void *arg;
	int epoll_fd; /* libmicrohttpd's epoll descriptor and the streams' sockets */
	bool closed; /* a connection ended in this run */
	__u64 request_ns;
	__u64 keep_alive_ns;
	__u64 next_keep_alive_ns;
	struct slot slots[MW_HTTP_CONNECTIONS];
};

/* Callbacks of libmicrohttpd, cls is the server. */
enum MHD_Result mw_request_on_data(void *cls, struct MHD_Connection *c, const char *url, const char *method,
				   const char *version, const char *data, size_t *data_size, void **context);
void mw_request_on_completed(void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code);
int mw_connection_fd(struct MHD_Connection *c);
/* Let libmicrohttpd go on with a request it waits for; nothing if it does not wait. */
void mw_request_resume(struct mw_request *r);

#endif
