/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Inside of a guard, for guard*.c and limiter.c only. */
#ifndef MW_LIB_GUARD_IMPL_H
#define MW_LIB_GUARD_IMPL_H

#include <memweir/guard.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/level.h"
#include "lib/guard_figures.h"
#include "lib/meter.h"

#define MW_GUARD_REQUESTS 64
#define MW_GUARD_ASK_MS	  2000 /* of the daemon, each time */
#define MW_GUARD_SOCKET	  "/run/memweir/memweir.sock"
#define MW_GUARD_WHY	  200 /* a sentence */

struct mw_guard_request {
	uint64_t id; /* 0: free */
	uint64_t began_ns, heap_bin, current, peak;
	uint32_t others;
	unsigned int cgroup_dir; /* meter.opened then */
	int peak_fd; /* memory.peak, kept for the next one; -1 */
	bool exact; /* the kernel counts its peak in peak_fd */
};

/* One callback. */
struct mw_guard_note {
	memweir_guard_fn fn;
	void *arg;
	bool running;
};

struct memweir_guard {
	/* What validate reads alone. */
	_Atomic uint64_t next_ns; /* CLOCK_MONOTONIC_COARSE: the cached answer holds until then */
	_Atomic uint64_t answer; /* mw_guard_pack */
	uint64_t cache_ns;

	pthread_mutex_t lock; /* of all below, but for the notes */
	struct mw_meter meter;
	struct mw_profile profile; /* of it max_heap, max_bin_heap and hibernate_threshold alone */
	struct memweir_guard_options options; /* its texts are those below */
	char class_name[MW_NAME_SIZE], worker[MW_NAME_SIZE], name[MW_NAME_SIZE];
	char socket[108], root[PATH_MAX];
	struct mw_profile asked; /* the daemon's word, before own limits */
	uint64_t max_seen; /* memory.max when the limits were taken */
	uint64_t can; /* bits that do not change with a look */
	char why_daemon[MW_GUARD_WHY], why_tighten[MW_GUARD_WHY]; /* what it said, or why nobody did */
	enum mw_level level; /* as told last */
	uint64_t told_ns;
	unsigned int told_times;
	struct mw_guard_request requests[MW_GUARD_REQUESTS];
	unsigned int open; /* of them */
	uint64_t last_request;
	struct mw_request_figures measured; /* of all that ended */
	char pressure[PATH_MAX]; /* "": nobody tells */
	int pressure_fd, poll_fd; /* -1: not opened */

	struct mw_guard_figures figures;

	pthread_mutex_t notes_lock;
	pthread_cond_t notes_idle;
	struct mw_guard_note notes[MEMWEIR_EVENT_MAX];
};

/* guard.c */
int mw_guard_look(struct memweir_guard *g, bool full, uint64_t *ret_answer); /* with the callbacks it calls for */
/* For who tells of something himself: 0 or 1 + the event that is reached, as told now; -errno. */
int mw_guard_look_quietly(struct memweir_guard *g, uint64_t *ret_answer);
/* What validate answers, in one word. */
static inline int mw_guard_level_of(uint64_t answer)
{
	return (int)(answer >> 32);
}
static inline double mw_guard_percent_of(uint64_t answer)
{
	return (double)(uint32_t)answer / 100;
}
int mw_guard_used(struct memweir_guard *g, uint64_t limit, uint64_t *ret_used); /* mw_meter_used */

/* guard_limits.c: with the lock held */
int mw_guard_builtin_limits(struct memweir_guard *g); /* without a daemon. -ENOENT: nobody knows any */
void mw_guard_take_limits(struct memweir_guard *g,
			  const struct mw_profile *from); /* the daemon's, and own tighter ones */
struct mw_profile mw_guard_profile(const struct memweir_guard *g); /* as they stand */
bool mw_guard_enforced(const struct memweir_guard *g); /* by the kernel */

/* guard_daemon.c: without the lock, which may not be held as long as a daemon takes */
int mw_guard_ask(
	struct memweir_guard *g); /* 0: this is a worker and has its limits now; -ENOENT: none; else no answer */
int mw_guard_join(struct memweir_guard *g); /* become one. 0, or -errno */
void mw_guard_tighten(struct memweir_guard *g); /* own limits to the daemon, where they are tighter */
int mw_guard_ask_hibernate(struct memweir_guard *g); /* without the lock */

/* guard_figures.c: with figures.lock held. False: there is nothing to be said */
bool mw_guard_collect(struct memweir_guard *g, struct mw_figures *ret_figures);

/* guard_report.c */
bool mw_guard_report_due(const struct memweir_guard *g); /* memweir_guard_report would do something */

/* guard_hibernate.c */
bool mw_guard_may_reclaim(const struct memweir_guard *g); /* by itself */

/* guard_pressure.c */
void mw_guard_find_pressure(struct memweir_guard *g);

/* guard_notes.c: how many were called */
int mw_guard_tell(struct memweir_guard *g, enum memweir_event event, const char *what, double percent);
bool mw_guard_in_callback(const struct memweir_guard *g); /* the calling thread is in one of g's */

/* guard_request.c: with the lock held */
bool mw_guard_has_peak(struct memweir_guard *g);
void mw_guard_requests_forget(struct memweir_guard *g); /* descriptors */
void mw_guard_requests_saw(struct memweir_guard *g, uint64_t current);

#endif
