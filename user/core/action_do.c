/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What an action does to a cgroup. Runs in a pool's thread; everything it needs comes with the action. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/action_do.h"
#include "core/cgroup.h"
#include "core/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/size.h"

#define MARGIN (1ULL << 20) /* between what is in use and a lower memory.max: charges come in batches */

void mw_action_say(struct mw_action_result *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
}

int mw_action_failed(struct mw_action_result *res, int r, const char *what)
{
	if (r == -ENOENT || r == -ENODEV) {
		mw_action_say(res, "%s: the cgroup is gone", what);
		return -ENODEV;
	}
	mw_action_say(res, "%s: %s", what, strerror(-r));
	return r;
}

__u64 mw_action_current(int dir_fd)
{
	__u64 bytes;

	return mw_cgroup_read_u64(dir_fd, "memory.current", &bytes) ? 0 : bytes;
}

/* The keeper's byte: before the deed when it goes up, after it when it goes down. */
static void mark(const struct mw_action *a, __u8 value)
{
	if (a->mark)
		__atomic_store_n(a->mark, value, __ATOMIC_RELEASE);
}

/* ---- reclaim ---- */

/* What reclaim could take: page cache, and where anonymous memory could go. */
struct room {
	__u64 cache; /* file less shmem, bytes */
	__u64 swap; /* free on the host and allowed to this cgroup */
	const char *why_no_swap; /* a sentence's part; NULL: there is some */
};

static struct room room_of(const struct mw_action_env *env, int dir_fd)
{
	__u64 total = 0, host_free = 0, max = MW_UNLIMITED, used = 0;
	struct room room = {0};
	struct mw_sample s;

	if (!mw_cgroup_sample(dir_fd, &s))
		room.cache = s.file > s.shmem ? s.file - s.shmem : 0;
	mw_proc_swap(env->proc_root, &total, &host_free);
	mw_cgroup_read_u64(dir_fd, "memory.swap.max", &max);
	mw_cgroup_read_u64(dir_fd, "memory.swap.current", &used);
	room.swap = max == MW_UNLIMITED ? host_free : max > used ? max - used : 0;
	if (room.swap > host_free)
		room.swap = host_free;
	if (!total)
		room.why_no_swap = "the host has no swap (zram would do)";
	else if (!max)
		room.why_no_swap = "its memory.swap.max is 0";
	else if (!room.swap)
		room.why_no_swap = host_free ? "its memory.swap.max is used up" : "the host's swap is full";
	return room;
}

static void say_reclaimed(struct mw_action_result *res, const struct room *room, const struct mw_action *a)
{
	char saved[24], before[24], asked[24];
	__u64 bytes = res->before_bytes > res->after_bytes ? res->before_bytes - res->after_bytes : 0;

	mw_size_format(bytes, saved, sizeof(saved));
	mw_size_format(res->before_bytes, before, sizeof(before));
	mw_size_format(a->bytes, asked, sizeof(asked));
	if (res->status == -ETIMEDOUT)
		mw_action_say(res, "%s of %s freed (%.1f %%), less than the %s asked for: the deadline came first%s%s",
			      saved, before, res->saved_pct, asked, room->why_no_swap ? "; page cache only: " : "",
			      room->why_no_swap ?: "");
	else if (!bytes)
		mw_action_say(res, "nothing of %s could be freed%s%s", before,
			      room->why_no_swap ? ": " : "; it is all in use", room->why_no_swap ?: "");
	else
		mw_action_say(res, "%s of %s freed (%.1f %%)%s%s", saved, before, res->saved_pct,
			      room->why_no_swap ? ", page cache only: " : "", room->why_no_swap ?: "");
}

