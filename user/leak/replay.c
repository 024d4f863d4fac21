/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/replay.h"

#include <errno.h>

#include "util/amount.h"
#include "util/clock.h"

static const char *const names[] = {
	[MW_REPLAY_VERDICT] = "verdict", [MW_REPLAY_HIGH] = "over-high", [MW_REPLAY_HIBERNATE] = "hibernate",
	[MW_REPLAY_BIN] = "over-bin",	 [MW_REPLAY_KILLED] = "killed",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == MW_REPLAY_WHAT_MAX, "a name for everything that can happen");

const char *mw_replay_what_name(enum mw_replay_what what)
{
	return (unsigned int)what < MW_REPLAY_WHAT_MAX ? names[what] : "unknown";
}

__u64 mw_replay_needed(const struct mw_usage *u)
{
	return u->anon + u->bin;
}

void mw_replay_profile(struct mw_replay *r, const struct mw_profile *profile)
{
	r->rules.profile = *profile;
	r->limits = mw_profile_limits(profile);
	if (profile->policy == MW_POLICY_OBSERVE) /* which sets none */
		r->limits.max = r->limits.high = MW_UNLIMITED;
}

int mw_replay_begin(struct mw_replay *r, const struct mw_replay_rules *rules, mw_replay_event_fn event, void *arg)
{
	*r = (struct mw_replay){.rules = *rules, .event = event, .arg = arg};
	mw_replay_profile(r, &rules->profile);
	return mw_series_init(&r->history, rules->monitor.max_history);
}

static void tell(struct mw_replay *r, enum mw_replay_what what, __u64 time_ns, __u64 bytes, __u64 limit)
{
	const struct mw_replay_event e = {what, time_ns, &r->result.trend, bytes, limit};

	if (r->event)
		r->event(&e, r->arg);
}

/* What the last look stands for, until now. */
static void pass_time(struct mw_replay *r, __u64 now_ns)
{
	const struct mw_usage *u = &r->last;
	struct mw_replay_result *res = &r->result;
	__u64 ns = mw_less(now_ns, res->last_ns), cache = mw_less(u->file, u->shmem) + u->slab_reclaimable;
	__u64 above = mw_less(u->current, r->limits.high);
	double s = (double)ns / MW_NS_PER_S;

	res->last_ns += ns;
	res->used_byte_s += s * (double)u->current;
	if (res->killed_ns) {
		res->lost_byte_s += s * (double)u->current;
		res->saved_byte_s += s * (double)u->current;
		return;
	}
	if (!mw_unlimited(r->limits.max))
		res->reserved_byte_s += s * (double)r->limits.max;
	if (mw_replay_needed(u) > r->limits.high)
		res->over_high_ns += ns;
	else if (above)
		res->squeezed_ns += ns;
	res->saved_byte_s += s * (double)(above < cache ? above : cache);
}

static void kill_it(struct mw_replay *r, enum mw_reason by, __u64 bytes, __u64 limit)
{
	r->result.killed_ns = r->last.time_ns;
	r->result.killed_by = by;
	r->result.killed_bytes = bytes;
	tell(r, MW_REPLAY_KILLED, r->last.time_ns, bytes, limit);
}

/*
 * memory.high as the daemon would have had it: lifted when what cannot be reclaimed is so far over it that the kernel
 * plans sleeps (1.25 %).
 */
static void look_at_high(struct mw_replay *r)
{
	struct mw_usage u = r->last;
	__u64 high = r->limits.high;

	u.current = mw_replay_needed(&u);
	if (mw_unlimited(high))
		return;
	if (u.current > high && !r->result.high_ns) {
		r->result.high_ns = u.time_ns;
		tell(r, MW_REPLAY_HIGH, u.time_ns, u.current, high);
	}
	r->squeeze.throttled = u.current > high + high / 80;
	mw_squeeze_note(&r->squeeze, u.current, high, u.time_ns);
	switch (mw_verdict_squeeze(&r->squeeze, &u, high, r->rules.profile.policy, u.time_ns)) {
	case MW_SQUEEZE_LIFT:
		r->squeeze = (struct mw_squeeze_state){.lifted = true,
						       .throttled = true,
						       .lifted_ns = u.time_ns,
						       .usage_at_lift = u.current};
		r->result.lifts++;
		break;
	case MW_SQUEEZE_RESTORE:
		r->squeeze = (struct mw_squeeze_state){0};
		break;
	case MW_SQUEEZE_KILL:
		kill_it(r, MW_REASON_SQUEEZE, u.current, high);
		break;
	default:
		break;
	}
}

