/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The way of one event, on one screen: kernel event -> worker -> verdict ->
 * action -> told. What each step does in detail is in the file of that step.
 */
#include "daemon/guard.h"

#include <errno.h>
#include <string.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "core/usage.h"
#include "daemon/recording.h"
#include "daemon/otlp.h"
#include "daemon/unit.h"
#include "report/json.h"
#include "report/pause.h"
#include "report/text.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define SINGLE_BUDGET_NS (20 * MW_NS_PER_MS) /* of one look, for attached cgroups: the loop must go on */
#define STALE_NS	 (2 * MW_NS_PER_S) /* a sample this old is no look at all */
#define DROP_NS		 (150 * MW_NS_PER_MS) /* a drop to less than half is doubted for this long */
#define KILL_NS		 (1500 * MW_NS_PER_MS) /* any drop, after a kill by the kernel */
#define FRESH_NS	 (20 * MW_NS_PER_MS) /* a look this young is not repeated: a hundred clients may ask at once */
#define LOOKS_A_BEAT	 64
#define EVENTS_A_BEAT	 64
#define PAUSE_TOLD_NS	 (10 * MW_NS_PER_S)
#define CPU_READS	 64 /* of cpu.stat in one check: the others have their turn in the next */
#define WOKEN_BYTES	 (4ULL << 20) /* growth that ends a hibernation, or a quarter of what was left */

/* What the worker could still swap out, bytes. */
static __u64 swap_left(const struct mw_guard *g, const struct mw_worker *w)
{
	__u64 own = w->limits.swap_max;

	if (own != MW_UNLIMITED)
		own = own > w->usage.swapped ? own - w->usage.swapped : 0;
	return own < g->swap_free ? own : g->swap_free;
}

/*
 * A long pause: whose limit, who filled it. At most one line in ten seconds and worker; the event stream has them all.
 */
static void on_pause(struct mw_guard *g, struct mw_worker *w, const struct mw_event *e)
{
	const struct mw_fact fact = {.reason = mw_pause_name(e->kind),
				     .pause_ns = e->duration_ns,
				     .pid = (pid_t)e->pid};
	struct mw_cause cause = mw_stall_cause(g, w, e);
	char text[384];

	mw_tell_json(g->tell, mw_event_name(e->type), mw_json_pause_event(e, w, &cause, g->boot_offset_ns), true);
	mw_recording_pause(g, w, e, &cause);
	if (w->pause_told_ns && e->time_ns - w->pause_told_ns < PAUSE_TOLD_NS)
		return;
	w->pause_told_ns = e->time_ns;
	mw_tell_log(g->tell, LOG_NOTICE, "pause", w, &fact, mw_text_pause(w, e, &cause, text, sizeof(text)));
}

/* Whoever wrote it may have read a clock of another processor. */
static void note_latency(struct mw_guard *g, __u64 time_ns, __u64 now_ns)
{
	mw_pause_count(&g->timings.latency, now_ns > time_ns ? now_ns - time_ns : 0);
}

void mw_guard_on_event(const struct mw_event *e, void *guard)
{
	struct mw_guard *g = guard;
	struct mw_worker *w = mw_worker_by_id(&g->workers, e->cgroup_id);

	note_latency(g, e->time_ns, mw_now_ns());
	if (g->events_seen++ % EVENTS_A_BEAT == 0) /* a full ring takes a while to read */
		mw_keeper_beat(g->keeper, mw_now_ns());
	if (e->type == MW_EVENT_NEWCOMER)
		mw_newcomers_event(g, e);
	if (!w) /* detached or ended meanwhile */
		return;
	/* Pauses tell themselves, OOM kills are kept; the rest are counted and go to followers only. */
	if (e->type == MW_EVENT_OOM || (e->type != MW_EVENT_PAUSE && mw_teller_followed(g->tell)))
		mw_tell_json(g->tell, mw_event_name(e->type), mw_json_event(e, w, g->boot_offset_ns),
			     e->type == MW_EVENT_OOM);
	else if (e->type != MW_EVENT_PAUSE)
		mw_teller_pass(g->tell);
	switch (e->type) {
	case MW_EVENT_THROTTLE:
		if (w->profile.policy != MW_POLICY_OBSERVE)
			mw_breaker_throttle(g->breaker, w->slot, (pid_t)e->tid, e->time_ns);
		w->pace.lift_ns = e->time_ns;
		break;
	case MW_EVENT_NEAR_HIGH:
		if (w->profile.policy != MW_POLICY_OBSERVE && !mw_pacer_near(g, w, mw_now_ns()) &&
		    mw_usage_unreclaimable(&w->usage, swap_left(g, w), g->cfg.monitor.near_high))
			mw_breaker_near(g->breaker, w->slot, e->time_ns);
		break;
	case MW_EVENT_EXEC:
		if (w->starting) /* not at the fork: run's command may be none, and then there never was a worker */
			mw_life_started(g, w, (pid_t)e->pid);
		else
			mw_newcomers_child(g, w, e);
		break;
	case MW_EVENT_EXIT:
		if ((pid_t)e->pid == w->main_pid && !w->main_gone)
			w->main_status = (int)e->value;
		break;
	case MW_EVENT_OOM:
		mw_recording_oom(g, w, e);
		w->oom_host |= !(e->flags & MW_OOM_MEMCG);
		w->oom_told += e->flags & MW_OOM_MEMCG;
		w->oom_ns = mw_now_ns();
		break;
	case MW_EVENT_RELEASE:
		if (e->value == e->cgroup_id)
			mw_life_look(g, w);
		break;
	case MW_EVENT_PAUSE:
		on_pause(g, w, e);
		break;
	case MW_EVENT_LIMIT:
		mw_hold_written(g, w, e);
		break;
	default:
		break;
	}
}

