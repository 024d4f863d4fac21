/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/pace.h"

#include "memweir/abi.h"
#include "util/amount.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define MIN_DT_NS   (5 * MW_NS_PER_MS) /* looks closer than this say nothing about growth */
#define MAX_DT_NS   (3 * MW_NS_PER_S) /* further apart: begin again */
#define UP_NS	    (100 * MW_NS_PER_MS) /* growth is believed within a look or two */
#define DOWN_NS	    MW_NS_PER_S /* and its end only after a second: workers grow in spurts */
#define SPURT_NS    (200 * MW_NS_PER_MS) /* what comes within two looks comes at once: no batch is in between */
#define FORGET_NS   (10 * MW_NS_PER_S) /* a large read every few seconds is still expected */
#define HEADROOM_NS (500 * MW_NS_PER_MS) /* so much growth is let through above memory.high at a time */

static __u64 clamp(__u64 value, __u64 low, __u64 high)
{
	if (value > high)
		value = high;
	return value < low ? low : value;
}

static __u64 growth(const struct mw_pace_state *s, __u64 in_ns)
{
	return (__u64)(s->rate * (double)in_ns / MW_NS_PER_S);
}

__u64 mw_pace_overage(__u64 high, __u64 budget_ns)
{
	/*
	 * mem_cgroup_handle_over_high: a batch of 64 pages sleeps 64 x (overage / high)^2 seconds. The root by halves,
	 * without libm: 20 steps are exact to a millionth of high.
	 */
	double wanted = (double)budget_ns / (64.0 * MW_NS_PER_S), low = 0, up = 1;

	for (int i = 0; i < 20; i++) {
		double mid = (low + up) / 2;

		if (mid * mid < wanted)
			low = mid;
		else
			up = mid;
	}
	return (__u64)((double)high * low);
}

bool mw_pace_reaches(__u64 current, double rate, __u64 high)
{
	if (high == MW_UNLIMITED || !high)
		return false;
	return current > high / 100 * 85 || (double)current + rate * MW_PACE_REACH_NS / MW_NS_PER_S >= (double)high;
}

bool mw_pace_quiet(const struct mw_pace_state *s, __u64 now_ns)
{
	return !s->under_way && mw_less(now_ns, s->busy_ns) >= MW_PACE_QUIET_NS;
}

/* ---- what the look tells ---- */

static void note_spurt(struct mw_pace_state *s, double taken, __u64 dt)
{
	double part = (double)dt / SPURT_NS;

	s->run = (part < 1 ? s->run * (1 - part) : 0) + (taken > 0 ? taken : 0);
	s->spurt -= s->spurt * (double)dt / FORGET_NS;
	if (s->run > s->spurt)
		s->spurt = s->run;
}

static void note_growth(struct mw_pace_state *s, const struct mw_pace_input *in)
{
	__u64 dt = mw_less(in->time_ns, s->time_ns);
	double taken, rate, weight;

	if (!s->time_ns || dt > MAX_DT_NS || in->stolen < s->stolen) {
		s->rate = s->run = s->spurt = 0;
		s->busy_ns = in->time_ns;
	} else if (dt < MIN_DT_NS) {
		return;
	} else {
		/* What was reclaimed from it and taken again shows in no difference of memory.current. */
		taken = (double)in->current - (double)s->current + (double)(in->stolen - s->stolen);
		note_spurt(s, taken, dt);
		rate = taken > 0 ? taken * MW_NS_PER_S / (double)dt : 0;
		weight = (double)dt / (double)(dt + (rate > s->rate ? UP_NS : DOWN_NS));
		s->rate += (rate - s->rate) * weight;
		if (rate >= MW_PACE_RATE_MIN)
			s->busy_ns = in->time_ns;
	}
	s->time_ns = in->time_ns;
	s->current = in->current;
	s->stolen = in->stolen;
}

static void open_window(struct mw_pace_state *s, const struct mw_pace_input *in)
{
	s->window_ns = in->time_ns;
	s->window_freed = 0;
	s->window_refaulted = in->refaulted;
	s->window_stalled = in->stalled_ns;
	s->window_paused = in->paused_ns;
	s->window_met = false;
}

static struct mw_pace_decision back_off(struct mw_pace_state *s, const struct mw_pace_input *in, enum mw_pace_why why)
{
	s->hold_ns = clamp(2 * s->hold_ns, MW_PACE_HOLD_MIN_NS, MW_PACE_HOLD_MAX_NS);
	s->hold_until_ns = in->time_ns + s->hold_ns;
	s->hold_all = why != MW_PACE_REFAULTS;
	s->window_ns = 0;
	return (struct mw_pace_decision){.kind = MW_PACE_BACK_OFF, .why = why, .hold_ns = s->hold_ns};
}

/* What our batches did to it, once there is something to judge. NONE: nothing against going on. */
static struct mw_pace_decision judge(struct mw_pace_state *s, const struct mw_pace_input *in)
{
	const struct mw_pace_decision fine = {.kind = MW_PACE_NONE};
	__u64 since = mw_less(in->time_ns, s->window_ns), stalled, paused;

