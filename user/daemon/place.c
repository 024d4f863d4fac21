/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Where cgroups of ours come from: libcgroup, or plain directories on hosts whose memory controller is not on v2. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/cgroup_setup.h"
#include "core/root.h"
#include "daemon/guard.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define RENEW_NS                                                                                                       \
	(25 * MW_NS_PER_S) /* PID 1 answers in milliseconds; twice MW_SYSTEMD_TIMEOUT_S and a wait at the worst */
#define LIMITS_NS (1 * MW_NS_PER_S) /* run waits twice as long for its place */

/*
 * libcgroup must not be asked here: on a hybrid host "memory" would send it to
 * the v1 hierarchy, which is not ours. Grouping works without the controller.
 */
static int make_plain(const struct mw_guard *g, const char *path, bool must_be_new, int *ret_fd, struct mw_error *err)
{
	char full[PATH_MAX];
	size_t base = strlen(g->mount);
	int fd;

	if (snprintf(full, sizeof(full), "%s/%s", g->mount, path) >= (int)sizeof(full))
		return mw_fail(err, -ENAMETOOLONG, "cgroup %s: path too long", path);
	for (char *p = full + base + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(full, 0755) < 0 && errno != EEXIST)
			return mw_fail(err, -errno, "cgroup %s: %s", full, strerror(errno));
		*p = '/';
	}
	if (mkdir(full, 0755) < 0 && (errno != EEXIST || must_be_new))
		return mw_fail(err, -errno, "cgroup %s: %s", full, strerror(errno));
	fd = mw_cgroup_open(full);
	if (fd < 0)
		return mw_fail(err, fd, "cgroup %s: %s", full, strerror(-fd));
	*ret_fd = fd;
	return 0;
}

int mw_place_classes(struct mw_guard *g, struct mw_error *err)
{
	int r = 0;

	for (size_t i = 0; g->has_memory && r >= 0 && i < g->cfg.n_classes; i++) {
		struct mw_class cls = g->cfg.classes[i];

		if (g->opts.dry_run) {
			cls.profile.share = false;
			cls.profile.budget = MW_UNLIMITED;
		}
		r = mw_setup_class(g->mount, g->root, &cls, err);
	}
	if (r >= 0 && g->keeper)
		mw_share_sync(g);
	return r;
}

int mw_place_root(struct mw_guard *g, struct mw_error *err)
{
	char full[PATH_MAX];
	int r;

	if (!g->has_memory)
		return make_plain(g, g->root, false, &g->root_fd, err);
	r = mw_setup_init(err);
	if (r >= 0)
		r = mw_setup_root(g->mount, g->root, g->opts.dry_run ? MW_UNLIMITED : g->cfg.tree.budget, err);
	if (r >= 0)
		r = mw_place_classes(g, err);
	if (r < 0)
		return r;
	snprintf(full, sizeof(full), "%s/%s", g->mount, g->root);
	mw_close(&g->root_fd);
	g->root_fd = mw_cgroup_open(full);
	if (g->root_fd < 0)
		return mw_fail(err, g->root_fd, "cgroup %s: %s", full, strerror(-g->root_fd));
	return 0;
}

/* Everything that holds on to ROOT, to the new one. */
static int take_root(struct mw_guard *g, struct mw_error *err)
{
	char full[PATH_MAX];
	int r;

	snprintf(full, sizeof(full), "%s/%s", g->mount, g->root);
	mw_close(&g->root_fd);
	g->root_fd = mw_cgroup_open(full);
	r = g->root_fd < 0 ? g->root_fd : mw_place_root(g, err);
	if (r < 0)
		return r;
	mw_kernel_subtree_remove(g->kernel, g->root_subtree);
	g->root_subtree = mw_kernel_subtree_add(g->kernel, g->root_fd, false);
	mw_place_protect(g);
	return 0;
}

/* The last limits of a scope that has ended are still on their way to PID 1, which soon says that there is none. */
static void await_limits(struct mw_guard *g)
{
	struct pollfd done = {.fd = mw_actions_fd(g->actions), .events = POLLIN};
	__u64 until_ns = mw_now_ns() + LIMITS_NS;
	struct mw_action_result result;

	while (g->root_limits.under_way && mw_now_ns() < until_ns) {
		poll(&done, 1, 50);
		while (mw_actions_next(g->actions, &result))
			mw_guard_on_done(g, &result);
	}
}

/* A scope ends with its last process: somebody stopped it, or killed its holder while there was no worker. */
static int renew_root(struct mw_guard *g, struct mw_error *err)
{
	struct mw_error why = {0};
	char root[sizeof(g->root)];
	int r;

	if (!mw_root_is_unit(g->root) || mw_cgroup_populated(g->root_fd) == 1)
		return 0;
	await_limits(g);
	if (g->root_limits.under_way)
		return mw_fail(err, -EAGAIN, "%s has ended and is not made again yet: try once more", g->root);
	mw_keeper_busy(g->keeper, mw_now_ns() + RENEW_NS);
	r = mw_root_find(g->mount, g->cfg.tree.root, root, sizeof(root), &why);
	if (r >= 0)
		r = take_root(g, &why);
	mw_keeper_beat(g->keeper, mw_now_ns());
	if (r < 0)
		return mw_fail(err, r, "%s has ended and cannot be made again: %s", g->root, why.text);
	mw_say(g->tell, LOG_WARNING, "%s had ended with all that was in it: made again", g->root);
	return 0;
}