void mw_guard_on_report(struct mw_guard *g, const struct mw_breaker_report *r)
{
	struct mw_worker *w = mw_worker_by_id(&g->workers, r->cgroup_id);
	char text[256];
	__u64 least;

	mw_share_lifted(g, r->dry_run ? 0 : r->lifted_above); /* its worker may have ended meanwhile */
	if (!w || w->slot != r->slot)
		return;
	if (r->freeze) {
		mw_freeze_report(g, w, r);
		return;
	}
	w->pulses += r->pulses;
	w->squeeze.throttled = r->slept_ns > 0;
	if (!r->lifted || (w->squeeze.lifted && !w->squeeze.untold))
		return;
	w->squeeze.lifted = !r->dry_run;
	w->squeeze.untold = false;
	w->squeeze.lifted_ns = mw_now_ns();
	w->squeeze.raised = r->dry_run ? w->squeeze.raised : 0;
	/* The last sample may be half a second old: a sleeper was over high, a near one close to it. */
	least = w->limits.high - (r->slept_ns || r->tid ? 0 : g->cfg.monitor.near_high);
	w->squeeze.usage_at_lift = w->usage.current > least ? w->usage.current : least;
	mw_totals_lift(g, w);
	if (w->unit && !r->dry_run) /* or the next daemon-reload brings it back */
		mw_unit_wish(g, w, 0);
	if (!r->dry_run)
		mw_notice_step(w, MW_RUNG_LIFT, w->squeeze.usage_at_lift);
	if (mw_rung_allowed(MW_RUNG_FREEZE, w->profile.policy)) /* soon enough to see what the lift did */
		mw_loop_look_in(g, MW_SQUEEZE_KILL_NS + MW_NS_PER_MS);
	mw_notice_look(g, w, w->squeeze.lifted_ns);
	mw_tell(g->tell, LOG_NOTICE, "lifted", w, "%s",
		mw_text_lift(w, r->slept_ns, r->pulses, r->dry_run, text, sizeof(text)));
	mw_act_incident(g, w,
			&(struct mw_incident){
				.reason = MW_REASON_LIFT, .wall_ns = mw_wall_ns(), .wait_status = -1, .killed_by = ""});
}

bool mw_guard_may_act(struct mw_guard *g, __u64 now_ns)
{
	if (now_ns - g->actions_window_ns > 60 * MW_NS_PER_S) {
		g->actions_window_ns = now_ns;
		g->actions_in_window = 0;
	}
	if (g->actions_in_window >= g->cfg.monitor.actions_per_minute) {
		if (g->actions_in_window++ == g->cfg.monitor.actions_per_minute)
			mw_say(g->tell, LOG_WARNING,
			       "%u interventions in this minute: no more until it is over (actions_per_minute)",
			       g->cfg.monitor.actions_per_minute);
		return false;
	}
	g->actions_in_window++;
	return true;
}

/* One worker's figures: the iterator's, else the cgroup's files, else the sum over its processes. */
static int look(struct mw_guard *g, struct mw_worker *w, __u64 now_ns, struct mw_usage *ret_usage)
{
	bool passes = mw_kernel_has(g->kernel, MW_CAP_STATISTICS); /* else heap and bin are 0 in what a pass sees */
	bool single = passes && w->subtree >= 0; /* attached: sampled in its turn, which may not have come */
	struct mw_sample s;
	int r;

	if (!g->has_memory)
		return mw_usage_from_processes("/proc", w->dir_fd, ret_usage);
	r = passes ? mw_kernel_sample_read(g->kernel, w->slot, w->cgroup_id, &s) : -EOPNOTSUPP;
	if (r < 0 && single)
		return r;
	/* Without the pass, or where it does not get: one file after the other, thirty times the price. */
	if (r < 0 || (!single && s.time_ns + STALE_NS < now_ns))
		r = mw_cgroup_sample(w->dir_fd, &s);
	if (r < 0)
		return r;
	mw_usage_from_sample(&s, ret_usage);
	if (s.peak > w->peak)
		w->peak = s.peak;
	return 0;
}

