// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Who gets a connection, and for how long: nobody but root can take so many that others get none, or hold one without
 * asking or taking anything.
 */
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "http/internal.h"
#include "util/clock.h"

#define HURRY	5 /* a part of the time a request has otherwise */
#define SLOWEST 16384 /* bytes a second that have to be taken of an answer, in sum */

static void end(struct slot *slot, __u64 *count)
{
	shutdown(slot->fd, SHUT_RDWR);
	slot->deadline_ns = slot->look_ns = 0;
	slot->closing = true;
	++*count;
}

/* Its request is not there, and nothing of it waits to be read. */
static bool silent(const struct slot *slot)
{
	int waiting = 0;

	return slot->deadline_ns && !slot->look_ns && (ioctl(slot->fd, FIONREAD, &waiting) || !waiting);
}

/* Whose connections are looked through for one that can go. */
struct whose {
	bool tcp;
	bool roots_too;
	uid_t uid; /* -1: anybody's */
};

static bool is_of(const struct slot *slot, const struct whose *w)
{
	return slot->fd >= 0 && !slot->closing && slot->door->tcp == w->tcp && (slot->uid || w->roots_too) &&
	       (w->uid == (uid_t)-1 || slot->uid == w->uid);
}

static struct slot *oldest_silent(struct mw_server *s, const struct whose *w)
{
	struct slot *oldest = NULL;

	for (struct slot *slot = s->slots; slot < s->slots + MW_HTTP_SLOTS; slot++)
		if (is_of(slot, w) && (!oldest || slot->deadline_ns < oldest->deadline_ns) && silent(slot))
			oldest = slot;
	return oldest;
}

static size_t count(const struct mw_server *s, const struct whose *w)
{
	size_t n = 0;

	for (const struct slot *slot = s->slots; slot < s->slots + MW_HTTP_SLOTS; slot++)
		n += is_of(slot, w);
	return n;
}

/* Nobody but root can take so many that others get none: the oldest that has not asked makes room, or the new one. */
static void make_room(struct mw_server *s, struct slot *new)
{
	const struct whose mine = {new->door->tcp, false, new->uid}, users = {new->door->tcp, false, (uid_t)-1};
	bool tcp = new->door->tcp, too_many = !tcp &&count(s, &mine) > MW_HTTP_PER_USER;
	struct slot *out;

	if (!new->uid || (!too_many && count(s, &users) <= (tcp ? MW_HTTP_TCP : MW_HTTP_USERS)))
		return;
	out = oldest_silent(s, too_many ? &mine : &users);
	end(out ? out : new, &s->counts.refused);
}

/*
 * No more are let in, and some may wait: who is connected and does not ask is not waited for as long as otherwise. When
 * to look again; ~0: there is room.
 */
static __u64 hurry(struct mw_server *s, __u64 now_ns)
{
	const struct whose all = {false, true, (uid_t)-1};
	struct slot *out;
	__u64 until_ns;

	while (count(s, &all) == MW_HTTP_CONNECTIONS && (out = oldest_silent(s, &all))) {
		until_ns = out->deadline_ns - s->request_ns + s->request_ns / HURRY;
		if (until_ns > now_ns)
			return until_ns;
		end(out, &s->counts.refused);
	}
	return ~0ULL;
}

static void begin(const struct door *d, struct MHD_Connection *c, void **context)
{
	struct mw_server *s = d->server;

	for (struct slot *slot = s->slots; slot < s->slots + MW_HTTP_SLOTS; slot++) {
		if (slot->fd >= 0)
			continue;
		*slot = (struct slot){.fd = mw_room_fd(c), .door = d, .deadline_ns = mw_now_ns() + s->request_ns};
		slot->uid = d->tcp ? (uid_t)-1 : mw_peer_of(slot->fd).uid;
		*context = slot;
		s->counts.connections[d->tcp]++;
		make_room(s, slot);
		return;
	}
}

/* Called by libmicrohttpd as a connection begins and ends. There is a free slot: both count alike. */
void mw_room_on_connection(void *cls, struct MHD_Connection *c, void **context,
			   enum MHD_ConnectionNotificationCode code)
{
	const struct door *d = cls;
	struct slot *slot = *context;

	if (code != MHD_CONNECTION_NOTIFY_CLOSED)
		return begin(d, c, context);
	d->server->closed = true;
	if (!slot)
		return;
	d->server->counts.unasked += !slot->asked && !slot->closing;
	*slot = (struct slot){.fd = -1};
}

struct slot *mw_room_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

int mw_room_fd(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

/* What grows with each byte its client takes; -1 for a stream that has sent everything. */
static __u64 taken(const struct slot *slot)
{
	const struct mw_request *r = slot->request;
	int unread = 0;

	if (!r || r->suspended)
		return (__u64)-1;
	(void)ioctl(slot->fd, SIOCOUTQ, &unread);
	return r->pulled - (__u64)unread;
}

static __u64 patience(const struct slot *slot, const struct mw_request *r)
{
	return r->streaming && !slot->door->tcp ? r->server->stream_stall_ns : r->server->stall_ns;
}

void mw_room_answering(struct slot *slot, const struct mw_request *r, __u64 size)
{
	__u64 now_ns = mw_now_ns();

	slot->look_ns = now_ns + patience(slot, r);
	slot->taken = (__u64)-2;
	if (!r->streaming)
		slot->deadline_ns = now_ns + r->server->stall_ns + size / SLOWEST * MW_NS_PER_S;
}

static void look_at(struct mw_server *s, struct slot *slot, __u64 now_ns)
{
	__u64 now_taken;

	if (slot->deadline_ns && now_ns >= slot->deadline_ns) {
		end(slot, slot->look_ns ? &s->counts.slow : &s->counts.timed_out);
		return;
	}
	if (!slot->look_ns || now_ns < slot->look_ns || !slot->request)
		return;
	now_taken = taken(slot);
	if (now_taken != (__u64)-1 && now_taken == slot->taken) {
		end(slot, &s->counts.slow);
		return;
	}
	slot->taken = now_taken;
	slot->look_ns = now_ns + patience(slot, slot->request);
}

/* The library's own timeout begins again with every byte; this one does not, against one byte every nine seconds. */
__u64 mw_room_tick(struct mw_server *s, __u64 now_ns)
{
	__u64 next_ns = hurry(s, now_ns);

	for (struct slot *slot = s->slots; slot < s->slots + MW_HTTP_SLOTS; slot++) {
		if (slot->fd < 0)
			continue;
		look_at(s, slot, now_ns);
		if (slot->deadline_ns && slot->deadline_ns < next_ns)
			next_ns = slot->deadline_ns;
		if (slot->look_ns && slot->look_ns < next_ns)
			next_ns = slot->look_ns;
	}
	return next_ns;
}
