/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define FIRST_GROUPS 64
#define MOST_GROUPS  65536 /* NGROUPS_MAX */

struct mw_peer mw_peer_of(int fd)
{
	struct ucred c = {.uid = (uid_t)-1};
	socklen_t size = sizeof(c);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &size))
		return (struct mw_peer){.uid = (uid_t)-1, .gid = (gid_t)-1};
	return (struct mw_peer){c.uid, c.gid, c.pid};
}

int mw_peer_pidfd(int fd, const struct mw_peer *peer)
{
	int pidfd = -1, r;
	socklen_t size = sizeof(pidfd);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0)
		return pidfd;
	if (errno != ENOPROTOOPT)
		return errno == EINVAL ? -ESRCH : -errno;
	if (peer->pid <= 0)
		return -ESRCH;
	r = (int)syscall(SYS_pidfd_open, peer->pid, 0);
	return r < 0 ? -errno : r;
}

static bool holds(const gid_t *groups, size_t n, gid_t gid)
{
	for (size_t i = 0; i < n; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

bool mw_peer_in_group(int fd, const struct mw_peer *peer, gid_t gid)
{
	_cleanup_free_ gid_t *many = NULL;
	gid_t few[FIRST_GROUPS];
	socklen_t size = sizeof(few);

	if (peer->uid == (uid_t)-1 || gid == (gid_t)-1)
		return false;
	if (peer->gid == gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, few, &size) == 0)
		return holds(few, size / sizeof(few[0]), gid);
	/* ERANGE says how much it would be. */
	if (errno != ERANGE || size > MOST_GROUPS * sizeof(gid_t))
		return false;
	many = malloc(size);
	return many && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, many, &size) == 0 &&
	       holds(many, size / sizeof(many[0]), gid);
}
