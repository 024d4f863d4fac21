/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The breaker's holds: frozen for a bounded time, looked at meanwhile, thawed. Nothing here waits for anything but the
 * kernel's cgroup lock, so that the time of one hold does not depend on what is done about another.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "daemon/breaker_seat.h"
#include "util/clock.h"

#define STEP_NS	 (20 * MW_NS_PER_MS)
#define RETRY_NS MW_NS_PER_MS /* of a thaw the kernel did not take */

static void tell(struct mw_breaker *b, const struct mw_seat *s, enum mw_freeze_end end)
{
	struct mw_breaker_report r = {
		.slot = s->slot, .cgroup_id = s->cgroup_id, .time_ns = mw_now_ns(), .freeze = end, .before = s->before};

	if (mw_cgroup_read_u64(s->dir, "memory.current", &r.after))
		r.after = s->before; /* it is gone: nothing of that is the hold's doing */
	mw_breaker_tell(b, &r);
}

/* The keeper takes a guard that has not thawed by then for hung. */
static void tell_keeper(struct mw_breaker *b)
{
	__u64 latest = 0;

	for (__u32 i = 0; i < b->n_held; i++) {
		__u64 until = b->seats[b->held[i]].held_until_ns;

		latest = until > latest ? until : latest;
	}
	if (b->env.table)
		mw_keeper_thaw_by(b->env.table, latest);
}

/* ---- somebody else's hand ---- */

/* Our 1 comes before the watch, and our 0 ends it: what comes in here is somebody else's. */
static void read_touches(struct mw_breaker *b)
{
	char buf[1024] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	while (b->touch_fd >= 0 && (n = read(b->touch_fd, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			const struct inotify_event *e = (const struct inotify_event *)p;

			p += sizeof(*e) + e->len;
			for (__u32 i = 0; i < b->n_held; i++) {
				struct mw_seat *s = &b->seats[b->held[i]];

				s->touched |= s->watch == e->wd && (e->mask & IN_MODIFY);
			}
		}
	}
}

static void watch(struct mw_breaker *b, struct mw_seat *s)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->freeze);
	s->watch = b->touch_fd < 0 ? -1 : inotify_add_watch(b->touch_fd, path, IN_MODIFY);
}

static void unwatch(struct mw_breaker *b, struct mw_seat *s)
{
	if (s->watch >= 0)
		inotify_rm_watch(b->touch_fd, s->watch);
	s->watch = -1;
}

/* ---- the end ---- */

static void forget(struct mw_breaker *b, struct mw_seat *s)
{
	for (__u32 i = 0; i < b->n_held; i++) {
		if (b->held[i] == s->slot) {
			b->held[i] = b->held[--b->n_held];
			break;
		}
	}
	s->held = false;
	unwatch(b, s);
	tell_keeper(b);
	if (b->env.table)
		mw_keeper_mark_frozen(b->env.table, s->slot, s->cgroup_id, false);
}

/* What cgroup.freeze says and who wrote it: MW_FREEZE_NONE while it is ours alone; -ENODEV: the cgroup is gone. */
static int by_others(struct mw_breaker *b, struct mw_seat *s)
{
	char state = 0;

	read_touches(b);
	if (pread(s->freeze, &state, 1, 0) < 0)
		return -ENODEV;
	if (state == '0')
		return MW_FREEZE_THAWED;
	return s->touched ? MW_FREEZE_KEPT : MW_FREEZE_NONE;
}

/* End it with a thaw, or as somebody else wants it. False: the kernel did not take the thaw. */
static bool end(struct mw_breaker *b, struct mw_seat *s, enum mw_freeze_end why)
{
	int others = by_others(b, s), r = 0;

	if (others == MW_FREEZE_NONE)
		r = mw_seat_freeze(s, "0");
	if (r && r != -ENODEV && r != -ENOENT)
		return false;
	forget(b, s);
	tell(b, s, others > MW_FREEZE_NONE ? (enum mw_freeze_end)others : why);
	return true;
}

void mw_breaker_freeze_release(struct mw_breaker *b, struct mw_seat *s)
{
	if (!s->held || end(b, s, MW_FREEZE_RELEASED))
		return;
	mw_seat_thaw(s);
	forget(b, s);
	tell(b, s, MW_FREEZE_RELEASED);
}

