/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The guard: everything the daemon holds, and the steps of one event on its way
 * from the kernel to an action. All of it runs in the event loop's thread; what can block is
 * handed to the breaker (throttle sleeps) or to the action threads.
 */
#ifndef MW_GUARD_H
#define MW_GUARD_H

#include <limits.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>
#include <systemd/sd-event.h>

#include "core/action.h"
#include "core/config.h"
#include "core/culprit.h"
#include "core/totals.h"
#include "core/recorder.h"
#include "core/worker.h"
#include "daemon/breaker.h"
#include "daemon/kernel.h"
#include "daemon/newcomers.h"
#include "daemon/pacer.h"
#include "daemon/place.h"
#include "core/keeper.h"
#include "daemon/tell.h"
#include "http/server.h"
#include "report/incident.h"

struct mw_guard_options {
	const char *config_file; /* NULL: the usual places */
	bool only_config_file; /* without drop-ins */
	const char *root, *state_dir, *run_dir; /* over the configuration; NULL: as configured */
	bool dry_run;
	__u64 disable; /* bit per enum mw_capability */
};

/* What an action thread sets on ROOT itself; one at a time. */
struct mw_place_limits {
	bool under_way;
	const char *mount, *root;
	int root_fd;
	__u64 low, max;
};

#define MW_SHARED_MAX 64 /* classes that share their profile among their workers */

struct mw_shared {
	char name[MW_NAME_SIZE];
	__u64 id; /* of ROOT/CLASS; 0: free */
	int dir_fd;
	__u32 slot; /* in the keeper's table */
	__u64 high; /* what memory.high should be */
	__u64 lifted_ns; /* CLOCK_MONOTONIC; 0: not lifted */
};

#define MW_CULPRIT_MEMOS    16
#define MW_CULPRIT_FRESH_NS 500000000ULL

/* Who was last found to have filled a limit. */
struct mw_culprit_memo {
	__u64 limit_id, at_ns; /* at_ns 0: empty */
	__u64 worker_id; /* 0: nobody */
	__u64 grown, span_ns;
};

/* An incident that found no room in the queue of actions; tried again at each beat. */
struct mw_unwritten {
	struct mw_unwritten *next;
	struct mw_incidents *store;
	struct mw_incident_facts *facts;
};

/* How long things take, for /metrics: log2 histograms like the kernel side's. */
struct mw_timings {
	struct mw_pause_stat turns; /* callbacks of the loop */
	struct mw_pause_stat late; /* timers, behind their time */
	struct mw_pause_stat samples, checks;
	struct mw_pause_stat latency; /* records, from the kernel to us */
};
struct mw_live;
struct mw_nearby;

struct mw_guard {
	struct mw_guard_options opts;
	struct mw_config cfg;
	char mount[256]; /* of cgroup v2 */
	char root[256]; /* ours, from the mount, no leading slash */
	int root_fd, run_fd, lock_fd, inotify_fd;
	int root_subtree; /* the kernel side's handle of ROOT; negative: none */
	bool stopping; /* a signal asked for the end */
	bool has_memory; /* the v2 memory controller is there */
	gid_t member_gid; /* of the configured group; (gid_t)-1: only root is served */
	__s64 boot_offset_ns; /* wall - monotonic */

	struct mw_workers workers;
	struct mw_kernel *kernel;
	struct mw_breaker *breaker;
	struct mw_recorder *recorder;
	struct mw_nearby *nearby; /* who was near whoever died last; NULL: nobody has */
	struct mw_live *live; /* NULL: nobody has followed yet */
	struct mw_actions *actions;
	struct mw_keeper_link *keeper;
	struct mw_incidents *incidents;
	struct mw_server *server;
	char http_on[64]; /* where it listens over TCP; "": nowhere */
	__u64 http_retry_ns; /* when to try again to */
	struct mw_teller *tell;

