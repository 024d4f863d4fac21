/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A worker's life: placed or attached, watched, ended. What an earlier daemon left is taken up in adopt.c. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "daemon/guard.h"
#include "daemon/pressure.h"
#include "daemon/recording.h"
#include "report/text.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define STATUS_WAIT_NS (60 * MW_NS_PER_MS) /* how long an empty worker waits for its exit status */
#define START_WAIT_NS  (10 * MW_NS_PER_S) /* how long a placed worker may stay without a process */
#define LOOKS_PER_BEAT 32
#define ENDS_NS	       (10 * MW_NS_PER_MS) /* clearing up behind ended workers, in one turn of the loop */
#define MEMBERS_MAX    4096 /* cgroups below one attached worker */

/* The limits in force: none where nothing may be written. */
static bool limited(const struct mw_worker *w)
{
	return !w->dry_run && w->profile.policy != MW_POLICY_OBSERVE && w->owner != MW_OWNER_FOREIGN && !w->leaving;
}

bool mw_life_limited(const struct mw_worker *w)
{
	return limited(w);
}

static void watch(struct mw_guard *g, struct mw_worker *w)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/cgroup.events", w->dir_fd);
	w->watch = inotify_add_watch(g->inotify_fd, path, IN_MODIFY);
	if (w->watch < 0)
		mw_say(g->tell, LOG_ERR,
		       "worker %s: its end cannot be watched (inotify: %s); it is looked at five times a second "
		       "instead",
		       w->name, strerror(errno));
	else
		HASH_ADD(by_watch, g->by_watch, watch, sizeof(w->watch), w);
}

static void enlist_kernel(struct mw_guard *g, struct mw_worker *w)
{
	struct mw_worker_info info = {
		.slot = w->slot,
		.pause_budget_ns = w->profile.pause_budget_ns,
		.near_high_bytes = limited(w) ? g->cfg.monitor.near_high : 0,
	};
	__u64 below[MEMBERS_MAX / 16];
	ssize_t n;
	int r;

	snprintf(info.name, sizeof(info.name), "%s", w->name);
	snprintf(info.class_name, sizeof(info.class_name), "%s", w->class_name);
	r = mw_kernel_worker_add(g->kernel, w->cgroup_id, &info);
	if (r < 0 && r != -EOPNOTSUPP)
		mw_say(g->tell, LOG_ERR, "worker %s: the kernel side does not take it: %s", w->name, strerror(-r));
	n = mw_cgroup_descendants(w->dir_fd, below, ARRAY_SIZE(below));
	for (ssize_t i = 0; i < n && i < (ssize_t)ARRAY_SIZE(below); i++)
		mw_kernel_member_add(g->kernel, below[i], w->cgroup_id);
	if (!w->made)
		w->subtree = mw_kernel_subtree_add(g->kernel, w->dir_fd, true);
}

