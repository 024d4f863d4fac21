/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The keeper's look at the daemon: does it beat? While it does, the next look is at the moment its next
 * beat would be overdue: one for each beat. From then on it is looked at more often, for
 * silence counts only as far as we were there to see it: a machine that was stopped or starved for a while has not
 * let the daemon run either.
 */
#include <sys/timerfd.h>

#include "core/keeper_impl.h"
#include "core/proc.h"
#include "util/clock.h"

#define UNSEEN (~0ULL)

static __u64 least(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

/* How long the daemon may be silent now. */
static __u64 patience(const struct keeper *k, __u64 now)
{
	const struct mw_keeper_table *t = k->hold.table;

	if (k->terminating || mw_keeper_load(&t->stopping))
		return MW_KEEPER_STOP_NS;
	if (!k->beat || mw_keeper_load(&t->busy_until_ns) > now)
		return MW_KEEPER_START_NS;
	return MW_KEEPER_TIMEOUT_NS;
}

/* seen: how much of the time since the last look counts. */
static void on_beat(struct keeper *k, __u64 beat, __u64 now, __u64 seen)
{
	if (!k->beat)
		mw_keeper_notify("READY=1\nSTATUS=Guarding, daemon %d", k->pid);
	else if (k->reload_beats && !--k->reload_beats)
		mw_keeper_notify("READY=1");
	k->beat = beat;
	/* It came after our last look, whatever a sick daemon writes. */
	k->silence_ns = beat < now ? least(now - beat, seen) : 0;
	k->slow_ns = 0;
	k->cpu_ns = UNSEEN;
	k->worked = true;
}

void mw_keeper_watchdog(struct keeper *k, __u64 now)
{
	if (!k->watchdog_ns || now - k->watched_ns < k->watchdog_ns / 4)
		return;
	mw_keeper_notify("WATCHDOG=1");
	k->watched_ns = now;
}

/* Until the next look. */
static __u64 rest(const struct keeper *k, __u64 now)
{
	bool awaited = !k->beat || k->reload_beats || k->terminating || k->hung ||
		       k->late_ns; /* a first beat, an end, a thaw */
	__u64 wait = MW_KEEPER_TICK_NS, most = patience(k, now);

	if (!awaited && k->silence_ns < MW_KEEPER_CALM_NS)
		wait = MW_KEEPER_CALM_NS - k->silence_ns;
	if (k->silence_ns <= most) /* not later than the moment that decides */
		wait = least(wait, most - k->silence_ns + 1);
	if (k->watchdog_ns)
		wait = least(wait, k->watchdog_ns / 8);
	return wait;
}

static void look_at(struct keeper *k, __u64 when)
{
	const struct itimerspec once = {.it_value = {(time_t)(when / MW_NS_PER_S), (long)(when % MW_NS_PER_S)}};

	k->next_ns = when;
	timerfd_settime(k->timer_fd, TFD_TIMER_ABSTIME, &once, NULL);
}

void mw_keeper_look_soon(struct keeper *k)
{
	__u64 soon = mw_now_ns() + MW_KEEPER_TICK_NS;

	if (k->next_ns > soon)
		look_at(k, soon);
}

/* As silence, it counts only as far as we were there to see it. */
static bool late_thaw(struct keeper *k, __u64 now, __u64 seen)
{
	__u32 by = __atomic_load_n(&k->hold.table->thaw_by_ms, __ATOMIC_ACQUIRE);

	if (!by || (__s32)((__u32)(now / MW_NS_PER_MS) - by) <= 0)
		k->late_ns = 0;
	else
		k->late_ns += least(seen, (__u64)((__u32)(now / MW_NS_PER_MS) - by) * MW_NS_PER_MS);
	return k->late_ns > MW_KEEPER_THAW_LATE_MS * MW_NS_PER_MS;
}

/*
 * Not silent but slow. It wants a processor and gets less than half of one: a machine with too much to do, and a second
 * daemon would not be served any better. Or it has one, and a step takes long: where a host takes time away from the
 * machine we are in, nobody here sees it; who spins without an end is found a little later. Or the kernel keeps it: to
 * move a process it waits for all processors, and could not be killed before either. Who is stopped or sleeps does not
 * look like that.
 */
static bool is_slow(struct keeper *k, __u64 seen)
{
	__u64 before = k->cpu_ns;
	char state;

	if (k->silence_ns < MW_KEEPER_CALM_NS || k->slow_ns > MW_KEEPER_STARVED_NS ||
	    mw_proc_thread("/proc", k->pid, &state, &k->cpu_ns) < 0)
		return false;
	if (state == 'D')
		return true;
	return state == 'R' && before != UNSEEN && (k->cpu_ns - before < seen / 2 || k->slow_ns <= MW_KEEPER_SPUN_NS);
}

enum mw_keeper_sight mw_keeper_look(struct keeper *k)
{
	__u64 now = mw_now_ns(), beat = mw_keeper_load(&k->hold.table->heartbeat_ns);
	__u64 seen = now - k->tick_ns;

	if (now > k->next_ns + MW_KEEPER_TICK_NS) /* late: not held against the daemon */
		seen = least(seen, 2 * MW_KEEPER_TICK_NS);
	if (beat == k->beat && is_slow(k, seen))
		k->slow_ns += seen;
	else
		k->silence_ns += seen;
	k->tick_ns = now;
	if (beat && beat != k->beat)
		on_beat(k, beat, now, seen);
	mw_keeper_watchdog(k, now);
	look_at(k, now + rest(k, now));
	if (k->hung)
		return MW_KEEPER_WELL; /* nothing more can be done about it */
	if (k->kill_at_ns && now >= k->kill_at_ns)
		return MW_KEEPER_OVERTIME;
	if (late_thaw(k, now, seen))
		return MW_KEEPER_FROZEN;
	return k->silence_ns > patience(k, now) ? MW_KEEPER_SILENT : MW_KEEPER_WELL;
}
