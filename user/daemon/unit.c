/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "daemon/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/cgroup_limits.h"
#include "core/systemd.h"
#include "daemon/guard.h"
#include "daemon/serve.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/size.h"

#define MARGIN	   (1ULL << 20) /* below a lower limit before PID 1 sets it: charges come in batches */
#define ROOM_NS	   (10 * MW_NS_PER_S) /* for the reclaim in front of it */
#define AGAIN_NS   (1 * MW_NS_PER_S) /* the same where that was too little before: others wait for the worker */
#define SHOWN_NS   (2 * MW_NS_PER_S) /* PID 1 writes the files a moment after its answer */
#define CLOSE_NS   (2 * MW_NS_PER_S)
#define CALL_NS	   (30 * MW_NS_PER_S)
#define PROPERTIES MW_LIMIT_KIND_MAX

/* What an action thread is given, and gives back; nothing of the loop's. */
struct call {
	struct mw_unit unit;
	struct mw_limits want;
	int dir_fd;
	__u64 room_ns;
	bool release, forget;
	struct mw_request *request;
	bool high_waits; /* out: memory.high would squeeze at once: it stays lifted for now */
};

static void call_free(struct call *c)
{
	mw_close(&c->dir_fd);
	free(c);
}

/* ---- what PID 1 is asked, blocking ---- */

/* Below the host's root: where `set-property --runtime` keeps what it was told, of loaded and of transient units. */
static const char *const dropin_dirs[] = {"/run/systemd/system.control", "/run/systemd/transient"};

static void dropin_path(char *path, size_t size, size_t dir, const char *unit, enum mw_limit_kind what)
{
	snprintf(path, size, "%s%s/%s.d/50-%s.conf", mw_systemd_root(), dropin_dirs[dir], unit, mw_held_property(what));
}

static __u32 dropins_of(const char *unit)
{
	char path[PATH_MAX];
	__u32 bits = 0;

	for (size_t d = 0; d < ARRAY_SIZE(dropin_dirs); d++) {
		for (enum mw_limit_kind i = 0; i < PROPERTIES; i++) {
			dropin_path(path, sizeof(path), d, unit, i);
			bits |= access(path, F_OK) == 0 ? 1U << i : 0;
		}
	}
	return bits;
}

/* Ours would outlive us, and outvote what an administrator writes into the unit's files later. */
static void remove_dropins(const struct mw_unit *unit)
{
	char path[PATH_MAX];

	for (size_t d = 0; d < ARRAY_SIZE(dropin_dirs); d++) {
		for (enum mw_limit_kind i = 0; i < PROPERTIES; i++) {
			dropin_path(path, sizeof(path), d, unit->name, i);
			if (!(unit->dropins & 1U << i))
				unlink(path);
		}
		snprintf(path, sizeof(path), "%s%s/%s.d", mw_systemd_root(), dropin_dirs[d], unit->name);
		rmdir(path); /* stays while somebody else has something in it */
	}
}

int mw_unit_limits(const char *unit, struct mw_limits *ret_limits, __u32 *ret_dropins, struct mw_error *err)
{
	const char *names[PROPERTIES];
	__u64 values[PROPERTIES];
	int r;

	for (enum mw_limit_kind i = 0; i < PROPERTIES; i++)
		names[i] = mw_held_property(i);
	r = mw_systemd_numbers(unit, names, PROPERTIES, values, err);
	for (enum mw_limit_kind i = 0; r >= 0 && i < PROPERTIES; i++)
		mw_held_set(ret_limits, i, values[i]);
	if (r >= 0)
		*ret_dropins = dropins_of(unit);
	return r;
}

static int ask(const char *unit, const struct mw_limits *l, struct mw_error *err)
{
	struct mw_unit_value values[PROPERTIES];

	for (enum mw_limit_kind i = 0; i < PROPERTIES; i++)
		values[i] = (struct mw_unit_value){mw_held_property(i), mw_held_get(l, i)};
	return mw_systemd_set(unit, values, PROPERTIES, err);
}

int mw_unit_put_back(const struct mw_unit *unit, const struct mw_limits *before, struct mw_error *err)
{
	int r = ask(unit->name, before, err);

	if (r < 0 && r != -ENOENT)
		return r;
	remove_dropins(unit);
	return 0;
}

int mw_unit_lift(const char *unit, struct mw_error *err)
{
	const struct mw_unit_value high = {mw_held_property(MW_LIMIT_HIGH), MW_UNLIMITED};

	return mw_systemd_set(unit, &high, 1, err);
}

