// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Many requests at once must not hold up the loop: so much time a run, then the loop sees to everything else. Root's
 * are served first, then users and TCP by turns, each in the order they came.
 */
#include "http/internal.h"
#include "util/clock.h"

#define TURN_NS (3 * MW_NS_PER_MS)

bool mw_turn_over(const struct mw_server *s)
{
	for (enum mw_share i = 0; i < MW_SHARE_MAX; i++)
		if (s->waiting[i])
			return true;
	return false;
}

bool mw_turn_take(struct mw_server *s)
{
	return !mw_turn_over(s) && mw_now_ns() < s->turn_until_ns;
}

void mw_turn_wait(struct mw_request *r)
{
	struct mw_server *s = r->server;
	enum mw_share share = mw_request_share(r);

	if (!s->waiting[share])
		s->waiting_end[share] = &s->waiting[share];
	r->next = NULL;
	r->waiting = true;
	*s->waiting_end[share] = r;
	s->waiting_end[share] = &r->next;
}

void mw_turn_leave(struct mw_request *r)
{
	struct mw_server *s = r->server;
	enum mw_share share = mw_request_share(r);
	struct mw_request **at = &s->waiting[share];

	if (!r->waiting)
		return;
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	if (!r->next)
		s->waiting_end[share] = at;
	r->waiting = false;
}

/* Users and TCP in turn: neither waits for all of the other's. */
static struct mw_request *next_one(struct mw_server *s, bool *tcp_first)
{
	struct mw_request *r = s->waiting[MW_SHARE_ROOT];

	if (!r) {
		r = s->waiting[*tcp_first ? MW_SHARE_TCP : MW_SHARE_USERS];
		r = r ? r : s->waiting[*tcp_first ? MW_SHARE_USERS : MW_SHARE_TCP];
		*tcp_first = !*tcp_first;
	}
	return r;
}

void mw_turn_begin(struct mw_server *s, __u64 now_ns)
{
	struct mw_request *r;

	s->turn_until_ns = now_ns + TURN_NS;
	while ((r = next_one(s, &s->tcp_first))) {
		mw_turn_leave(r);
		if (mw_request_left(r)) { /* nobody would read it: closed in the library's next run */
			r->left = true;
			mw_request_resume(r);
			continue;
		}
		r->handed_out = true;
		s->fn(r, s->arg);
		if (mw_now_ns() >= s->turn_until_ns)
			return;
	}
}
