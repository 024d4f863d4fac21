// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The listening sockets: unix, at a path, with its owner and mode, and in the place of a dead one; and TCP, where
 * nobody but this machine is.
 */
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "http/server.h"
#include "util/address.h"
#include "util/cleanup.h"

#define BACKLOG	 128
#define TCP_ROOM (128 << 10) /* each way: the kernel would go up to megabytes for one who does not read */

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.17 */
#endif

/* Remove a socket nobody listens on. 0 also when there is nothing. */
static int remove_stale(const struct sockaddr_un *address, struct mw_error *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (lstat(address->sun_path, &st))
		return errno == ENOENT ? 0 : mw_fail(err, -errno, "cannot look at %s: %m", address->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return mw_fail(err, -EEXIST, "%s exists and is not a socket; not removing it", address->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return mw_fail(err, -errno, "cannot make a unix socket: %m");
	/* Only a refusal says that it is dead: EAGAIN is a full backlog, EPROTOTYPE another kind of listener. */
	if (!connect(fd, (const struct sockaddr *)address, sizeof(*address)) || errno != ECONNREFUSED)
		return mw_fail(err, -EADDRINUSE, "somebody listens on %s already", address->sun_path);
	if (unlink(address->sun_path) && errno != ENOENT)
		return mw_fail(err, -errno, "cannot remove the stale socket %s: %m", address->sun_path);
	return 0;
}

int mw_server_listen_unix(const char *path, gid_t gid, int *ret_fd, struct mw_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	int r, no = 0;

	if (strlen(path) >= sizeof(address.sun_path))
		return mw_fail(err, -ENAMETOOLONG, "the socket path has %zu bytes, the limit is %zu: %s", strlen(path),
			       sizeof(address.sun_path) - 1, path);
	strcpy(address.sun_path, path);
	r = remove_stale(&address, err);
	if (r)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return mw_fail(err, -errno, "cannot make a unix socket: %m");
	/* A descriptor that is passed and dropped can block whoever drops it; an older kernel lets it through. */
	(void)setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no));
	/* bind gives the file the socket's mode: nobody else can connect before the group is right. */
	if (fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return mw_fail(err, -errno, "cannot bind to %s: %m", path);
	if (lchown(path, (uid_t)-1, gid) || chmod(path, gid == (gid_t)-1 ? 0600 : 0660) || listen(fd, BACKLOG)) {
		r = mw_fail(err, -errno, "cannot set group and mode of %s or listen there: %m", path);
		unlink(path);
		return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int mw_server_listen_tcp(const char *text, int *ret_fd, struct mw_error *err)
{
	_cleanup_close_ int fd = -1;
	struct mw_address a;
	int on = 1, room = TCP_ROOM;

	if (mw_address_parse(text, &a) < 0)
		return mw_fail(err, -EINVAL, "%s is not a loopback address and port", text);
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return mw_fail(err, -errno, "cannot make a TCP socket for %s: %m", text);
	/* Closed connections of the daemon before us do not hold the port; one that listens does. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    (a.any.sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)))
		return mw_fail(err, -errno, "cannot set up the TCP socket for %s: %m", text);
	if (bind(fd, &a.any, a.size) || listen(fd, BACKLOG))
		return errno == EADDRINUSE ? mw_fail(err, -errno, "somebody listens on %s already", text)
					   : mw_fail(err, -errno, "cannot listen on %s: %m", text);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
