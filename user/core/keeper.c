/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The keeper's loop: watch the daemon, mend when it is gone, start another.
 * Single-threaded, locked, and after the start without an allocation.
 */
#include "core/keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/keeper_impl.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define KILL_WAIT_MS  150 /* for a hung daemon to be gone before we mend for good: it must not undo what we do */
#define MEND_TRIES    5
#define BACK_OFF_NS   (100 * MW_NS_PER_MS)
#define BACK_OFF_MAX  (5 * MW_NS_PER_S)
#define DEATHS_WITHIN (60 * MW_NS_PER_S)

void mw_keeper_say(const struct keeper *k, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (k->opts.say)
		k->opts.say(line);
}

/* ---- mending ---- */

static void receive(struct keeper *k)
{
	if (k->sock >= 0 && mw_keeper_hold_receive(&k->hold, k->sock) < 0)
		mw_close(&k->sock);
}

static void mend(struct keeper *k)
{
	unsigned mended = 0, failed = 0, total = 0;

	receive(k);
	for (int i = 0; i < MEND_TRIES; i++) {
		failed = mw_keeper_hold_mend(&k->hold, &mended);
		total += mended;
		if (!failed)
			break;
		poll(NULL, 0, 10);
	}
	if (total)
		mw_keeper_say(k, "%u limits and freezes of the guard taken back; workers go on under memory.max",
			      total);
	if (failed)
		mw_keeper_say(k, "%u limits or freezes could not be taken back", failed);
}

static void kill_daemon(struct keeper *k, const char *why)
{
	struct pollfd gone = {k->pidfd, POLLIN, 0};

	mw_keeper_say(k, "daemon %d: %s; killed", k->pid, why);
	k->hung = true;
	k->kill_at_ns = 0;
	pidfd_send_signal(k->pidfd, SIGKILL, NULL, 0);
	/* It does nothing more, but what it has under way in the kernel: nobody waits for its end, and what that may
	 * undo is mended again. */
	receive(k);
	mw_keeper_hold_mend_early(&k->hold);
	poll(&gone, 1, KILL_WAIT_MS);
	mend(k); /* now, if it hangs in the kernel, and again when it is gone */
}

static void reap(struct keeper *k)
{
	siginfo_t si = {0};

	k->ordered = mw_keeper_load(&k->hold.table->stopping);
	k->exited = false;
	if (!k->child) { /* adopted: nobody tells us its status */
		k->exited = k->ordered && !k->hung;
		k->status = k->exited ? 0 : 128 + SIGKILL;
	} else if (!waitid(P_PIDFD, (id_t)k->pidfd, &si, WEXITED)) {
		k->exited = si.si_code == CLD_EXITED;
		k->status = k->exited ? si.si_status : 128 + si.si_status;
	}
}

/* The daemon has ended, one way or another. */
void mw_keeper_bury(struct keeper *k)
{
	reap(k);
	mend(k);
	mw_keeper_hold_clear(&k->hold);
	mw_close(&k->pidfd);
	mw_close(&k->sock);
	k->pid = 0;
}

/* ---- watching ---- */

static void tick(struct keeper *k)
{
	enum mw_keeper_sight sight = mw_keeper_look(k);

	if (sight == MW_KEEPER_OVERTIME)
		kill_daemon(k, "did not end in time");
	else if (sight == MW_KEEPER_FROZEN)
		kill_daemon(k, "what it froze is not thawed in time");
	else if (sight == MW_KEEPER_SILENT)
		kill_daemon(k, k->beat ? "no heartbeat, it hangs" : "did not start in time");
}

static void on_signal(struct keeper *k)
{
	struct signalfd_siginfo si;

	if (read(k->signal_fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGHUP) {
		mw_keeper_notify("RELOADING=1\nMONOTONIC_USEC=%llu", mw_now_ns() / 1000);
		k->reload_beats = 2; /* the next may have been under way already */
	} else {
		k->terminating = true;
		mw_keeper_notify("STOPPING=1");
		if (!k->kill_at_ns)
			k->kill_at_ns = mw_now_ns() + MW_KEEPER_STOP_NS;
		si.ssi_signo = SIGTERM;
	}
	if (k->pidfd >= 0)
		pidfd_send_signal(k->pidfd, (int)si.ssi_signo, NULL, 0);
	mw_keeper_look_soon(k);
}

/* Until the daemon has ended and what it left is mended. */
static void watch(struct keeper *k)
{
	for (;;) {
		struct pollfd fds[] = {
			{k->pidfd, POLLIN, 0},
			{k->signal_fd, POLLIN, 0},
			{k->timer_fd, POLLIN, 0},
			{k->sock, POLLIN, 0}, /* -1 is passed over */
		};
		__u64 expired;

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[0].revents) {
			mw_keeper_bury(k);
			return;
		}
		if (fds[1].revents)
			on_signal(k);
		if (fds[3].revents)
			receive(k);
		if (fds[2].revents) {
			(void)!read(k->timer_fd, &expired, sizeof(expired));
			tick(k);
		}
	}
}

/* ---- deciding whether to go on ---- */

/* Too many deaths within a minute. */
static bool hopeless(struct keeper *k)
{
	__u64 now = mw_now_ns(), *oldest = &k->deaths[k->n_deaths % MW_KEEPER_DEATHS];
	bool full = k->n_deaths >= MW_KEEPER_DEATHS - 1;
	__u64 first = k->deaths[(k->n_deaths + 1) % MW_KEEPER_DEATHS];

	*oldest = now;
	k->n_deaths++;
	return full && now - first < DEATHS_WITHIN;
}

/* Wait before the next start. false: told to stop meanwhile. */
static bool back_off(struct keeper *k)
{
	__u64 until, now = mw_now_ns();

	/* One that ran well for a minute starts the series anew. */
	if (k->n_deaths < 2 || now - k->deaths[(k->n_deaths - 2) % MW_KEEPER_DEATHS] > DEATHS_WITHIN)
		k->back_off_ns = BACK_OFF_NS;
	else
		k->back_off_ns = 2 * k->back_off_ns < BACK_OFF_MAX ? 2 * k->back_off_ns : BACK_OFF_MAX;
	for (until = now + k->back_off_ns; now < until; now = mw_now_ns()) {
		struct pollfd fd = {k->signal_fd, POLLIN, 0};

		if (poll(&fd, 1, 100) > 0)
			on_signal(k);
		if (k->terminating)
			return false;
		mw_keeper_watchdog(k, now);
	}
	return true;
}

/* An end that is to be passed on, not mended by a new start. */
static bool final(const struct keeper *k)
{
	if (k->terminating || k->opts.once)
		return true;
	return k->exited && (!k->status || k->ordered || !k->worked);
}

int mw_keeper_loop(struct keeper *k)
{
	for (;;) {
		int r = k->pid ? 0 : mw_keeper_start(k);

		if (r) {
			mw_keeper_say(k, "the daemon cannot be started: %s", strerror(-r));
			k->status = 1;
			k->exited = false;
		} else {
			watch(k);
		}
		if (final(k))
			return k->status;
		mw_keeper_say(k, k->exited ? "the daemon ended with status %d" : "the daemon died, status %d",
			      k->status);
		if (hopeless(k)) {
			mw_keeper_say(k, "%d deaths within a minute: giving up", MW_KEEPER_DEATHS);
			return 1;
		}
		mw_keeper_notify("STATUS=Not guarding: the daemon died (%u so far), another one starts", k->n_deaths);
		if (!back_off(k))
			return 0;
	}
}
