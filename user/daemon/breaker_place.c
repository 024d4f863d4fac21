/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Workers coming to the breaker and going, with the ancestors they share. */
#include <errno.h>
#include <sys/epoll.h>

#include "core/cgroup.h"
#include "daemon/breaker_seat.h"
#include "util/clock.h"

void mw_breaker_end(struct mw_breaker *b, struct mw_seat *s)
{
	struct mw_breaker_report r;

	for (__u32 i = 0; i < b->n_active; i++) {
		if (b->active[i] == s->slot) {
			b->active[i] = b->active[--b->n_active];
			break;
		}
	}
	if (mw_seat_end(s, b->env.dry_run, mw_now_ns(), &r))
		mw_breaker_tell(b, &r);
}

void mw_breaker_release(struct mw_breaker *b, struct mw_seat *s)
{
	mw_breaker_freeze_release(b, s);
	if (s->active)
		mw_breaker_end(b, s);
	for (unsigned i = 0; i < s->n_above; i++) {
		struct mw_above *a = &b->above[s->above[i]];

		if (!--a->refs)
			mw_above_close(a);
	}
	__atomic_store_n(&s->cgroup_id, 0, __ATOMIC_RELEASE);
	mw_seat_close(s);
}

/* Index of a place for an ancestor, with one more reference. -errno. With the lock. */
static int hold_above(struct mw_breaker *b, int dir_fd)
{
	struct mw_above *found = NULL;
	__u64 id = mw_cgroup_id(dir_fd);
	int r;

	for (int i = 0; i < MW_BREAKER_ABOVES; i++) {
		struct mw_above *a = &b->above[i];

		if (a->refs && a->cgroup_id == id) {
			a->refs++;
			return i;
		}
		if (!a->refs && !found)
			found = a;
	}
	if (!found)
		return -ENOSPC;
	r = mw_above_open(found, dir_fd, b->poll_events);
	if (r)
		return r;
	found->cgroup_id = id;
	found->refs = 1;
	if (found->events >= 0) {
		struct epoll_event e = {EPOLLPRI,
					{.u64 = (__u64)MW_BREAKER_ON_ABOVE << 32 | (__u64)(found - b->above)}};

		epoll_ctl(b->epoll_fd, EPOLL_CTL_ADD, found->events, &e); /* refused: its workers' own events remain */
	}
	return (int)(found - b->above);
}

static int hold_all_above(struct mw_breaker *b, struct mw_seat *s, const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int at = hold_above(b, fds[i]);

		if (at < 0)
			return at;
		s->above[s->n_above++] = (__u16)at;
	}
	return 0;
}

static int place(struct mw_breaker *b, struct mw_seat *s, __u64 cgroup_id, const int *ancestor_fds, unsigned n)
{
	struct epoll_event e = {EPOLLPRI, {.u64 = (__u64)MW_BREAKER_ON_SEAT << 32 | s->slot}};
	int r;

	pthread_mutex_lock(&b->lock);
	r = hold_all_above(b, s, ancestor_fds, n);
	if (!r && s->events >= 0 && epoll_ctl(b->epoll_fd, EPOLL_CTL_ADD, s->events, &e))
		r = -errno;
	if (r)
		mw_breaker_release(b, s);
	else
		__atomic_store_n(&s->cgroup_id, cgroup_id, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&b->lock);
	return r;
}

int mw_breaker_add(struct mw_breaker *b, __u32 slot, __u64 cgroup_id, int dir_fd, const int *ancestor_fds,
		   unsigned n_ancestors, bool may_lift)
{
	struct mw_seat *s;
	int r;

	if (slot >= b->max_workers || !cgroup_id || n_ancestors > MW_BREAKER_ABOVE)
		return -EINVAL;
	s = &b->seats[slot];
	/* Free seats are ours alone: the thread looks at none without an id. */
	if (__atomic_load_n(&s->cgroup_id, __ATOMIC_ACQUIRE))
		return -EEXIST;
	pthread_mutex_lock(&b->lock); /* the thread may be closing a vanished one */
	*s = (struct mw_seat){.slot = slot,
			      .may_lift = may_lift,
			      .dir = -1,
			      .high = -1,
			      .freeze = -1,
			      .events = -1,
			      .watch = -1,
			      .let_go_ns = mw_now_ns()};
	pthread_mutex_unlock(&b->lock);
	r = mw_seat_open(s, dir_fd, b->poll_events);
	return r ? r : place(b, s, cgroup_id, ancestor_fds, n_ancestors);
}

void mw_breaker_remove(struct mw_breaker *b, __u32 slot)
{
	pthread_mutex_lock(&b->lock);
	if (slot < b->max_workers && b->seats[slot].cgroup_id)
		mw_breaker_release(b, &b->seats[slot]);
	pthread_mutex_unlock(&b->lock);
}
