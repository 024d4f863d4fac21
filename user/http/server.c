// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * libmicrohttpd forgets a suspended connection until it is resumed, also when
 * the client leaves. A request that waits for its answer is resumed by the answer; a stream
 * may wait for long, so we watch its descriptor ourselves, in an epoll set around the library's.
 */
#include "http/server.h"

#include <limits.h>
#include <sys/epoll.h>

#include "http/internal.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define REQUEST_MS	10000
#define KEEP_ALIVE_MS	15000
#define STALL_MS	30000
#define STREAM_STALL_MS 600000 /* somebody scrolls back in a terminal */

static void server_freep(struct mw_server **s)
{
	mw_server_free(*s);
}

int mw_server_new(int listen_fd, mw_request_fn fn, void *arg, struct mw_server **ret_server, struct mw_error *err)
{
	_cleanup_(server_freep) struct mw_server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return mw_fail(err, -ENOMEM, "no memory for the HTTP server");
	s->fn = fn;
	s->arg = arg;
	for (struct slot *slot = s->slots; slot < s->slots + MW_HTTP_SLOTS; slot++)
		slot->fd = -1;
	mw_server_set_times(s, REQUEST_MS, KEEP_ALIVE_MS);
	mw_server_set_stalls(s, STALL_MS, STREAM_STALL_MS);
	r = mw_topics_new(s);
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r || s->epoll_fd < 0)
		return mw_fail(err, r ? r : -errno, "cannot set up the HTTP server: %m");
	r = mw_door_open(s, listen_fd, false, &s->unix_door, err);
	if (r)
		return r;
	*ret_server = TAKE_PTR(s);
	return 0;
}

int mw_server_set_tcp(struct mw_server *s, int listen_fd, struct mw_error *err)
{
	struct door *door = NULL;
	int r = listen_fd < 0 ? 0 : mw_door_open(s, listen_fd, true, &door, err);

	if (r)
		return r;
	mw_door_close(s->tcp_door);
	s->tcp_door = door;
	return 0;
}

void mw_server_free(struct mw_server *s)
{
	if (!s)
		return;
	mw_door_close(s->tcp_door);
	mw_door_close(s->unix_door);
	mw_close(&s->epoll_fd);
	mw_topics_free(s);
	free(s);
}

int mw_server_epoll_fd(const struct mw_server *s)
{
	return s->epoll_fd;
}

bool mw_server_connected(const struct mw_server *s)
{
	for (const struct slot *slot = s->slots; slot < s->slots + MW_HTTP_SLOTS; slot++)
		if (slot->fd >= 0)
			return true;
	return false;
}

struct mw_server_counts mw_server_counts(const struct mw_server *s)
{
	struct mw_server_counts c = s->counts;

	for (const struct slot *slot = s->slots; slot < s->slots + MW_HTTP_SLOTS; slot++) {
		if (slot->fd < 0)
			continue;
		c.now++;
		c.streams += slot->request && slot->request->streaming;
	}
	for (enum mw_share i = 0; i < MW_SHARE_MAX; i++)
		c.held_bytes += s->held[i];
	return c;
}

size_t mw_server_answers(const struct mw_server *s, struct mw_answers rows[MW_HTTP_CODES])
{
	size_t n = 0;

	while (n < MW_HTTP_CODES && s->answers[n].status) {
		rows[n] = s->answers[n];
		n++;
	}
	return n;
}

void mw_server_set_times(struct mw_server *s, unsigned request_ms, unsigned keep_alive_ms)
{
	s->request_ns = request_ms * MW_NS_PER_MS;
	s->keep_alive_ns = keep_alive_ms * MW_NS_PER_MS;
	s->next_keep_alive_ns = mw_now_ns() + s->keep_alive_ns;
}

void mw_server_set_stalls(struct mw_server *s, unsigned answer_ms, unsigned stream_ms)
{
	s->stall_ns = answer_ms * MW_NS_PER_MS;
	s->stream_stall_ns = stream_ms * MW_NS_PER_MS;
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

static void send_keep_alives(struct mw_server *s, __u64 now_ns)
{
	if (now_ns < s->next_keep_alive_ns)
		return;
	s->next_keep_alive_ns = now_ns + s->keep_alive_ns;
	for (struct slot *slot = s->slots; slot < s->slots + MW_HTTP_SLOTS; slot++) {
		if (!slot->request || !slot->request->streaming || !slot->request->suspended)
			continue;
		slot->request->stream.keep_alive = true;
		mw_request_resume(slot->request);
	}
}

/* The earlier of next_ns and what the library wants; ~0: neither. */
static __u64 library_ns(const struct door *d, __u64 now_ns, __u64 next_ns)
{
	unsigned long long ms;

	if (!d || MHD_get_timeout(d->daemon, &ms) != MHD_YES)
		return next_ns;
	return ms < (next_ns - now_ns) / MW_NS_PER_MS ? now_ns + ms * MW_NS_PER_MS : next_ns;
}

static int next_run_ms(const struct mw_server *s, __u64 now_ns, __u64 next_ns)
{
	__u64 ms;

	for (enum mw_topic t = 0; t < MW_TOPIC_MAX; t++)
		if (s->next_keep_alive_ns < next_ns && mw_server_streams(s, t))
			next_ns = s->next_keep_alive_ns;
	if (next_ns <= now_ns)
		return 0;
	next_ns = library_ns(s->tcp_door, now_ns, library_ns(s->unix_door, now_ns, next_ns));
	if (next_ns == ~0ULL)
		return -1;
	ms = next_ns <= now_ns ? 0 : (next_ns - now_ns) / MW_NS_PER_MS + 1;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

int mw_server_run(struct mw_server *s)
{
	__u64 now_ns = mw_now_ns(), next_ns, topics_ns;

	s->closed = false;
	notice_leavers(s);
	send_keep_alives(s, now_ns);
	mw_turn_begin(s, now_ns);
	MHD_run(s->unix_door->daemon);
	if (s->tcp_door)
		MHD_run(s->tcp_door->daemon);
	now_ns = mw_now_ns();
	next_ns = mw_room_tick(s, now_ns);
	topics_ns = mw_topics_tick(s, now_ns);
	/* A full libmicrohttpd listens again only at the beginning of the run after the one that made room. */
	if (s->closed || mw_turn_over(s))
		return 0;
	return next_run_ms(s, now_ns, topics_ns < next_ns ? topics_ns : next_ns);
}
