/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "daemon/pacer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/pace_read.h"
#include "daemon/guard.h"
#include "daemon/unit.h"
#include "report/text_pace.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define BATCH_DEADLINE_NS (300 * MW_NS_PER_MS) /* a batch that takes longer keeps others of the worker waiting */
#define LOWER_DEADLINE_NS MW_NS_PER_S
#define LIFT_WAIT_NS	  (200 * MW_NS_PER_MS) /* until the breaker's thread has lifted and said so */
#define TELL_UNIT_NS	  MW_NS_PER_S /* PID 1 hears of a raise so much later: of several together */
#define HOST_EVERY_NS	  (500 * MW_NS_PER_MS)
#define OWN_SHARE	  5 /* no more than this part of the loop's time goes into looks */
#define SOON_NS		  (2 * MW_PACE_TICK_MIN_NS) /* a look that is due so soon needs none before it */
#define TOLD_NS		  (60 * MW_NS_PER_S) /* lines about one worker are no closer than this */
#define STEPS		  4 /* decisions of one look: held, raised, a batch */

static bool eligible(const struct mw_guard *g, const struct mw_worker *w)
{
	return g->has_memory && !g->pacer.unable && g->event && w->profile.pace && w->profile.pause_budget_ns &&
	       mw_life_limited(w) && !w->frozen_by_admin && !w->freeze.frozen && !w->busy && !w->empty_since_ns &&
	       w->limits.high != MW_UNLIMITED;
}

/* ---- the rhythm ---- */

static int on_tick(sd_event_source *src, uint64_t usec, void *arg);

static void look_in(struct mw_guard *g, __u64 in_ns)
{
	struct mw_pacer *p = &g->pacer;
	uint64_t due;
	int enabled = SD_EVENT_OFF;

	if (!p->timer) {
		if (sd_event_add_time_relative(g->event, &p->timer, CLOCK_MONOTONIC, in_ns / 1000, 1000, on_tick, g) <
		    0)
			p->timer = NULL;
		return;
	}
	sd_event_source_get_enabled(p->timer, &enabled);
	sd_event_source_get_time(p->timer, &due);
	if (enabled != SD_EVENT_OFF && due <= (mw_now_ns() + in_ns) / 1000)
		return;
	sd_event_source_set_time_relative(p->timer, in_ns / 1000);
	sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
}

static bool join(struct mw_guard *g, struct mw_worker *w)
{
	struct mw_pacer *p = &g->pacer;

	if (w->pace.candidate)
		return true;
	if (p->n == MW_PACER_MAX)
		return false;
	w->pace.candidate = true;
	w->pace.due_ns = 0; /* of an earlier time */
	p->ids[p->n++] = w->cgroup_id;
	look_in(g, MW_PACE_TICK_MIN_NS);
	return true;
}

static void leave(struct mw_guard *g, unsigned i, struct mw_worker *w)
{
	struct mw_pacer *p = &g->pacer;
	char text[256];

	p->ids[i] = p->ids[--p->n];
	if (!w)
		return;
	w->pace.candidate = false;
	if (w->pace.told)
		mw_tell_log(g->tell, LOG_INFO, "pace-over", w, NULL, mw_text_pace_over(w, text, sizeof(text)));
	w->pace.told = false;
}

/*
 * The host's pressure that is not the candidates' own: a worker that stalls at its limit, and our reclaim for it, count
 * in /proc/pressure/memory like a host that runs out of memory. Overlaps make this less than it is, never more.
 */
