/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The breaker's hand: look, lift, pulse. Nothing here allocates; what is used
 * at each event stays open. cgroup.threads does not: an open iterator would pin tasks and a page per worker.
 */
#include "daemon/breaker_seat.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define FOLLOW_NS   (3 * MW_NS_PER_S) /* longer than any one sleep (2 s) */
#define FOLLOW_MAX  (6 * MW_NS_PER_S) /* then it is told, even if more events come: the next begins a new one */
#define FOLLOW_STEP (3 * MW_NS_PER_MS)
#define AWAY_LOOKS  8 /* looks without a sleeper that end a following: 24 ms; a sleep may begin late (7.3) */
#define POLLED_NS   (300 * MW_NS_PER_MS)
#define POLLED_STEP (4 * MW_NS_PER_MS)
#define POLLED_SLOW                                                                                                    \
	(16 * MW_NS_PER_MS) /* a worker whose reclaim succeeds moves memory.events without ever sleeping               \
			     */
#define POLLED_LOOKS 75 /* looks without a sleeper before the slow step */
#define MAX_PULSES   100 /* of one following: who sleeps on exceeds a limit that is not ours to lift, below or above */
#define THAW_TRIES   200 /* of 1 ms */

static bool gone(int r)
{
	return r == -ENODEV || r == -ENOENT;
}

static int put(int fd, const char *value, size_t length)
{
	return pwrite(fd, value, length, 0) < 0 ? -errno : 0;
}

/* Opened and read once: poll tells changes since the last read. */
static int open_events(int dir, const char *file)
{
	_cleanup_close_ int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	char buf[512];

	if (fd < 0 || pread(fd, buf, sizeof(buf), 0) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int mw_seat_open(struct mw_seat *s, int dir_fd, bool poll_events)
{
	_cleanup_close_ int dir = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3), high = -1, freeze = -1, events = -1;

	if (dir < 0)
		return -errno;
	high = openat(dir, "memory.high", O_RDWR | O_CLOEXEC);
	if (high < 0)
		return -errno;
	if (poll_events) {
		events = open_events(dir, "memory.events");
		if (events < 0)
			return events;
	}
	freeze = openat(dir, "cgroup.freeze", O_RDWR | O_CLOEXEC);
	if (freeze < 0 && errno != ENOENT) /* before 5.2 there is none: lifting alone, then */
		return -errno;
	s->dir = TAKE_FD(dir);
	s->high = TAKE_FD(high);
	s->freeze = TAKE_FD(freeze);
	s->events = TAKE_FD(events);
	return 0;
}

int mw_above_open(struct mw_above *a, int dir_fd, bool poll_events)
{
	_cleanup_close_ int dir = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3), high = -1, events = -1;

	if (dir < 0)
		return -errno;
	high = openat(dir, "memory.high", O_RDWR | O_CLOEXEC);
	if (high < 0)
		return -errno;
	if (poll_events)
		events = open_events(dir, "memory.events.local"); /* .events moves with every worker below */
	a->dir = TAKE_FD(dir);
	a->high = TAKE_FD(high);
	a->events = TAKE_FD(events);
	return 0;
}

void mw_seat_close(struct mw_seat *s)
{
	mw_close(&s->dir);
	mw_close(&s->high);
	mw_close(&s->freeze);
	mw_close(&s->events);
}

void mw_above_close(struct mw_above *a)
{
	mw_close(&a->dir);
	mw_close(&a->high);
	mw_close(&a->events);
}

static void follow_until(struct mw_seat *s, __u64 until_ns)
{
	if (until_ns > s->began_ns + FOLLOW_MAX)
		until_ns = s->began_ns + FOLLOW_MAX;
	if (until_ns > s->until_ns)
		s->until_ns = until_ns;
}

void mw_seat_begin(struct mw_seat *s, pid_t tid, __u64 time_ns, __u64 now_ns)
{
	if (!s->active) {
		s->active = true;
		s->polled = !tid;
		s->lifted = false;
		s->lifted_above = s->first_ns = s->asleep_ns = s->slept_ns = 0;
		s->until_ns = s->pulses = s->away = s->next_tid = 0;
		s->sleeper = 0;
		for (int i = 0; i < MW_SEAT_TIDS; i++)
			s->tids[i] = 0;
		s->began_ns = time_ns;
		s->next_ns = now_ns;
	}
	follow_until(s, now_ns + (tid ? FOLLOW_NS : POLLED_NS));
	if (!tid)
		return;
	s->polled = false;
	s->away = 0;
	s->next_ns = now_ns;
	s->tids[s->next_tid++ % MW_SEAT_TIDS] = tid;
}

bool mw_above_over(const struct mw_above *a)
{
	__u64 current, high;

	return !mw_cgroup_read_u64(a->dir, "memory.high", &high) && high != MW_UNLIMITED &&
	       !mw_cgroup_read_u64(a->dir, "memory.current", &current) && current > high;
}