	if (in->last.asked) {
		s->under_way = false;
		s->busy_ns = in->time_ns;
		if (in->last.freed < in->last.asked / 8)
			return back_off(s, in, MW_PACE_EMPTY);
	}
	if (!s->window_ns)
		return fine;
	s->window_freed += in->last.asked ? in->last.freed : 0;
	s->window_met |= in->current >= mw_less(in->high_now, MW_PACE_BATCH_MIN);
	if (since < MW_PACE_WINDOW_NS || s->window_freed < MW_PACE_WINDOW_BYTES)
		return fine;
	if (mw_less(in->refaulted, s->window_refaulted) >= s->window_freed / 2)
		return back_off(s, in, MW_PACE_REFAULTS);
	stalled = mw_less(in->stalled_ns, s->window_stalled);
	paused = mw_less(in->paused_ns, s->window_paused);
	/* Several tasks' pauses add up, PSI counts them once: of the two the one that is known and less. */
	if (paused && paused < stalled)
		stalled = paused;
	if (!s->window_met && (double)stalled >= MW_PACE_STALL_SHARE * (double)since)
		return back_off(s, in, MW_PACE_STALLS);
	s->hold_ns /= 2;
	open_window(s, in);
	return fine;
}

/* ---- what to do ---- */

static struct mw_pace_decision none(enum mw_pace_why why)
{
	return (struct mw_pace_decision){.kind = MW_PACE_NONE, .why = why};
}

static __u64 reclaimable(const struct mw_pace_input *in)
{
	return mw_less(in->cache, MW_PACE_KEEP_CACHE) + in->swappable;
}

/* With an eighth of the way left to memory.max the kernel still reclaims before it has to kill. */
static __u64 topmost(const struct mw_pace_input *in)
{
	__u64 top = in->max == MW_UNLIMITED ? 2 * in->high : in->high + mw_less(in->max, in->high) / 8 * 7;

	return top > in->high ? top : in->high;
}

/* Room for growth above what is used now: never below the wanted memory.high, never all of memory.max. */
static __u64 raised_to(const struct mw_pace_state *s, const struct mw_pace_input *in)
{
	return clamp(in->current + clamp(growth(s, HEADROOM_NS), in->high / 32, in->high), in->high, topmost(in));
}

/* memory.high comes back in steps, the last one when usage is safely below: 2 % as after a lift. */
static bool should_lower(const struct mw_pace_state *s, const struct mw_pace_input *in, __u64 *ret_high)
{
	__u64 soon = in->current + growth(s, MW_PACE_RAISE_NS), to = raised_to(s, in);

	if (in->high_now == MW_UNLIMITED || in->high_now <= in->high ||
	    mw_less(in->time_ns, s->set_ns) < MW_PACE_SETTLE_NS)
		return false;
	*ret_high = soon < in->high - in->high / 50 ? in->high : to;
	return *ret_high == in->high || to + in->high / 16 < in->high_now;
}

static bool should_raise(const struct mw_pace_state *s, const struct mw_pace_input *in, __u64 *ret_high)
{
	__u64 soon = in->current + growth(s, MW_PACE_RAISE_NS);

	if (!in->may_raise || in->high_now == MW_UNLIMITED || s->rate < MW_PACE_RATE_MIN)
		return false;
	/* Half of the budget's overage: the worker's own reclaim up to there is short. */
	if (soon <= in->high_now + mw_pace_overage(in->high_now, in->budget_ns) / 2)
		return false;
	*ret_high = raised_to(s, in);
	return *ret_high > in->high_now + in->high / 128;
}

static struct mw_pace_decision set_high(struct mw_pace_state *s, const struct mw_pace_input *in, __u64 high,
					enum mw_pace_why why)
{
	s->set_ns = in->time_ns;
	return (struct mw_pace_decision){.kind = MW_PACE_SET_HIGH, .why = why, .bytes = high};
}

/*
 * What is missing below the wanted memory.high. An eighth of it at most, since the rest is the worker's to use; a
 * quarter for who takes more than that at once.
 */
static __u64 missing(const struct mw_pace_state *s, const struct mw_pace_input *in)
{
	__u64 most = clamp((__u64)(1.25 * s->spurt), in->high / 8, in->high / 4);

	return mw_less(in->current + clamp(growth(s, MW_PACE_HORIZON_NS), MW_PACE_BATCH_MIN, most), in->high);
}

/*
 * While it wants back what was freed: no more than memory.high, as it stands, would have the worker reclaim itself
 * before we look again. That takes nothing from it that it would keep without us, and costs our time instead of its.
 */
static __u64 missing_at_once(const struct mw_pace_state *s, const struct mw_pace_input *in)
{
	__u64 top = in->high_now == MW_UNLIMITED ? topmost(in) : in->high_now;

	return mw_less(in->current + clamp(growth(s, MW_PACE_RAISE_NS), 0, in->high / 16), top);
}

