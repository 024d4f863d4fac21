/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The workers under guard: who they are, what was last seen of them, found by cgroup id or by name. */
#ifndef MW_WORKER_H
#define MW_WORKER_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>
#include <uthash.h>

#include "containers/container.h"
#include "core/config.h"
#include "core/figures.h"
#include "core/freeze.h"
#include "core/hold.h"
#include "core/idle.h"
#include "core/ladder.h"
#include "core/level.h"
#include "core/owner.h"
#include "core/pace.h"
#include "core/rule.h"
#include "core/stalls.h"
#include "core/tight.h"
#include "core/track.h"
#include "core/unmet.h"
#include "core/verdict.h"
#include "leak/evidence.h"
#include "leak/judge.h"
#include "leak/series.h"
#include "leak/sites.h"
#include "leak/trend.h"
#include "memweir/abi.h"

#define MW_PRESSURE_SIZE 112 /* NAME.32 digits */

/* Reclaim ahead of one worker: what is decided on, and what was done. */
struct mw_worker_pace {
	struct mw_pace_state state;
	bool candidate; /* looked at in pacing's own rhythm */
	__u64 due_ns; /* the next look; one in between is worth it only where that is far */
	__u64 batch_bytes; /* of the batch under way */
	struct mw_pace_result ended; /* a batch that has ended, for the next look */
	__u64 seen_ns, seen_current, seen_high_events; /* at the last look of the monitor */
	__u64 lift_ns; /* the breaker was last asked to lift then */
	__u64 stalled_ns; /* its pressure at pacing's last look */
	__u64 reclaims, bytes, took_ns; /* ours; the worker's pauses are counted apart */
	__u64 raises; /* of memory.high */
	bool told; /* that it is paced; its end is told too */
	__u64 told_ns, held_told_ns;
};

/* What stood in an attached cgroup before us, or was put there by others since: put back by detach. */
struct mw_originals {
	bool known;
	struct mw_limits limits;
};

struct mw_worker {
	char name[MW_NAME_SIZE];
	char class_name[MW_NAME_SIZE];
	char *cgroup; /* path from the cgroup root, with a leading slash */
	__u64 cgroup_id;
	int dir_fd;
	__u32 slot; /* in maps/samples and in the keeper's table */
	enum mw_owner owner;
	bool made; /* its cgroup is ours to remove when it is empty */
	bool dry_run; /* decided and said, not done */
	enum mw_class_from class_from; /* who gave it its class */
	char rule[MW_NAME_SIZE]; /* MW_FROM_RULE: which one */
	struct mw_profile profile;
	struct mw_limits limits; /* what the profile wants */
	struct mw_originals before;
	struct mw_unit *unit; /* owned; NULL: we write the limits ourselves, if anybody does */
	struct mw_container *container; /* owned; NULL: it is none, or none that is known */
	struct mw_hold hold;
	struct mw_limits held; /* as last written or asked for, whatever came of it */
	bool held_known;
	bool leaving; /* to be detached when its limits are back */

	pid_t main_pid; /* what run started or attach named; 0: unknown */
	__u64 main_start; /* its start, clock ticks since boot: with the pid it names one process; 0: unknown */
	bool main_gone; /* it ended while no daemon looked, and its pid may be another's by now */
	bool starting; /* run was given the place, its command is not known to run yet */
	int main_status; /* wait(2) status of main_pid; -1: still running or unknown */
	char command[128]; /* shortened command line, for people */
	uid_t uid; /* who owns it: whoever ran it; 0: root, or attached */
	bool acted_by_user; /* what it is busy with was asked for by a user who is not root */
	uid_t frozen_uid; /* who asked for its freeze: nobody less may thaw it */
	struct mw_tight tight; /* what its owner or run --set took it down to */
	__u64 started_wall_ns, started_ns;
	bool was_populated;
	long pids; /* processes at the last count */
	__u64 empty_since_ns; /* its last process ended then; the exit status may still be on its way */
	bool ending; /* to be ended as soon as there is time */
	int watch; /* inotify watch of cgroup.events, -1: none */

