// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Who comes in is accepted until there is nobody left; who cannot be served is told so and sent away: a connection
 * nobody accepts would wait in the kernel without an answer.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4096 /* the kernel takes net.core.somaxconn if that is less */

int raise_descriptors(int wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	if (limit.rlim_cur < (rlim_t)wanted + OWN_DESCRIPTORS) {
		limit.rlim_cur = (rlim_t)wanted + OWN_DESCRIPTORS;
		if (limit.rlim_max < limit.rlim_cur) {
			struct rlimit more = {limit.rlim_cur, limit.rlim_cur};

			if (setrlimit(RLIMIT_NOFILE, &more) == 0)
				return wanted;
			limit.rlim_cur = limit.rlim_max;
		}
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			return -errno;
	}
	return limit.rlim_cur - OWN_DESCRIPTORS < (rlim_t)wanted ? (int)limit.rlim_cur - OWN_DESCRIPTORS : wanted;
}

static int start(struct server *s, int fd, const struct sockaddr *address, socklen_t length)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (bind(fd, address, length) < 0 || listen(fd, BACKLOG) < 0 ||
	    epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
		return -errno;
	return 0;
}

static int listen_tcp(struct server *s, const char *where)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	const char *colon = strrchr(where, ':');
	socklen_t length = sizeof(a);
	char text[64];
	int one = 1, r;

	if (!colon || (size_t)(colon - where) >= sizeof(text))
		return -EINVAL;
	memcpy(text, where, (size_t)(colon - where));
	text[colon - where] = 0;
	a.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, text, &a.sin_addr) != 1)
		return -EINVAL;
	s->listen_fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->listen_fd[0] < 0)
		return -errno;
	setsockopt(s->listen_fd[0], SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* Accepted ones inherit these. A peer that is gone without a word is found after 90 s. */
	setsockopt(s->listen_fd[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(s->listen_fd[0], SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(s->listen_fd[0], IPPROTO_TCP, TCP_KEEPIDLE, &(int){60}, sizeof(int));
	setsockopt(s->listen_fd[0], IPPROTO_TCP, TCP_KEEPINTVL, &(int){10}, sizeof(int));
	setsockopt(s->listen_fd[0], IPPROTO_TCP, TCP_KEEPCNT, &(int){3}, sizeof(int));
	r = start(s, s->listen_fd[0], (struct sockaddr *)&a, sizeof(a));
	if (r < 0)
		return r;
	if (getsockname(s->listen_fd[0], (struct sockaddr *)&a, &length) < 0)
		return -errno;
	printf("tcp %s:%u\n", text, ntohs(a.sin_port));
	return 0;
}

static int listen_unix(struct server *s, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int r;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, strlen(path) + 1);
	s->listen_fd[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->listen_fd[1] < 0)
		return -errno;
	unlink(path);
	r = start(s, s->listen_fd[1], (struct sockaddr *)&a, sizeof(a));
	if (r < 0)
		return r;
	printf("unix %s\n", path);
	return 0;
}

int server_listen(struct server *s)
{
	int r = 0;

	s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (s->spare_fd < 0)
		return -errno;
	if (s->options.tcp)
		r = listen_tcp(s, s->options.tcp);
	if (r == 0 && s->options.unix_path)
		r = listen_unix(s, s->options.unix_path);
	return r;
}

/* It has sent nothing yet, or what it has sent is nobody's to answer. */
static void refuse(struct server *s, int fd, const char *why)
{
	char text[256];
	long n = rpc_error(NULL, 0, -32000, why, text, sizeof(text));

	if (n > 0)
		(void)!send(fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(fd, SHUT_WR);
	(void)!recv(fd, text, sizeof(text), MSG_DONTWAIT);
	close(fd);
	s->refused++;
}

/* No descriptor is left: the spare one is for saying so. 0: that did not work either. */
static int refuse_with_spare(struct server *s, int listener)
{
	int fd;

	if (s->spare_fd < 0)
		return 0;
	close(s->spare_fd);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		refuse(s, fd, "no descriptor left");
	s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd >= 0;
}

static void accept_all(struct server *s, int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		const char *why;

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0 && (errno == EMFILE || errno == ENFILE) && refuse_with_spare(s, listener))
			continue;
		if (fd < 0)
			return;
		why = fd >= s->options.max_connections + OWN_DESCRIPTORS ? "too many connections" : server_refuses(s);
		if (why)
			refuse(s, fd, why);
		else
			conn_open(s, fd);
	}
}

void server_accept(struct server *s)
{
	for (int i = 0; i < 2; i++)
		if (s->listen_fd[i] >= 0 && (s->accept_due & 1 << i))
			accept_all(s, s->listen_fd[i]);
	s->accept_due = 0;
}
