/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Everything the guard holds, opened and closed in order. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/members.h"
#include "core/proc.h"
#include "core/root.h"
#include "daemon/guard.h"
#include "daemon/kick.h"
#include "daemon/otlp.h"
#include "daemon/pressure.h"
#include "daemon/recording.h"
#include "daemon/stacks.h"
#include "daemon/unit.h"
#include "daemon/serve_tcp.h"
#include "symbols/remember.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/trim.h"

#define SOCKET "memweir.sock"

int mw_guard_load_config(const struct mw_guard *g, struct mw_config *ret_cfg, struct mw_error *err)
{
	const char *file = g->opts.config_file;
	int r = g->opts.only_config_file ? mw_config_load_file(file, ret_cfg, err)
					 : mw_config_load("", file, ret_cfg, err);

	if (r < 0)
		return r;
	if (g->opts.root)
		snprintf(ret_cfg->tree.root, sizeof(ret_cfg->tree.root), "%s", g->opts.root);
	if (ret_cfg->tree.root[0] == '/') /* people write it as a path; below here it is relative to the mount */
		memmove(ret_cfg->tree.root, ret_cfg->tree.root + 1, strlen(ret_cfg->tree.root));
	if (g->opts.state_dir)
		snprintf(ret_cfg->tree.state_dir, sizeof(ret_cfg->tree.state_dir), "%s", g->opts.state_dir);
	if (g->opts.run_dir)
		snprintf(ret_cfg->tree.run_dir, sizeof(ret_cfg->tree.run_dir), "%s", g->opts.run_dir);
	return 0;
}

#define LOCK_WAIT_MS 10000
#define LOCK_LOOK_MS 50
#define LOCK_LOOKS   4 /* between a signal's taking and the exit's beginning nothing is to be seen of either */

