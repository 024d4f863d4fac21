/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A transport server for many connections that are mostly idle: lines of JSON-RPC over TCP and unix sockets.
 *
 *	listen.c   who may come in
 *	conn.c     a connection: read, answer, write, and where it stands meanwhile
 *	buffer.c   the buffers, lent while a message is in flight, and who waits for one
 *	frame.c    lines in a buffer
 *	rpc.c      what a line asks, and the answer
 */
#ifndef CONNECTIONS_SERVER_H
#define CONNECTIONS_SERVER_H

#include <stddef.h>
#include <stdint.h>

struct memweir_guard;
struct memweir_pool;

/* What a connection waits for, and so in which list it stands. */
enum conn_list {
	LIST_NONE, /* idle: nothing but its 64 bytes, and what the kernel keeps */
	LIST_WAIT_READ, /* there is something to read, and no buffer */
	LIST_WAIT_ANSWER, /* a whole line was read, and there is no buffer to answer into */
	LIST_FLIGHT, /* it holds a buffer, and the other side has to do something until a time */
	LIST_MAX,
};

struct conn {
	int fd; /* -1: nobody */
	uint8_t list; /* enum conn_list */
	uint8_t ended; /* the other side sends nothing any more */
	uint8_t closing; /* what is in out is the last it gets */
	uint8_t writing; /* epoll tells when it can be written to, not read from */
	uint32_t in_bytes, in_used; /* in the buffer, and of these answered */
	uint32_t out_bytes, out_sent;
	char *in, *out; /* NULL: none held */
	struct conn *prev, *next;
	int64_t until_ms; /* LIST_FLIGHT: closed then, CLOCK_MONOTONIC */
};
_Static_assert(sizeof(struct conn) <= 64, "what an idle connection costs in user space");

struct conn_head {
	struct conn *first, *last;
};

struct options {
	const char *tcp; /* ADDRESS:PORT; NULL: no TCP */
	const char *unix_path; /* NULL: no unix socket */
	size_t buffers, buffer_bytes;
	uint64_t max_heap; /* where no daemon says */
	int max_connections;
	int timeout_ms; /* for a message that was begun, and for an answer to be taken */
	int each; /* a buffer per connection, for comparison */
};

struct server {
	struct options options;
	struct memweir_guard *guard;
	struct memweir_pool *pool;
	size_t buffer_bytes; /* of each, as the pool has them */
	size_t reading, may_read; /* buffers held for reading, and how many may be: the rest is for answers */
	int epoll_fd, listen_fd[2], spare_fd, signal_fd, guard_fd;
	struct conn *conns; /* by descriptor */
	struct conn_head lists[LIST_MAX];
	int accept_due, stop;
	int64_t now_ms, tend_ms; /* tend_ms: the pool is looked after until then */
	/* counted */
	uint64_t connections, waiting, accepted, refused, requests, errors, timeouts, waits, bytes_in, bytes_out;
};

/* listen.c: 0 or -errno. */
int server_listen(struct server *s);
void server_accept(struct server *s);
int raise_descriptors(int wanted); /* returns how many connections there is room for */
#define OWN_DESCRIPTORS 16 /* at most, besides connections */

/* main.c: NULL, or why nobody more is served now. */
const char *server_refuses(struct server *s);

/* conn.c */
void conn_open(struct server *s, int fd);
void conn_event(struct server *s, struct conn *c, uint32_t events);
void conn_close(struct server *s, struct conn *c);
void conn_serve_waiting(struct server *s); /* who waits for a buffer, first come, first served */
void conn_end_late(struct server *s); /* whose time is over */

/* buffer.c */
int buffer_for_reading(struct server *s, struct conn *c); /* 1: it has one; 0: it stands in the queue */
int buffer_for_answer(struct server *s, struct conn *c);
void buffer_read_done(struct server *s, struct conn *c);
void buffer_answer_done(struct server *s, struct conn *c);
void list_move(struct server *s, struct conn *c, enum conn_list to);

/* rpc.c: the answer to a line into to[room]; its length, 0: none is wanted (a notification), -ENOBUFS: no room. */
long rpc_answer(struct server *s, const char *line, size_t bytes, char *to, size_t room);
long rpc_error(const char *id, size_t id_bytes, int code, const char *why, char *to, size_t room);

#endif
