/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Limits of a worker that somebody else changed. The newest word of others is what is put back when we let go, and a
 * tighter one is respected from now on; a looser one is repaired, later and later if it happens again and again.
 */
#include <string.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/cgroup_limits.h"
#include "daemon/guard.h"
#include "daemon/unit.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/size.h"

#define SETTLE_NS     (1 * MW_NS_PER_S) /* our own may still be on its way */
#define ASKED_NS      (3 * MW_NS_PER_S) /* a limit that was just asked for may not stand yet */
#define WRITER_NS     (10 * MW_NS_PER_S) /* a name is older than this: somebody else's */
#define TOLD_NS	      (60 * MW_NS_PER_S) /* lines about one worker are no closer, unless it is another's doing */
#define FILES_A_CHECK 16 /* workers whose files are read in one check, and in one beat; the others have their turn */

static bool ours_under_way(const struct mw_worker *w, __u64 now_ns)
{
	if (w->limits_due || w->limits_under_way || w->unmet.since_ns || now_ns - w->limits_ns < SETTLE_NS)
		return true;
	return w->unit && (w->unit->due || w->unit->under_way || !w->unit->asked_once);
}

/* What should stand there, of what we last wrote or asked for. */
static bool is_ours(const struct mw_worker *w, enum mw_limit_kind what, __u64 have)
{
	const struct mw_limits *l = w->unit ? &w->unit->asked : &w->held;
	__u64 asked = mw_limit_rounded(mw_held_get(l, what));

	if (have == asked) /* nearly always */
		return true;
	have = mw_limit_rounded(have);
	if (have == asked || have == mw_limit_rounded(mw_held_get(&w->limits, what)))
		return true;
	/* Lifted, by us or by whoever wants to help: that comes back as any lift. Raised: by pacing. */
	return what == MW_LIMIT_HIGH && (have == MW_UNLIMITED || have == mw_limit_rounded(w->hold.raised));
}

static void say(struct mw_guard *g, struct mw_worker *w, enum mw_limit_kind what, __u64 was, bool respected,
		__u64 now_ns)
{
	char now[24], before[24], who[64] = "somebody";
	struct mw_fact fact = {.reason = respected ? "tighter" : "looser"};

	if (w->hold.told_ns && now_ns - w->hold.told_ns < TOLD_NS && !respected && w->hold.told_pid == w->hold.by_pid &&
	    !strcmp(w->hold.told_by, w->hold.by))
		return;
	w->hold.told_ns = now_ns;
	w->hold.told_pid = w->hold.by_pid;
	snprintf(w->hold.told_by, sizeof(w->hold.told_by), "%s", w->hold.by);
	if (w->hold.by[0] && w->hold.by_pid == 1)
		snprintf(who, sizeof(who), "systemd, for somebody else");
	else if (w->hold.by[0])
		snprintf(who, sizeof(who), "%s (pid %u)", w->hold.by, w->hold.by_pid);
	fact.pid = (pid_t)w->hold.by_pid;
	mw_tell_fact(g->tell, LOG_WARNING, "limit-changed", w, &fact,
		     "worker %s (%s): %s has set %s to %s, where %s was; %s", w->name, w->class_name, who,
		     mw_held_file(what), mw_size_format(w->hold.found, now, sizeof(now)),
		     mw_size_format(was, before, sizeof(before)),
		     respected ? "that is no looser, and stays" : "it is put back to what the class allows");
}

/* Who wrote it, if that was told. */
static void name_writer(struct mw_hold *h, enum mw_limit_kind what, __u64 now_ns)
{
	struct mw_writer *by = &h->writers[what];
	bool known = by->time_ns && now_ns - by->time_ns < WRITER_NS;

	snprintf(h->by, sizeof(h->by), "%s", known ? by->comm : "");
	h->by_pid = known ? by->pid : 0;
	by->time_ns = 0;
}

/* The newest word of others; of a unit's property it stands in a drop-in of theirs from now on. */
static void take_word(struct mw_worker *w, enum mw_limit_kind what, __u64 have)
{
	mw_held_set(&w->before.limits, what, have);
	if (w->unit)
		w->unit->dropins |= 1U << what;
}

