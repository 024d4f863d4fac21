// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* libmicrohttpd, once for each listening socket, its epoll descriptor inside of ours. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "http/internal.h"
#include "util/cleanup.h"

/* libmicrohttpd's memory for one connection: 16 KiB of headers, and those of the answer. */
#define CONNECTION_POOL 18432
#define SILENT_S	10 /* the library's own limit: ours (room.c) comes first */

/* A path or query that has a NUL byte would end early: it says so and is refused. */
static size_t unescape(void *cls, struct MHD_Connection *c, char *text)
{
	struct slot *slot = mw_room_of(c);

	(void)cls;
	if (slot && strstr(text, "%00"))
		slot->nul = true;
	return MHD_http_unescape(text);
}

static struct MHD_Daemon *start(struct door *d, int fd)
{
	unsigned connections = d->tcp ? MW_HTTP_TCP + MW_HTTP_TCP_MORE : MW_HTTP_CONNECTIONS;

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, mw_request_on_data, d,
				MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, connections,
				MHD_OPTION_CONNECTION_TIMEOUT, SILENT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				(size_t)CONNECTION_POOL, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
				MHD_OPTION_NOTIFY_COMPLETED, mw_request_on_completed, d, MHD_OPTION_NOTIFY_CONNECTION,
				mw_room_on_connection, d, MHD_OPTION_END);
}

/* Put libmicrohttpd's epoll descriptor into ours. */
static int nest_epoll(const struct door *d)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(d->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct epoll_event inner = {.events = EPOLLIN};

	if (!info)
		return -ENOTSUP;
	return epoll_ctl(d->server->epoll_fd, EPOLL_CTL_ADD, info->epoll_fd, &inner) ? -errno : 0;
}

static void door_closep(struct door **d)
{
	mw_door_close(*d);
}

int mw_door_open(struct mw_server *s, int listen_fd, bool tcp, struct door **ret_door, struct mw_error *err)
{
	_cleanup_(door_closep) struct door *d = calloc(1, sizeof(*d));
	_cleanup_close_ int fd = -1;
	int r;

	if (!d)
		return mw_fail(err, -ENOMEM, "no memory for the HTTP server");
	*d = (struct door){.server = s, .tcp = tcp};
	/* A copy, since the library closes the one it has: on failure the caller's stays open. */
	fd = fcntl(listen_fd, F_DUPFD_CLOEXEC, 0);
	/* An accept that blocks would stop the whole loop: the client may be gone before we take it. */
	if (fd < 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK))
		return mw_fail(err, -errno, "cannot set up the HTTP server: %m");
	d->daemon = start(d, fd);
	if (!d->daemon)
		return mw_fail(err, -EIO, "libmicrohttpd does not start on socket %d", listen_fd);
	(void)TAKE_FD(fd);
	r = nest_epoll(d);
	if (r)
		return mw_fail(err, r, "cannot watch the HTTP server's sockets");
	close(listen_fd);
	*ret_door = TAKE_PTR(d);
	return 0;
}

void mw_door_close(struct door *d)
{
	if (!d)
		return;
	/* libmicrohttpd aborts when it is stopped with suspended connections. */
	for (struct slot *slot = d->server->slots; slot < d->server->slots + MW_HTTP_SLOTS; slot++) {
		if (slot->fd < 0 || slot->door != d || !slot->request)
			continue;
		slot->request->left = true;
		mw_request_resume(slot->request);
	}
	if (d->daemon)
		MHD_stop_daemon(d->daemon);
	free(d);
}
