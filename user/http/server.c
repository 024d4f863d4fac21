// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * libmicrohttpd forgets a suspended connection until it is resumed, also when
 * the client leaves. A request that waits for its answer is resumed by the answer; a stream
 * may wait for long, so we watch its descriptor ourselves, in an epoll set around the library's.
 */
#include "http/server.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "http/internal.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define REQUEST_MS	10000
#define KEEP_ALIVE_MS	15000
#define CONNECTION_POOL 16384 /* libmicrohttpd's memory for one connection: headers and send buffer */

void mw_server_broadcast(struct mw_server *s, uid_t owner, const char *event, const char *data)
{
	if (!mw_server_streams(s))
		return;
	mw_feed_put(s->feed, owner, event, data);
	for (struct slot *slot = s->slots; slot < s->slots + MW_HTTP_CONNECTIONS; slot++)
		if (slot->request && slot->request->streaming)
			mw_request_resume(slot->request);
}

size_t mw_server_streams(const struct mw_server *s)
{
	size_t n = 0;

	for (const struct slot *slot = s->slots; slot < s->slots + MW_HTTP_CONNECTIONS; slot++)
		n += slot->request && slot->request->streaming && !slot->request->left;
	return n;
}

bool mw_server_connected(const struct mw_server *s)
{
	for (const struct slot *slot = s->slots; slot < s->slots + MW_HTTP_CONNECTIONS; slot++)
		if (slot->fd >= 0)
			return true;
	return false;
}

/* Its request has not begun to come. */
static bool silent(const struct slot *slot)
{
	int waiting = 0;

	return slot->deadline_ns && (ioctl(slot->fd, FIONREAD, &waiting) || !waiting);
}

/* The oldest connection that has not asked anything yet, of one user or, with -1, of all that are not root. */
static struct slot *oldest_silent(struct mw_server *s, uid_t uid)
{
	struct slot *oldest = NULL;

	for (struct slot *slot = s->slots; slot < s->slots + MW_HTTP_CONNECTIONS; slot++) {
		if (slot->fd < 0 || !slot->uid || !silent(slot) || (uid != (uid_t)-1 && slot->uid != uid))
			continue;
		if (!oldest || slot->deadline_ns < oldest->deadline_ns)
			oldest = slot;
	}
	return oldest;
}

/* Nobody but root can take so many connections that others get none: a silent one of its own makes room. */
static void make_room(struct mw_server *s, struct slot *new)
{
	size_t mine = 0, all = 0;
	struct slot *out;

	for (const struct slot *slot = s->slots; slot < s->slots + MW_HTTP_CONNECTIONS; slot++) {
		mine += slot->fd >= 0 && slot->uid == new->uid;
		all += slot->fd >= 0 && slot->uid;
	}
	if (!new->uid || (mine <= MW_HTTP_PER_USER && all <= MW_HTTP_USERS))
		return;
	out = oldest_silent(s, mine > MW_HTTP_PER_USER ? new->uid : (uid_t)-1);
	out = out ? out : new;
	shutdown(out->fd, SHUT_RDWR);
	out->deadline_ns = 0;
}

/* Called by libmicrohttpd as a connection begins and ends. There is a free slot: both count to 128. */
static void on_connection(void *cls, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct mw_server *s = cls;
	struct slot *slot = *context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		s->closed = true;
		if (slot)
			*slot = (struct slot){.fd = -1};
		return;
	}
	for (slot = s->slots; slot < s->slots + MW_HTTP_CONNECTIONS; slot++) {
		if (slot->fd >= 0)
			continue;
		*slot = (struct slot){.fd = mw_connection_fd(c), .deadline_ns = mw_now_ns() + s->request_ns};
		slot->uid = mw_peer_of(slot->fd).uid;
		*context = slot;
		make_room(s, slot);
		return;
	}
}

static struct MHD_Daemon *start(struct mw_server *s, int listen_fd)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, mw_request_on_data, s,
				MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT, MW_HTTP_CONNECTIONS,
				MHD_OPTION_CONNECTION_TIMEOUT, REQUEST_MS / 1000, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				(size_t)CONNECTION_POOL, MHD_OPTION_NOTIFY_COMPLETED, mw_request_on_completed, s,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
}

/* Put libmicrohttpd's epoll descriptor into ours. */
static int nest_epoll(struct mw_server *s)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct epoll_event inner = {.events = EPOLLIN};

	if (!info)
		return -ENOTSUP;
	return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, info->epoll_fd, &inner) ? -errno : 0;
}

static void server_freep(struct mw_server **s)
{
	mw_server_free(*s);
}