static struct mw_pace_decision make_room(struct mw_pace_state *s, const struct mw_pace_input *in)
{
	__u64 need = missing(s, in), most = reclaimable(in);
	bool held = in->time_ns < s->hold_until_ns;

	if (need < MW_PACE_BATCH_MIN)
		return none(MW_PACE_ROOM);
	if (s->under_way)
		return none(MW_PACE_UNDER_WAY);
	if (held)
		need = s->hold_all ? 0 : missing_at_once(s, in);
	if (need < MW_PACE_BATCH_MIN)
		return none(MW_PACE_HELD);
	if (in->host_share >= MW_PACE_HOST_LIMIT)
		return none(MW_PACE_HOST);
	s->under_way = true;
	s->busy_ns = in->time_ns;
	if (!s->window_ns && !held)
		open_window(s, in);
	return (struct mw_pace_decision){.kind = MW_PACE_RECLAIM,
					 .why = MW_PACE_AHEAD,
					 .bytes = clamp(need < most ? need : most, MW_PACE_BATCH_MIN,
							MW_PACE_BATCH_MAX)};
}

/* So near that there is no time for another look; a program that starts grows fast far below, and stops there. */
static bool near_high(const struct mw_pace_state *s, const struct mw_pace_input *in)
{
	__u64 soon = clamp(growth(s, MW_PACE_RAISE_NS), 0, in->high / 16);

	return in->high_now != MW_UNLIMITED && in->current + soon > in->high_now;
}

static struct mw_pace_decision decide(struct mw_pace_state *s, const struct mw_pace_input *in)
{
	bool grows = s->rate >= MW_PACE_RATE_MIN;
	__u64 high = 0;

	if (should_lower(s, in, &high))
		return set_high(s, in, high, MW_PACE_FELL);
	if (!grows && in->current <= in->high)
		return none(MW_PACE_IDLE);
	if (reclaimable(in) < MW_PACE_BATCH_MIN)
		return near_high(s, in) && grows
			       ? (struct mw_pace_decision){.kind = MW_PACE_LIFT, .why = MW_PACE_NOTHING}
			       : none(MW_PACE_NOTHING);
	if (should_raise(s, in, &high))
		return set_high(s, in, high, MW_PACE_OUTRUN);
	return make_room(s, in);
}

/* Before half of what is free is used up. */
static __u64 look_again(const struct mw_pace_state *s, const struct mw_pace_input *in)
{
	__u64 room = mw_less(in->high_now == MW_UNLIMITED ? in->max : in->high_now, in->current);
	double ns;

	if (s->rate < MW_PACE_RATE_MIN)
		return MW_PACE_TICK_NS;
	ns = (double)room / 2 / s->rate * MW_NS_PER_S;
	return ns > MW_PACE_TICK_NS ? MW_PACE_TICK_NS : clamp((__u64)ns, MW_PACE_TICK_MIN_NS, MW_PACE_TICK_NS);
}

struct mw_pace_decision mw_pace_step(struct mw_pace_state *s, const struct mw_pace_input *in)
{
	struct mw_pace_decision d;

	note_growth(s, in);
	d = judge(s, in);
	if (d.kind == MW_PACE_NONE)
		d = in->allowed && in->high != MW_UNLIMITED ? decide(s, in) : none(MW_PACE_NOT_ALLOWED);
	d.next_ns = look_again(s, in);
	return d;
}

const char *mw_pace_kind_name(enum mw_pace_kind kind)
{
	static const char *const names[] = {"none", "reclaim", "set-high", "lift", "back-off"};

	_Static_assert(ARRAY_SIZE(names) == MW_PACE_KIND_MAX, "a name for each");
	return kind < MW_PACE_KIND_MAX ? names[kind] : "?";
}

const char *mw_pace_why_text(enum mw_pace_why why)
{
	static const char *const texts[] = {
		[MW_PACE_IDLE] = "it does not grow",
		[MW_PACE_ROOM] = "enough is free below memory.high",
		[MW_PACE_NOT_ALLOWED] = "it is not ours to act on",
		[MW_PACE_UNDER_WAY] = "a batch is under way",
		[MW_PACE_HELD] = "the last batches did it no good",
		[MW_PACE_HOST] = "the host is short of memory itself",
		[MW_PACE_NOTHING] = "there is nothing to reclaim",
		[MW_PACE_AHEAD] = "what it takes soon is made free",
		[MW_PACE_OUTRUN] = "it grows faster than batches free",
		[MW_PACE_FELL] = "its usage fell",
		[MW_PACE_REFAULTS] = "half of what was freed is wanted back",
		[MW_PACE_STALLS] = "it stalls for memory since",
		[MW_PACE_EMPTY] = "a batch freed next to nothing",
	};

	_Static_assert(ARRAY_SIZE(texts) == MW_PACE_WHY_MAX, "a text for each");
	return why < MW_PACE_WHY_MAX ? texts[why] : "?";
}
