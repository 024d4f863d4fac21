/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The daemon's side of the keeper. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/keeper_impl.h"
#include "util/cleanup.h"
#include "util/clock.h"

struct place {
	__u64 cgroup_id; /* 0: none */
	int fd; /* our copy: a new keeper needs it again */
	__u64 passed_id; /* what the keeper holds under this slot; 0: nothing */
};

struct mw_keeper_link {
	struct mw_keeper_table *table;
	unsigned long table_size;
	int sock, table_fd, program_fd; /* -1 without a keeper */
	pid_t child; /* a keeper we have started; 0: none */
	__u32 n, pending; /* pending: places whose state the keeper has not been told */
	struct place places[];
};

bool mw_keeper_mark_frozen(struct mw_keeper_table *t, __u32 slot, __u64 cgroup_id, bool frozen)
{
	struct mw_keeper_slot *s = &t->slots[slot];

	if (frozen && __atomic_load_n(&s->cgroup_id, __ATOMIC_ACQUIRE) != cgroup_id)
		return false;
	__atomic_store_n(&s->frozen, frozen, __ATOMIC_RELEASE);
	return true;
}

void mw_keeper_mark_high(struct mw_keeper_table *t, __u32 slot, bool high_set)
{
	__atomic_store_n(&t->slots[slot].high_set, high_set, __ATOMIC_RELEASE);
}

void mw_keeper_thaw_by(struct mw_keeper_table *t, __u64 time_ns)
{
	__u32 ms = (__u32)(time_ns / MW_NS_PER_MS);

	__atomic_store_n(&t->thaw_by_ms, time_ns && !ms ? 1 : ms, __ATOMIC_RELEASE);
}

static struct mw_keeper_link *link_new(__u32 n, unsigned long table_size, int table_fd)
{
	_cleanup_free_ struct mw_keeper_link *l = calloc(1, sizeof(*l) + n * sizeof(l->places[0]));
	int flags = table_fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *table;

	if (!l)
		return NULL;
	table = mmap(NULL, table_size, PROT_READ | PROT_WRITE, flags, table_fd, 0);
	if (table == MAP_FAILED)
		return NULL;
	l->table = table;
	l->table_size = table_size;
	l->n = n;
	l->sock = l->table_fd = l->program_fd = -1;
	return TAKE_PTR(l);
}

static int connect_private(__u32 max_workers, struct mw_keeper_link **ret_link, struct mw_error *err)
{
	struct mw_keeper_link *l = link_new(max_workers, mw_keeper_table_size(max_workers), -1);

	if (!l)
		return mw_fail(err, -ENOMEM, "keeper: no memory for a table of %u workers", max_workers);
	l->table->n_slots = max_workers;
	*ret_link = l;
	return 0;
}

/* A daemon that adopts thousands of workers passes them on faster than the keeper gets to run. */
static void widen(int sock)
{
	const int bytes = 4 << 20;

	setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)); /* without root it stays as it is */
}

int mw_keeper_connect(__u32 max_workers, struct mw_keeper_link **ret_link, struct mw_error *err)
{
	struct mw_keeper_link *l;
	struct stat st;
	int fds[3], r = mw_keeper_parse_env(fds);

	if (r == -ENOENT)
		return connect_private(max_workers, ret_link, err);
	if (r)
		return mw_fail(err, r, "%s: found \"%s\", expected three open descriptors", MW_KEEPER_ENV,
			       getenv(MW_KEEPER_ENV));
	unsetenv(MW_KEEPER_ENV); /* nothing we start inherits it */
	if (fstat(fds[1], &st))
		return mw_fail(err, -errno, "keeper: its table cannot be read: %s", strerror(errno));
	if ((unsigned long)st.st_size < mw_keeper_table_size(max_workers))
		return mw_fail(err, -EINVAL,
			       "keeper: its table has no room for max_workers = %u: start the service again",
			       max_workers);
	l = link_new(max_workers, (unsigned long)st.st_size, fds[1]);
	if (!l)
		return mw_fail(err, -ENOMEM, "keeper: its table cannot be mapped");
	l->sock = fds[0];
	widen(l->sock);
	l->table_fd = fds[1];
	l->program_fd = fds[2];
	*ret_link = l;
	return 0;
}

void mw_keeper_disconnect(struct mw_keeper_link *l)
{
	if (!l)
		return;
	for (__u32 i = 0; i < l->n; i++)
		if (l->places[i].cgroup_id)
			mw_close(&l->places[i].fd);
	mw_close(&l->sock);
	mw_close(&l->table_fd);
	mw_close(&l->program_fd);
	munmap(l->table, l->table_size);
	free(l);
}

struct mw_keeper_table *mw_keeper_table(struct mw_keeper_link *l)
{
	return l->table;
}

int mw_keeper_fd(const struct mw_keeper_link *l)
{
	return l->sock;
}