/* ---- in an action thread ---- */

/*
 * Reclaimed here, so that PID 1 need not: it would stand still for as long as that takes. What is in use afterwards
 * where that is still more than the lower limit, else 0.
 */
static __u64 make_room(const struct call *c, enum mw_limit_kind what, __u64 limit)
{
	int dir_fd = c->dir_fd;
	__u64 used = 0, now = 0, freed, want = limit > MARGIN ? limit - MARGIN : 0;

	mw_cgroup_read_u64(dir_fd, mw_held_file(what), &now);
	if (mw_limit_rounded(limit) >= now) /* it stands, or one that is lower */
		return 0;
	if (mw_cgroup_read_u64(dir_fd, "memory.current", &used) || used <= want)
		return 0;
	mw_cgroup_reclaim(dir_fd, used - want, mw_now_ns() + c->room_ns, &freed);
	mw_cgroup_read_u64(dir_fd, "memory.current", &used);
	return used > limit ? used : 0;
}

static bool shown(int dir_fd, enum mw_limit_kind what, __u64 want)
{
	__u64 have;

	if (mw_cgroup_read_u64(dir_fd, mw_held_file(what), &have))
		return true; /* without swap accounting there is no such file, and a cgroup that is gone shows none */
	if (what == MW_LIMIT_HIGH && have == MW_UNLIMITED)
		return true; /* the breaker may have lifted it meanwhile */
	return have == mw_limit_rounded(want);
}

static int await_shown(const struct call *c, char *text, size_t size)
{
	__u64 until = mw_now_ns() + SHOWN_NS;

	for (enum mw_limit_kind i = 0; i < PROPERTIES; i++) {
		while (!shown(c->dir_fd, i, mw_held_get(&c->want, i))) {
			if (mw_now_ns() >= until) {
				snprintf(text, size, "PID 1 was asked for %s of %s, and %s does not show it",
					 mw_held_property(i), c->unit.name, mw_held_file(i));
				return -ETIMEDOUT;
			}
			poll(NULL, 0, 2);
		}
	}
	return 0;
}

static int set_limits(struct call *c, char *text, size_t size)
{
	char wanted[24], in_use[24];
	__u64 max = c->want.max, used = make_room(c, MW_LIMIT_MAX, max);
	struct mw_error err = {0};
	int r;

	if (used) /* memory.max below what is in use has the kernel kill */
		mw_cgroup_read_u64(c->dir_fd, mw_held_file(MW_LIMIT_MAX), &c->want.max);
	if (make_room(c, MW_LIMIT_HIGH, c->want.high)) {
		c->want.high = MW_UNLIMITED;
		c->high_waits = true;
	}
	r = ask(c->unit.name, &c->want, &err);
	if (r < 0) {
		snprintf(text, size, "%.250s", err.text);
		return r;
	}
	r = await_shown(c, text, size);
	if (r < 0 || !used)
		return r;
	snprintf(text, size, "memory.max stays: %s is below the %s in use, and the kernel would kill for it",
		 mw_size_format(max, wanted, sizeof(wanted)), mw_size_format(used, in_use, sizeof(in_use)));
	return -EBUSY;
}

static int run_call(void *arg, char *text, size_t size)
{
	struct call *c = arg;
	struct mw_error err = {0};
	int r;

	if (!c->release)
		return set_limits(c, text, size);
	r = mw_unit_put_back(&c->unit, &c->want, &err);
	snprintf(text, size, "%.250s", err.text);
	return r;
}

/* ---- in the loop ---- */

static int submit(struct mw_guard *g, const struct mw_worker *w, const struct call *what)
{
	struct mw_action a = mw_action_make(MW_ACTION_CALL, -1, w->cgroup_id, CALL_NS);
	struct call *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	*c = *what;
	c->unit = *w->unit;
	c->dir_fd = w->dir_fd < 0 ? -1 : fcntl(w->dir_fd, F_DUPFD_CLOEXEC, 3);
	a.call = run_call;
	a.arg = c;
	a.slow = true;
	r = c->dir_fd < 0 && !c->release ? -errno : mw_actions_submit(g->actions, &a);
	if (r < 0)
		call_free(c);
	return r;
}

void mw_unit_wish(struct mw_guard *g, struct mw_worker *w, __u64 in_ns)
{
	__u64 due = mw_now_ns() + in_ns;

	if (!w->unit->due || due < w->unit->due_ns)
		w->unit->due_ns = due;
	w->unit->due = true;
	g->unit_wishes = true;
}