	sd_event *event;
	sd_event_source *sample_timer, *check_timer, *http_timer, *http_post, *unfinished;
	struct mw_worker *by_watch; /* uthash head: inotify watch -> worker */
	bool ends_due; /* somebody is to be ended and there was no time left */
	__s64 ends_left_ns; /* what clearing up behind ended workers may still take before requests are served again */
	__u64 actions_window_ns; /* rate limit of our own interventions: start and count of this minute */
	__u32 actions_in_window;
	__u64 sets_window_ns; /* the same of settings by users who are not root, a second */
	__u32 sets_in_window;
	__u64 events_seen;
	__u64 last_sample_ns, last_check_ns;
	enum mw_sample_depth last_depth; /* of the last sample */
	__u64 swap_free; /* of the host, bytes, at the last look */
	bool protect_due;
	bool unit_wishes, hold_due; /* some worker has one: otherwise nobody is looked at */
	__u32 hold_turn; /* checks so far: whose files are read in this one */
	__u32 beats; /* of 200 ms */
	__u64 near_high_told; /* the distance the kernel side was told */
	struct mw_place_limits root_limits;
	bool judge_due; /* somebody is to be thought about: mw_judge_think */
	__u64 sites_since_ns; /* a look at where some worker's memory comes from is under way; 0: none is */
	__u64 sites_of; /* id of its cgroup */
	bool sites_late_told;
	struct mw_stacks *stacks; /* of who grows; the look's that is under way. NULL: none yet */
	struct mw_objects *objects; /* of a suspect, watched from outside; NULL: nobody was yet */
	bool remember_under_way; /* of processes of who grows, what they have mapped */
	unsigned remember_turn;
	struct mw_remembered *remembered; /* NULL: nobody has grown yet */
	struct mw_shared shared[MW_SHARED_MAX];
	struct mw_unwritten *unwritten;
	struct mw_turns_job *turns; /* answers that are being written, the first to be done first */
	__u64 turn_ns; /* what they may take of one turn of the loop; 0: 500 us */
	struct mw_scrape *scrape; /* an answer to /metrics that has begun; NULL: none */
	__u64 scrapes; /* so many have begun */
	unsigned scrapes_open[2]; /* that are written or read, of root and of others */
	__u64 scrapes_refused, scrape_bytes, scrape_ns; /* bytes: of the last; ns: processor time of all */
	__u64 opened_wall_ns; /* the loop began then */
	struct mw_totals totals;
	struct mw_timings timings;
	struct mw_pacer pacer;
	struct mw_past *past; /* workers that ended and may come back; NULL: none yet */
	struct mw_otlp *otlp; /* who exports; otlp.h */
	struct mw_newcomers newcomers;
	struct mw_culprit_memo culprits[MW_CULPRIT_MEMOS];
};

/* guard.c: the steps, in the order of an event's way. */
void mw_guard_on_event(const struct mw_event *e, void *guard); /* a ring record */
void mw_guard_on_report(struct mw_guard *g, const struct mw_breaker_report *r); /* the breaker did something */
void mw_guard_on_done(struct mw_guard *g, const struct mw_action_result *r); /* an action thread is through */
/* Look at every worker, unless that was just done. A depth of MW_SAMPLE_MOVED will do for a tick: heap and bin of who
 * has not moved stay as they were. */
void mw_guard_sample(struct mw_guard *g, enum mw_sample_depth depth, __u64 now_ns);
void mw_guard_check(struct mw_guard *g, __u64 now_ns); /* judge every worker, act */
/* Our own interventions are rate-limited across the host: false when this minute's are used up (said once). */
bool mw_guard_may_act(struct mw_guard *g, __u64 now_ns);

/* judge.c: does it leak? Of each sample; at each check, which is told when it says more than before. */
void mw_judge_sample(struct mw_guard *g, struct mw_worker *w);
void mw_judge_think(struct mw_guard *g); /* about who is due, for 2 ms at the most */
void mw_judge_check(struct mw_guard *g, struct mw_worker *w);
void mw_judge_say(struct mw_guard *g, struct mw_worker *w);
void mw_judge_siblings(struct mw_guard *g); /* after all of them */

