/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Between the files of the keeper: what travels over the socket, what is held, how it is told. */
#ifndef MW_KEEPER_IMPL_H
#define MW_KEEPER_IMPL_H

#include <signal.h>
#include <sys/types.h>

#include "core/keeper.h"

#define MW_KEEPER_TICK_NS    50000000ULL /* the keeper looks this often when something is awaited: a beat is overdue */
#define MW_KEEPER_SPUN_NS    4000000000ULL /* a step of the daemon that takes longer has no end */
#define MW_KEEPER_STARVED_NS 10000000000ULL /* after that it is tried with another one */
#define MW_KEEPER_CALM_NS    250000000ULL /* a beat this old is overdue; until then nobody looks */
#define MW_KEEPER_BATCH	     64 /* descriptors in one message; the kernel's bound is 253 */

/* One message: entries with a descriptor each (ADD, in the same order), or without (DROP). */
enum mw_keeper_op {
	MW_KEEPER_ADD = 1,
	MW_KEEPER_DROP = 2,
};
struct mw_keeper_entry {
	__u32 slot, reserved;
	__u64 cgroup_id;
};
struct mw_keeper_message {
	__u32 op, n;
	struct mw_keeper_entry entries[MW_KEEPER_BATCH];
};

/* The descriptors the daemon has passed on, by slot; calloc'ed, so that only used pages cost memory. */
struct mw_keeper_hold {
	struct mw_keeper_table *table;
	__u32 n_slots; /* our own: the table's may be scribbled over by a sick daemon */
	struct mw_keeper_held {
		__u64 cgroup_id; /* 0: none */
		int fd;
	} * held;
	__u64 lost; /* descriptors that did not arrive: our limit of open files was reached */
};
int mw_keeper_hold_receive(struct mw_keeper_hold *h, int sock); /* everything that waits; -EPIPE at its end */
/* Thaw and lift what the table says is ours; done slots are cleared. Number that could not be mended; *ret_mended:
 * written. */
unsigned mw_keeper_hold_mend(struct mw_keeper_hold *h, unsigned *ret_mended);
/* The same, but nothing is cleared: a daemon that is not quite gone may undo it, so it is done once more then. */
void mw_keeper_hold_mend_early(struct mw_keeper_hold *h);
void mw_keeper_hold_clear(struct mw_keeper_hold *h); /* close all, empty the table for the next daemon */

static inline __u64 mw_keeper_load(const __u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

struct keeper {
	struct mw_keeper_options opts;
	struct mw_keeper_hold hold;
	int table_fd, program_fd; /* program: our own, for the daemon to start another keeper with */
	int signal_fd, timer_fd, sock, pidfd;
	sigset_t old_mask;
	pid_t pid; /* the daemon; 0: none runs */
	bool child; /* it is ours to reap */
	int status; /* of its end: exit status, 128 + signal */
	bool exited; /* by itself, not by a signal */
	bool ordered; /* stopping was set */

	__u64 beat, silence_ns; /* last heartbeat seen, and how long ago: as much of it as we were there to see */
	__u64 cpu_ns, slow_ns; /* of a silent daemon: processor time at the last look; what of the silence is not
				     held against it */
	__u64 late_ns; /* a thaw is overdue, as much of it as we saw */
	__u64 tick_ns, next_ns; /* our last look, and when the next one is due */
	bool worked; /* some daemon has beaten: ends before that are its configuration's fault */
	bool terminating, hung;
	__u64 kill_at_ns; /* end of patience; 0: none */
	unsigned reload_beats; /* heartbeats until a reload counts as done */
	__u64 watchdog_ns, watched_ns;
	__u64 deaths[MW_KEEPER_DEATHS], back_off_ns;
	unsigned n_deaths;
};

/* keeper_look.c: take a look now, and set the timer for the next. */
enum mw_keeper_sight { MW_KEEPER_WELL, MW_KEEPER_SILENT, MW_KEEPER_FROZEN, MW_KEEPER_OVERTIME };
enum mw_keeper_sight mw_keeper_look(struct keeper *k);
void mw_keeper_look_soon(struct keeper *k); /* something changed: within MW_KEEPER_TICK_NS */
void mw_keeper_watchdog(struct keeper *k, __u64 now); /* the service's, if it has one: it watches us */
/* keeper_start.c: fork and execute the daemon. 0 or -errno. */
int mw_keeper_start(struct keeper *k);
/*
 * keeper_spawn.c, the daemon's side: start `memweir daemon --keep`, which is told our program and arguments. fds: its
 * end of the socket, the table, its program; they stay ours. 0 or -errno.
 */
int mw_keeper_spawn(const int fds[3], pid_t *ret_pid);
/* keeper.c: until everything has ended; the exit status. */
int mw_keeper_loop(struct keeper *k);
void mw_keeper_bury(struct keeper *k); /* the daemon has ended, one way or another: reap, mend, forget */
void mw_keeper_say(const struct keeper *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One datagram to NOTIFY_SOCKET, if there is one. */
void mw_keeper_notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Parse "A,B,C" of the environment into descriptors, close-on-exec. -ENOENT without, -EINVAL. */
int mw_keeper_parse_env(int ret_fds[3]);
/* Size of a table of n slots, bytes. */
static inline unsigned long mw_keeper_table_size(__u32 n_slots)
{
	return sizeof(struct mw_keeper_table) + n_slots * (unsigned long)sizeof(struct mw_keeper_slot);
}

#endif
