/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Keeping the pause budget: when to reclaim ahead of a worker, so that it does not have to do it itself, and when
 * memory.high is to give way meanwhile. A pure function of the looks at one worker; a recorded series gives the same
 * decisions again.
 *
 * A task that charges over memory.high reclaims on the spot and is then put to sleep. The same reclaim asked for
 * through memory.reclaim costs our thread the time, not the worker. What has to be free below memory.high is what the
 * worker takes until we have looked again and a batch is through.
 */
#ifndef MW_PACE_H
#define MW_PACE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* A batch of ours that has ended. */
struct mw_pace_result {
	__u64 asked, freed; /* bytes; asked 0: none has ended since the last look */
	__u64 took_ns;
};

/* One look. Counters count up; what is not known stays 0. Bytes. */
struct mw_pace_input {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 current, high, max; /* memory.current; memory.high and .max as the profile wants them */
	__u64 high_now; /* memory.high as it stands: high, raised by us, or MW_UNLIMITED: lifted */
	__u64 cache; /* file less shmem, and reclaimable slab */
	__u64 swappable; /* what of anon and shmem swap has room for */
	__u64 stolen; /* counter: reclaimed from it by anybody (pgsteal) */
	__u64 refaulted; /* counter: evicted and wanted back at once; see pace_read.h */
	__u64 stalled_ns; /* counter: some of memory.pressure */
	__u64 paused_ns; /* counter: memstalls in maps/pauses */
	double host_share; /* share of the time in which others than those paced stalled for memory, 0..1 */
	__u64 budget_ns; /* pause_budget */
	bool allowed; /* ours to act on: limits set by us, not frozen, no dry run, budget and key say so */
	bool may_raise; /* policy protect; strict promises that memory.high holds */
	struct mw_pace_result last;
};

/* What one worker's looks left behind. All 0 to begin with. */
struct mw_pace_state {
	__u64 time_ns, current, stolen; /* at the last look */
	double rate; /* bytes a second it takes, what is reclaimed meanwhile included */
	double run, spurt; /* bytes it took within a look or two; the most of that, forgotten over some seconds */
	bool under_way; /* a batch of ours; never two */
	__u64 window_ns; /* since when the effect of our batches is watched; 0: not */
	__u64 window_freed, window_refaulted, window_stalled, window_paused;
	bool window_met; /* it met memory.high meanwhile: stalls are the kernel's then */
	__u64 hold_ns, hold_until_ns;
	bool hold_all; /* no batch at all; else what memory.high would take from it at once is still taken by us */
	__u64 set_ns; /* memory.high was moved */
	__u64 busy_ns; /* it grew, or we reclaimed */
};

enum mw_pace_kind {
	MW_PACE_NONE,
	MW_PACE_RECLAIM, /* bytes, in one batch */
	MW_PACE_SET_HIGH, /* memory.high = bytes */
	MW_PACE_LIFT, /* as at a near event: the breaker's, which then owns memory.high */
	MW_PACE_BACK_OFF, /* no batch ahead for hold_ns */
	MW_PACE_KIND_MAX,
};

enum mw_pace_why {
	MW_PACE_IDLE, /* it does not grow */
	MW_PACE_ROOM, /* enough is free below memory.high */
	MW_PACE_NOT_ALLOWED,
	MW_PACE_UNDER_WAY,
	MW_PACE_HELD, /* backed off not long ago */
	MW_PACE_HOST, /* the host is short of memory itself */
	MW_PACE_NOTHING, /* nothing to reclaim */
	MW_PACE_AHEAD, /* what it takes soon is made free */
	MW_PACE_OUTRUN, /* it grows faster than batches free: memory.high gives way */
	MW_PACE_FELL, /* usage is down again: memory.high comes back */
	MW_PACE_REFAULTS, /* what was freed is wanted back */
	MW_PACE_STALLS, /* it stalls below memory.high since we reclaim */
	MW_PACE_EMPTY, /* a batch found hardly anything */
	MW_PACE_WHY_MAX,
};

struct mw_pace_decision {
	enum mw_pace_kind kind;
	enum mw_pace_why why;
	__u64 bytes;
	__u64 hold_ns;
	__u64 next_ns; /* look again in so long */
};

#define MW_PACE_TICK_NS	     100000000ULL /* between two looks; a file read costs some 10 us, so 0.1 % of a core */
#define MW_PACE_TICK_MIN_NS  10000000ULL /* the shortest: what a look under load may take itself */
#define MW_PACE_HORIZON_NS   1000000000ULL /* so much growth is kept free: ten looks, for a loop that is late */
#define MW_PACE_RAISE_NS     200000000ULL /* two looks: what no batch can free in time */
#define MW_PACE_REACH_NS     2000000000ULL /* it is looked at from so long before memory.high */
#define MW_PACE_BATCH_MIN    (256ULL << 10) /* one charge batch of a CPU; less is not worth a call */
#define MW_PACE_BATCH_MAX    (8ULL << 20) /* a larger request was seen to empty a worker */
#define MW_PACE_KEEP_CACHE   (1ULL << 20) /* programs and libraries in use: not reclaimed for room */
#define MW_PACE_RATE_MIN     (128.0 * 1024) /* bytes a second; a worker at rest stays below */
#define MW_PACE_HOLD_MIN_NS  1000000000ULL /* first back-off; doubles */
#define MW_PACE_HOLD_MAX_NS  60000000000ULL
#define MW_PACE_SETTLE_NS    1000000000ULL /* memory.high does not come down sooner after it went up */
#define MW_PACE_WINDOW_NS    500000000ULL /* an effect is judged after at least this long */
#define MW_PACE_WINDOW_BYTES (1ULL << 20) /* and for at least so much freed */
#define MW_PACE_QUIET_NS     3000000000ULL /* neither growth nor reclaim for so long: leave it alone */
#define MW_PACE_STALL_SHARE  0.1 /* stalled for this share of a window below memory.high: we harm it */
#define MW_PACE_HOST_LIMIT   0.4 /* from here on the host's own reclaim needs the processors */

/* state is brought up to date. Called twice with one look, the second call finds what is left to do after the first. */
struct mw_pace_decision mw_pace_step(struct mw_pace_state *s, const struct mw_pace_input *in);
/* Is it worth looking at? rate: bytes a second. */
bool mw_pace_reaches(__u64 current, double rate, __u64 high);
/* Bytes over high at which the kernel's first planned sleep is as long as budget_ns. */
__u64 mw_pace_overage(__u64 high, __u64 budget_ns);
/* It has been at rest for so long that nobody needs to look. */
bool mw_pace_quiet(const struct mw_pace_state *s, __u64 now_ns);

const char *mw_pace_kind_name(enum mw_pace_kind kind); /* "reclaim" */
const char *mw_pace_why_text(enum mw_pace_why why); /* a sentence's end: "it grows faster than batches free" */

#endif
