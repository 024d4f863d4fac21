// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * A transport server for thousands of connections under one memory limit; connections/server.h says where what is.
 *
 *	memweir run --class connections -- connections --tcp 127.0.0.1:7000 --unix /run/mcp.sock
 *
 * with, in /etc/memweir/memweir.conf,
 *
 *	[class connections]
 *	max_heap = 3GB
 */
#include "connections/server.h"

#include <memweir/guard.h>
#include <memweir/pool.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS	  256
#define TICK_MS	  250
#define SETTLE_MS 3000 /* so long after the last message the pool is looked after */

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Near the limit who is in is served on, and nobody else: each newcomer costs what only its end gives back. */
const char *server_refuses(struct server *s)
{
	return memweir_guard_validate(s->guard, NULL) == MEMWEIR_LEVEL_ERROR ? "out of memory, try again later" : NULL;
}

static void dispatch(struct server *s, const struct epoll_event *e)
{
	int fd = e->data.fd;

	for (int i = 0; i < 2; i++)
		if (fd == s->listen_fd[i])
			s->accept_due |= 1 << i;
	if (fd == s->signal_fd)
		s->stop = 1;
	else if (fd == s->guard_fd)
		memweir_guard_dispatch(s->guard);
	else if (s->conns[fd].fd == fd)
		conn_event(s, &s->conns[fd], e->events);
}

/* Until when nothing can happen by itself; -1: for ever. */
static int patience(struct server *s)
{
	return s->lists[LIST_FLIGHT].first || s->now_ms < s->tend_ms ? TICK_MS : -1;
}

static int loop(struct server *s)
{
	struct epoll_event events[EVENTS];

	while (!s->stop) {
		int n = epoll_wait(s->epoll_fd, events, EVENTS, patience(s));

		if (n < 0 && errno != EINTR)
			return -errno;
		s->now_ms = clock_ms();
		for (int i = 0; i < n; i++)
			dispatch(s, &events[i]);
		if (n > 0)
			s->tend_ms = s->now_ms + SETTLE_MS;
		conn_end_late(s);
		conn_serve_waiting(s);
		/* Only now: a descriptor that was closed above must not come back while events of it are left. */
		server_accept(s);
		if (n <= 0)
			memweir_pool_tend(s->pool, 0);
	}
	return 0;
}

static int take_signals(struct server *s)
{
	struct epoll_event e = {.events = EPOLLIN};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	e.data.fd = s->signal_fd;
	if (s->signal_fd < 0 || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->signal_fd, &e) < 0)
		return -errno;
	return 0;
}

/* The table is by descriptor and touched where there are connections: 64 bytes each. */
static int make_table(struct server *s)
{
	size_t rows = (size_t)s->options.max_connections + OWN_DESCRIPTORS;

	s->conns = mmap(NULL, rows * sizeof(*s->conns), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->conns == MAP_FAILED) {
		s->conns = NULL;
		return -errno;
	}
	s->conns[0].fd = -1; /* the other rows read 0, which is not theirs either */
	return 0;
}

/* Memory gets short: what the pool keeps for the next message goes first. */
static void warned(struct memweir_guard *guard, const struct memweir_notice *notice, void *arg)
{
	(void)guard;
	(void)notice;
	memweir_pool_tend(((struct server *)arg)->pool, 1);
}

/* Started by `memweir run`: the limits are the class's. Else those of the command line, which nobody enforces. */
static int enrol(struct server *s)
{
	struct memweir_guard_options g = MEMWEIR_INIT(struct memweir_guard_options);

	if (!getenv("MEMWEIR_CLASS")) {
		g.class_name = "connections";
		g.max_heap_bytes = s->options.max_heap;
	}
	g.flags = MEMWEIR_GUARD_NO_MOVE;
	return memweir_guard_enrol(&g, &s->guard);
}

/* The daemon, or the kernel, tells of pressure by a descriptor, where there is one. */
static int listen_pressure(struct server *s)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLPRI};

	s->guard_fd = memweir_guard_fd(s->guard);
	e.data.fd = s->guard_fd;
	if (s->guard_fd >= 0 && epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->guard_fd, &e) < 0)
		return -errno;
	return memweir_guard_on_level(s->guard, MEMWEIR_EVENT_WARNING, warned, s);
}