/* Everybody who has to know of a worker, told. Called again when its profile changed. */
void mw_life_enlist(struct mw_guard *g, struct mw_worker *w)
{
	int above[2] = {-1, -1};
	unsigned n = 0;

	if (w->made && g->has_memory) { /* with share = class the class's memory.high is the one exceeded */
		above[n++] = g->root_fd;
		above[n] = openat(g->root_fd, w->class_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		n += above[n] >= 0;
	}
	enlist_kernel(g, w);
	mw_breaker_remove(g->breaker, w->slot);
	if (g->has_memory && w->owner != MW_OWNER_FOREIGN)
		mw_breaker_add(g->breaker, w->slot, w->cgroup_id, w->dir_fd, above, n, limited(w));
	if (n > 1)
		close(above[1]);
	mw_keeper_add(g->keeper, w->slot, w->cgroup_id, w->dir_fd, limited(w));
	mw_state_save(g, w);
}

/* Into the table, with everything that follows from class and configuration. dir_fd is taken over on success. */
int mw_life_new(struct mw_guard *g, const char *name, const char *class_name, const char *cgroup, int dir_fd,
		struct mw_worker **ret_worker, struct mw_error *err)
{
	struct mw_profile profile;
	__u64 id = mw_cgroup_id(dir_fd);
	struct mw_worker *w;
	int r = mw_config_worker_profile(&g->cfg, class_name, name, &profile, err);

	if (r < 0)
		return r;
	if (!id)
		return mw_fail(err, -EIO, "worker %s: %s has no cgroup id: is it on cgroup v2?", name, cgroup);
	r = mw_worker_add(&g->workers, name, class_name, cgroup, dir_fd, id, g->cfg.monitor.max_history, &w);
	if (r == -ENOSPC)
		return mw_fail(err, r, "worker %s: max_workers (%u) are under guard already", name,
			       g->cfg.monitor.max_workers);
	if (r < 0)
		return mw_fail(err, r, "worker %s: %s", name,
			       r == -EEXIST ? "this name or cgroup is under guard already" : strerror(-r));
	mw_limits_settle(w, &profile);
	w->dry_run = g->opts.dry_run;
	w->class_from = MW_FROM_COMMAND_LINE;
	w->main_status = -1;
	w->started_ns = w->quiet_ns = mw_now_ns();
	w->started_wall_ns = mw_wall_ns();
	w->subtree = -1;
	w->track = mw_recorder_begin(g->recorder, id, name);
	watch(g, w);
	mw_totals_begin(g, w);
	*ret_worker = w;
	return 0;
}

static int pick_name(struct mw_guard *g, const struct mw_start *s, char ret_name[MW_NAME_SIZE], struct mw_error *err)
{
	char text[MW_NAME_SIZE * 2];
	const char *base;

	if (s->name) {
		if (!mw_name_valid(s->name))
			return mw_fail(err, -EINVAL,
				       "worker name \"%s\": expected letters, digits and ._- (at most 63, beginning "
				       "with a letter or digit; not \"daemon\", "
				       "no \"cgroup.\" or \"memory.\" prefix)",
				       s->name);
		if (mw_worker_by_name(&g->workers, s->name))
			return mw_fail(err, -EEXIST, "worker %s is under guard already: give another --name", s->name);
		snprintf(ret_name, MW_NAME_SIZE, "%s", s->name);
		return 0;
	}
	base = strrchr(s->command, '/');
	snprintf(text, sizeof(text), "%.40s", base ? base + 1 : s->command);
	text[strcspn(text, " ")] = '\0';
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "-%d", s->runner);
	mw_name_from(text, ret_name);
	return 0;
}

int mw_life_start(struct mw_guard *g, const struct mw_start *s, struct mw_worker **ret_worker, struct mw_error *err)
{
	char name[MW_NAME_SIZE], cgroup[PATH_MAX], *path = cgroup + 1;
	const struct mw_class *cls = mw_config_class(&g->cfg, s->class_name);
	_cleanup_close_ int fd = -1;
	struct mw_profile profile;
	struct mw_worker *w = NULL;
	struct mw_tight tight;
	struct mw_limits limits;
	bool bare;
	int r = pick_name(g, s, name, err);

	if (r >= 0)
		r = mw_life_first_profile(g, s, name, &tight, &profile, err);
	if (r < 0)
		return r;
	limits = mw_profile_limits(&profile);
	bare = g->opts.dry_run || profile.policy == MW_POLICY_OBSERVE || profile.share;
	snprintf(cgroup, sizeof(cgroup), "/%s/%s/%s", g->root, s->class_name, name);
	r = mw_place_make(g, cls, path, bare ? NULL : &limits, &fd, err);
	if (r < 0)
		return r;
	r = mw_life_new(g, name, s->class_name, cgroup, fd, &w, err);
	if (r < 0 || !w) {
		mw_place_remove(g, path, NULL);
		return r;
	}
	TAKE_FD(fd);
	w->made = true;
	w->starting = true;
	w->owner = MW_OWNER_OWN;
	w->uid = s->uid;
	w->tight = tight;
	w->profile = profile;
	w->limits = profile.share ? mw_no_limits : limits;
	snprintf(w->command, sizeof(w->command), "%s", s->command);
	r = mw_pressure_make(g->run_fd, w);
	if (r < 0)
		mw_say(g->tell, LOG_WARNING, "worker %s: it cannot be told of its memory: %s", name, strerror(-r));
	mw_life_enlist(g, w);
	mw_place_protect(g);
	*ret_worker = w;
	return 0;
}