/*
 * A worker that dies gives its memory back before its cgroup is empty, and a sample may fall in between: what it had
 * used must stay its last word. So a usage that has halved is believed when it is still there a moment later; one that
 * is less at all, some time after a kill by the kernel, and after one of ours never.
 */
static bool is_dying(struct mw_worker *w, const struct mw_usage *now, __u64 now_ns)
{
	if (now->events[MW_MEMCG_OOM_KILL] > w->usage.events[MW_MEMCG_OOM_KILL])
		w->oom_ns = now_ns;
	if (now->current < w->usage.current &&
	    (w->killed_by != MW_REASON_EXIT || (w->oom_ns && now_ns - w->oom_ns < KILL_NS)))
		return true;
	if (!w->was_populated || now->current >= w->usage.current / 2) {
		w->drop_seen_ns = 0;
		return false;
	}
	if (mw_cgroup_populated(w->dir_fd) == 0)
		return true;
	if (!w->drop_seen_ns)
		w->drop_seen_ns = now_ns;
	return now_ns - w->drop_seen_ns < DROP_NS;
}

/* Hibernation: once a squeeze, done where it is on, recommended where it is off. */
static void consider_hibernation(struct mw_guard *g, struct mw_worker *w, __u64 now_ns)
{
	bool told = w->hibernate_told, allowed = mw_rung_allowed(MW_RUNG_RECLAIM, w->profile.policy);
	char text[256];

	w->hibernate_waits = g->cfg.monitor.enable_hibernation && allowed && w->check.hibernate && !told &&
			     mw_notice_waits(w, now_ns);
	if (w->hibernate_waits)
		return;
	w->hibernate_told = w->check.hibernate;
	if (!w->check.hibernate || told || w->busy)
		return;
	if (!g->cfg.monitor.enable_hibernation || !allowed)
		mw_tell(g->tell, LOG_NOTICE, "hibernate-recommended", w, "%s",
			mw_text_recommend(w, text, sizeof(text)));
	else if (mw_guard_may_act(g, now_ns))
		mw_act_do(g, w, MW_ACT_HIBERNATE, MW_REASON_HIBERNATE, w->dry_run, NULL, NULL);
}

static void after_look(struct mw_guard *g, struct mw_worker *w, const struct mw_usage *now, __u64 now_ns)
{
	enum mw_squeeze verdict;

	w->usage = *now;
	mw_hold_untold_lift(g, w, now_ns);
	mw_hold_look(g, w, false, now_ns);
	if (w->usage.current > w->peak)
		w->peak = w->usage.current;
	mw_recording_look(w);
	mw_judge_sample(g, w);
	mw_pacer_consider(g, w, now_ns);
	w->check = mw_verdict_check(&w->usage, &w->profile, &g->cfg.monitor);
	mw_notice_look(g, w, now_ns);
	if (w->usage.current > w->hibernated_left + w->hibernated_left / 4 + WOKEN_BYTES)
		w->hibernated = false;
	if (w->hibernate_waits)
		consider_hibernation(g, w, now_ns);
	mw_freeze_look(g, w, now_ns);
	mw_squeeze_note(&w->squeeze, w->usage.current, w->limits.high, now_ns);
	verdict = mw_verdict_squeeze(&w->squeeze, &w->usage, w->limits.high, w->profile.policy, now_ns);
	switch (mw_freeze_next(&w->freeze, &w->usage, &w->profile, verdict, now_ns)) {
	case MW_SQUEEZE_RESTORE:
		mw_act_restore_high(g, w);
		break;
	case MW_SQUEEZE_FREEZE:
		mw_freeze_start(g, w, now_ns);
		break;
	case MW_SQUEEZE_KILL:
		if (!w->busy && !mw_freeze_others(w) && !mw_notice_waits(w, now_ns) && mw_guard_may_act(g, now_ns))
			mw_act_do(g, w, MW_ACT_KILL, MW_REASON_SQUEEZE, w->dry_run, NULL, NULL);
		break;
	default: /* lifting is the breaker's: it does not wait for a sample */
		break;
	}
}

