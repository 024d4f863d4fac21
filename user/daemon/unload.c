/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Going away: `--unload` puts back what was there before memweir, `--lift` (ExecStopPost) only ends squeezes. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/root.h"
#include "daemon/guard.h"
#include "daemon/pressure.h"
#include "daemon/unit.h"
#include "util/cleanup.h"

/* What both jobs need: where things are, and whether a daemon runs. */
static int find_things(const struct mw_guard_options *opts, struct mw_guard *g, struct mw_error *err)
{
	char root[sizeof(g->root)];
	int r;

	*g = (struct mw_guard){.opts = *opts, .root_fd = -1, .run_fd = -1, .lock_fd = -1, .inotify_fd = -1};
	r = mw_last_good_or_any(g);
	if (r < 0)
		return mw_fail(err, r, "%s", strerror(-r));
	g->run_fd = open(g->cfg.tree.run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mw_cgroup_mount("", g->mount, sizeof(g->mount)) < 0)
		return 0;
	/* Only look: a scope must not be made to be removed. */
	if (mw_root_existing(g->mount, g->cfg.tree.root, root, sizeof(root)) == 0) {
		char path[PATH_MAX];

		snprintf(g->root, sizeof(g->root), "%s", root);
		snprintf(path, sizeof(path), "%s/%s", g->mount, root);
		g->root_fd = mw_cgroup_open(path);
	}
	return 0;
}

static void close_things(struct mw_guard *g)
{
	mw_config_free(&g->cfg);
	mw_close(&g->root_fd);
	mw_close(&g->run_fd);
	mw_close(&g->lock_fd);
}

typedef void (*each_fn)(int dir_fd, const char *path, void *arg);

static void each_own(const struct mw_guard *g, each_fn fn, void *arg)
{
	_cleanup_free_ struct mw_cgroup_entry *entries = NULL;
	ssize_t room = g->root_fd >= 0 ? mw_cgroup_list(g->root_fd, NULL, 0) : 0, n;

	entries = room > 0 ? calloc((size_t)room, sizeof(*entries)) : NULL;
	if (!entries)
		return;
	n = mw_cgroup_list(g->root_fd, entries, (size_t)room);
	for (ssize_t i = 0; i < n && i < room; i++) {
		char path[PATH_MAX];
		_cleanup_close_ int fd = -1;

		snprintf(path, sizeof(path), "%s/%s/%s/%s", g->mount, g->root, entries[i].class_name, entries[i].name);
		fd = mw_cgroup_open(path);
		if (fd >= 0)
			fn(fd, path, arg);
	}
}

static void forget_state(struct mw_worker *w)
{
	free(w->unit);
	mw_container_free(w->container);
	free(w->container);
}

/* What a pulse or a hold left behind whose daemon and keeper died together; an administrator's freeze stands in the
 * state. */
static void thaw_own(struct mw_guard *g, int dir_fd, const char *path)
{
	struct mw_worker w = {.cgroup_id = mw_cgroup_id(dir_fd)};

	snprintf(w.name, sizeof(w.name), "%.63s", strrchr(path, '/') + 1);
	if (mw_cgroup_frozen(dir_fd) != 1)
		return;
	if (mw_state_load(g, &w) < 0 || !w.frozen_by_admin)
		mw_cgroup_freeze(dir_fd, false);
	forget_state(&w);
}

static void lift_one(int dir_fd, const char *path, void *arg)
{
	mw_cgroup_write(dir_fd, "memory.high", "max");
	thaw_own(arg, dir_fd, path);
}

static void unlimit_one(int dir_fd, const char *path, void *arg)
{
	static const char *const files[] = {"memory.high", "memory.max", "memory.swap.max"};

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		mw_cgroup_write(dir_fd, files[i], "max");
	mw_cgroup_write(dir_fd, "memory.low", "0");
	rmdir(path); /* goes when it is empty; what runs on keeps it */
}

static void unload_one(int dir_fd, const char *path, void *arg)
{
	thaw_own(arg, dir_fd, path);
	unlimit_one(dir_fd, path, NULL);
}

/* Through PID 1: its lift, or everything as it was. The files are lifted before. */
static void unit_back(struct mw_guard *g, const struct mw_worker *w)
{
	struct mw_error err = {0};
	int r = g->opts.dry_run ? mw_unit_lift(w->unit->name, &err)
				: mw_unit_put_back(w->unit, &w->before.limits, &err);

	if (r < 0 && r != -ENOENT)
		mw_say(NULL, LOG_ERR, "worker %s: %s", w->name, err.text);
}