/* sites.c: which code the memory of who grows comes from. At checks; and an action that is through: true, it was one.
 */
void mw_sites_check(struct mw_guard *g, __u64 now_ns);
bool mw_sites_done(struct mw_guard *g, const struct mw_action_result *r);
/* sites_remember.c: what processes of who grows have mapped, while they live. After each sample; done as above. */
void mw_sites_remember(struct mw_guard *g);
bool mw_sites_remember_done(struct mw_guard *g, const struct mw_action_result *r);

/* objects.c: objects of a suspect, watched from outside. At checks: whose; at each beat; and an action that is through.
 */
struct mw_objects;
void mw_objects_check(struct mw_guard *g, __u64 now_ns);
void mw_objects_tick(struct mw_guard *g, __u64 now_ns);
bool mw_objects_done(struct mw_guard *g, const struct mw_action_result *r); /* true: it was one */
void mw_objects_close(struct mw_guard *g); /* when no action is under way any more */

/* notice.c: how near its limit a worker is, followed, and told to itself. After each look, lift and trend. */
void mw_notice_look(struct mw_guard *g, struct mw_worker *w, __u64 now_ns);
/* Tell it at once, whatever its level: for what no level speaks of. */
void mw_notice_now(struct mw_guard *g, struct mw_worker *w, __u64 now_ns);
/* Was it told, and has it still time to free something itself? */
bool mw_notice_waits(const struct mw_worker *w, __u64 now_ns);
/* A step of ours on its ladder begins, and is over. */
void mw_notice_step(struct mw_worker *w, enum mw_rung rung, __u64 before_bytes);
void mw_notice_stepped(struct mw_worker *w, enum mw_rung rung, __u64 after_bytes);
/* Is it idle? At checks; *budget CPU times may still be read in this one. */
void mw_notice_idle(struct mw_guard *g, struct mw_worker *w, unsigned *budget, __u64 now_ns);
/* hold.c: the freeze rung of policy strict, core/freeze.h. */
void mw_freeze_start(struct mw_guard *g, struct mw_worker *w, __u64 now_ns); /* unless something forbids it */
void mw_freeze_look(struct mw_guard *g, struct mw_worker *w, __u64 now_ns); /* is it over without a word? */
void mw_freeze_report(struct mw_guard *g, struct mw_worker *w, const struct mw_breaker_report *r);
bool mw_freeze_done(struct mw_guard *g, const struct mw_action_result *r); /* true: its reclaim */
/* Somebody else's freeze stands: nothing is done about a worker that does not run. */
bool mw_freeze_others(const struct mw_worker *w);
/* stall.c: what the pause counters say. */
void mw_stall_check(struct mw_guard *g, __u64 now_ns); /* read them all: rates, and who reclaims often */
/* cause.c: whose limit a pause met and who filled it; noted among the worker's last pauses. */
struct mw_cause mw_stall_cause(struct mw_guard *g, struct mw_worker *w, const struct mw_event *e);

/* life.c: a worker's life: placed, adopted, changed, ended. */
struct mw_start {
	const char *class_name, *name, *command; /* name NULL: from the command and pid */
	pid_t runner; /* the process that asks */
	uid_t uid; /* whose worker it will be */
	const struct mw_kv *settings; /* that tighten it */
	size_t n_settings;
};
int mw_life_start(struct mw_guard *g, const struct mw_start *s, struct mw_worker **ret_worker, struct mw_error *err);
/* attach.c: what already runs. A target is found in an action thread; the request is answered when it is under guard.
 */