void mw_life_started(struct mw_guard *g, struct mw_worker *w, pid_t pid)
{
	char text[256];

	if (!w->starting && w->main_pid == pid) /* by the kernel first, then by run */
		return;
	w->starting = false;
	w->main_pid = pid;
	if (mw_proc_start_ticks("/proc", pid, &w->main_start) < 0)
		w->main_start = 0; /* it has ended already: its exit is on the way */
	w->was_populated = true;
	mw_state_save(g, w);
	mw_tell(g->tell, LOG_INFO, "started", w, "%s", mw_text_started(w, text, sizeof(text)));
}

/* What is known of an end, and what follows from it. */
static void classify(struct mw_guard *g, struct mw_worker *w, struct mw_incident *ret_inc)
{
	struct mw_death d = {.wait_status = w->main_status, .ours = w->killed_by, .oom_host = w->oom_host};
	__u64 kills = w->usage.events[MW_MEMCG_OOM_KILL], limit_hits = w->usage.events[MW_MEMCG_OOM];

	d.oom_kills = kills > w->oom_kills_at_start ? kills - w->oom_kills_at_start : 0;
	/* A container's cgroup is removed by its engine, and its counters with it. */
	if (!d.oom_kills && w->oom_told) {
		d.oom_kills = w->oom_told;
		limit_hits += !limit_hits;
	}
	/* Killed without ever meeting its own limit: an ancestor's, or the host's memory. */
	if (d.oom_kills && !limit_hits)
		d.oom_host = true;
	*ret_inc = (struct mw_incident){.reason = mw_verdict_death(&d),
					.wall_ns = mw_wall_ns(),
					.wait_status = w->main_status};
	if (w->main_status >= 0 && WIFSIGNALED(w->main_status))
		ret_inc->signal = WTERMSIG(w->main_status);
	mw_text_killed_by(ret_inc, w, ret_inc->killed_by, sizeof(ret_inc->killed_by));
	mw_text_why(ret_inc, w, ret_inc->why, sizeof(ret_inc->why));
	(void)g;
}

static void last_look(struct mw_guard *g, struct mw_worker *w)
{
	__u64 peak;

	/* It is empty now: what it used is what was last seen, what happened to it is what the counters say. */
	if (!g->has_memory || mw_cgroup_events(w->dir_fd, w->usage.events) < 0)
		return;
	w->usage.max = w->limits.max;
	if (mw_cgroup_read_u64(w->dir_fd, "memory.peak", &peak) == 0 && peak > w->peak)
		w->peak = peak;
}

/* Everybody forgets it; the cgroup goes when it was ours. */
void mw_life_forget(struct mw_guard *g, struct mw_worker *w, bool remove_cgroup)
{
	char class_name[MW_NAME_SIZE];
	struct mw_error err = {0};

	snprintf(class_name, sizeof(class_name), "%s", w->class_name);
	if (w->watch >= 0) {
		HASH_DELETE(by_watch, g->by_watch, w);
		inotify_rm_watch(g->inotify_fd, w->watch);
	}
	if (w->subtree >= 0)
		mw_kernel_subtree_remove(g->kernel, w->subtree);
	mw_totals_end(g, w);
	mw_kernel_worker_remove(g->kernel, w->cgroup_id);
	mw_breaker_remove(g->breaker, w->slot);
	mw_keeper_drop(g->keeper, w->slot);
	mw_state_remove(g, w->name);
	mw_live_gone(g, w);
	mw_recorder_end(g->recorder, w->track);
	mw_pressure_remove(g->run_fd, w);
	if (remove_cgroup && w->made && mw_place_remove(g, w->cgroup + 1, &err) < 0)
		mw_say(g->tell, LOG_WARNING, "worker %s: its cgroup stays: %s", w->name, err.text);
	mw_worker_remove(&g->workers, w);
	mw_place_protect(g);
}