static void attached_one(const char *name, const char *class_name, const char *cgroup, __u64 cgroup_id, void *arg)
{
	struct mw_guard *g = arg;
	struct mw_worker w = {.cgroup_id = cgroup_id};
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	(void)class_name;
	snprintf(w.name, sizeof(w.name), "%s", name);
	if (mw_state_load(g, &w) < 0 || cgroup[0] != '/' || strstr(cgroup, "..")) {
		forget_state(&w);
		return;
	}
	snprintf(path, sizeof(path), "%s%s", g->mount, cgroup);
	fd = mw_cgroup_open(path);
	w.dir_fd = fd;
	if (fd >= 0 && mw_cgroup_id(fd) == cgroup_id) {
		if (w.freeze.under_way && !w.frozen_by_admin) /* the daemon and its keeper died in the middle of it */
			mw_cgroup_freeze(fd, false);
		if (w.before.known && g->opts.dry_run) /* --lift */
			mw_cgroup_write(fd, "memory.high", "max");
		else if (w.before.known && !w.unit)
			mw_act_put_limits(g, &w, &w.before.limits, NULL);
	}
	if (w.unit && w.before.known && !w.dry_run) /* the unit may run again elsewhere, still with our limits */
		unit_back(g, &w);
	forget_state(&w);
}

static void forget_one(const char *name, const char *class_name, const char *cgroup, __u64 cgroup_id, void *arg)
{
	(void)class_name, (void)cgroup, (void)cgroup_id;
	mw_state_remove(arg, name);
}

/* Whatever stands below ROOT is a class of some configuration. */
static void remove_classes(const struct mw_guard *g)
{
	_cleanup_closedir_ DIR *d = NULL;
	int fd = openat(g->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;

	d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d)
		mw_close(&fd);
	while (d && (e = readdir(d))) {
		char path[PATH_MAX];
		_cleanup_close_ int cls = -1;

		if (e->d_type != DT_DIR || e->d_name[0] == '.' || strcmp(e->d_name, MW_ROOT_LEAF) == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", g->mount, g->root, e->d_name);
		cls = mw_cgroup_open(path);
		if (cls >= 0)
			unlimit_one(cls, path, NULL);
	}
}

static void remove_tree(const struct mw_guard *g)
{
	char path[PATH_MAX];

	if (g->root_fd < 0)
		return;
	remove_classes(g);
	snprintf(path, sizeof(path), "%s/%s", g->mount, g->root);
	if (mw_root_is_unit(g->root))
		mw_root_set_low(g->root_fd, 0, NULL); /* of the slice too, which stays */
	mw_root_release(g->mount, g->root);
	unlimit_one(g->root_fd, path, NULL);
}

int mw_guard_lift(const struct mw_guard_options *opts)
{
	const char *result = getenv("SERVICE_RESULT"); /* of systemd, in ExecStopPost */
	struct mw_guard_options mine = *opts;
	struct mw_error err = {0};
	struct mw_guard g;

	mine.dry_run = true;
	if (find_things(&mine, &g, &err) < 0) {
		mw_say(NULL, LOG_ERR, "lift: %s", err.text);
		close_things(&g);
		return 1;
	}
	each_own(&g, lift_one, &g);
	if (g.run_fd >= 0)
		mw_state_each(&g, attached_one, &g);
	if (result && strcmp(result, "success") == 0) /* stopped while no daemon was there to do it */
		mw_last_good_forget(&g);
	close_things(&g);
	return 0;
}

/* Its files, while the lock is held, and then the directory, if nobody else has put something there. */
static void remove_run_dir(struct mw_guard *g)
{
	if (g->run_fd < 0)
		return;
	mw_last_good_forget(g);
	unlinkat(g->run_fd, "workers", AT_REMOVEDIR);
	mw_recorder_remove(g->run_fd);
	mw_pressure_sweep(g->run_fd, &(struct mw_workers){0});
	unlinkat(g->run_fd, MW_PRESSURE_DIR, AT_REMOVEDIR);
	unlinkat(g->run_fd, "memweir.sock", 0);
	unlinkat(g->run_fd, "daemon.lock", 0);
	rmdir(g->cfg.tree.run_dir);
}

int mw_guard_unload(const struct mw_guard_options *opts, struct mw_error *err)
{
	struct mw_guard g;
	char pid[16] = "";
	int r = find_things(opts, &g, err);

	if (r >= 0 && g.run_fd >= 0) {
		g.lock_fd = openat(g.run_fd, "daemon.lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (g.lock_fd >= 0 && mw_guard_lock(g.lock_fd, pid) < 0)
			r = mw_fail(err, -EBUSY,
				    "a memweir daemon is running, pid %s: stop it first (%s/daemon.lock is held)", pid,
				    g.cfg.tree.run_dir);
	}
	if (r >= 0)
		r = mw_kernel_unload(MW_PIN_DIR, err);
	if (r >= 0) {
		if (g.run_fd >= 0)
			mw_state_each(&g, attached_one, &g);
		each_own(&g, unload_one, &g);
		if (g.run_fd >= 0)
			mw_state_each(&g, forget_one, &g);
		if (g.root[0])
			remove_tree(&g);
		remove_run_dir(&g);
	}
	close_things(&g);
	return r;
}
