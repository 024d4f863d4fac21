/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A recording judged again, by its own profile or another one. Pure: samples and rules in, what would have been said
 * and done out; the daemon's own functions judge, fed as it feeds them (daemon/judge.c), so that the same samples give
 * the same verdicts to the last bit.
 *
 * What limits would have done is worked out from what the worker had: what cannot be reclaimed (anonymous memory that
 * is not swapped, shared memory, sockets, kernel memory) must fit; page cache goes first. Swap that a tighter limit
 * would have called for is not counted on: whether the host had any is not known. A worker that died goes on in the
 * recording; what it used from then on is what was saved.
 */
#ifndef MW_REPLAY_H
#define MW_REPLAY_H

#include <linux/types.h>
#include <stdbool.h>

#include "leak/judge.h"
#include "leak/record.h"
#include "leak/series.h"

struct mw_replay_rules {
	struct mw_profile profile;
	struct mw_monitor monitor; /* check_interval, alert_threshold, max_history, method */
	bool own_rhythm; /* checked each check_interval, not when the daemon did */
	bool limits_only; /* growth is not judged */
};

enum mw_replay_what {
	MW_REPLAY_VERDICT, /* on its growth: another than before */
	MW_REPLAY_HIGH, /* over memory.high with what cannot be reclaimed, for the first time */
	MW_REPLAY_HIBERNATE, /* hibernation due, for the first time */
	MW_REPLAY_BIN, /* bin over its limit, for the first time */
	MW_REPLAY_KILLED, /* see killed_by */
	MW_REPLAY_WHAT_MAX,
};
const char *mw_replay_what_name(enum mw_replay_what what); /* "over-high" */

struct mw_replay_event {
	enum mw_replay_what what;
	__u64 time_ns;
	const struct mw_trend *trend; /* as of then */
	__u64 bytes, limit; /* what met which limit; of a verdict heap + bin and max_heap */
};
typedef void (*mw_replay_event_fn)(const struct mw_replay_event *e, void *arg);

struct mw_replay_result {
	__u64 first_ns, last_ns, samples, checks;
	__u64 peak_used, peak_needed, peak_current; /* heap + bin; what cannot be reclaimed; memory.current */
	struct mw_trend trend; /* at the end, or when it was killed */
	enum mw_trend_verdict most; /* the worst verdict of all */
	__u64 leak_ns; /* first called a leak then; 0: never */
	__u64 as_said, not_as_said; /* checks with the daemon's verdict and with another */
	__u64 high_ns, over_high_ns; /* first over memory.high, and for how long in all */
	__u64 squeezed_ns; /* so long page cache held it over memory.high, and would have been reclaimed */
	__u64 hibernate_ns, bin_ns; /* first; 0: never */
	__u64 lifts; /* of memory.high, by policy protect and strict */
	__u64 killed_ns, killed_bytes; /* 0: not */
	enum mw_reason killed_by; /* MW_REASON_HEAP_SIZE: at memory.max; or by policy strict */
	double used_byte_s; /* memory.current over time, as recorded */
	double lost_byte_s; /* of it, what it used after it was killed */
	double saved_byte_s; /* that and what reclaim would have saved */
	double reserved_byte_s; /* max_heap over the time it lived; 0 without a limit */
};

struct mw_replay {
	struct mw_replay_rules rules;
	struct mw_limits limits;
	struct mw_leak leak;
	struct mw_series history;
	struct mw_usage last;
	struct mw_squeeze_state squeeze;
	__u64 check_due_ns;
	bool bin_was_over; /* at the check before */
	struct mw_replay_result result;
	mw_replay_event_fn event;
	void *arg;
};

int mw_replay_begin(struct mw_replay *r, const struct mw_replay_rules *rules, mw_replay_event_fn event,
		    void *arg); /* event may be NULL; -ENOMEM, -EINVAL for a max_history of 0 */
/* Another profile from here on, as when it was changed while the recording ran. */
void mw_replay_profile(struct mw_replay *r, const struct mw_profile *profile);
void mw_replay_sample(struct mw_replay *r, const struct mw_usage *u);
/* The daemon's check of used bytes; said: what it said, or -1. Of no effect where the rhythm is its own. */
void mw_replay_check(struct mw_replay *r, __u64 time_ns, __u64 used, int said);
/* It was there until then. */
void mw_replay_end(struct mw_replay *r, __u64 time_ns);
void mw_replay_free(struct mw_replay *r); /* idempotent */
/* What of a look cannot be reclaimed, bytes. */
__u64 mw_replay_needed(const struct mw_usage *u);

/* A worker of a recording, replayed. */
struct mw_replayed {
	struct mw_record_worker about; /* as last recorded */
	bool ended; /* before the recording did */
	bool has_checks; /* the daemon's own */
	struct mw_replay replay;
};
/* A recording's workers judged. */
struct mw_replay_run {
	struct mw_replayed *workers;
	__u32 n_workers;
	struct mw_record_head head;
	__u64 records, last_ns;
	bool cut, closed, csv;
};
struct mw_replay_asks {
	/* The rules for a worker: *rules are those of the recording. 0 or -errno with a sentence. */
	int (*rules)(const struct mw_record_worker *about, struct mw_replay_rules *rules, void *arg,
		     struct mw_error *err);
	void (*event)(__u32 worker, const struct mw_replay_event *e, void *arg); /* may be NULL */
	/* Each look before it is judged, the time it stands for unknown yet; may be NULL. */
	int (*sample)(__u32 worker, const struct mw_record_worker *about, const struct mw_usage *u, void *arg);
	bool keep_profile; /* a change of the recorded profile changes nothing: it is judged by another */
	void *arg;
};
/* All of what name's bytes hold. As mw_record_next, or what the caller's functions return. */
int mw_replay_run(const char *name, const void *bytes, size_t size, const struct mw_replay_asks *asks,
		  struct mw_replay_run *ret_run, struct mw_error *err);
void mw_replay_run_free(struct mw_replay_run *run); /* idempotent */

#endif
