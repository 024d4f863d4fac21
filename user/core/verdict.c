/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/verdict.h"

#include <signal.h>
#include <sys/wait.h>

#include "util/amount.h"
#include "util/clock.h"
#include "util/size.h"

static const char *const reason_names[] = {
	[MW_REASON_EXIT] = "exit",	 [MW_REASON_HEAP_SIZE] = "heap_size", [MW_REASON_BIN_LIMIT] = "bin_limit",
	[MW_REASON_SQUEEZE] = "squeeze", [MW_REASON_ADMIN] = "admin",	      [MW_REASON_HOST_OOM] = "host_oom",
	[MW_REASON_SIGNAL] = "signal",	 [MW_REASON_HIBERNATE] = "hibernate", [MW_REASON_LIFT] = "lift",
	[MW_REASON_FREEZE] = "freeze",	 [MW_REASON_UNSEEN] = "unseen",
};
_Static_assert(sizeof(reason_names) / sizeof(reason_names[0]) == MW_REASON_MAX, "a name for every reason");

const char *mw_reason_name(enum mw_reason reason)
{
	return (unsigned int)reason < MW_REASON_MAX ? reason_names[reason] : "unknown";
}

static __u64 squeeze_margin(__u64 high)
{
	return high / 50 < MW_SQUEEZE_MARGIN_MAX ? high / 50 : MW_SQUEEZE_MARGIN_MAX;
}

__u64 mw_squeeze_room(__u64 high)
{
	return mw_less(high, squeeze_margin(high));
}

/* Under the level it was lifted at; or, once things have settled, under high at all. */
static bool squeeze_over(const struct mw_squeeze_state *s, __u64 usage, __u64 high, __u64 since_lift)
{
	__u64 level = s->usage_at_lift < high ? s->usage_at_lift : high;

	if (since_lift >= MW_SQUEEZE_SETTLE_NS)
		level = high;
	return since_lift >= MW_SQUEEZE_HOLD_NS && usage < mw_less(level, squeeze_margin(high));
}

/* Is usage a tenth of what from is over high, or more, below from? */
static bool tenth_below(__u64 usage, __u64 from, __u64 high)
{
	return usage < from && from - usage >= mw_less(from, high) / 10;
}

bool mw_squeeze_freed(const struct mw_squeeze_state *s, __u64 usage, __u64 high)
{
	return tenth_below(usage, s->usage_at_lift, high);
}

void mw_squeeze_note(struct mw_squeeze_state *s, __u64 usage, __u64 high, __u64 now_ns)
{
	if (!s->lifted)
		return;
	if (s->least_ns < s->lifted_ns) {
		s->least = s->usage_at_lift;
		s->least_ns = s->lifted_ns;
	}
	if (tenth_below(usage, s->least, high)) {
		s->least = usage;
		s->least_ns = now_ns;
	}
}

static bool frees_nothing(const struct mw_squeeze_state *s, __u64 usage, __u64 high, __u64 now_ns)
{
	__u64 since = s->least_ns > s->lifted_ns ? s->least_ns : s->lifted_ns;

	return usage > high + squeeze_margin(high) &&
	       (!mw_squeeze_freed(s, usage, high) || mw_less(now_ns, since) >= MW_SQUEEZE_STALL_NS);
}

enum mw_squeeze mw_verdict_squeeze(const struct mw_squeeze_state *s, const struct mw_usage *u, __u64 high,
				   enum mw_policy policy, __u64 now_ns)
{
	__u64 since_lift = mw_less(now_ns, s->lifted_ns);

	if (policy == MW_POLICY_OBSERVE || mw_unlimited(high))
		return MW_SQUEEZE_NONE;
	if (!s->lifted)
		return s->throttled || s->near ? MW_SQUEEZE_LIFT : MW_SQUEEZE_NONE;
	/* What was seen before the lift, or in the moment of it, says nothing about what the lift did. */
	if (mw_less(u->time_ns, s->lifted_ns) < MW_SQUEEZE_KILL_NS || since_lift < MW_SQUEEZE_KILL_NS)
		return MW_SQUEEZE_NONE;
	if (squeeze_over(s, u->current, high, since_lift))
		return MW_SQUEEZE_RESTORE;
	if (policy == MW_POLICY_STRICT && frees_nothing(s, u->current, high, now_ns))
		return MW_SQUEEZE_KILL;
	return MW_SQUEEZE_NONE;
}

int mw_status_signal(int wait_status)
{
	if (wait_status < 0)
		return 0;
	if (WIFSIGNALED(wait_status))
		return WTERMSIG(wait_status);
	/* A shell passes its child's signal on as 128 + n; only the classic 31 are taken for one. */
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) > 128 && WEXITSTATUS(wait_status) <= 128 + 31)
		return WEXITSTATUS(wait_status) - 128;
	return 0;
}

/* Somebody asked it to stop, or its reader went away: how daemons and tools normally end. */
static bool asked_to_stop(int signo)
{
	return signo == SIGTERM || signo == SIGINT || signo == SIGHUP || signo == SIGPIPE;
}

/*
 * May an OOM kill in the cgroup be why the worker ended? Yes when its main
 * process was killed, failed, or was never waited for. No when it went on and ended in
 * good order or by another signal: then a child had been the victim.
 */
static bool died_of_oom(int wait_status, int signo)
{
	if (signo == SIGKILL || wait_status < 0)
		return true;
	return !signo && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) != 0;
}

enum mw_reason mw_verdict_death(const struct mw_death *d)
{
	int signo = mw_status_signal(d->wait_status);

	if (d->ours == MW_REASON_BIN_LIMIT || d->ours == MW_REASON_SQUEEZE || d->ours == MW_REASON_ADMIN)
		return d->ours;
	if ((d->oom_kills || d->oom_host) && died_of_oom(d->wait_status, signo))
		return d->oom_host ? MW_REASON_HOST_OOM : MW_REASON_HEAP_SIZE;
	if (signo && !asked_to_stop(signo))
		return MW_REASON_SIGNAL;
	return MW_REASON_EXIT;
}

bool mw_reason_is_incident(enum mw_reason reason)
{
	return reason > MW_REASON_EXIT && reason < MW_REASON_MAX;
}