	struct mw_usage usage; /* last sample */
	struct mw_check check; /* last check */
	struct mw_leak leak; /* what the verdict stands on */
	struct mw_trend trend; /* the verdict */
	struct mw_kinds_past kinds; /* of its memory, back to before its growth */
	struct mw_evidence evidence; /* at the last check; what the verdict's confidence went up or down by */
	struct mw_sites *sites; /* owned; which code its memory comes from; NULL: nobody has looked */
	__u32 siblings, siblings_growing; /* others of its class at the last check, and who of them grows or leaks */
	enum mw_trend_verdict trend_told; /* the most that was told since it was steady */
	struct mw_trend line; /* the simple rule's word: quick, for what is near */
	struct mw_idle idle;
	struct mw_ladder *ladder; /* NULL: nothing was done about it yet */
	bool hibernate_waits; /* due, once the worker has had its time to free something itself */
	enum mw_level level; /* at the last look */
	__u64 told_ns; /* it was last told of its level then; 0: not yet */
	unsigned told_times; /* since it rose there */
	char pressure[MW_PRESSURE_SIZE]; /* its FIFO, a name in RUN_DIR/pressure; "": it has none */
	int pressure_fd; /* to write there, kept open; -1: it has none, or it could not be opened */
	struct mw_series history; /* heap + bin at each check */
	__u64 live_row; /* what was last sent of it to who follows all workers; 0: nothing yet */
	struct mw_track *track; /* its last 60 s, in the recorder; NULL: there was no room */
	__u64 peak; /* bytes */

	struct mw_squeeze_state squeeze;
	struct mw_freeze freeze;
	struct mw_worker_pace pace;
	bool frozen_by_admin;
	bool hibernated; /* reclaimed while idle and not grown since */
	__u64 hibernated_bytes; /* saved then */
	__u64 hibernated_left; /* memory.current right after it */
	bool alerted, hibernate_told, bin_told; /* said once, until it is over */
	bool busy; /* an action is under way on it */
	__u64 limits_ns; /* when limits were last sent on their way */
	struct mw_unmet unmet; /* they do not stand as wanted */
	unsigned limits_under_way; /* writes of ours */
	bool limits_due; /* the wanted limits are not on their way yet */
	__u64 drop_seen_ns; /* its usage was first seen to have halved then; 0: it has not */
	__u64 pause_told_ns; /* when a pause of it was last logged */
	__u64 quiet_ns; /* its pause counters were last seen to be zero then; 0: never */
	struct mw_stalls *stalls; /* from its first pause on; NULL: none yet */
	struct mw_reported *reported; /* owned; what it says of itself; NULL: it never has */
	enum mw_reason killed_by; /* MW_REASON_EXIT: not by us */
	__u64 lifts, pulses;
	__u64 incidents[MW_REASON_MAX];
	__u64 hibernations, hibernations_bytes; /* how often it was hibernated, and what that saved in all */
	__u64 scrape; /* the answer to /metrics that it was last written into */
	__u64 restarts; /* it came back under its name so often, as far as is known */
	__u64 lift_incident_ns; /* when the last incident about a lift was written */
	__u64 oom_kills_at_start;
	__u64 oom_told; /* kills by a memcg limit that the kernel side told of: its files may go before they are read */
	bool oom_host;
	__u64 oom_ns; /* when the kernel last killed a process of it, as far as we saw; 0: never */

	int subtree; /* handle of its own sampling subtree (attached workers), -1: ROOT's pass covers it */
	UT_hash_handle by_id, by_name;
	UT_hash_handle by_watch; /* the daemon's own index */
};

struct mw_workers {
	struct mw_worker *by_id, *by_name; /* uthash heads */
	__u8 *slots; /* taken slots */
	__u32 max_workers, count;
	__u32 reporting; /* of them have reported figures */
};

int mw_workers_init(struct mw_workers *ws, __u32 max_workers);
void mw_workers_free(struct mw_workers *ws); /* and every worker */
/*
 * A new worker in the table, with a slot of its own. dir_fd is taken over on
 * success. -EEXIST for a name or id that is there, -ENOSPC when max_workers are,
 * -EINVAL for an empty or too long name or no history, -ENOMEM. Whether the name
 * may be used as one is the caller's to ask (mw_name_valid).
 */
int mw_worker_add(struct mw_workers *ws, const char *name, const char *class_name, const char *cgroup, int dir_fd,
		  __u64 cgroup_id, __u32 max_history, struct mw_worker **ret_worker);
void mw_worker_remove(struct mw_workers *ws, struct mw_worker *w); /* closes and frees */
struct mw_worker *mw_worker_by_id(const struct mw_workers *ws, __u64 cgroup_id);
struct mw_worker *mw_worker_by_name(const struct mw_workers *ws, const char *name);

#endif