static void changed(struct mw_guard *g, struct mw_worker *w, enum mw_limit_kind what, __u64 have, __u64 now_ns)
{
	__u64 was = mw_held_get(&w->limits, what);
	struct mw_profile p;
	bool respected;

	if (!w->before.known)
		w->before.limits = mw_no_limits;
	w->before.known = true;
	take_word(w, what, have);
	if (mw_life_profile(g, w, &p) < 0)
		p = w->profile;
	mw_limits_settle(w, &p);
	respected = mw_limit_rounded(mw_held_get(&w->limits, what)) == have;
	w->hold.what = what;
	w->hold.found = have;
	name_writer(&w->hold, what, now_ns);
	mw_hold_conflict(&w->hold, now_ns);
	g->hold_due = true;
	say(g, w, what, was, respected, now_ns);
	mw_state_save(g, w);
}

#define UNKNOWN (MW_UNLIMITED - 1) /* not looked at: no limit is that */

/* All are judged by what should have stood there before any of them changes that. */
static void look_at(struct mw_guard *g, struct mw_worker *w, const __u64 have[MW_LIMIT_KIND_MAX], __u64 now_ns)
{
	bool other[MW_LIMIT_KIND_MAX];

	for (enum mw_limit_kind i = 0; i < MW_LIMIT_KIND_MAX; i++)
		other[i] = have[i] != UNKNOWN && !is_ours(w, i, have[i]);
	for (enum mw_limit_kind i = 0; i < MW_LIMIT_KIND_MAX; i++) {
		if (other[i])
			changed(g, w, i, have[i], now_ns);
	}
}

/* In a cgroup of ours no other manager is: what root tries there with swap and protection is left to him. */
static void read_files(const struct mw_worker *w, __u64 have[MW_LIMIT_KIND_MAX])
{
	for (enum mw_limit_kind i = 0; i < MW_LIMIT_KIND_MAX; i++) {
		bool looked_at = !w->made || i == MW_LIMIT_MAX || i == MW_LIMIT_HIGH;

		if (!looked_at || mw_cgroup_read_u64(w->dir_fd, mw_held_file(i), &have[i]) != 0)
			have[i] = UNKNOWN;
	}
}

/* Repairs first: until they are through, what was found is what is known already. */
static bool may_look(const struct mw_guard *g, const struct mw_worker *w, __u64 now_ns)
{
	return g->has_memory && mw_life_limited(w) && !w->profile.share && !w->starting && !w->ending &&
	       !w->hold.repair_ns && !ours_under_way(w, now_ns) && now_ns - w->started_ns >= SETTLE_NS;
}

/*
 * Files of who is attached: swap and protection are in no sample. With many of them each has its turn once in a few
 * checks; the kernel's word of a write (limit-writer) comes at once all the same.
 */
static bool has_turn(const struct mw_guard *g, const struct mw_worker *w)
{
	__u32 rounds = g->workers.count / FILES_A_CHECK + 1;

	return !w->made && w->slot % rounds == g->hold_turn % rounds;
}

/* Only noted: by the next beat the name of whoever wrote it has come. */
void mw_hold_look(struct mw_guard *g, struct mw_worker *w, bool all, __u64 now_ns)
{
	__u64 have[MW_LIMIT_KIND_MAX] = {w->usage.max, w->usage.high, UNKNOWN, UNKNOWN};

	if (w->hold.look || !may_look(g, w, now_ns))
		return;
	if (all && has_turn(g, w))
		read_files(w, have);
	/* The look is young, and what was on its way when it was taken is not what is looked for. */
	else if (!w->usage.time_ns || w->usage.time_ns < w->limits_ns + SETTLE_NS)
		return;
	for (enum mw_limit_kind i = 0; i < MW_LIMIT_KIND_MAX; i++)
		w->hold.look |= have[i] != UNKNOWN && !is_ours(w, i, have[i]);
	g->hold_due |= w->hold.look;
}