int mw_seat_lift(struct mw_seat *s, const struct mw_seat_env *env)
{
	if (!s->may_lift)
		return 0;
	if (!env->dry_run) {
		int r = put(s->high, "max", 3);

		if (r)
			return r;
	}
	s->lifted = true;
	for (unsigned i = 0; i < s->n_above; i++) {
		const struct mw_above *a = &env->above[s->above[i]];

		if (!mw_above_over(a))
			continue;
		if (env->dry_run || !put(a->high, "max", 3))
			s->lifted_above = a->cgroup_id;
	}
	return 0;
}

int mw_seat_freeze(const struct mw_seat *s, const char *value)
{
	return put(s->freeze, value, 1);
}

int mw_seat_thaw(const struct mw_seat *s)
{
	int r = -EINVAL;

	for (int i = 0; i < THAW_TRIES; i++) {
		r = put(s->freeze, "0", 1);
		if (!r || gone(r))
			return r;
		poll(NULL, 0, 1);
	}
	return r;
}

/* Freeze and thaw: thawing wakes the sleepers. 1: done, 0: must not be, -errno. */
static int pulse(const struct mw_seat *s, const struct mw_seat_env *env)
{
	char state = 0;
	int r;

	if (s->freeze < 0 || !s->may_lift || env->dry_run || s->pulses >= MAX_PULSES)
		return 0; /* without a lift they would only go back to sleep */
	if (pread(s->freeze, &state, 1, 0) < 0)
		return -errno;
	if (state != '0')
		return 0; /* somebody else's freeze */
	if (env->table && !mw_keeper_mark_frozen(env->table, s->slot, s->cgroup_id, true))
		return 0; /* nobody could thaw it if we died */
	r = put(s->freeze, "1", 1);
	if (!r || !gone(r))
		r = mw_seat_thaw(s);
	if (env->table && (!r || gone(r)))
		mw_keeper_mark_frozen(env->table, s->slot, s->cgroup_id, false);
	return r ? r : 1;
}

/* A sleeper's tid, 0 for none, -errno. */
static pid_t look(struct mw_seat *s, const struct mw_seat_env *env)
{
	pid_t tid = 0;
	ssize_t n;

	for (int i = 0; i < MW_SEAT_TIDS; i++)
		if (s->tids[i] && mw_proc_throttled(env->proc_root, s->tids[i]) == 1)
			return s->tids[i];
	n = mw_cgroup_throttled(env->proc_root, s->dir, &tid, 1);
	return n < 0 ? (pid_t)n : tid;
}

static int on_sleeper(struct mw_seat *s, const struct mw_seat_env *env, pid_t tid, __u64 now_ns)
{
	int r;

	if (!s->first_ns)
		s->first_ns = s->polled ? now_ns : s->began_ns;
	if (!s->asleep_ns)
		s->asleep_ns = s->slept_ns ? now_ns : s->first_ns;
	s->sleeper = tid;
	s->away = 0;
	/* Every time: between two looks memory.high may have been set again. */
	r = mw_seat_lift(s, env);
	if (!r)
		r = pulse(s, env);
	s->pulses += r > 0;
	if (s->polled)
		follow_until(s, now_ns + POLLED_NS);
	return r < 0 ? r : 0;
}

static void on_none(struct mw_seat *s, __u64 now_ns)
{
	if (s->asleep_ns && now_ns - s->asleep_ns > s->slept_ns)
		s->slept_ns = now_ns - s->asleep_ns;
	s->asleep_ns = 0;
	s->away++;
}

static __u64 step_ns(const struct mw_seat *s)
{
	if (!s->polled)
		return FOLLOW_STEP;
	return s->away > POLLED_LOOKS ? POLLED_SLOW : POLLED_STEP;
}

int mw_seat_step(struct mw_seat *s, const struct mw_seat_env *env, __u64 now_ns)
{
	pid_t tid = look(s, env);
	__u64 took;

	if (gone(tid))
		return -ENODEV;
	if (tid > 0) {
		if (gone(on_sleeper(s, env, tid, now_ns)))
			return -ENODEV;
	} else {
		on_none(s, now_ns);
	}
	/* A worker with thousands of threads takes long to look at: no more than a third of our time for it. */
	took = mw_now_ns() - now_ns;
	s->next_ns = now_ns + (3 * took > step_ns(s) ? 3 * took : step_ns(s));
	if (now_ns >= s->until_ns)
		return 0;
	return s->polled || s->away < AWAY_LOOKS;
}

bool mw_seat_end(struct mw_seat *s, bool dry_run, __u64 now_ns, struct mw_breaker_report *ret_report)
{
	s->active = false;
	if (s->asleep_ns && now_ns - s->asleep_ns > s->slept_ns)
		s->slept_ns = now_ns - s->asleep_ns;
	if (!s->first_ns && !s->lifted)
		return false;
	*ret_report = (struct mw_breaker_report){
		.slot = s->slot,
		.cgroup_id = s->cgroup_id,
		.time_ns = s->first_ns ? s->first_ns : s->began_ns,
		.slept_ns = s->slept_ns,
		.pulses = s->pulses,
		.lifted = s->lifted,
		.lifted_above = s->lifted_above,
		.dry_run = dry_run,
		.tid = s->sleeper,
	};
	return true;
}
