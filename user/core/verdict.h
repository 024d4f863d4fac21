/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What the guard concludes. Pure functions: usage, settings and time in, a
 * value out; recorded samples give the same verdicts again.
 */
#ifndef MW_VERDICT_H
#define MW_VERDICT_H

#include <linux/types.h>
#include <stdbool.h>

#include "core/config.h"

/* One look at a worker. Bytes. */
struct mw_usage {
	__u64 time_ns; /* CLOCK_MONOTONIC; 0: never looked */
	__u64 current; /* memory.current: page cache included */
	__u64 heap; /* anon + swapped */
	__u64 bin; /* shmem + sock + kernel - slab_reclaimable */
	__u64 anon, swapped, file, shmem, sock, kernel, slab_reclaimable;
	__u64 max, high, low; /* limits as they stand; MW_UNLIMITED */
	__u64 events[MW_MEMCG_EVENT_MAX];
};
/* heap and bin from a sample. file less shmem is page cache, kept out of both. */
void mw_usage_from_sample(const struct mw_sample *s, struct mw_usage *ret_usage);

enum mw_status { /* of a check */
		 MW_STATUS_OK,
		 MW_STATUS_WARNING, /* from 0.9 x hibernate_threshold */
		 MW_STATUS_ERROR, /* from hibernate_threshold, or bin over its limit */
		 MW_STATUS_MAX,
};
const char *mw_status_name(enum mw_status status); /* "ok" */

struct mw_check {
	enum mw_status status;
	double percent; /* 100 x (heap + bin) / max_heap: 87.5, may pass 100; 0 when max_heap is unlimited */
	bool over_bin; /* bin > max_bin_heap */
	bool high_memory; /* from min(alert_threshold, hibernate_threshold): the monitor alerts */
	bool hibernate; /* hibernation is due (from hibernate_threshold) */
};
/* With max_heap unlimited only bin is judged. */
struct mw_check mw_verdict_check(const struct mw_usage *u, const struct mw_profile *p, const struct mw_monitor *m);

/* What to do about a worker over or near memory.high. */
enum mw_squeeze {
	MW_SQUEEZE_NONE,
	MW_SQUEEZE_LIFT, /* memory.high = max */
	MW_SQUEEZE_RESTORE, /* usage is below: memory.high comes back */
	MW_SQUEEZE_FREEZE, /* strict, before the kill: core/freeze.h says when */
	MW_SQUEEZE_KILL, /* strict: less than a tenth of the overage freed within 100 ms */
};
struct mw_squeeze_state {
	bool lifted; /* memory.high is max because we lifted it */
	bool untold; /* a sample showed it before the breaker's report came */
	bool throttled; /* a throttle sleep was confirmed (event or wchan) */
	bool near; /* within near_high and rising, nothing to reclaim */
	__u64 lifted_ns; /* when */
	__u64 usage_at_lift; /* memory.current then */
	__u64 least, least_ns; /* mw_squeeze_note(): down to this it has come since, in steps, and when it had */
	__u64 raised; /* memory.high stands here, above what is wanted, because pacing raised it; 0: as wanted, or
			 lifted */
};
#define MW_SQUEEZE_HOLD_NS    1000000000ULL /* memory.high stays lifted for at least this long */
#define MW_SQUEEZE_SETTLE_NS  30000000000ULL /* after this any usage below memory.high restores it */
#define MW_SQUEEZE_KILL_NS    100000000ULL /* strict waits this long for the lift to show */
#define MW_SQUEEZE_STALL_NS   30000000000ULL /* who has freed a tenth of its overage has this long for the next */
#define MW_SQUEEZE_MARGIN_MAX (4ULL << 20) /* the margin below: 2 % of high, at most this */
/*
 * now_ns: CLOCK_MONOTONIC. high: what the profile wants in memory.high. margin = min(2 % of high, 4 MiB).
 *
 * observe, or no high: NONE.
 * lift     not lifted, and throttled or near. The kernel plans no sleep of 10 ms or more before usage
 *          is about 1.25 % over high, so a worker that brushes against it is left alone.
 * restore  at least 1 s after the lift, usage is margin below the level of the lift (or high, if that
 *          is less): it fell, so it will not be lifted again at once. After 30 s, margin below high is enough.
 * kill     strict only: what a look at least 100 ms after the lift sees is over high + margin and less
 *          than a tenth of the overage at the lift is gone. So strict kills who stays over high
 *          while nothing can be reclaimed, also when it was lifted before it crossed; it does not kill who brushes
 *          against high, whose usage falls, nor on figures older than the lift. A fall that ends over high + margin
 *          counts for 30 s: page cache that was dropped once, or what processors had charged ahead, is no reason to
 *          stay there for good. Look again before doing it.
 */
