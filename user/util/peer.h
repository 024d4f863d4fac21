/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Who connected to a unix socket, as the kernel noted it at connect(2). */
#ifndef MW_PEER_H
#define MW_PEER_H

#include <stdbool.h>
#include <sys/types.h>

struct mw_peer {
	uid_t uid; /* (uid_t)-1: nobody (TCP, an error) */
	gid_t gid;
	pid_t pid; /* 0: unknown here */
};

struct mw_peer mw_peer_of(int fd);
/*
 * The process itself; one that has ended gives -ESRCH or, on newer kernels, a pidfd that says so. By the socket where
 * the kernel has that (SO_PEERPIDFD, 6.5); else by its pid, which may be another's by now: whoever acts on it looks at
 * whose process it is.
 */
int mw_peer_pidfd(int fd, const struct mw_peer *peer);
/* Its effective group or one of its supplementary ones. false where the kernel does not say. */
bool mw_peer_in_group(int fd, const struct mw_peer *peer, gid_t gid);

#endif