void mw_hold_written(struct mw_guard *g, struct mw_worker *w, const struct mw_event *e)
{
	struct mw_hold *h = &w->hold;

	if ((pid_t)e->pid == getpid() || (pid_t)e->pid == getppid()) /* we, and the keeper */
		return;
	if (e->pid == 1 && w->unit && is_ours(w, e->flags, e->value))
		return;
	h->writers[e->flags] = (struct mw_writer){.time_ns = e->time_ns, .pid = e->pid};
	snprintf(h->writers[e->flags].comm, sizeof(h->writers[e->flags].comm), "%s", e->comm);
	h->look = g->hold_due = true;
}

/* What others have set since is heard before anything is written over it. */
static void hear(struct mw_guard *g, struct mw_worker *w)
{
	struct mw_profile p;
	bool any = false;

	for (enum mw_limit_kind i = 0; i < MW_LIMIT_KIND_MAX; i++) {
		__u64 have;

		if (mw_cgroup_read_u64(w->dir_fd, mw_held_file(i), &have) || is_ours(w, i, have) ||
		    have == mw_limit_rounded(mw_held_get(&w->before.limits, i)))
			continue;
		take_word(w, i, have);
		any = true;
	}
	if (!any || mw_life_profile(g, w, &p) < 0)
		return;
	mw_limits_settle(w, &p);
	mw_state_save(g, w);
}

void mw_hold_adopt(struct mw_worker *w)
{
	for (enum mw_limit_kind i = 0; w->before.known && w->held_known && i < MW_LIMIT_KIND_MAX; i++) {
		__u64 have, held = mw_limit_rounded(mw_held_get(&w->held, i));

		if (mw_cgroup_read_u64(w->dir_fd, mw_held_file(i), &have) || have == held ||
		    (i == MW_LIMIT_HIGH && have > held)) /* lifted, or raised */
			continue;
		take_word(w, i, have);
	}
}

static void repair(struct mw_guard *g, struct mw_worker *w)
{
	hear(g, w);
	w->hold.repair_ns = 0;
	w->hold.repairs++;
	if (w->unit) /* a lift goes on meanwhile */
		mw_unit_wish(g, w, 0);
	else
		mw_act_limits(g, w);
}

void mw_hold_tick(struct mw_guard *g, __u64 now_ns)
{
	__u64 have[MW_LIMIT_KIND_MAX];
	struct mw_worker *w;
	bool more = false;
	int left = FILES_A_CHECK;

	for (w = g->hold_due ? g->workers.by_id : NULL; w; w = w->by_id.next) {
		if (left > 0 && w->hold.look && may_look(g, w, now_ns)) {
			w->hold.look = false;
			left--;
			read_files(w, have);
			look_at(g, w, have, now_ns);
		}
		if (left > 0 && w->hold.repair_ns && now_ns >= w->hold.repair_ns && mw_life_limited(w)) {
			left--;
			repair(g, w);
		}
		more |= w->hold.look || w->hold.repair_ns;
	}
	g->hold_due = more;
}

/*
 * memory.high is max and nobody told us: a lift whose report is still to come, or was lost, or somebody's hand. It
 * comes back like any other lift. Not while a write of ours may be under way.
 */
void mw_hold_untold_lift(struct mw_guard *g, struct mw_worker *w, __u64 now_ns)
{
	if (w->squeeze.lifted || w->usage.high != MW_UNLIMITED || w->limits.high == MW_UNLIMITED ||
	    !mw_life_limited(w) || !g->has_memory || w->limits_due ||
	    (w->unit && (w->unit->due || w->unit->under_way)) || now_ns - w->limits_ns < ASKED_NS ||
	    now_ns - w->started_ns < ASKED_NS)
		return;
	w->squeeze.lifted = w->squeeze.untold = true;
	w->squeeze.raised = 0;
	w->squeeze.lifted_ns = now_ns;
	w->squeeze.usage_at_lift = w->usage.current > w->limits.high ? w->usage.current : w->limits.high;
}
