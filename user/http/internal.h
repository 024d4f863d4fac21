/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What the files of the server share: doors.c (libmicrohttpd, a listening socket each), room.c (connections: who gets
 * one and for how long), request.c (requests as they come in), turn.c (which is served next), answer.c, topics.c
 * (streams).
 */
#ifndef MW_HTTP_INTERNAL_H
#define MW_HTTP_INTERNAL_H

#include <microhttpd.h>

#include "http/server.h"
#include "http/stream.h"

#define MW_HTTP_CONNECTIONS 128 /* of the unix socket */
#define MW_HTTP_PER_USER    64 /* of them, of one user who is not root */
#define MW_HTTP_USERS	    96 /* of all users who are not root: the rest is root's */
#define MW_HTTP_TCP	    32 /* over TCP, whoever it is */
#define MW_HTTP_TCP_STREAMS 24 /* of them: what only asks has to get in between */
#define MW_HTTP_TCP_MORE    8 /* are let in to find one that can go for them */
#define MW_HTTP_SLOTS	    (MW_HTTP_CONNECTIONS + MW_HTTP_TCP + MW_HTTP_TCP_MORE)

/* Who a connection is counted with. The order is the one they are served in. */
enum mw_share {
	MW_SHARE_ROOT,
	MW_SHARE_USERS,
	MW_SHARE_TCP,
	MW_SHARE_MAX,
};

struct mw_request {
	struct mw_server *server;
	struct MHD_Connection *connection; /* NULL: gone */
	struct mw_request *next; /* that waits for its turn */
	char *method;
	char *path;
	char *body;
	size_t body_size;
	int fd;
	struct mw_peer peer;
	unsigned status;
	struct MHD_Response *response; /* from the answer until it is queued */
	unsigned refusal; /* status; 0: none */
	const char *refusal_text;
	size_t size; /* of its answer; of a stream 0 */
	size_t held; /* bytes of its answer, counted in the server */
	__u64 pulled; /* bytes of its answer that libmicrohttpd has taken */
	__u64 lost; /* events it was told are lost, counted so far */
	bool waiting; /* for its turn */
	bool handed_out; /* to the caller's function */
	bool released; /* answered: nobody but the connection has it */
	bool suspended;
	bool streaming;
	bool tcp;
	bool left; /* its client is gone: a stream's, or one that waited */
	enum mw_topic topic;
	struct mw_stream stream;
};

struct door {
	struct mw_server *server;
	struct MHD_Daemon *daemon;
	bool tcp;
};

struct slot {
	int fd; /* -1: free */
	uid_t uid; /* of its peer */
	const struct door *door;
	bool asked; /* a request has begun that could be understood */
	bool closing; /* and why is counted */
	bool nul; /* the path or the query has one */
	__u64 deadline_ns; /* for the whole request, then for the whole answer; 0: none */
	__u64 look_ns; /* when to see whether its answer is taken; 0: it has none yet */
	__u64 taken; /* of it, when that was last seen */
	struct mw_request *request;
};

struct topic {
	struct mw_feed *feed;
	unsigned linger_ms;
	__u64 until_ns; /* it is kept though nobody reads it; 0: somebody does, or it is not open */
};

struct mw_server {
	struct door *unix_door;
	struct door *tcp_door; /* NULL: not listening */
	struct topic topics[MW_TOPIC_MAX];
	mw_request_fn fn;
	void *arg;
	int epoll_fd; /* libmicrohttpd's epoll descriptors and the streams' sockets */
	bool closed; /* a connection ended in this run */
	__u64 request_ns;
	__u64 keep_alive_ns;
	__u64 next_keep_alive_ns;
	__u64 stall_ns;
	__u64 stream_stall_ns;
	__u64 turn_until_ns;
	bool tcp_first; /* in the next turn that is not root's */
	struct mw_request *waiting[MW_SHARE_MAX], **waiting_end[MW_SHARE_MAX];
	size_t held[MW_SHARE_MAX]; /* bytes of answers that are not taken yet */
	struct mw_server_counts counts;
	struct mw_answers answers[MW_HTTP_CODES]; /* by status */
	struct slot slots[MW_HTTP_SLOTS];
};

/* request.c: callbacks of libmicrohttpd, cls is the door. */
enum MHD_Result mw_request_on_data(void *cls, struct MHD_Connection *c, const char *url, const char *method,
				   const char *version, const char *data, size_t *data_size, void **context);
void mw_request_on_completed(void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code);
/* Let libmicrohttpd go on with a request it waits for; nothing if it does not wait. */
void mw_request_resume(struct mw_request *r);
enum mw_share mw_request_share(const struct mw_request *r);
void mw_request_free(struct mw_request *r);

/* answer.c */
enum MHD_Result mw_answer_queue(struct mw_request *r, struct slot *slot);

/* turn.c: requests are served for some ms at a time, root's first; the rest in the next run. */
bool mw_turn_take(struct mw_server *s); /* May the next be served now? Else it has to wait. */
void mw_turn_wait(struct mw_request *r);
void mw_turn_leave(struct mw_request *r);
void mw_turn_begin(struct mw_server *s, __u64 now_ns); /* serves who has waited */
bool mw_turn_over(const struct mw_server *s); /* somebody waits */

/* room.c */
void mw_room_on_connection(void *cls, struct MHD_Connection *c, void **context,
			   enum MHD_ConnectionNotificationCode code);
struct slot *mw_room_of(struct MHD_Connection *c);
int mw_room_fd(struct MHD_Connection *c);
void mw_room_answering(struct slot *slot, const struct mw_request *r, __u64 size); /* from now on it takes this much */
__u64 mw_room_tick(struct mw_server *s, __u64 now_ns); /* closes who is too slow; when to look again, ~0: never */

/* doors.c */
int mw_door_open(struct mw_server *s, int listen_fd, bool tcp, struct door **ret_door, struct mw_error *err);
void mw_door_close(struct door *d); /* with all its connections; NULL-safe */

int mw_topics_new(struct mw_server *s); /* -ENOMEM; freed with mw_topics_free in any case */
void mw_topics_free(struct mw_server *s);
/* Forget what has lingered long enough; when the next one will have, ~0 for none. */
__u64 mw_topics_tick(struct mw_server *s, __u64 now_ns);

#endif
