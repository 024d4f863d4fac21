/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the keeper holds for the daemon, and the mending: thaw, lift. Nothing here allocates. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/cgroup.h"
#include "core/keeper_impl.h"
#include "util/cleanup.h"

static void forget(struct mw_keeper_held *held)
{
	if (held->cgroup_id)
		mw_close(&held->fd);
	held->cgroup_id = 0;
}

/* fd: taken over; -1 for a drop. */
static void take_entry(struct mw_keeper_hold *h, enum mw_keeper_op op, const struct mw_keeper_entry *e, int fd)
{
	_cleanup_close_ int taken = fd;
	struct mw_keeper_held *held;

	if (e->slot >= h->n_slots || !e->cgroup_id)
		return;
	held = &h->held[e->slot];
	if (op == MW_KEEPER_ADD && taken >= 0) {
		forget(held);
		*held = (struct mw_keeper_held){e->cgroup_id, TAKE_FD(taken)};
	} else if (op == MW_KEEPER_DROP && held->cgroup_id == e->cgroup_id) {
		forget(held);
	}
}

static void take_message(struct mw_keeper_hold *h, const struct mw_keeper_message *m, const int *fds, unsigned n_fds)
{
	unsigned i = 0;

	for (; i < m->n; i++)
		take_entry(h, m->op, &m->entries[i], i < n_fds ? fds[i] : -1);
	if (m->op == MW_KEEPER_ADD && m->n > n_fds)
		h->lost += m->n - n_fds;
	for (; i < n_fds; i++)
		close(fds[i]);
}

static bool well_formed(const struct mw_keeper_message *m, size_t length)
{
	size_t head = offsetof(struct mw_keeper_message, entries);

	return length >= head && m->n <= (length - head) / sizeof(m->entries[0]);
}

static unsigned descriptors_of(struct msghdr *msg, int *fds)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	unsigned n;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	return n;
}

int mw_keeper_hold_receive(struct mw_keeper_hold *h, int sock)
{
	for (;;) {
		char control[CMSG_SPACE(sizeof(int) * MW_KEEPER_BATCH)] __attribute__((aligned(8)));
		struct mw_keeper_message m = {0};
		struct iovec io = {&m, sizeof(m)};
		struct msghdr msg = {.msg_iov = &io,
				     .msg_iovlen = 1,
				     .msg_control = control,
				     .msg_controllen = sizeof(control)};
		int fds[MW_KEEPER_BATCH];
		ssize_t n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		unsigned n_fds;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return -EPIPE;
		n_fds = descriptors_of(&msg, fds);
		if (!well_formed(&m, (size_t)n))
			m.n = 0; /* its descriptors are closed */
		take_message(h, &m, fds, n_fds);
	}
}

static bool settled(int r)
{
	return !r || r == -ENOENT || r == -ENODEV; /* a cgroup that is gone needs nothing */
}

/* Write value into the file of every held slot whose flag (frozen or high_set) is up. Returns how many failed. */
static unsigned mend_all(struct mw_keeper_hold *h, size_t flag_offset, const char *file, const char *value,
			 unsigned *mended, bool early)
{
	unsigned failed = 0;

	for (__u32 i = 0; i < h->n_slots; i++) {
		const struct mw_keeper_held *held = &h->held[i];
		struct mw_keeper_slot *slot = &h->table->slots[i];
		__u8 *flag = (__u8 *)slot + flag_offset;
		int r;

		/* Another id, or none: the slot was given up or is someone else's by now, whom we do not hold. */
		if (!held->cgroup_id || __atomic_load_n(&slot->cgroup_id, __ATOMIC_ACQUIRE) != held->cgroup_id)
			continue;
		if (!__atomic_load_n(flag, __ATOMIC_ACQUIRE))
			continue;
		r = mw_cgroup_write(held->fd, file, value);
		if (!settled(r)) {
			failed++;
			continue;
		}
		if (!early)
			__atomic_store_n(flag, 0, __ATOMIC_RELEASE);
		*mended += !r;
	}
	return failed;
}

static unsigned mend(struct mw_keeper_hold *h, unsigned *mended, bool early)
{
	unsigned failed;

	/* Frozen first: few, and worse than slow. */
	failed = mend_all(h, offsetof(struct mw_keeper_slot, frozen), "cgroup.freeze", "0", mended, early);
	return failed + mend_all(h, offsetof(struct mw_keeper_slot, high_set), "memory.high", "max", mended, early);
}

unsigned mw_keeper_hold_mend(struct mw_keeper_hold *h, unsigned *ret_mended)
{
	*ret_mended = 0;
	return mend(h, ret_mended, false);
}

void mw_keeper_hold_mend_early(struct mw_keeper_hold *h)
{
	unsigned mended = 0;

	mend(h, &mended, true);
}

void mw_keeper_hold_clear(struct mw_keeper_hold *h)
{
	for (__u32 i = 0; i < h->n_slots; i++) {
		struct mw_keeper_slot *slot = &h->table->slots[i];

		forget(&h->held[i]);
		/* Looked at before written: pages never used stay unused. */
		if (slot->cgroup_id || slot->frozen || slot->high_set)
			*slot = (struct mw_keeper_slot){0};
	}
	h->table->heartbeat_ns = h->table->busy_until_ns = h->table->stopping = 0;
	h->table->thaw_by_ms = 0;
	h->table->n_slots = h->n_slots;
}

void mw_keeper_notify(const char *fmt, ...)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	_cleanup_close_ int fd = -1;
	char text[256];
	size_t length;
	va_list ap;

	if (!path || (*path != '/' && *path != '@'))
		return;
	length = strlen(path);
	if (length >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, length + 1);
	if (*path == '@')
		to.sun_path[0] = '\0'; /* abstract: the name is what follows, without an end */
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		(void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&to,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (*path == '/')));
}

int mw_keeper_parse_env(int ret_fds[3])
{
	const char *text = getenv(MW_KEEPER_ENV);
	int fds[3], end = 0;

	if (!text)
		return -ENOENT;
	if (sscanf(text, "%d,%d,%d%n", &fds[0], &fds[1], &fds[2], &end) != 3 || text[end])
		return -EINVAL;
	for (int i = 0; i < 3; i++)
		if (fds[i] < 3 || fcntl(fds[i], F_SETFD, FD_CLOEXEC))
			return -EINVAL;
	memcpy(ret_fds, fds, sizeof(fds));
	return 0;
}