static int setup(struct server *s)
{
	struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);
	int r = raise_descriptors(s->options.max_connections);

	if (r <= 0)
		return r < 0 ? r : -EMFILE;
	s->options.max_connections = r;
	r = make_table(s);
	if (r < 0)
		return r;
	r = enrol(s);
	if (r < 0)
		return r;
	o.guard = s->guard;
	o.buffers = s->options.buffers;
	o.buffer_bytes = s->options.buffer_bytes;
	r = memweir_pool_new(&o, &s->pool);
	if (r < 0)
		return r;
	s->buffer_bytes = memweir_pool_buffer_bytes(s->pool);
	s->may_read = o.buffers - (o.buffers + 7) / 8;
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0)
		return -errno;
	r = take_signals(s);
	if (r == 0)
		r = listen_pressure(s);
	return r < 0 ? r : server_listen(s);
}

static void teardown(struct server *s)
{
	int rows = s->options.max_connections + OWN_DESCRIPTORS;

	for (int fd = 0; s->conns && fd < rows; fd++)
		if (s->conns[fd].fd == fd)
			conn_close(s, &s->conns[fd]);
	memweir_pool_free(s->pool);
	memweir_guard_free(s->guard);
	if (s->conns)
		munmap(s->conns, (size_t)rows * sizeof(*s->conns));
	if (s->options.unix_path && s->listen_fd[1] >= 0)
		unlink(s->options.unix_path);
}

static int usage(void)
{
	fputs("usage: connections [--tcp ADDRESS:PORT] [--unix PATH] [--buffers 1024] [--buffer-bytes 65536]\n"
	      "                   [--max-connections 20000] [--timeout-ms 10000] [--max-heap 3000000000]\n"
	      "                   [--buffer-per-connection]\n",
	      stderr);
	return 2;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{"tcp", 1, NULL, 't'},
		{"unix", 1, NULL, 'u'},
		{"buffers", 1, NULL, 'b'},
		{"buffer-bytes", 1, NULL, 'B'},
		{"max-connections", 1, NULL, 'm'},
		{"timeout-ms", 1, NULL, 'T'},
		{"max-heap", 1, NULL, 'M'},
		{"buffer-per-connection", 0, NULL, 'e'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 't':
			o->tcp = optarg;
			break;
		case 'u':
			o->unix_path = optarg;
			break;
		case 'b':
			o->buffers = strtoul(optarg, NULL, 10);
			break;
		case 'B':
			o->buffer_bytes = strtoul(optarg, NULL, 10);
			break;
		case 'm':
			o->max_connections = (int)strtoul(optarg, NULL, 10);
			break;
		case 'T':
			o->timeout_ms = (int)strtoul(optarg, NULL, 10);
			break;
		case 'M':
			o->max_heap = strtoull(optarg, NULL, 10);
			break;
		case 'e':
			o->each = 1;
			break;
		default:
			return -EINVAL;
		}
	}
	if (optind != argc || (!o->tcp && !o->unix_path) || o->buffers < 2 || o->buffer_bytes < 1024 ||
	    o->buffer_bytes > 1 << 30 || o->max_connections < 1 || o->max_connections > 1 << 20 || o->timeout_ms < 1)
		return -EINVAL;
	return 0;
}

int main(int argc, char **argv)
{
	struct server s = {
		.options = {.buffers = 1024,
			    .buffer_bytes = 65536,
			    .max_connections = 20000,
			    .timeout_ms = 10000,
			    .max_heap = 3000000000},
		.epoll_fd = -1,
		.listen_fd = {-1, -1},
		.spare_fd = -1,
		.signal_fd = -1,
		.guard_fd = -1,
	};
	int r;

	if (parse(argc, argv, &s.options) < 0)
		return usage();
	s.now_ms = clock_ms();
	r = setup(&s);
	if (r == 0) {
		printf("ready: %d connections of %zu bytes, %zu buffers of %zu bytes\n", s.options.max_connections,
		       sizeof(struct conn), s.options.buffers, s.buffer_bytes);
		fflush(stdout);
		r = loop(&s);
	}
	if (r < 0)
		fprintf(stderr, "connections: %s\n", strerror(-r));
	teardown(&s);
	return r < 0;
}