enum mw_squeeze mw_verdict_squeeze(const struct mw_squeeze_state *s, const struct mw_usage *u, __u64 high,
				   enum mw_policy policy, __u64 now_ns);
/* Follow a lifted worker down, by tenths of what it is over high; before each verdict. */
void mw_squeeze_note(struct mw_squeeze_state *s, __u64 usage, __u64 high, __u64 now_ns);
/* Has a tenth of the overage at the lift gone? */
bool mw_squeeze_freed(const struct mw_squeeze_state *s, __u64 usage, __u64 high);
/* Usage below this is under high with the margin. */
__u64 mw_squeeze_room(__u64 high);

/* Why a worker ended. Codes are part of the interface. */
enum mw_reason {
	MW_REASON_EXIT, /* plain exit: an event, not an incident */
	MW_REASON_HEAP_SIZE, /* memory.max: the kernel's memcg OOM killer */
	MW_REASON_BIN_LIMIT, /* bin over max_bin_heap, killed by us (strict) */
	MW_REASON_SQUEEZE, /* over memory.high and nothing freed, killed by us (strict) */
	MW_REASON_ADMIN, /* kill, by a person */
	MW_REASON_HOST_OOM, /* the host ran out of memory (or an ancestor's limit) */
	MW_REASON_SIGNAL, /* another signal than a request to stop */
	MW_REASON_HIBERNATE, /* intervention: reclaimed while idle */
	MW_REASON_LIFT, /* intervention: memory.high lifted */
	MW_REASON_FREEZE, /* intervention: by a person or the ladder */
	MW_REASON_UNSEEN, /* it ended while no daemon ran, and its cgroup is gone: nothing says how */
	MW_REASON_MAX,
};
const char *mw_reason_name(enum mw_reason reason); /* "heap_size" */

/* What is known when a worker has ended; wait_status < 0: unknown. */
struct mw_death {
	int wait_status; /* of the main process, as wait(2) has it */
	enum mw_reason ours; /* BIN_LIMIT, SQUEEZE or ADMIN when we killed it, else EXIT */
	__u64 oom_kills; /* oom_kill events of the cgroup since it started */
	bool oom_host; /* an OOM event named it without MW_OOM_MEMCG, or an ancestor's limit */
};
/*
 * Signal a wait(2) status tells of: the one that killed, or n of a shell's exit status 128 + n (n <= 31).
 * 0: none, or unknown (< 0).
 */
int mw_status_signal(int wait_status);
/*
 * In this order:
 *   killed by us (ours)                                          that reason
 *   OOM kill in it, and main killed by SIGKILL (also as 137),
 *     ended with a status other than 0, or unknown               heap_size; host_oom when oom_host
 *   SIGTERM, SIGINT, SIGHUP, SIGPIPE (also as 128 + n)           exit: asked to stop, or its reader left
 *   any other signal, SIGKILL by somebody else included          signal
 *   any exit status, or unknown                                  exit
 */
enum mw_reason mw_verdict_death(const struct mw_death *d);
bool mw_reason_is_incident(enum mw_reason reason);

#endif