/* ---- the beginning, and the time between ---- */

static enum mw_freeze_end begin(struct mw_breaker *b, struct mw_seat *s)
{
	char state = 0;

	if (s->freeze < 0 || !s->may_lift || b->env.dry_run || pread(s->freeze, &state, 1, 0) < 0)
		return MW_FREEZE_CANNOT;
	if (state != '0')
		return MW_FREEZE_ELSE;
	if (!b->env.table || !mw_keeper_mark_frozen(b->env.table, s->slot, s->cgroup_id, true))
		return MW_FREEZE_CANNOT; /* nobody could thaw it if we died */
	b->held[b->n_held++] = s->slot;
	s->held = true;
	s->touched = false;
	tell_keeper(b);
	if (mw_seat_freeze(s, "1")) {
		mw_seat_thaw(s);
		forget(b, s);
		return MW_FREEZE_CANNOT;
	}
	watch(b, s);
	return MW_FREEZE_BEGAN;
}

void mw_breaker_freeze_begin(struct mw_breaker *b, struct mw_seat *s, const struct mw_breaker_request *q)
{
	__u64 now = mw_now_ns();
	enum mw_freeze_end how;

	if (s->held)
		return;
	if (s->active) /* what was followed until now is told by itself */
		mw_breaker_end(b, s);
	s->held_until_ns = q->until_ns;
	s->held_next_ns = now + STEP_NS;
	s->enough = q->enough;
	if (mw_cgroup_read_u64(s->dir, "memory.current", &s->before))
		s->before = 0;
	/* Its time counts from the request on. */
	how = q->time_ns <= s->let_go_ns || now >= q->until_ns ? MW_FREEZE_RELEASED : begin(b, s);
	tell(b, s, how);
}

static void step(struct mw_breaker *b, struct mw_seat *s, __u64 now)
{
	int others = by_others(b, s);
	__u64 used;

	if (others < 0) {
		mw_breaker_release(b, s);
		return;
	}
	s->held_next_ns = now + STEP_NS < s->held_until_ns ? now + STEP_NS : s->held_until_ns;
	if (others > MW_FREEZE_NONE || now >= s->held_until_ns) {
		if (!end(b, s, MW_FREEZE_TIME))
			s->held_next_ns = now + RETRY_NS;
	} else if (!mw_cgroup_read_u64(s->dir, "memory.current", &used) && used < s->enough) {
		end(b, s, MW_FREEZE_ENOUGH); /* not taken: at the next look */
	}
}

void mw_breaker_freeze_step_all(struct mw_breaker *b)
{
	/* Backwards: whose hold ends gives its place to the last one, which had its look. */
	for (__u32 i = b->n_held; i-- > 0;) {
		struct mw_seat *s = &b->seats[b->held[i]];
		__u64 now = mw_now_ns();

		if (now >= s->held_next_ns)
			step(b, s, now);
	}
}

__u64 mw_breaker_freeze_next(const struct mw_breaker *b)
{
	__u64 next = ~0ULL;

	for (__u32 i = 0; i < b->n_held; i++) {
		const struct mw_seat *s = &b->seats[b->held[i]];

		next = s->held_next_ns < next ? s->held_next_ns : next;
	}
	return next;
}

/* ---- the loop's side ---- */

int mw_breaker_freeze(struct mw_breaker *b, __u32 slot, __u64 enough, __u64 until_ns, __u64 time_ns)
{
	struct mw_breaker_request q = {.slot = slot, .time_ns = time_ns, .until_ns = until_ns, .enough = enough};

	if (slot >= b->max_workers || !until_ns)
		return -EINVAL;
	q.cgroup_id = __atomic_load_n(&b->seats[slot].cgroup_id, __ATOMIC_ACQUIRE);
	if (!q.cgroup_id)
		return -ENOENT;
	return mw_breaker_request(b, &q) ? 0 : -EAGAIN;
}

void mw_breaker_let_go(struct mw_breaker *b, __u32 slot)
{
	pthread_mutex_lock(&b->lock);
	if (slot < b->max_workers && b->seats[slot].cgroup_id) {
		b->seats[slot].let_go_ns = mw_now_ns();
		mw_breaker_freeze_release(b, &b->seats[slot]);
	}
	pthread_mutex_unlock(&b->lock);
}