static int reclaim(const struct mw_action_env *env, const struct mw_action *a, struct mw_action_result *res)
{
	struct room room = room_of(env, a->dir_fd);
	char cache[24], swap[24];
	__u64 freed = 0;
	int r;

	mw_size_format(room.cache, cache, sizeof(cache));
	mw_size_format(room.swap, swap, sizeof(swap));
	if (!room.cache && room.why_no_swap) {
		mw_action_say(res, "nothing can be freed: no page cache to drop, and %s", room.why_no_swap);
		return -ENOSPC;
	}
	if (a->dry_run) {
		mw_action_say(res, "would reclaim; %s of page cache, %s of swap to use", cache, swap);
		return 0;
	}
	r = mw_cgroup_reclaim(a->dir_fd, a->bytes, a->deadline_ns, &freed);
	if (r == -EOPNOTSUPP)
		mw_action_say(res, "this kernel has no memory.reclaim");
	else if (r)
		return mw_action_failed(res, r, "memory.reclaim");
	if (r)
		return r;
	res->after_bytes = res->before_bytes > freed ? res->before_bytes - freed : 0;
	res->saved_pct = res->before_bytes ? 100.0 * (double)freed / (double)res->before_bytes : 0;
	if (res->saved_pct > 100)
		res->saved_pct = 100;
	res->status = freed < a->bytes && mw_now_ns() >= a->deadline_ns ? -ETIMEDOUT : 0;
	say_reclaimed(res, &room, a);
	return res->status;
}

static int reclaim_once(const struct mw_action *a, struct mw_action_result *res)
{
	char freed[24], asked[24];
	int r = mw_cgroup_reclaim_once(a->dir_fd, a->bytes, a->deadline_ns, &res->freed);

	if (r == -EOPNOTSUPP)
		mw_action_say(res, "this kernel has no memory.reclaim");
	if (r)
		return r == -EOPNOTSUPP ? r : mw_action_failed(res, r, "memory.reclaim");
	res->after_bytes = mw_action_current(a->dir_fd);
	mw_action_say(res, "%s of %s freed", mw_size_format(res->freed, freed, sizeof(freed)),
		      mw_size_format(a->bytes, asked, sizeof(asked)));
	return 0;
}

/* ---- limit ---- */

/* Make room under a lower limit. Returns what is in use afterwards. */
static __u64 make_room(const struct mw_action *a, __u64 limit)
{
	__u64 used = mw_action_current(a->dir_fd), freed, want = limit > MARGIN ? limit - MARGIN : 0;

	if (used > want && !a->dry_run)
		mw_cgroup_reclaim(a->dir_fd, used - want, a->deadline_ns, &freed);
	return mw_action_current(a->dir_fd);
}

/* memory.max below what is in use has the kernel kill: only when told so. */
static int check_max(const struct mw_action *a, const struct mw_action_write *w, struct mw_action_result *res)
{
	char wanted[24], used[24];
	__u64 bytes;

	if (w->value == MW_UNLIMITED || a->force)
		return 0;
	bytes = make_room(a, w->value);
	if (bytes <= w->value)
		return 0;
	mw_action_say(res, "memory.max stays: %s is below the %s in use, and the kernel would kill for it",
		      mw_size_format(w->value, wanted, sizeof(wanted)), mw_size_format(bytes, used, sizeof(used)));
	return -EBUSY;
}

static int write_one(const struct mw_action *a, const struct mw_action_write *w, struct mw_action_result *res)
{
	bool high = !strcmp(w->file, "memory.high");
	int r = 0;

	if (!strcmp(w->file, "memory.max"))
		r = check_max(a, w, res);
	else if (high && w->value != MW_UNLIMITED)
		make_room(a, w->value);
	if (r || a->dry_run)
		return r;
	if (high && w->value != MW_UNLIMITED)
		mark(a, 1);
	r = mw_cgroup_write_u64(a->dir_fd, w->file, w->value);
	if (high && w->value == MW_UNLIMITED && !r)
		mark(a, 0);
	/* A host without swap accounting has no memory.swap.max, and then no swap to bound either. */
	if (r == -ENOENT && !strncmp(w->file, "memory.swap", 11) && mw_cgroup_populated(a->dir_fd) >= 0)
		return 0;
	return r ? mw_action_failed(res, r, w->file) : 0;
}