int mw_server_new(int listen_fd, mw_request_fn fn, void *arg, struct mw_server **ret_server, struct mw_error *err)
{
	_cleanup_(server_freep) struct mw_server *s = calloc(1, sizeof(*s));
	_cleanup_close_ int own_fd = -1;
	int r;

	if (!s)
		return mw_fail(err, -ENOMEM, "no memory for the HTTP server");
	s->fn = fn;
	s->arg = arg;
	for (struct slot *slot = s->slots; slot < s->slots + MW_HTTP_CONNECTIONS; slot++)
		slot->fd = -1;
	mw_server_set_times(s, REQUEST_MS, KEEP_ALIVE_MS);
	s->feed = mw_feed_new(MW_FEED_BYTES);
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	/* A copy, since the library closes the one it has: on failure the caller's stays open. */
	own_fd = fcntl(listen_fd, F_DUPFD_CLOEXEC, 0);
	if (!s->feed || s->epoll_fd < 0 || own_fd < 0)
		return mw_fail(err, s->feed ? -errno : -ENOMEM, "cannot set up the HTTP server: %m");
	/* An accept that blocks would stop the whole loop: the client may be gone before we take it. */
	if (fcntl(own_fd, F_SETFL, fcntl(own_fd, F_GETFL) | O_NONBLOCK))
		return mw_fail(err, -errno, "cannot make the HTTP socket non-blocking: %m");
	s->daemon = start(s, own_fd);
	if (!s->daemon)
		return mw_fail(err, -EIO, "libmicrohttpd does not start on socket %d", listen_fd);
	(void)TAKE_FD(own_fd);
	r = nest_epoll(s);
	if (r)
		return mw_fail(err, r, "cannot watch the HTTP server's sockets");
	close(listen_fd);
	*ret_server = TAKE_PTR(s);
	return 0;
}

void mw_server_free(struct mw_server *s)
{
	if (!s)
		return;
	/* libmicrohttpd aborts when it is stopped with suspended connections. */
	for (struct slot *slot = s->slots; slot < s->slots + MW_HTTP_CONNECTIONS; slot++) {
		if (!slot->request)
			continue;
		slot->request->left = true;
		mw_request_resume(slot->request);
	}
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	mw_close(&s->epoll_fd);
	mw_feed_free(s->feed);
	free(s);
}

int mw_server_epoll_fd(const struct mw_server *s)
{
	return s->epoll_fd;
}

void mw_server_set_times(struct mw_server *s, unsigned request_ms, unsigned keep_alive_ms)
{
	s->request_ns = request_ms * MW_NS_PER_MS;
	s->keep_alive_ns = keep_alive_ms * MW_NS_PER_MS;
	s->next_keep_alive_ns = mw_now_ns() + s->keep_alive_ns;
}

/* Streams whose clients left; libmicrohttpd closes them in its next run, so none is freed in here. */
static void notice_leavers(struct mw_server *s)
{
	struct epoll_event events[32];
	struct mw_request *r;
	int n = epoll_wait(s->epoll_fd, events, ARRAY_SIZE(events), 0);

	for (int i = 0; i < n; i++) {
		r = events[i].data.ptr;
		if (!r)
			continue; /* libmicrohttpd's */
		r->left = true;
		mw_request_resume(r);
	}
}

/* The library's own timeout begins again with every byte; this one does not, against one byte every nine seconds. */
static void end_slow_requests(struct mw_server *s, __u64 now_ns)
{
	for (struct slot *slot = s->slots; slot < s->slots + MW_HTTP_CONNECTIONS; slot++) {
		if (!slot->deadline_ns || now_ns < slot->deadline_ns)
			continue;
		shutdown(slot->fd, SHUT_RDWR);
		slot->deadline_ns = 0;
	}
}

static void send_keep_alives(struct mw_server *s, __u64 now_ns)
{
	if (now_ns < s->next_keep_alive_ns)
		return;
	s->next_keep_alive_ns = now_ns + s->keep_alive_ns;
	for (struct slot *slot = s->slots; slot < s->slots + MW_HTTP_CONNECTIONS; slot++) {
		if (!slot->request || !slot->request->streaming || !slot->request->suspended)
			continue;
		slot->request->stream.keep_alive = true;
		mw_request_resume(slot->request);
	}
}

static int next_run_ms(const struct mw_server *s, __u64 now_ns)
{
	__u64 next_ns = mw_server_streams(s) ? s->next_keep_alive_ns : ~0ULL, ms;
	unsigned long long library_ms;

	for (const struct slot *slot = s->slots; slot < s->slots + MW_HTTP_CONNECTIONS; slot++)
		if (slot->deadline_ns && slot->deadline_ns < next_ns)
			next_ns = slot->deadline_ns;
	ms = next_ns <= now_ns ? 0 : (next_ns - now_ns) / MW_NS_PER_MS + 1;
	if (MHD_get_timeout(s->daemon, &library_ms) == MHD_YES) {
		if (library_ms < ms)
			ms = library_ms;
	} else if (next_ns == ~0ULL) {
		return -1;
	}
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

int mw_server_run(struct mw_server *s)
{
	__u64 now_ns = mw_now_ns();

	s->closed = false;
	notice_leavers(s);
	end_slow_requests(s, now_ns);
	send_keep_alives(s, now_ns);
	MHD_run(s->daemon);
	/* A full libmicrohttpd listens again only at the beginning of the run after the one that made room. */
	return s->closed ? 0 : next_run_ms(s, mw_now_ns());
}