struct mw_target;
struct mw_attach {
	const char *class_name, *name; /* copied; name NULL: from the target */
	struct mw_target *target; /* taken over, also on failure */
	struct mw_request *request; /* NULL: nobody waits for an answer */
	/* Called when it is through, also where that was refused (w NULL, why); not when mw_life_attach fails. NULL:
	 * none. */
	void (*then)(struct mw_guard *g, struct mw_worker *w, int status, const char *why, void *arg);
	void *arg;
};
int mw_life_attach(struct mw_guard *g, const struct mw_attach *a, struct mw_error *err);
bool mw_attach_done(struct mw_guard *g, const struct mw_action_result *r); /* true: it was ours */
/* tighten.c: what a worker gets is the configuration's word, less what it was tightened to. */
int mw_life_profile(const struct mw_guard *g, const struct mw_worker *w, struct mw_profile *ret_profile);
/* What a new one begins with; -EPERM where a member may not have that. */
int mw_life_first_profile(const struct mw_guard *g, const struct mw_start *s, const char *name,
			  struct mw_tight *ret_tight, struct mw_profile *ret_profile, struct mw_error *err);
/* Tighten a worker that runs. */
int mw_life_tighten(struct mw_guard *g, struct mw_worker *w, const struct mw_kv *kv, size_t n, struct mw_error *err);
/* bring.c: the member's process that asks (s->runner, held by pidfd) into a new worker of its own. */
int mw_life_bring(struct mw_guard *g, const struct mw_start *s, int pidfd, struct mw_worker **ret_worker,
		  struct mw_error *err);
/* Whose cgroup is this, and so how are limits written? Path from the mount, with a leading slash. */
enum mw_owner mw_life_owner(struct mw_guard *g, const char *cgroup);
/*
 * Let it go: originals restored where it was attached; a worker we started stays in its cgroup without limits.
 * 1: it goes when PID 1 has put them back, and request is answered then.
 */
int mw_life_detach(struct mw_guard *g, struct mw_worker *w, struct mw_request *request, struct mw_error *err);
void mw_life_detached(struct mw_guard *g, struct mw_worker *w); /* said, and forgotten */
/* The parts adopt.c and attach.c use too. */
int mw_life_new(struct mw_guard *g, const char *name, const char *class_name, const char *cgroup, int dir_fd,
		struct mw_worker **ret_worker,
		struct mw_error *err); /* into the table; dir_fd is taken over on success */
void mw_life_enlist(struct mw_guard *g,
		    struct mw_worker *w); /* everybody who has to know of it, told; again after a change */
void mw_life_forget(struct mw_guard *g, struct mw_worker *w, bool remove_cgroup);
bool mw_life_limited(const struct mw_worker *w); /* our limits stand in its cgroup */
void mw_life_started(struct mw_guard *g, struct mw_worker *w, pid_t pid);
/* Is it empty or gone? It may end here, and w with it. */
void mw_life_look(struct mw_guard *g, struct mw_worker *w);
/* An inotify event: cgroup.events of some worker changed, or went. */
void mw_life_watch_event(struct mw_guard *g, int wd, __u32 mask);
/* Every 200 ms: workers that are empty and whose exit status has not come by now end without it; unused starts time
 * out. */
void mw_life_tick(struct mw_guard *g, __u64 now_ns);
/* Empty for good: record, remove. In one of the next turns of the loop where this one has no time left for it. */
void mw_life_end(struct mw_guard *g, struct mw_worker *w);
/* Another turn of the loop: requests were served. True: mw_life_finish has something to do. */
bool mw_life_turn(struct mw_guard *g);
void mw_life_finish(struct mw_guard *g);
/* What an earlier daemon left: cgroups below ROOT and attached ones. Number adopted. */
int mw_life_adopt(struct mw_guard *g);
extern const struct mw_limits mw_no_limits; /* what a cgroup has before anybody writes there */
/* Put a changed profile into force on every worker it concerns, or on this one; all: tell everybody of it anyway. */
void mw_life_apply(struct mw_guard *g);
void mw_life_settle(struct mw_guard *g, struct mw_worker *w, bool all);