static int limit(const struct mw_action *a, struct mw_action_result *res)
{
	size_t used = 0;

	for (unsigned i = 0; i < a->n_writes; i++) {
		int r = write_one(a, &a->writes[i], res);

		if (r)
			return r;
	}
	used += (size_t)snprintf(res->text, sizeof(res->text), a->dry_run ? "would set" : "set");
	for (unsigned i = 0; i < a->n_writes && used < sizeof(res->text); i++) {
		char value[24];

		/* 0 and 1 are switches (memory.oom.group), or none */
		snprintf(value, sizeof(value), "%llu", a->writes[i].value);
		used += (size_t)snprintf(res->text + used, sizeof(res->text) - used, "%s %s %s", i ? "," : "",
					 a->writes[i].file,
					 a->writes[i].value < 4096
						 ? value
						 : mw_size_format(a->writes[i].value, value, sizeof(value)));
	}
	return 0;
}

/* ---- freeze ---- */

/* Wait until every task has stopped. */
static int wait_frozen(int dir_fd, __u64 deadline_ns)
{
	for (;;) {
		__u64 frozen = 0;
		char buf[256];
		ssize_t n = mw_cgroup_read(dir_fd, "cgroup.events", buf, sizeof(buf));

		if (n < 0)
			return (int)n;
		if (mw_keyed_u64(buf, "frozen", &frozen) || frozen)
			return 0;
		if (mw_now_ns() >= deadline_ns)
			return -ETIMEDOUT;
		poll(NULL, 0, 1);
	}
}

static int freeze(const struct mw_action *a, struct mw_action_result *res)
{
	int r;

	if (a->dry_run) {
		mw_action_say(res, "would freeze");
		return 0;
	}
	mark(a, 1); /* first: a death right after the write is then mended */
	r = mw_cgroup_freeze(a->dir_fd, true);
	if (r) {
		mark(a, 0);
		return mw_action_failed(res, r, "cgroup.freeze");
	}
	r = wait_frozen(a->dir_fd, a->deadline_ns);
	if (r && r != -ETIMEDOUT)
		return mw_action_failed(res, r, "cgroup.events");
	mw_action_say(res, r ? "told to freeze; some task has not stopped yet" : "frozen");
	return r;
}

static int thaw(const struct mw_action *a, struct mw_action_result *res)
{
	int r;

	if (a->dry_run) {
		mw_action_say(res, "would thaw");
		return 0;
	}
	r = mw_cgroup_freeze(a->dir_fd, false);
	if (r)
		return mw_action_failed(res, r, "cgroup.freeze");
	mark(a, 0);
	mw_action_say(res, "thawed");
	return 0;
}

/* ---- all ---- */

static int call(const struct mw_action *a, struct mw_action_result *res)
{
	if (a->dry_run) {
		mw_action_say(res, "would be done");
		return 0;
	}
	return a->call(a->arg, res->text, sizeof(res->text));
}

static int act(const struct mw_action_env *env, const struct mw_action *a, struct mw_action_result *res)
{
	if (a->still && !a->still(a->dir_fd, a->arg)) {
		mw_action_say(res, "not needed any more at the second look");
		return -ECANCELED;
	}
	if (a->kind == MW_ACTION_RECLAIM || a->kind == MW_ACTION_LIMIT || a->kind == MW_ACTION_KILL)
		res->before_bytes = res->after_bytes = mw_action_current(a->dir_fd);
	switch (a->kind) {
	case MW_ACTION_RECLAIM:
		return a->once && !a->dry_run ? reclaim_once(a, res) : reclaim(env, a, res);
	case MW_ACTION_LIMIT:
		return limit(a, res);
	case MW_ACTION_KILL:
		return mw_action_kill(a, res);
	case MW_ACTION_FREEZE:
		return freeze(a, res);
	case MW_ACTION_THAW:
		return thaw(a, res);
	case MW_ACTION_CALL:
		return call(a, res);
	default:
		return -EINVAL;
	}
}

void mw_action_do(const struct mw_action_env *env, const struct mw_action *a, struct mw_action_result *res)
{
	res->started_ns = mw_now_ns();
	res->status = act(env, a, res);
	res->took_ns = mw_now_ns() - res->started_ns;
}
