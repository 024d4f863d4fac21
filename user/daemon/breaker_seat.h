/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* One worker as the breaker sees it: its open files, and the sleep that is being followed. For breaker*.c only. */
#ifndef MW_BREAKER_SEAT_H
#define MW_BREAKER_SEAT_H

#include <pthread.h>

#include "daemon/breaker.h"

#define MW_BREAKER_RING	  1024 /* a power of two */
#define MW_BREAKER_ABOVES 256

#define MW_SEAT_TIDS 4 /* sleepers told of, looked at before all others */

/* An ancestor of ours, shared by the workers below it. */
struct mw_above {
	__u64 cgroup_id;
	int dir, high, events; /* events: memory.events.local in poll mode, else -1 */
	__u32 refs; /* 0: free */
};

struct mw_seat {
	__u64 cgroup_id; /* 0: free. Atomic: the loop reads it without the lock */
	int dir, high, freeze, events; /* freeze, events: -1 without */
	__u32 slot;
	bool may_lift;
	__u8 n_above;
	__u16 above[MW_BREAKER_ABOVE];

	/* a sleep followed */
	bool active;
	bool polled; /* looked at because memory.events moved: no task is known to sleep */
	bool lifted;
	__u64 lifted_above;
	__u64 began_ns, until_ns, next_ns;
	__u64 first_ns; /* of the first confirmed sleep; 0: none yet */
	__u64 asleep_ns; /* since when one is seen asleep; 0: not now */
	__u64 slept_ns; /* longest seen */
	__u32 pulses, away; /* away: looks since the last sleeper */
	pid_t tids[MW_SEAT_TIDS], sleeper;
	__u8 next_tid;

	/* a hold */
	bool held;
	bool touched; /* somebody else has written cgroup.freeze since */
	int watch; /* inotify's, of cgroup.freeze; -1: none */
	__u64 held_until_ns, held_next_ns, enough, before;
	__u64 let_go_ns; /* a hold asked for before that does not begin */
};

/* What a step needs of the breaker. */
struct mw_seat_env {
	const char *proc_root;
	struct mw_keeper_table *table;
	struct mw_above *above;
	bool dry_run;
};

/* Open the files of a worker; 0, or -errno with nothing open. seat->cgroup_id is left to the caller. */
int mw_seat_open(struct mw_seat *s, int dir_fd, bool poll_events);
int mw_above_open(struct mw_above *a, int dir_fd, bool poll_events);
void mw_seat_close(struct mw_seat *s);
void mw_above_close(struct mw_above *a);

/* Begin to follow, or go on: a task goes to sleep (tid), or memory.events moved (tid 0, polled). */
void mw_seat_begin(struct mw_seat *s, pid_t tid, __u64 time_ns, __u64 now_ns);
/* memory.high = max where it is exceeded. -ENODEV: gone. */
int mw_seat_lift(struct mw_seat *s, const struct mw_seat_env *env);
/* One look, and a pulse if one sleeps. 1: go on at next_ns, 0: over, -ENODEV: gone. */
int mw_seat_step(struct mw_seat *s, const struct mw_seat_env *env, __u64 now_ns);
/* The end of following: what happened. false: nothing worth telling. */
bool mw_seat_end(struct mw_seat *s, bool dry_run, __u64 now_ns, struct mw_breaker_report *ret_report);
int mw_seat_freeze(const struct mw_seat *s, const char *value); /* "0", "1" into cgroup.freeze; 0 or -errno */
/* Write 0 until it is done or the cgroup is gone: nothing of ours stays frozen. */
int mw_seat_thaw(const struct mw_seat *s);
/* Is the ancestor over its memory.high now? */
bool mw_above_over(const struct mw_above *a);

enum { MW_BREAKER_ON_WAKE, MW_BREAKER_ON_SEAT, MW_BREAKER_ON_ABOVE }; /* upper half of epoll data; lower: index */

struct mw_breaker_request {
	__u64 cgroup_id, time_ns;
	__u32 slot;
	pid_t tid; /* 0: near */
	__u64 until_ns, enough; /* of a hold; until_ns 0: it is none */
};

struct mw_breaker {
	char *proc_root;
	struct mw_seat_env env;
	bool poll_events;
	__u32 max_workers, n_active, n_held, turn;
	pthread_t thread;
	pthread_mutex_t lock; /* seats, above, active */
	int epoll_fd, wake_fd, report_fd;
	int touch_fd; /* inotify: cgroup.freeze of who is held; -1: the kernel gives none */
	bool stop; /* atomic, as all below */
	__u64 lost;
	__u32 req_head, req_tail, rep_head, rep_tail; /* heads: the reader's */
	struct mw_breaker_request requests[MW_BREAKER_RING];
	struct mw_breaker_report reports[MW_BREAKER_RING];
	struct mw_above above[MW_BREAKER_ABOVES];
	__u32 *active; /* slots being followed */
	__u32 *held; /* slots frozen */
	struct mw_seat *seats;
};

/* With the lock. */
void mw_breaker_tell(struct mw_breaker *b, const struct mw_breaker_report *r);
void mw_breaker_end(struct mw_breaker *b, struct mw_seat *s); /* of a following */
void mw_breaker_release(struct mw_breaker *b, struct mw_seat *s); /* the worker goes */
/* breaker_hold.c */
void mw_breaker_freeze_begin(struct mw_breaker *b, struct mw_seat *s, const struct mw_breaker_request *q);
void mw_breaker_freeze_step_all(struct mw_breaker *b);
void mw_breaker_freeze_release(struct mw_breaker *b,
			       struct mw_seat *s); /* now, whatever its time; nothing if not held */
__u64 mw_breaker_freeze_next(const struct mw_breaker *b); /* when the next look is due; ~0: never */
bool mw_breaker_request(struct mw_breaker *b, const struct mw_breaker_request *r); /* false: no room, counted */

#endif
