/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Fail open. The keeper is a small, locked process, parent of the daemon and
 * main process of the service: when the daemon dies or its heartbeat stops, it
 * thaws what the daemon itself had frozen and sets memory.high = max on every worker the
 * daemon had limited, within a second. memory.max stays. Then it starts a new daemon.
 *
 * Both share a table in a sealed memfd; directory descriptors travel over a
 * socket. The daemon freezes nothing the keeper cannot thaw: a slot's cgroup_id stands in the table only
 * once its descriptor is on its way.
 */
#ifndef MW_KEEPER_H
#define MW_KEEPER_H

#include <linux/types.h>
#include <stdbool.h>

#include "util/error.h"

#define MW_KEEPER_ENV		"MEMWEIR_KEEPER" /* "SOCKET_FD,TABLE_FD,PROGRAM_FD" in the daemon's environment */
#define MW_KEEPER_RESTARTED_ENV "MEMWEIR_RESTARTED" /* "1" for a daemon that takes a dead one's place */
#define MW_KEEPER_MAX_SLOTS	65536u
#define MW_KEEPER_HEARTBEAT_NS	200000000ULL /* the daemon beats this often */
#define MW_KEEPER_TIMEOUT_NS	750000000ULL /* silence that counts as hung; a hung (also: stopped) daemon is killed */
#define MW_KEEPER_START_NS	30000000000ULL /* until the first beat: loading BPF programs is slow under emulation */
#define MW_KEEPER_STOP_NS	10000000000ULL /* from SIGTERM, or from stopping = 1, to the end; then it is killed */
#define MW_KEEPER_THAW_LATE_MS	750
#define MW_KEEPER_DEATHS	10 /* within a minute: the keeper gives up with status 1 */

struct mw_keeper_slot {
	__u64 cgroup_id; /* 0: free, or not passed on yet: then it must not be frozen */
	__u8 frozen; /* 1: the daemon has frozen it (pulse or ladder), not an administrator */
	__u8 high_set; /* 1: memory.high was limited by us: lift it */
	__u8 reserved[6];
};

struct mw_keeper_table {
	__u64 heartbeat_ns; /* CLOCK_MONOTONIC, written by the daemon; 0: it is starting */
	__u64 busy_until_ns; /* the daemon knows it will be silent until then; at most START_NS are granted */
	__u64 stopping; /* 1: the daemon ends in good order (its pulses have ended); exit code follows */
	__u32 n_slots;
	/*
	 * What the daemon has frozen is thawed by then, in ms of CLOCK_MONOTONIC, 0: nothing is. A daemon that is late
	 * by MW_KEEPER_THAW_LATE_MS hangs, whatever its heartbeat says. The low 32 bits: they come round in 49 days.
	 */
	__u32 thaw_by_ms;
	struct mw_keeper_slot slots[]; /* n_slots */
};

/* Set before the 1 is written into cgroup.freeze, cleared after the 0. Any thread. false: the keeper does not hold it,
 * do not freeze. */
bool mw_keeper_mark_frozen(struct mw_keeper_table *t, __u32 slot, __u64 cgroup_id, bool frozen);
/* Set before memory.high is limited, cleared after it was set to max. Any thread. */
void mw_keeper_mark_high(struct mw_keeper_table *t, __u32 slot, bool high_set);

/* Nothing is frozen by the daemon after time_ns, but for as long as a pulse takes; 0: nothing is. */
void mw_keeper_thaw_by(struct mw_keeper_table *t, __u64 time_ns);

/* ---- the daemon's side: keeper_link.c; one thread calls it ---- */
struct mw_keeper_link;
/*
 * From the environment, which is then cleared. Without a keeper 0 too: the
 * table is private, nothing is passed on, mw_keeper_fd is -1. max_workers as configured, at most the
 * keeper's n_slots (-EINVAL). The link starts silent: beat soon.
 */
int mw_keeper_connect(__u32 max_workers, struct mw_keeper_link **ret_link, struct mw_error *err);
void mw_keeper_disconnect(struct mw_keeper_link *l); /* what stands in the table stays for the keeper to mend */
struct mw_keeper_table *mw_keeper_table(struct mw_keeper_link *l);
/*
 * Pass a worker's directory (duplicated). high_set and frozen are then written
 * in the table directly. Non-blocking; -EAGAIN never loses: it is sent with the next beat.
 */
int mw_keeper_add(struct mw_keeper_link *l, __u32 slot, __u64 cgroup_id, int dir_fd, bool high_set);
void mw_keeper_drop(struct mw_keeper_link *l, __u32 slot);
void mw_keeper_beat(struct mw_keeper_link *l, __u64 now_ns);
void mw_keeper_busy(struct mw_keeper_link *l, __u64 until_ns); /* before something that blocks; the next beat ends it */
void mw_keeper_stopping(struct mw_keeper_link *l); /* the daemon ends in good order; free the breaker first */
int mw_keeper_fd(const struct mw_keeper_link *l); /* readable (EOF) when the keeper is dead; -1 without */
/*
 * The keeper is dead: start another one that adopts this daemon (it cannot be
 * its parent: it holds a pidfd) and pass it everything. mw_keeper_fd changes. Under a service manager the
 * death of the main process ends the service (systemd 252 does not wait for MAINPID=): let it restart both.
 */
int mw_keeper_replace(struct mw_keeper_link *l, struct mw_error *err);

/* ---- the keeper's side: keeper.c, for user/cli/daemon.c ---- */
typedef void (*mw_keeper_say_fn)(const char *line); /* one line per fact: a death, what was mended, a new start */

struct mw_keeper_options {
	char *const *argv; /* the daemon program and its arguments */
	const char *daemon_path; /* MW_LIBEXEC/memweir-daemon, or beside the running program in a build tree */
	__u32 n_slots; /* at least the daemon's max_workers; 0: MW_KEEPER_MAX_SLOTS (memory is used as slots are) */
	bool once; /* do not start a new daemon after a death (tests, --no-restart) */
	mw_keeper_say_fn say; /* NULL: silent */
};
/*
 * Runs until the daemon ends: in good order, with status 0, before it ever
 * beat (then it cannot start: usage, configuration), or after SIGTERM, SIGINT, SIGQUIT were passed on.
 * Returns its exit status (128 + n for a signal). Any other end is a death: a new daemon is started after
 * 0.1 s, doubling to 5 s. SIGHUP is passed on. READY, RELOADING, WATCHDOG, STATUS go to NOTIFY_SOCKET,
 * without libsystemd. The daemon runs in a process group of its own, so that Ctrl-C reaches it once, through the
 * keeper.
 */
int mw_keeper_run(const struct mw_keeper_options *opts);
/*
 * `memweir daemon --keep PID -- PROGRAM ARGUMENTS...`: adopt a running daemon, our parent, whose keeper
 * died; descriptors in MW_KEEPER_ENV. daemon: its program's path and its arguments, the name first, then NULL, for a
 * new start; kept until the end. One that is dead by now is mended after as any other. Its exit status cannot be known:
 * stopping counts as 0, anything else as a death.
 */
int mw_keeper_adopt(int pid, char *const *daemon, mw_keeper_say_fn say);

#endif
