/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/fetch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define REQUESTS_MAX (8 * MW_OBJECTS_MAX) /* build id and link of each file, with all their places */

union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int mw_fetch_pair(int ret_fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) ? -errno : 0;
}

int mw_fetch(int sock, const struct mw_want *w)
{
	union control c;
	__s32 answer = 0;
	struct iovec out = {(void *)w, sizeof(*w)}, in = {&answer, sizeof(answer)};
	struct msghdr question = {.msg_iov = &out, .msg_iovlen = 1};
	struct msghdr m = {.msg_iov = &in, .msg_iovlen = 1, .msg_control = c.bytes, .msg_controllen = sizeof(c.bytes)};
	struct cmsghdr *head;
	int fd;

	if (sendmsg(sock, &question, MSG_NOSIGNAL) != (ssize_t)sizeof(*w) ||
	    recvmsg(sock, &m, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(answer))
		return -EPIPE;
	if (answer < 0)
		return answer;
	head = CMSG_FIRSTHDR(&m);
	if (!head || head->cmsg_type != SCM_RIGHTS || head->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -EPIPE;
	memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	return fd;
}

static int hand_over(int sock, int fd)
{
	union control c = {.head = {CMSG_LEN(sizeof(fd)), SOL_SOCKET, SCM_RIGHTS}};
	__s32 answer = fd < 0 ? fd : 0;
	struct iovec io = {&answer, sizeof(answer)};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};

	if (fd >= 0) {
		memcpy(CMSG_DATA(&c.head), &fd, sizeof(fd));
		m.msg_control = c.bytes;
		m.msg_controllen = sizeof(c.bytes);
	}
	return sendmsg(sock, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* 1: the other side has closed. */
static int serve_one(int sock, const struct mw_opened *o)
{
	_cleanup_close_ int fd = -1;
	struct mw_want w;
	ssize_t n = recv(sock, &w, sizeof(w), MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : 1;
	if (n == 0)
		return 1;
	fd = n == (ssize_t)sizeof(w) ? mw_open_wanted(o, &w) : -EINVAL;
	return hand_over(sock, fd) ? 1 : 0;
}

int mw_fetch_serve(int sock, const struct mw_opened *o, __u64 deadline_ns)
{
	for (size_t served = 0; served < REQUESTS_MAX; served++) {
		struct pollfd p = {sock, POLLIN, 0};
		__u64 now = mw_now_ns();
		int n;

		if (now >= deadline_ns)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)((deadline_ns - now) / MW_NS_PER_MS) + 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && serve_one(sock, o))
			return 0;
	}
	return -EPROTO;
}