static void look_at_limits(struct mw_replay *r)
{
	const struct mw_usage *u = &r->last;
	struct mw_check c = mw_verdict_check(u, &r->rules.profile, &r->rules.monitor);
	__u64 needed = mw_replay_needed(u);

	if (c.hibernate && !r->result.hibernate_ns) {
		r->result.hibernate_ns = u->time_ns;
		tell(r, MW_REPLAY_HIBERNATE, u->time_ns, u->heap + u->bin, r->rules.profile.max_heap);
	}
	if (c.over_bin && !r->result.bin_ns) {
		r->result.bin_ns = u->time_ns;
		tell(r, MW_REPLAY_BIN, u->time_ns, u->bin, r->rules.profile.max_bin_heap);
	}
	if (!mw_unlimited(r->limits.max) && needed > r->limits.max)
		kill_it(r, MW_REASON_HEAP_SIZE, needed, r->limits.max);
	else
		look_at_high(r);
}

/* Strict kills for bin at the second check that sees it over, as the daemon does. */
static void check_bin(struct mw_replay *r)
{
	struct mw_check c = mw_verdict_check(&r->last, &r->rules.profile, &r->rules.monitor);
	bool was_over = r->bin_was_over;

	r->bin_was_over = c.over_bin;
	if (c.over_bin && was_over && r->rules.profile.policy == MW_POLICY_STRICT)
		kill_it(r, MW_REASON_BIN_LIMIT, r->last.bin, r->rules.profile.max_bin_heap);
}

static void check(struct mw_replay *r, __u64 time_ns, __u64 used, int said)
{
	enum mw_trend_verdict before = r->result.trend.verdict;
	struct mw_replay_result *res = &r->result;
	struct mw_trend line;

	res->checks++;
	if (!r->rules.limits_only) {
		mw_series_push(&r->history, (struct mw_point){time_ns, used});
		line = mw_trend_line(&r->history, r->rules.profile.max_heap);
		res->trend = r->rules.monitor.method == MW_METHOD_REGRESSION ? line : mw_leak_judge(&r->leak, &line);
		if (res->trend.verdict > res->most)
			res->most = res->trend.verdict;
		if (res->trend.verdict == MW_LEAK && !res->leak_ns)
			res->leak_ns = time_ns;
		if (res->trend.verdict != before)
			tell(r, MW_REPLAY_VERDICT, time_ns, used, r->rules.profile.max_heap);
		if (said >= 0 && said == (int)res->trend.verdict)
			res->as_said++;
		else if (said >= 0)
			res->not_as_said++;
	}
	check_bin(r);
}

static void judge(struct mw_replay *r, __u64 time_ns, __u64 used)
{
	mw_leak_sample(&r->leak, time_ns, used, r->rules.profile.max_heap);
	mw_leak_think(&r->leak);
}

static void raise(__u64 *peak, __u64 bytes)
{
	if (bytes > *peak)
		*peak = bytes;
}

void mw_replay_sample(struct mw_replay *r, const struct mw_usage *u)
{
	struct mw_replay_result *res = &r->result;
	__u64 used = u->heap + u->bin;

	if (!res->samples++) {
		res->first_ns = res->last_ns = u->time_ns;
		r->check_due_ns = u->time_ns + r->rules.monitor.check_interval_ns;
	}
	pass_time(r, u->time_ns);
	r->last = *u;
	raise(&res->peak_used, used);
	raise(&res->peak_needed, mw_replay_needed(u));
	raise(&res->peak_current, u->current);
	if (res->killed_ns)
		return;
	if (!r->rules.limits_only)
		judge(r, u->time_ns, used);
	look_at_limits(r);
	if (res->killed_ns || !r->rules.own_rhythm || u->time_ns < r->check_due_ns)
		return;
	/* A timer that has run out more than once meanwhile fires once. */
	r->check_due_ns += ((u->time_ns - r->check_due_ns) / r->rules.monitor.check_interval_ns + 1) *
			   r->rules.monitor.check_interval_ns;
	check(r, u->time_ns, used, -1);
}

void mw_replay_check(struct mw_replay *r, __u64 time_ns, __u64 used, int said)
{
	if (r->rules.own_rhythm || r->result.killed_ns || !r->result.samples)
		return;
	/* Of a look that was not recorded; the daemon had it. */
	if (!r->rules.limits_only && time_ns > r->last.time_ns)
		judge(r, time_ns, used);
	check(r, time_ns, used, said);
}

void mw_replay_end(struct mw_replay *r, __u64 time_ns)
{
	if (r->result.samples)
		pass_time(r, time_ns);
}

void mw_replay_free(struct mw_replay *r)
{
	mw_series_free(&r->history);
}
