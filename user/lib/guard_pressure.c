// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* systemd's memory pressure protocol: a FIFO or socket that becomes readable, or a file of the kernel's that has
 * POLLPRI. */
#include "lib/guard_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/cleanup.h"

#define WRITE_MAX 256 /* of $MEMORY_PRESSURE_WRITE, decoded */

void mw_guard_find_pressure(struct memweir_guard *g)
{
	const char *path = getenv("MEMORY_PRESSURE_WATCH");

	if (g->pressure[0] || !path || path[0] != '/' || strcmp(path, "/dev/null") == 0 || strlen(path) >= PATH_MAX)
		return;
	snprintf(g->pressure, sizeof(g->pressure), "%s", path);
}

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Length, or -EINVAL. */
static ssize_t decode(const char *text, unsigned char ret[WRITE_MAX])
{
	unsigned int bits = 0, have = 0;
	size_t n = 0;

	for (; *text && *text != '='; text++) {
		int digit = base64_digit(*text);

		if (digit < 0 || n == WRITE_MAX)
			return -EINVAL;
		bits = bits << 6 | (unsigned int)digit;
		have += 6;
		if (have >= 8) {
			have -= 8;
			ret[n++] = (unsigned char)(bits >> have);
		}
	}
	return (ssize_t)n;
}

static int tell_wish(int fd)
{
	const char *text = getenv("MEMORY_PRESSURE_WRITE");
	unsigned char bytes[WRITE_MAX];
	ssize_t n = text ? decode(text, bytes) : 0;

	if (n <= 0)
		return (int)n;
	return write(fd, bytes, (size_t)n) == n ? 0 : -errno;
}

static int open_socket(const char *path, int *ret_fd)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* *ret_events: what epoll is to wait for. */
static int open_source(const char *path, int *ret_fd, uint32_t *ret_events)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r = 0;

	if (stat(path, &st))
		return -errno;
	*ret_events = S_ISREG(st.st_mode) ? EPOLLPRI : EPOLLIN;
	if (S_ISSOCK(st.st_mode)) {
		r = open_socket(path, &fd);
	} else {
		fd = open(path, (S_ISREG(st.st_mode) ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		r = fd < 0 ? -errno : 0;
	}
	if (r >= 0 && !S_ISFIFO(st.st_mode))
		r = tell_wish(fd);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* One kind of readiness for the caller, whatever the source's is. */
static int open_poll(struct memweir_guard *g)
{
	_cleanup_close_ int fd = -1, poll_fd = -1;
	struct epoll_event e = {0};
	uint32_t events = EPOLLIN;
	int r = open_source(g->pressure, &fd, &events);

	if (r < 0)
		return r;
	e.events = events;
	poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (poll_fd < 0 || epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &e))
		return -errno;
	g->pressure_fd = TAKE_FD(fd);
	g->poll_fd = TAKE_FD(poll_fd);
	return 0;
}

int memweir_guard_fd(struct memweir_guard *g)
{
	int r = 0;

	pthread_mutex_lock(&g->lock);
	if (!g->pressure[0])
		r = -EOPNOTSUPP;
	else if (g->poll_fd < 0)
		r = open_poll(g);
	if (r >= 0)
		r = g->poll_fd;
	pthread_mutex_unlock(&g->lock);
	return r;
}

/* 1: something was there, and is taken. */
static int take(struct memweir_guard *g)
{
	struct epoll_event e;
	char buf[256];
	int n = epoll_wait(g->poll_fd, &e, 1, 0);
	ssize_t got;

	if (n <= 0)
		return n < 0 && errno != EINTR ? -errno : 0;
	if (e.events & EPOLLPRI)
		return 1;
	do
		got = read(g->pressure_fd, buf, sizeof(buf));
	while (got == (ssize_t)sizeof(buf));
	if (got > 0)
		return 1;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* Nobody is left who could tell: a hang-up would wake its poller for ever. */
	epoll_ctl(g->poll_fd, EPOLL_CTL_DEL, g->pressure_fd, NULL);
	return 0;
}

int memweir_guard_dispatch(struct memweir_guard *g)
{
	int r = memweir_guard_fd(g), looked;
	uint64_t answer = 0;
	double percent = 0;

	if (r < 0)
		return r;
	pthread_mutex_lock(&g->lock);
	r = take(g);
	pthread_mutex_unlock(&g->lock);
	if (r <= 0)
		return r;
	looked = mw_guard_look_quietly(g, &answer);
	percent = mw_guard_percent_of(answer);
	mw_guard_tell(g, looked > 0 ? (enum memweir_event)(looked - 1) : MEMWEIR_EVENT_WARNING, "pressure", percent);
	return 1;
}