int mw_guard_lock(int fd, char pid[16])
{
	const struct timespec pause = {.tv_nsec = LOCK_LOOK_MS * 1000000L};

	for (int waited = 0, alive = 0; waited < LOCK_WAIT_MS && alive < LOCK_LOOKS; waited += LOCK_LOOK_MS) {
		ssize_t n;

		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		n = pread(fd, pid, 15, 0);
		pid[n > 0 ? n : 0] = '\0';
		alive = mw_proc_dying("/proc", (pid_t)strtol(pid, NULL, 10)) ? 0 : alive + 1;
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

/* One daemon a run directory: the lock is held as long as we live. */
static int lock_run_dir(struct mw_guard *g, struct mw_error *err)
{
	const char *dir = g->cfg.tree.run_dir;
	char pid[16] = "";
	int r;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return mw_fail(err, -errno, "run directory %s: %s", dir, strerror(errno));
	g->run_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->run_fd < 0)
		return mw_fail(err, -errno, "run directory %s: %s", dir, strerror(errno));
	if (mkdirat(g->run_fd, "workers", 0700) < 0 && errno != EEXIST)
		return mw_fail(err, -errno, "%s/workers: %s", dir, strerror(errno));
	r = mw_pressure_dir(g->run_fd);
	if (r < 0)
		return mw_fail(err, r, "%s/" MW_PRESSURE_DIR ": %s", dir, strerror(-r));
	g->lock_fd = openat(g->run_fd, "daemon.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (g->lock_fd < 0)
		return mw_fail(err, -errno, "%s/daemon.lock: %s", dir, strerror(errno));
	r = mw_guard_lock(g->lock_fd, pid);
	if (r < 0)
		return mw_fail(err, r, "another memweir daemon is running%s%s (it holds %s/daemon.lock)",
			       pid[0] ? ", pid " : "", pid, dir);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (ftruncate(g->lock_fd, 0) < 0 || write(g->lock_fd, pid, strlen(pid)) < 0)
		return mw_fail(err, -errno, "%s/daemon.lock: %s", dir, strerror(errno));
	return 0;
}

/* Never killed first, never paged out, descriptors for every worker. A refusal costs safety, not the daemon. */
static void harden(struct mw_guard *g)
{
	struct rlimit files = {1 << 20, 1 << 20};
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "-900", 4) != 4)
		mw_say(g->tell, LOG_WARNING, "oom_score_adj could not be lowered: %s", strerror(errno));
	mw_close(&fd);
	if (setrlimit(RLIMIT_NOFILE, &files) < 0) {
		getrlimit(RLIMIT_NOFILE, &files);
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		mw_say(g->tell, LOG_WARNING, "memory could not be locked (mlockall): %s", strerror(errno));
}

static int open_tree(struct mw_guard *g, struct mw_error *err)
{
	_cleanup_close_ int fd = -1;
	int r = mw_cgroup_mount("", g->mount, sizeof(g->mount));

	if (r < 0)
		return mw_fail(err, r,
			       "cgroup v2 is not mounted: expected it on /sys/fs/cgroup (or /sys/fs/cgroup/unified)");
	fd = mw_cgroup_open(g->mount);
	if (fd < 0)
		return mw_fail(err, fd, "%s: %s", g->mount, strerror(-fd));
	g->has_memory = mw_cgroup_has_memory(fd);
	if (!g->has_memory)
		mw_say(g->tell, LOG_WARNING,
		       "no memory controller on cgroup v2 (%s): limits are judged, not enforced; see memweir doctor",
		       g->mount);
	r = mw_root_find(g->mount, g->cfg.tree.root, g->root, sizeof(g->root), err);
	return r < 0 ? r : mw_place_root(g, err);
}

static int open_kernel(struct mw_guard *g, struct mw_error *err)
{
	struct mw_kernel_options opts = {
		.pin_dir = MW_PIN_DIR,
		.max_workers = g->cfg.monitor.max_workers,
		.growth_stacks_per_s = g->cfg.monitor.growth_stacks_per_s,
		.disable = g->opts.disable,
	};
	int r = mw_kernel_open(&opts, &g->kernel, err);

	if (r < 0)
		return r;
	for (enum mw_capability c = 0; c < MW_CAP_MAX; c++) {
		const struct mw_capability_info *i = mw_kernel_capability(g->kernel, c);

		if (!i->have)
			mw_say(g->tell, LOG_INFO, "without %s: %s (%s)", i->name, i->lost_without, i->why);
	}
	g->root_subtree = mw_kernel_subtree_add(g->kernel, g->root_fd, false);
	if (g->root_subtree < 0 && mw_kernel_has(g->kernel, MW_CAP_SAMPLE_ITER))
		mw_say(g->tell, LOG_WARNING, "the sampling pass cannot be attached to %s: files are read instead",
		       g->root);
	return 0;
}

static int open_hands(struct mw_guard *g, struct mw_error *err)
{
	struct mw_breaker_options b = {.proc_root = "/proc",
				       .max_workers = g->cfg.monitor.max_workers,
				       .dry_run = g->opts.dry_run};
	__u32 slots = g->cfg.monitor.max_workers + MW_SHARED_MAX;
	int r = mw_keeper_connect(slots < MW_KEEPER_MAX_SLOTS ? slots : MW_KEEPER_MAX_SLOTS, &g->keeper, err);

	if (r < 0)
		return r;
	if (mw_keeper_fd(g->keeper) < 0)
		mw_say(g->tell, LOG_WARNING,
		       "started without a keeper: if this process dies, what it froze or squeezed stays so until the "
		       "next one");
	b.table = mw_keeper_table(g->keeper);
	b.poll_events = !mw_kernel_has(g->kernel, MW_CAP_THROTTLE_EVENT) || !mw_kernel_has(g->kernel, MW_CAP_RINGBUF);
	r = mw_breaker_new(&b, &g->breaker, err);
	if (r < 0)
		return r;
	r = mw_actions_new(MW_ACTIONS_THREADS, "/proc", &g->actions);
	if (r < 0)
		return mw_fail(err, r, "action threads: %s", strerror(-r));
	mw_share_sync(g);
	return mw_incidents_open(g->cfg.tree.state_dir, g->cfg.monitor.max_incidents, &g->incidents, err);
}

static int open_server(struct mw_guard *g, struct mw_error *err)
{
	char path[128];
	int fd, r;

	snprintf(path, sizeof(path), "%s/" SOCKET, g->cfg.tree.run_dir);
	r = mw_server_listen_unix(path, g->member_gid, &fd, err);
	if (r < 0)
		return r;
	r = mw_server_new(fd, mw_serve_request, g, &g->server, err);
	if (r < 0) {
		close(fd);
		return r;
	}
	mw_teller_attach(g->tell, g->server);
	mw_serve_tcp_start(g);
	return 0;
}

/*
 * The name becomes a number here, before there is a loop: a directory service may take its time. One that is not there
 * (yet) must not keep the guard from guarding: then root alone is served.
 */
static void find_group(struct mw_guard *g)
{
	const char *name = g->cfg.tree.group;

	g->member_gid = (gid_t)-1;
	if (name[0] && !mw_group_id(name, &g->member_gid))
		mw_say(g->tell, LOG_ERR, "[tree] group: there is no group %s: only root is served until a restart",
		       name);
}

int mw_guard_open(const struct mw_guard_options *opts, struct mw_guard *g, struct mw_error *err)
{
	int r, adopted;

	*g = (struct mw_guard){
		.opts = *opts, .root_fd = -1, .run_fd = -1, .lock_fd = -1, .inotify_fd = -1, .member_gid = (gid_t)-1};
	g->boot_offset_ns = (__s64)(mw_wall_ns() - mw_now_ns());
	r = mw_teller_new(&g->tell);
	if (r >= 0)
		r = mw_otlp_open(g);
	if (r >= 0)
		r = mw_last_good_load(g, err);
	if (r >= 0)
		r = lock_run_dir(g, err);
	if (r < 0)
		return r;
	find_group(g);
	harden(g);
	r = open_tree(g, err);
	if (r >= 0)
		r = mw_workers_init(&g->workers, g->cfg.monitor.max_workers);
	if (r >= 0)
		mw_recording_open(g);
	if (r >= 0)
		r = open_kernel(g, err);
	if (r >= 0)
		r = open_hands(g, err);
	if (r < 0)
		return r;
	g->near_high_told = g->cfg.monitor.near_high;
	g->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (g->inotify_fd < 0)
		return mw_fail(err, -errno, "inotify: %s", strerror(errno));
	mw_keeper_busy(g->keeper, mw_now_ns() + 30 * MW_NS_PER_S);
	adopted = mw_life_adopt(g);
	mw_pressure_sweep(g->run_fd, &g->workers);
	r = open_server(g, err);
	if (r < 0)
		return r;
	mw_last_good_keep(g);
	mw_newcomers_apply(g);
	mw_trim_after_start();
	mw_say(g->tell, LOG_NOTICE, "guarding %s/%s%s: %d workers taken up, %zu classes%s", g->mount, g->root,
	       mw_kernel_adopted(g->kernel) ? " (counters of an earlier daemon go on)" : "", adopted, g->cfg.n_classes,
	       opts->dry_run ? ", dry run: nothing is limited and nothing is done" : "");
	return 0;
}

/* In good order: nobody stays squeezed without a guard to lift it. */
static void lift_all(struct mw_guard *g)
{
	for (struct mw_worker *w = g->workers.by_id; w; w = w->by_id.next) {
		if (mw_life_limited(w) && g->has_memory)
			mw_cgroup_write(w->dir_fd, "memory.high", "max");
		if (g->keeper)
			mw_keeper_mark_high(mw_keeper_table(g->keeper), w->slot, false);
	}
}

void mw_guard_close(struct mw_guard *g)
{
	unsigned hanging;

	if (g->tell)
		mw_teller_attach(g->tell, NULL);
	lift_all(g);
	if (g->breaker)
		mw_breaker_free(g->breaker);
	if (g->keeper) {
		mw_share_close(g);
		if (g->stopping) /* any other end is one the keeper starts a new daemon after */
			mw_keeper_stopping(g->keeper);
	}
	hanging = g->actions ? mw_actions_free(g->actions) : 0;
	if (hanging)
		mw_say(g->tell, LOG_WARNING, "%u action threads are still blocked in the kernel", hanging);
	lift_all(g); /* a write that was under way may have come after the first pass */
	mw_unit_close(g);
	if (g->server)
		unlinkat(g->run_fd, SOCKET, 0);
	mw_turns_close(g);
	mw_kick_on(); /* it closes what clients have sent and nobody read */
	mw_server_free(g->server);
	mw_kick_off();
	if (g->keeper)
		mw_keeper_disconnect(g->keeper);
	mw_act_flush(g);
	if (g->incidents && !hanging)
		mw_incidents_close(g->incidents);
	if (!hanging) {
		mw_newcomers_free(g);
		mw_stacks_free(g->stacks);
		mw_objects_close(g);
		mw_otlp_close(g);
		mw_remembered_free(g->remembered);
	}
	if (g->by_watch)
		HASH_CLEAR(by_watch, g->by_watch);
	mw_workers_free(&g->workers);
	mw_totals_free(&g->totals);
	mw_live_close(g);
	mw_recording_close(g);
	mw_past_close(g);
	if (g->kernel && !hanging) /* else a thread may be looking into it, and the end of the process closes it */
		mw_kernel_close(g->kernel);
	mw_config_free(&g->cfg);
	mw_close(&g->inotify_fd);
	mw_close(&g->root_fd);
	mw_close(&g->run_fd);
	mw_close(&g->lock_fd);
	mw_teller_free(g->tell);
}

const struct mw_limits mw_no_limits = {.max = MW_UNLIMITED, .high = MW_UNLIMITED, .swap_max = MW_UNLIMITED};