/* past.c: containers and units that end and come back under their name. */
void mw_past_keep(struct mw_guard *g, struct mw_worker *w); /* as it ends; its series moves */
void mw_past_take(struct mw_guard *g, struct mw_worker *w); /* as it is attached */
void mw_past_close(struct mw_guard *g);

/* hold.c: limits that somebody else changes. After each look; often: also what a sample does not carry. */
void mw_hold_look(struct mw_guard *g, struct mw_worker *w, bool all, __u64 now_ns);
void mw_hold_written(struct mw_guard *g, struct mw_worker *w, const struct mw_event *e); /* MW_EVENT_LIMIT */
void mw_hold_untold_lift(struct mw_guard *g, struct mw_worker *w,
			 __u64 now_ns); /* a lift nobody reported; after each look */
void mw_hold_adopt(struct mw_worker *w); /* what others have set while no daemon looked */
void mw_hold_tick(struct mw_guard *g,
		  __u64 now_ns); /* every beat: what was written is looked at, what is due repaired */

/* share.c: memory.high of classes that share it. */
void mw_share_sync(struct mw_guard *g); /* after the class directories were brought up to date */
void mw_share_lifted(struct mw_guard *g,
		     __u64 cgroup_id); /* the breaker lifted this directory; 0 and strangers are fine */
void mw_share_tick(struct mw_guard *g, __u64 now_ns); /* put back what is below it again */
void mw_share_close(struct mw_guard *g);

/* state.c: what a restarted daemon must know of a worker, one small file each in RUN_DIR/workers. */
void mw_state_save(struct mw_guard *g, const struct mw_worker *w);
void mw_state_remove(struct mw_guard *g, const char *name);
/* Fills what is kept; -ENOENT without a file, -EINVAL for a broken one. */
int mw_state_load(struct mw_guard *g, struct mw_worker *w);
/* Names and cgroups of attached workers outside ROOT. fn is called for each. */
typedef void (*mw_state_fn)(const char *name, const char *class_name, const char *cgroup, __u64 cgroup_id, void *arg);
void mw_state_each(struct mw_guard *g, mw_state_fn fn, void *arg);

/* acts.c: what is done to a worker on request or by verdict. cookie_request: the HTTP request to answer, NULL: none. */
enum mw_act {
	MW_ACT_HIBERNATE,
	MW_ACT_FREEZE,
	MW_ACT_THAW,
	MW_ACT_KILL,
	MW_ACT_RECLAIM_BIN,
	MW_ACT_MAX,
};
const char *mw_act_name(enum mw_act act);
int mw_act_parse(const char *text, enum mw_act *ret_act); /* -EINVAL; reclaim-bin is not for people */
int mw_act_do(struct mw_guard *g, struct mw_worker *w, enum mw_act act, enum mw_reason reason, bool dry_run,
	      struct mw_request *request, struct mw_error *err);
void mw_act_done(struct mw_guard *g, const struct mw_action_result *r);
/* limits.c: what a profile makes of a worker's limits, never looser than what others want there. */
void mw_limits_settle(struct mw_worker *w, const struct mw_profile *p);
/* The wanted limits into the cgroup, from an action thread; what finds no room in the queue is tried again at each
 * beat. */
void mw_act_limits(struct mw_guard *g, struct mw_worker *w);
bool mw_limits_done(struct mw_guard *g, const struct mw_action_result *r); /* true: it was a write of limits */
/* What came of them, written by us or asked of PID 1: said once, and tried again. */
void mw_limits_outcome(struct mw_guard *g, struct mw_worker *w, int status, const char *text);
/* Limits that do not stand are tried again, if it is time. A lift that goes on is not ended by it. */
void mw_limits_again(struct mw_guard *g, struct mw_worker *w, __u64 now_ns);
/* Limits written at once, in this thread: only for putting back or taking away. */
int mw_act_put_limits(struct mw_guard *g, struct mw_worker *w, const struct mw_limits *limits, struct mw_error *err);
/* What was there before us, or none; where PID 1 writes it, in a moment, and w is leaving until then. */
void mw_act_put_back(struct mw_guard *g, struct mw_worker *w);
/* memory.high comes back after a lift. */
void mw_act_restore_high(struct mw_guard *g, struct mw_worker *w);
void mw_act_tick(struct mw_guard *g);