static void look_at_host(struct mw_guard *g, __u64 now_ns)
{
	struct mw_pacer *p = &g->pacer;
	_cleanup_close_ int fd = -1;
	__u64 total, stalled;
	char text[256];
	ssize_t n;

	if (now_ns - p->host_ns < HOST_EVERY_NS)
		return;
	fd = open("/proc/pressure/memory", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	total = mw_pace_stalled(text);
	stalled = total > p->host_stalled ? total - p->host_stalled : 0;
	stalled = stalled > p->known_stalled ? stalled - p->known_stalled : 0;
	/* After a rest the first look has nothing to compare with that is not long ago. */
	p->host_share = now_ns - p->host_ns < 10 * HOST_EVERY_NS ? (double)stalled / (double)(now_ns - p->host_ns) : 0;
	p->host_ns = now_ns;
	p->host_stalled = total;
	p->known_stalled = 0;
}

/* ---- one worker ---- */

static int fill(struct mw_guard *g, struct mw_worker *w, __u64 now_ns, struct mw_pace_input *ret)
{
	struct mw_pause_stat memstall;
	int r;

	*ret = (struct mw_pace_input){
		.time_ns = now_ns,
		.high = w->limits.high,
		.max = w->limits.max,
		.host_share = g->pacer.host_share,
		.budget_ns = w->profile.pause_budget_ns,
		.allowed = eligible(g, w),
		.may_raise = w->profile.policy == MW_POLICY_PROTECT,
	};
	r = mw_pace_read(w->dir_fd, g->swap_free, w->limits.swap_max, ret);
	if (r < 0)
		return r;
	ret->last = w->pace.ended;
	w->pace.ended = (struct mw_pace_result){0};
	if (mw_kernel_pause_read(g->kernel, w->cgroup_id, MW_PAUSE_MEMSTALL, &memstall) >= 0)
		ret->paused_ns = memstall.total_ns;
	if (w->pace.stalled_ns && ret->stalled_ns > w->pace.stalled_ns)
		g->pacer.known_stalled += ret->stalled_ns - w->pace.stalled_ns;
	w->pace.stalled_ns = ret->stalled_ns;
	/*
	 * The file is the one truth about memory.high, but while it is lifted, or about to be, it is the breaker's:
	 * a write of ours on top of that would squeeze the worker again.
	 */
	if (w->squeeze.lifted || now_ns - w->pace.lift_ns < LIFT_WAIT_NS)
		ret->high_now = MW_UNLIMITED;
	else if (ret->high_now != MW_UNLIMITED)
		w->squeeze.raised = ret->high_now > ret->high ? ret->high_now : 0;
	return 0;
}

/* From now on memory.high is the breaker's. */
static void lift(struct mw_guard *g, struct mw_worker *w, struct mw_pace_input *in)
{
	w->pace.lift_ns = in->time_ns;
	in->high_now = MW_UNLIMITED;
	mw_breaker_near(g->breaker, w->slot, in->time_ns);
}

static void reclaim(struct mw_guard *g, struct mw_worker *w, const struct mw_pace_input *in, __u64 bytes)
{
	struct mw_action a = mw_action_make(MW_ACTION_RECLAIM, w->dir_fd, w->cgroup_id, BATCH_DEADLINE_NS);
	char text[256];

	a.bytes = w->pace.batch_bytes = bytes;
	a.once = true;
	a.arg = &g->pacer;
	snprintf(a.reason, sizeof(a.reason), "pace");
	if (mw_actions_submit(g->actions, &a) < 0) {
		w->pace.state.under_way = false;
		return;
	}
	if (w->pace.told || (w->pace.told_ns && in->time_ns - w->pace.told_ns < TOLD_NS))
		return;
	w->pace.told = true;
	w->pace.told_ns = in->time_ns;
	mw_tell_log(g->tell, LOG_INFO, "paced", w, NULL, mw_text_pace_begin(w, in, text, sizeof(text)));
}

/* Second look of a lower memory.high: not when it was lifted meanwhile. */
static bool still_limited(int dir_fd, void *arg)
{
	__u64 high;

	(void)arg;
	return mw_cgroup_read_u64(dir_fd, "memory.high", &high) == 0 && high != MW_UNLIMITED;
}

/* Upwards at once, in this thread: that never blocks. Downwards as any other lower limit. */
static void set_high(struct mw_guard *g, struct mw_worker *w, struct mw_pace_input *in, __u64 high)
{
	struct mw_action a;

	if (high > in->high_now) {
		if (!still_limited(w->dir_fd, NULL) || mw_cgroup_write_u64(w->dir_fd, "memory.high", high) < 0)
			return;
		w->pace.raises++;
		w->hold.raised = high;
		if (w->unit) {
			w->unit->high = high;
			mw_unit_wish(g, w, TELL_UNIT_NS);
		}
	} else if (w->unit) {
		w->unit->high = high;
		mw_unit_wish(g, w, 0);
	} else {
		a = mw_action_make(MW_ACTION_LIMIT, w->dir_fd, w->cgroup_id, LOWER_DEADLINE_NS);
		a.writes[0] = (struct mw_action_write){"memory.high", high};
		a.n_writes = 1;
		a.mark = &mw_keeper_table(g->keeper)->slots[w->slot].high_set;
		a.still = still_limited;
		a.arg = &g->pacer;
		if (mw_actions_submit(g->actions, &a) < 0)
			return; /* again after the settling time */
	}
	w->squeeze.raised = high > w->limits.high ? high : 0;
	in->high_now = high;
}

static void say_held(struct mw_guard *g, struct mw_worker *w, const struct mw_pace_decision *d, __u64 now_ns)
{
	char text[256];

	if (!w->pace.told || (w->pace.held_told_ns && now_ns - w->pace.held_told_ns < TOLD_NS))
		return;
	w->pace.held_told_ns = now_ns;
	mw_tell_log(g->tell, LOG_INFO, "pace-held", w, NULL, mw_text_pace_held(w, d, text, sizeof(text)));
}

/* Decide, do. When to look again, ns; 0: nobody needs to. */
static __u64 act(struct mw_guard *g, struct mw_worker *w, struct mw_pace_input *in)
{
	struct mw_pace_decision d = {.kind = MW_PACE_NONE};

	for (int i = 0; i < STEPS; i++) {
		d = mw_pace_step(&w->pace.state, in);
		in->last = (struct mw_pace_result){0};
		if (d.kind == MW_PACE_SET_HIGH)
			set_high(g, w, in, d.bytes);
		else if (d.kind == MW_PACE_BACK_OFF)
			say_held(g, w, &d, in->time_ns);
		else
			break;
	}
	if (d.kind == MW_PACE_RECLAIM)
		reclaim(g, w, in, d.bytes);
	else if (d.kind == MW_PACE_LIFT)
		lift(g, w, in);
	w->pace.due_ns = in->time_ns + d.next_ns;
	return !in->allowed || mw_pace_quiet(&w->pace.state, in->time_ns) ? 0 : d.next_ns;
}

/* Look, and act. Its end is on its way when there is nothing left to read. */
static __u64 attend(struct mw_guard *g, struct mw_worker *w, __u64 now_ns)
{
	struct mw_pace_input in;

	if (fill(g, w, now_ns, &in) < 0)
		return 0;
	return act(g, w, &in);
}

/*
 * Most of a look is reading memory.stat, which on one processor is taken from the worker. It knows its rate: before the
 * next one is due half of what is free is still there.
 */
static bool due_soon(const struct mw_worker *w, __u64 now_ns)
{
	return w->pace.candidate && now_ns < w->pace.due_ns && w->pace.due_ns - now_ns <= SOON_NS;
}

/* At a tick, which is that of who is due first: others wait for their own. */
static __u64 attend_due(struct mw_guard *g, struct mw_worker *w, __u64 now_ns)
{
	if (w->pace.due_ns > now_ns + MW_NS_PER_MS)
		return w->pace.due_ns - now_ns;
	return attend(g, w, now_ns);
}

static int on_tick(sd_event_source *src, uint64_t usec, void *arg)
{
	struct mw_guard *g = arg;
	__u64 began = mw_now_ns(), next = MW_PACE_TICK_NS, spent;

	(void)src, (void)usec;
	look_at_host(g, began);
	for (unsigned i = g->pacer.n; i-- > 0;) {
		struct mw_worker *w = mw_worker_by_id(&g->workers, g->pacer.ids[i]);
		__u64 in_ns = w ? attend_due(g, w, mw_now_ns()) : 0;

		if (!in_ns)
			leave(g, i, w);
		else if (in_ns < next)
			next = in_ns;
	}
	spent = mw_now_ns() - began;
	if (g->pacer.n)
		look_in(g, next > OWN_SHARE * spent ? next : OWN_SHARE * spent);
	return 0;
}

/* ---- who comes near, and what came of a batch ---- */

void mw_pacer_consider(struct mw_guard *g, struct mw_worker *w, __u64 now_ns)
{
	__u64 current = w->usage.current, events = w->usage.events[MW_MEMCG_HIGH];
	struct mw_worker_pace *p = &w->pace;
	double rate = 0;
	bool moved;

	if (p->seen_ns && now_ns > p->seen_ns && current > p->seen_current)
		rate = (double)(current - p->seen_current) * MW_NS_PER_S / (double)(now_ns - p->seen_ns);
	moved = events != p->seen_high_events || current > p->seen_current + MW_MOVED_BYTES ||
		p->seen_current > current + MW_MOVED_BYTES;
	if (moved || !p->seen_ns) {
		p->seen_current = current;
		p->seen_high_events = events;
	}
	p->seen_ns = now_ns;
	if (p->candidate || !eligible(g, w))
		return;
	if ((moved && mw_pace_reaches(current, rate, w->limits.high)) ||
	    (w->squeeze.raised && current < w->limits.high))
		join(g, w);
}

bool mw_pacer_near(struct mw_guard *g, struct mw_worker *w, __u64 now_ns)
{
	struct mw_pace_input in;
	__u64 in_ns;

	if (!eligible(g, w) || !join(g, w))
		return false;
	if (due_soon(w, now_ns))
		return true;
	if (fill(g, w, now_ns, &in) < 0)
		return false;
	if (in.cache + in.swappable < g->cfg.monitor.near_high)
		lift(g, w, &in);
	in_ns = act(g, w, &in);
	if (in_ns)
		look_in(g, in_ns);
	return true;
}

bool mw_pacer_done(struct mw_guard *g, const struct mw_action_result *r)
{
	struct mw_worker *w = mw_worker_by_id(&g->workers, r->cookie);
	__u64 in_ns, now = mw_now_ns();

	if (r->arg != &g->pacer)
		return false;
	if (!w || r->kind != MW_ACTION_RECLAIM)
		return true;
	w->pace.ended = (struct mw_pace_result){w->pace.batch_bytes, r->freed, r->took_ns};
	if (r->status == -EOPNOTSUPP && !g->pacer.unable) {
		g->pacer.unable = true;
		mw_say(g->tell, LOG_WARNING, "no reclaim ahead of workers: %s", r->text);
	}
	g->pacer.known_stalled += r->took_ns;
	w->pace.took_ns += r->took_ns;
	w->pace.bytes += r->freed;
	w->pace.reclaims++;
	/* Most of what was missing is free: the next look will do. */
	if (r->freed >= w->pace.batch_bytes / 2 && w->pace.batch_bytes < MW_PACE_BATCH_MAX && due_soon(w, now))
		return true;
	in_ns = attend(g, w, now);
	if (in_ns)
		look_in(g, in_ns);
	return true;
}

void mw_pacer_close(struct mw_guard *g)
{
	g->pacer.timer = sd_event_source_disable_unref(g->pacer.timer);
}