int mw_place_make(struct mw_guard *g, const struct mw_class *cls, const char *path, const struct mw_limits *limits,
		  int *ret_fd, struct mw_error *err)
{
	int r;

	if (!g->has_memory)
		return make_plain(g, path, true, ret_fd, err);
	r = renew_root(g, err);
	if (r < 0)
		return r;
	/* A class somebody added after the start has no directory yet; an administrator may have removed one. */
	r = g->opts.dry_run || !faccessat(g->root_fd, cls->name, F_OK, 0) ? 0
									  : mw_setup_class(g->mount, g->root, cls, err);
	return r < 0 ? r : mw_setup_worker(g->mount, path, limits, ret_fd, err);
}

int mw_place_remove(struct mw_guard *g, const char *path, struct mw_error *err)
{
	char full[PATH_MAX];

	if (g->has_memory)
		return mw_setup_remove(g->mount, path, err);
	snprintf(full, sizeof(full), "%s/%s", g->mount, path);
	if (rmdir(full) < 0 && errno != ENOENT)
		return mw_fail(err, -errno, "cgroup %s: %s", full, strerror(errno));
	return 0;
}

int mw_place_move(struct mw_guard *g, const char *path, int dir_fd, pid_t pid, struct mw_error *err)
{
	char text[16];
	int r;

	if (g->has_memory)
		return mw_setup_attach(g->mount, path, pid, err);
	snprintf(text, sizeof(text), "%d", pid);
	r = mw_cgroup_write(dir_fd, "cgroup.procs", text);
	return r < 0 ? mw_fail(err, r, "pid %d could not be moved into %s: %s", pid, path, strerror(-r)) : 0;
}

/* Whether w's memory.low counts towards its ancestors'. */
static bool protects(const struct mw_worker *w)
{
	return w->made && !w->dry_run && w->profile.policy != MW_POLICY_OBSERVE;
}

void mw_place_protect(struct mw_guard *g)
{
	g->protect_due = g->has_memory && !g->opts.dry_run;
}

static void class_low(struct mw_guard *g, const char *class_name, __u64 low)
{
	_cleanup_close_ int fd = openat(g->root_fd, class_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd >= 0 ? mw_cgroup_write_u64(fd, "memory.low", low) : 0;

	if (r < 0)
		mw_say(g->tell, LOG_WARNING, "class %s: memory.low could not be set: %s", class_name, strerror(-r));
}

/* What the workers of each class want, in the order of the classes; together in the answer. */
static __u64 sum_lows(const struct mw_guard *g, __u64 *lows)
{
	const struct mw_worker *w;
	__u64 all = 0;

	for (w = g->workers.by_id; w; w = w->by_id.next) {
		const struct mw_class *cls = protects(w) ? mw_config_class(&g->cfg, w->class_name) : NULL;

		all += protects(w) ? w->limits.low : 0;
		if (cls)
			lows[cls - g->cfg.classes] += w->limits.low;
	}
	return all;
}

/* In an action thread: where ROOT is a systemd scope, PID 1 is asked, and may take its time. libcgroup is the loop's.
 */
static int root_limits(void *arg, char *text, size_t size)
{
	const struct mw_place_limits *l = arg;
	struct mw_error err = {0};
	bool unit = mw_root_is_unit(l->root);
	int r = unit ? mw_root_set_low(l->root_fd, l->low, &err)
		     : mw_cgroup_write_u64(l->root_fd, "memory.low", l->low);

	if (r >= 0)
		r = unit ? mw_root_set_max(l->root_fd, l->max, &err)
			 : mw_cgroup_write_u64(l->root_fd, "memory.max", l->max);
	snprintf(text, size, "%s: %.200s", l->root, err.text[0] ? err.text : strerror(-r));
	return r;
}

void mw_place_tick(struct mw_guard *g)
{
	struct mw_action a = mw_action_make(MW_ACTION_CALL, -1, 0, 15 * MW_NS_PER_S);
	struct mw_place_limits *l = &g->root_limits;
	_cleanup_free_ __u64 *lows = NULL;

	if (!g->protect_due || l->under_way)
		return;
	lows = calloc(g->cfg.n_classes, sizeof(*lows));
	if (!lows)
		return; /* at the next beat */
	g->protect_due = false;
	l->low = sum_lows(g, lows);
	for (size_t i = 0; i < g->cfg.n_classes; i++)
		class_low(g, g->cfg.classes[i].name, lows[i]);
	l->mount = g->mount;
	l->root = g->root;
	l->root_fd = g->root_fd;
	l->max = g->cfg.tree.budget;
	a.call = root_limits;
	a.arg = l;
	l->under_way = mw_actions_submit(g->actions, &a) == 0;
	g->protect_due |= !l->under_way;
}

bool mw_place_done(struct mw_guard *g, const struct mw_action_result *r)
{
	if (r->arg != &g->root_limits)
		return false;
	g->root_limits.under_way = false;
	/* A scope that has ended with its last worker is made again for the next one. */
	if (r->status && r->status != -ENOENT && r->status != -ENODEV)
		mw_say(g->tell, LOG_WARNING, "protection of workers: %s", r->text);
	return true;
}
