// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "frame.h"
#include "server.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void interest(struct server *s, struct conn *c, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.fd = c->fd};

	epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
}

/* Reading goes on, or waits until what was answered is taken: then nothing piles up here. */
static void turn(struct server *s, struct conn *c, int writing)
{
	if (c->writing == writing)
		return;
	c->writing = writing;
	interest(s, c, writing ? EPOLLOUT : EPOLLIN);
}

void conn_open(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	*c = (struct conn){.fd = fd};
	if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0 || (s->options.each && !buffer_for_reading(s, c))) {
		c->fd = -1;
		close(fd);
		return;
	}
	s->connections++;
	s->accepted++;
}

void conn_close(struct server *s, struct conn *c)
{
	list_move(s, c, LIST_NONE);
	close(c->fd);
	c->fd = -1;
	buffer_read_done(s, c);
	buffer_answer_done(s, c);
	s->connections--;
}

/* 1: all is gone; 0: the rest when the other side takes it; -1: there is nobody. */
static int flush(struct server *s, struct conn *c)
{
	while (c->out_sent < c->out_bytes) {
		ssize_t n = send(c->fd, c->out + c->out_sent, c->out_bytes - c->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		c->out_sent += (uint32_t)n;
		s->bytes_out += (uint64_t)n;
	}
	c->out_bytes = c->out_sent = 0;
	return 1;
}

/* The rest of a line that was too long is not worth a buffer: thrown away, until the other side ends too. */
static void discard(struct server *s, struct conn *c)
{
	char drop[4096];
	ssize_t n = recv(c->fd, drop, sizeof(drop), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		conn_close(s, c);
}

/* The last answer has been sent. close() now would take it back from a peer that still writes. */
static void finish(struct server *s, struct conn *c)
{
	buffer_answer_done(s, c);
	buffer_read_done(s, c);
	if (c->ended || shutdown(c->fd, SHUT_WR) < 0) {
		conn_close(s, c);
		return;
	}
	turn(s, c, 0);
	list_move(s, c, LIST_FLIGHT);
}

/* 1: answered into out; 0: no buffer to answer into, or what is in it has to be taken first. */
static int answer(struct server *s, struct conn *c, enum frame frame, const char *line, size_t bytes)
{
	long n = 0;

	if (!buffer_for_answer(s, c))
		return 0;
	if (frame == FRAME_TOO_LONG) {
		n = rpc_error(NULL, 0, -32600, "message larger than a buffer", c->out + c->out_bytes,
			      s->buffer_bytes - c->out_bytes);
	} else if (bytes) {
		n = rpc_answer(s, line, bytes, c->out + c->out_bytes, s->buffer_bytes - c->out_bytes);
	}
	if (n == -ENOBUFS && c->out_bytes)
		return 0;
	if (n < 0)
		n = rpc_error(NULL, 0, -32603, "answer larger than a buffer", c->out, s->buffer_bytes);
	c->out_bytes += (uint32_t)n;
	c->closing = frame == FRAME_TOO_LONG;
	s->errors += frame == FRAME_TOO_LONG;
	return 1;
}

/* What was answered makes room; no buffer is kept for nothing. */
static void tidy(struct server *s, struct conn *c, int answered)
{
	if (c->in_used == c->in_bytes) {
		buffer_read_done(s, c);
	} else if (c->in && c->in_used) {
		memmove(c->in, c->in + c->in_used, c->in_bytes - c->in_used);
		c->in_bytes -= c->in_used;
		c->in_used = 0;
	}
	if (!c->in_bytes)
		list_move(s, c, LIST_NONE);
	else if (answered || c->list != LIST_FLIGHT) /* a message has its time from its beginning */
		list_move(s, c, LIST_FLIGHT);
}

/* Lines to answers, until no whole one is left, or somebody has to be waited for. */
static void work(struct server *s, struct conn *c)
{
	const char *line = NULL;
	size_t bytes = 0, next = 0;
	int answered = 0, sent;

	for (;;) {
		enum frame frame = FRAME_PART;

		if (c->in && !c->closing)
			frame = frame_next(c->in, c->in_used, c->in_bytes, s->buffer_bytes, &line, &bytes, &next);
		if (frame != FRAME_PART && answer(s, c, frame, line, bytes)) {
			c->in_used = frame == FRAME_LINE ? (uint32_t)next : c->in_bytes;
			answered = 1;
			continue;
		}
		if (c->list == LIST_WAIT_ANSWER)
			return interest(s, c, 0);
		sent = flush(s, c);
		if (sent < 0)
			return conn_close(s, c);
		if (!sent) {
			turn(s, c, 1);
			return list_move(s, c, LIST_FLIGHT);
		}
		if (frame == FRAME_PART)
			break;
	}
	if (c->closing)
		return finish(s, c);
	buffer_answer_done(s, c);
	if (c->ended)
		return conn_close(s, c);
	turn(s, c, 0);
	tidy(s, c, answered);
}

static void readable(struct server *s, struct conn *c)
{
	ssize_t n;

	if (!buffer_for_reading(s, c)) {
		if (c->list == LIST_WAIT_READ)
			interest(s, c, 0); /* what it sends stays with its sender */
		return;
	}
	n = recv(c->fd, c->in + c->in_bytes, s->buffer_bytes - c->in_bytes, MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return conn_close(s, c);
	if (n == 0)
		c->ended = 1;
	if (n > 0) {
		c->in_bytes += (uint32_t)n;
		s->bytes_in += (uint64_t)n;
	}
	work(s, c);
}

void conn_event(struct server *s, struct conn *c, uint32_t events)
{
	if (c->list == LIST_WAIT_READ || c->list == LIST_WAIT_ANSWER || (events & EPOLLERR)) {
		conn_close(s, c); /* nothing but an end is told of who waits */
	} else if (c->closing && !c->out) {
		discard(s, c);
	} else if (c->writing) {
		work(s, c);
	} else {
		readable(s, c);
	}
}

/* Answers first: each gives two buffers back. 1: somebody got one. */
static int serve_first(struct server *s)
{
	struct conn *c = s->lists[LIST_WAIT_ANSWER].first;

	if (c && buffer_for_answer(s, c)) {
		list_move(s, c, LIST_FLIGHT);
		interest(s, c, c->writing ? EPOLLOUT : EPOLLIN);
		work(s, c);
		return 1;
	}
	c = s->lists[LIST_WAIT_READ].first;
	if (!c || !buffer_for_reading(s, c))
		return 0;
	list_move(s, c, LIST_FLIGHT);
	interest(s, c, EPOLLIN);
	readable(s, c);
	return 1;
}

void conn_serve_waiting(struct server *s)
{
	while (serve_first(s))
		;
}

void conn_end_late(struct server *s)
{
	struct conn *c;

	while ((c = s->lists[LIST_FLIGHT].first) && c->until_ms <= s->now_ms) {
		s->timeouts++;
		conn_close(s, c);
	}
}