static int send_message(int sock, const struct mw_keeper_message *m, const int *fds)
{
	size_t length = offsetof(struct mw_keeper_message, entries) + m->n * sizeof(m->entries[0]);
	size_t room = m->op == MW_KEEPER_ADD ? m->n * sizeof(int) : 0;
	char control[CMSG_SPACE(sizeof(int) * MW_KEEPER_BATCH)] __attribute__((aligned(8))) = {0};
	struct iovec io = {(void *)m, length};
	struct msghdr msg = {.msg_iov = &io, .msg_iovlen = 1};

	if (room) {
		struct cmsghdr *c;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(room);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(room);
		memcpy(CMSG_DATA(c), fds, room);
	}
	return sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static bool is_pending(const struct place *p)
{
	return p->cgroup_id != p->passed_id;
}

/* The keeper has it now: from here on the slot may be frozen. */
static void passed(struct mw_keeper_link *l, __u32 slot)
{
	struct place *p = &l->places[slot];

	p->passed_id = p->cgroup_id;
	l->pending--;
	__atomic_store_n(&l->table->slots[slot].cgroup_id, p->cgroup_id, __ATOMIC_RELEASE);
}

/* Send one message of pending places of one kind, from *at on. 0 when none was left, 1 when sent, -errno. */
static int flush_batch(struct mw_keeper_link *l, enum mw_keeper_op op, __u32 *at)
{
	struct mw_keeper_message m = {.op = op};
	int fds[MW_KEEPER_BATCH], r;

	for (; *at < l->n && m.n < MW_KEEPER_BATCH; ++*at) {
		const struct place *p = &l->places[*at];

		if (!is_pending(p) || (op == MW_KEEPER_ADD) != !!p->cgroup_id)
			continue;
		fds[m.n] = p->fd;
		m.entries[m.n++] = (struct mw_keeper_entry){*at, 0, p->cgroup_id ?: p->passed_id};
	}
	if (!m.n)
		return 0;
	r = send_message(l->sock, &m, fds);
	if (r)
		return r;
	for (__u32 i = 0; i < m.n; i++)
		passed(l, m.entries[i].slot);
	return 1;
}

static void flush_all(struct mw_keeper_link *l)
{
	__u32 at = 0;

	if (l->sock < 0 || !l->pending)
		return;
	while (flush_batch(l, MW_KEEPER_ADD, &at) > 0)
		;
	at = 0;
	while (flush_batch(l, MW_KEEPER_DROP, &at) > 0)
		;
}

/* One place has changed; keep the count of pending ones right. */
static void place_set(struct mw_keeper_link *l, __u32 slot, __u64 cgroup_id, int fd)
{
	struct mw_keeper_slot *s = &l->table->slots[slot];
	struct place *p = &l->places[slot];

	l->pending -= is_pending(p);
	if (p->cgroup_id)
		mw_close(&p->fd);
	p->cgroup_id = cgroup_id;
	p->fd = fd;
	if (l->sock < 0)
		p->passed_id = cgroup_id; /* without a keeper the table is what it is */
	l->pending += is_pending(p);
	__atomic_store_n(&s->cgroup_id, p->passed_id == cgroup_id ? cgroup_id : 0, __ATOMIC_RELEASE);
	__atomic_store_n(&s->frozen, 0, __ATOMIC_RELEASE);
}

int mw_keeper_add(struct mw_keeper_link *l, __u32 slot, __u64 cgroup_id, int dir_fd, bool high_set)
{
	int fd;

	if (slot >= l->n || !cgroup_id)
		return -EINVAL;
	fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -errno;
	place_set(l, slot, cgroup_id, fd);
	mw_keeper_mark_high(l->table, slot, high_set);
	if (l->sock >= 0 && is_pending(&l->places[slot])) {
		__u32 at = slot;

		flush_batch(l, MW_KEEPER_ADD, &at);
	}
	return is_pending(&l->places[slot]) ? -EAGAIN : 0;
}

void mw_keeper_drop(struct mw_keeper_link *l, __u32 slot)
{
	if (slot >= l->n || !l->places[slot].cgroup_id)
		return;
	place_set(l, slot, 0, -1);
	mw_keeper_mark_high(l->table, slot, false);
}

void mw_keeper_beat(struct mw_keeper_link *l, __u64 now_ns)
{
	__atomic_store_n(&l->table->busy_until_ns, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&l->table->heartbeat_ns, now_ns, __ATOMIC_RELEASE);
	flush_all(l);
}

void mw_keeper_busy(struct mw_keeper_link *l, __u64 until_ns)
{
	__atomic_store_n(&l->table->busy_until_ns, until_ns, __ATOMIC_RELEASE);
}

void mw_keeper_stopping(struct mw_keeper_link *l)
{
	__atomic_store_n(&l->table->stopping, 1, __ATOMIC_RELEASE);
}

/* Whatever the dead one held is gone: every place is to be passed on again. */
static void forget_passed(struct mw_keeper_link *l)
{
	l->pending = 0;
	for (__u32 i = 0; i < l->n; i++) {
		struct place *p = &l->places[i];

		if (!p->cgroup_id && !p->passed_id)
			continue;
		p->passed_id = 0;
		l->pending += is_pending(p);
		__atomic_store_n(&l->table->slots[i].cgroup_id, 0, __ATOMIC_RELEASE);
	}
}

int mw_keeper_replace(struct mw_keeper_link *l, struct mw_error *err)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	int pair[2], r;
	pid_t pid;

	if (l->sock < 0)
		return mw_fail(err, -ENOENT, "keeper: there was none");
	if (l->child > 0)
		waitpid(l->child, NULL, WNOHANG);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return mw_fail(err, -errno, "keeper: no socket: %s", strerror(errno));
	ours = pair[0];
	theirs = pair[1];
	r = mw_keeper_spawn((const int[]){theirs, l->table_fd, l->program_fd}, &pid);
	if (r)
		return mw_fail(err, r, "keeper: it cannot be started again: %s", strerror(-r));
	l->child = pid;
	mw_close(&l->sock);
	l->sock = TAKE_FD(ours);
	widen(l->sock);
	forget_passed(l);
	flush_all(l);
	return 0;
}