void mw_guard_sample(struct mw_guard *g, enum mw_sample_depth depth, __u64 now_ns)
{
	struct mw_worker *w, *next;
	unsigned looked = 0;
	__u64 swap_total;

	if (g->last_sample_ns && now_ns - g->last_sample_ns < FRESH_NS && depth <= g->last_depth)
		return;
	/* What it does not reach is noticed by the age of its sample. */
	if (mw_kernel_has(g->kernel, MW_CAP_SAMPLE_ITER))
		mw_kernel_sample_within(g->kernel, depth, SINGLE_BUDGET_NS);
	if (mw_proc_swap("/proc", &swap_total, &g->swap_free) < 0)
		g->swap_free = 0;
	HASH_ITER (by_id, g->workers.by_id, w, next) {
		struct mw_usage now;
		int r = look(g, w, now_ns, &now);

		if (++looked % LOOKS_A_BEAT == 0) /* where each takes long, all of them are no silence */
			mw_keeper_beat(g->keeper, mw_now_ns());
		if (r == -ENOENT || r == -ENODEV)
			mw_life_end(g, w);
		else if (r >= 0 && !is_dying(w, &now, now_ns))
			after_look(g, w, &now, now_ns);
	}
	mw_judge_think(g);
	mw_share_tick(g, now_ns);
	mw_sites_remember(g);
	mw_recorder_looked(g->recorder, now_ns);
	mw_live_sampled(g, now_ns);
	g->last_sample_ns = now_ns;
	g->last_depth = depth;
}

static void say_high(struct mw_guard *g, struct mw_worker *w)
{
	char text[256];

	if (w->check.high_memory && !w->alerted)
		mw_tell(g->tell, LOG_WARNING, "memory-high", w, "%s", mw_text_high(w, text, sizeof(text)));
	else if (!w->check.high_memory && w->alerted)
		mw_tell(g->tell, LOG_INFO, "memory-normal", w, "%s", mw_text_normal(w, text, sizeof(text)));
	w->alerted = w->check.high_memory;
}

static void consider_bin(struct mw_guard *g, struct mw_worker *w, __u64 now_ns)
{
	bool was_over = w->bin_told;
	char text[256];

	w->bin_told = w->check.over_bin;
	if (!w->check.over_bin)
		return;
	if (!was_over) {
		mw_tell(g->tell, LOG_WARNING, "bin-limit", w, "%s", mw_text_bin(w, text, sizeof(text)));
		mw_notice_now(g, w, now_ns);
	}
	if (w->busy || !mw_rung_allowed(MW_RUNG_RECLAIM, w->profile.policy))
		return;
	if (!was_over && mw_guard_may_act(g, now_ns))
		mw_act_do(g, w, MW_ACT_RECLAIM_BIN, MW_REASON_BIN_LIMIT, w->dry_run, NULL, NULL);
	else if (was_over && mw_rung_allowed(MW_RUNG_KILL, w->profile.policy) && !mw_notice_waits(w, now_ns) &&
		 mw_guard_may_act(g, now_ns))
		mw_act_do(g, w, MW_ACT_KILL, MW_REASON_BIN_LIMIT, w->dry_run, NULL, NULL);
}

void mw_guard_check(struct mw_guard *g, __u64 now_ns)
{
	unsigned cpu_reads = CPU_READS;
	struct mw_worker *w, *next;

	g->hold_turn++;
	mw_stall_check(g, now_ns);
	HASH_ITER (by_id, g->workers.by_id, w, next) {
		if (!w->usage.time_ns)
			continue;
		mw_judge_check(g, w);
		mw_hold_look(g, w, true, now_ns);
		mw_notice_look(g, w, now_ns);
		say_high(g, w);
		mw_judge_say(g, w);
		consider_bin(g, w, now_ns);
		consider_hibernation(g, w, now_ns);
		mw_notice_idle(g, w, &cpu_reads, now_ns);
	}
	mw_judge_siblings(g);
	mw_sites_check(g, now_ns);
	mw_objects_check(g, now_ns);
	g->last_check_ns = now_ns;
}

void mw_guard_on_done(struct mw_guard *g, const struct mw_action_result *r)
{
	/* Each knows its own, by the arg or the call it was submitted with; the rest acts on a worker. */
	static bool (*const takers[])(struct mw_guard *, const struct mw_action_result *) = {
		mw_place_done,	mw_pacer_done,	   mw_freeze_done,	   mw_unit_done,
		mw_attach_done, mw_newcomers_done, mw_act_incident_done,   mw_limits_done,
		mw_sites_done,	mw_objects_done,   mw_sites_remember_done, mw_otlp_done,
	};

	for (size_t i = 0; i < ARRAY_SIZE(takers); i++) {
		if (takers[i](g, r))
			return;
	}
	mw_act_done(g, r);
}