static void end_now(struct mw_guard *g, struct mw_worker *w)
{
	struct mw_incident inc;
	char text[512], before[128];

	mw_keeper_beat(g->keeper, mw_now_ns()); /* a thousand may end in one pass: each is a sign of life */
	last_look(g, w);
	classify(g, w, &inc);
	if (mw_reason_is_incident(inc.reason)) {
		const struct mw_fact fact = {.reason = mw_reason_name(inc.reason)};

		mw_tell_fact(g->tell, LOG_WARNING, "died", w, &fact, "%s%s", mw_text_died(w, &inc, text, sizeof(text)),
			     mw_text_step_before(w, MW_RUNG_KILL, before, sizeof(before)));
		mw_act_incident(g, w, &inc);
	} else {
		mw_tell(g->tell, LOG_INFO, "ended", w, "%s", mw_text_ended(w, mw_now_ns(), text, sizeof(text)));
	}
	if (w->before.known && mw_life_limited(w))
		mw_act_put_back(g, w); /* an attached one outlives its process */
	mw_past_keep(g, w);
	mw_life_forget(g, w, true);
}

bool mw_life_turn(struct mw_guard *g)
{
	g->ends_left_ns = ENDS_NS;
	return g->ends_due;
}

void mw_life_finish(struct mw_guard *g)
{
	struct mw_worker *w, *next;

	g->ends_due = false;
	HASH_ITER (by_id, g->workers.by_id, w, next) {
		if (w->ending)
			mw_life_end(g, w);
		if (g->ends_due)
			return;
	}
}

/* A thousand may end at once, and whoever asks meanwhile must not wait for all of them to be cleared up. */
void mw_life_end(struct mw_guard *g, struct mw_worker *w)
{
	__u64 began = mw_now_ns();

	w->ending = g->ends_left_ns <= 0;
	g->ends_due |= w->ending;
	if (w->ending)
		return;
	end_now(g, w);
	g->ends_left_ns -= (__s64)(mw_now_ns() - began);
}

static void give_up(struct mw_guard *g, struct mw_worker *w)
{
	__u64 began = mw_now_ns();

	if (g->ends_left_ns <= 0)
		return; /* at the next tick */
	mw_tell(g->tell, LOG_WARNING, "abandoned", w,
		"worker %s (%s): no process came within 10 s, its place is given up", w->name, w->class_name);
	mw_life_forget(g, w, true);
	g->ends_left_ns -= (__s64)(mw_now_ns() - began);
}

void mw_life_look(struct mw_guard *g, struct mw_worker *w)
{
	int r = mw_cgroup_populated(w->dir_fd);

	if (r == -ENOENT || r == -ENODEV) {
		mw_life_end(g, w);
	} else if (r == 1) {
		w->was_populated = true;
		w->empty_since_ns = 0;
		w->ending = false;
	} else if (r == 0 && !w->made && !w->main_pid) {
		return; /* attached as a cgroup: guarded until it is removed or detached, empty or not */
	} else if (r == 0 && w->was_populated && !w->empty_since_ns) {
		w->empty_since_ns = mw_now_ns();
		if (w->main_status >= 0 || !w->main_pid || w->main_gone)
			mw_life_end(g, w);
	} else if (r == 0 && !w->was_populated && mw_now_ns() - w->started_ns > START_WAIT_NS) {
		give_up(g, w);
	}
}

void mw_life_watch_event(struct mw_guard *g, int wd, __u32 mask)
{
	struct mw_worker *w, *next;

	if (mask & IN_Q_OVERFLOW) { /* it has no descriptor: look at everybody */
		HASH_ITER (by_id, g->workers.by_id, w, next)
			mw_life_look(g, w);
		return;
	}
	HASH_FIND(by_watch, g->by_watch, &wd, sizeof(wd), w);
	if (w)
		mw_life_look(g, w);
}

void mw_life_tick(struct mw_guard *g, __u64 now_ns)
{
	/* The removal of an attached cgroup is not told by its watch: a few are looked at in each beat. */
	__u32 groups = g->workers.count / LOOKS_PER_BEAT + 1, turn = g->beats++ % groups, i = 0;
	struct mw_worker *w, *next;

	HASH_ITER (by_id, g->workers.by_id, w, next) {
		if (w->empty_since_ns && now_ns - w->empty_since_ns >= STATUS_WAIT_NS) {
			mw_life_end(g, w);
			continue;
		}
		/* An attached cgroup without processes may stay so: only its removal is news. */
		if (w->watch < 0 || (!w->made && i++ % groups == turn) || (!w->was_populated && w->made))
			mw_life_look(g, w);
	}
}