/* totals.c: what happened to the workers of each class, for /metrics. */
void mw_totals_begin(struct mw_guard *g, const struct mw_worker *w); /* under guard */
void mw_totals_end(struct mw_guard *g, struct mw_worker *w); /* while its counters are there */
void mw_totals_incident(struct mw_guard *g, struct mw_worker *w, enum mw_reason reason, bool death);
void mw_totals_lift(struct mw_guard *g, struct mw_worker *w);
void mw_totals_hibernated(struct mw_guard *g, struct mw_worker *w, __u64 saved_bytes);
/* serve_metrics.c: w ends while an answer is being written. */
void mw_scrape_ended(struct mw_guard *g, const struct mw_worker *w, const struct mw_pause_stat stats[MW_PAUSE_MAX]);

/* act_incident.c: an incident about w, as it is now, written from an action thread. */
void mw_act_incident(struct mw_guard *g, struct mw_worker *w, const struct mw_incident *inc);
bool mw_act_incident_tick(struct mw_guard *g); /* what found no room; false: there still is none */
bool mw_act_incident_done(struct mw_guard *g, const struct mw_action_result *r); /* true: it was one */
void mw_act_flush(struct mw_guard *g); /* at the end: incidents still waiting are written here and now */

/* serve.c: the control interface. */
void mw_serve_request(struct mw_request *r, void *guard);
/* serve_turns.h: answers that are being written, a bit in each turn of the loop. */
void mw_turns_run(struct mw_guard *g);
__u64 mw_turn_end_ns(const struct mw_guard *g); /* of one that begins now; each goes on by one step at least */
void mw_turns_close(struct mw_guard *g); /* whoever waits is told that the guard stops */

/* setup.c: everything opened and closed in order. */
/* Takes daemon.lock, for life. A holder that was killed is waited for until the kernel is done with it, at most 10 s.
 * 0, or -EBUSY and the holder's pid as text. */
int mw_guard_lock(int fd, char pid[16]);
int mw_guard_open(const struct mw_guard_options *opts, struct mw_guard *g, struct mw_error *err);
void mw_guard_close(struct mw_guard *g);

/* Files, with the command line over them. */
int mw_guard_load_config(const struct mw_guard *g, struct mw_config *ret_cfg, struct mw_error *err);

/* last_good.c: the configuration in force, for a successor that finds the files wrong. */
int mw_last_good_load(struct mw_guard *g, struct mw_error *err); /* the files into g->cfg, or else the kept one */
/* For taking things back, which must not fail for a wrong line: the files, the kept one, or the defaults. -ENOMEM. */
int mw_last_good_or_any(struct mw_guard *g);
void mw_last_good_keep(struct mw_guard *g);
void mw_last_good_forget(struct mw_guard *g);

/* unload.c */
int mw_guard_unload(const struct mw_guard_options *opts,
		    struct mw_error *err); /* pins gone, limits as before, -EBUSY while a daemon runs */
int mw_guard_lift(const struct mw_guard_options *opts); /* memory.high = max everywhere; exit status */

/* loop.c: descriptors, timers and signals; returns the exit status. */
int mw_loop_run(struct mw_guard *g);
void mw_loop_rearm(struct mw_guard *g); /* intervals changed */
void mw_loop_look_in(struct mw_guard *g, __u64 in_ns); /* the next sample comes then, if it is not due before */
void mw_loop_go_on(struct mw_guard *g); /* something is unfinished: it gets a turn as soon as others have had theirs */
int mw_guard_reload(struct mw_guard *g, struct mw_error *err);

/* doctor.c */
int mw_doctor(const struct mw_guard_options *opts, bool json);

#endif