/* memory.high as the state of things wants it now. */
static __u64 high_now(const struct mw_worker *w)
{
	if (w->squeeze.lifted)
		return MW_UNLIMITED;
	return w->unit->high > w->limits.high ? w->unit->high : w->limits.high;
}

void mw_unit_tick(struct mw_guard *g, __u64 now_ns)
{
	struct mw_worker *w;
	bool more = false;

	for (w = g->unit_wishes ? g->workers.by_id : NULL; w; w = w->by_id.next) {
		struct call c = {.dir_fd = -1, .want = w->limits, .room_ns = w->unmet.since_ns ? AGAIN_NS : ROOM_NS};

		if (!w->unit || !w->unit->due)
			continue;
		more = true;
		if (w->unit->under_way || w->leaving || now_ns < w->unit->due_ns)
			continue;
		w->unit->due = mw_life_limited(w);
		if (!w->unit->due)
			continue;
		c.want.high = high_now(w);
		if (submit(g, w, &c) < 0)
			return; /* at the next beat */
		w->unit->asked = c.want;
		w->unit->asked_once = w->unit->under_way = true;
		w->unit->due = false;
	}
	g->unit_wishes = more;
}

int mw_unit_release(struct mw_guard *g, struct mw_worker *w, bool forget, struct mw_request *request,
		    struct mw_error *err)
{
	struct call c = {.dir_fd = -1,
			 .want = w->before.known ? w->before.limits : mw_no_limits,
			 .release = true,
			 .forget = forget,
			 .request = request};
	int r;

	if (w->leaving)
		return mw_fail(err, -EBUSY, "worker %s is being detached already", w->name);
	r = submit(g, w, &c);
	if (r < 0)
		return mw_fail(err, r, "worker %s: its limits could not be put back: %s", w->name, strerror(-r));
	w->leaving = true;
	w->unit->due = false;
	return 0;
}

static void released(struct mw_guard *g, struct mw_worker *w, struct call *c, const struct mw_action_result *r)
{
	char text[MW_ACTION_TEXT + 160];

	if (w)
		w->leaving = false;
	if (r->status < 0) {
		snprintf(text, sizeof(text), "the limits of unit %.100s could not be put back: %s", c->unit.name,
			 r->text);
		mw_say(g->tell, LOG_ERR, "%s", text);
	}
	if (r->status >= 0 && w && c->forget) {
		snprintf(text, sizeof(text), "worker %s is no longer guarded", w->name);
		mw_life_detached(g, w);
	}
	if (c->request && r->status < 0)
		mw_serve_error(c->request, r->status, text);
	else if (c->request)
		mw_serve_text(c->request, w ? text : "it ended meanwhile");
}

static void limits_set(struct mw_guard *g, struct mw_worker *w, const struct call *c, const struct mw_action_result *r)
{
	struct mw_unit *u = w->unit;

	u->under_way = false;
	u->asked = w->held = c->want;
	w->held_known = true;
	mw_state_save(g, w);
	w->limits_ns = mw_now_ns();
	if (c->high_waits && !w->squeeze.lifted) {
		w->squeeze.lifted = true;
		w->squeeze.lifted_ns = w->limits_ns;
		w->squeeze.usage_at_lift = w->usage.current > w->limits.high ? w->usage.current : w->limits.high;
	}
	mw_limits_outcome(g, w, r->status, r->text);
}

bool mw_unit_done(struct mw_guard *g, const struct mw_action_result *r)
{
	struct mw_worker *w = mw_worker_by_id(&g->workers, r->cookie);
	struct call *c = r->arg;

	if (r->call != run_call)
		return false;
	if (w && !w->unit)
		w = NULL;
	if (c->release)
		released(g, w, c, r);
	else if (w)
		limits_set(g, w, c, r);
	call_free(c);
	return true;
}

void mw_unit_close(struct mw_guard *g)
{
	__u64 until = mw_now_ns() + CLOSE_NS;
	struct mw_worker *w;

	for (w = g->workers.by_id; w; w = w->by_id.next) {
		struct mw_error err = {0};

		if (!w->unit || !w->unit->asked_once || !mw_life_limited(w))
			continue;
		if (mw_now_ns() >= until || mw_unit_lift(w->unit->name, &err) < 0)
			mw_say(g->tell, LOG_WARNING,
			       "worker %s: memory.high is lifted, but systemd was not told so, and may set it again: "
			       "%s",
			       w->name, err.text[0] ? err.text : "no time left");
	}
}
