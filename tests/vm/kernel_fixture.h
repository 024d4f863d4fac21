/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * For the tests of the kernel side: cgroups with limits, children that do one
 * thing in them, and the events they cause. As root; in a virtual machine for
 * all of it, on any host for what it allows (the rest is skipped and says why).
 */
#ifndef MW_TESTS_VM_KERNEL_FIXTURE_H
#define MW_TESTS_VM_KERNEL_FIXTURE_H

#include "../unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/kernel.h"
#include "util/cleanup.h"

#define MIB	   (1ULL << 20)
#define WAIT_S	   180 /* under emulation: a deadline, not an expectation */
#define MAX_EVENTS 4096

struct world {
	char mount[128]; /* of cgroup2 */
	char root[192]; /* ours below it */
	bool memory; /* it has the memory controller */
	bool vm; /* a machine of scripts/vm: everything is expected of it */
};

struct heard {
	struct mw_event events[MAX_EVENTS];
	size_t count;
};

static struct world world;
static struct mw_kernel *opened; /* closed after a skipped test too */
static struct heard heard;

static inline __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* A condition with a deadline. */
#define wait_for(condition)                                                                                            \
	do {                                                                                                           \
		__u64 _until = now_ns() + WAIT_S * 1000000000ULL;                                                      \
		while (!(condition)) {                                                                                 \
			if (now_ns() > _until)                                                                         \
				fail_msg("not within %d s: %s", WAIT_S, #condition);                                   \
			poll(NULL, 0, 5);                                                                              \
		}                                                                                                      \
	} while (0)

#define need(condition, why)                                                                                           \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			print_message("skipped: %s\n", why);                                                           \
			skip();                                                                                        \
		}                                                                                                      \
	} while (0)

#define need_cap(k, cap) need(mw_kernel_has(k, cap), mw_kernel_capability(k, cap)->why)
#define need_memory()	 need(world.memory, "no memory controller on cgroup v2 here")

static inline bool file_has(const char *path, const char *text)
{
	char buffer[8192];
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer) - 1);

	buffer[n > 0 ? n : 0] = '\0';
	return strstr(buffer, text) != NULL;
}

static inline int put(const char *dir, const char *file, const char *fmt, ...)
{
	char path[PATH_MAX], text[128];
	_cleanup_close_ int fd = -1;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

/* A number of FILE, or after "key " in it. "max": MW_UNLIMITED. */
static inline __u64 figure(const char *dir, const char *file, const char *key)
{
	char path[PATH_MAX], line[256];
	_cleanup_fclose_ FILE *f = NULL;
	size_t length = key ? strlen(key) : 0;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (!key)
			return strncmp(line, "max", 3) == 0 ? MW_UNLIMITED : strtoull(line, NULL, 10);
		if (strncmp(line, key, length) == 0 && line[length] == ' ')
			return strtoull(line + length, NULL, 10);
	}
	fail_msg("%s has no %s", path, key ? key : "number");
	return 0;
}

static inline const char *make_cgroup(const char *name)
{
	static char dirs[8][PATH_MAX];
	static unsigned int turn;
	char *dir = dirs[turn++ % ARRAY_SIZE(dirs)];

	snprintf(dir, PATH_MAX, "%s/%s", world.root, name);
	if (mkdir(dir, 0755) < 0)
		fail_msg("mkdir %s: %s", dir, strerror(errno));
	return dir;
}

/* A dying task leaves its cgroup a little after it can be waited for. */
static inline void drop_cgroup(const char *dir)
{
	put(dir, "cgroup.kill", "1");
	wait_for(rmdir(dir) == 0 || errno != EBUSY);
}

static inline __u64 id_of(const char *dir)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		fail_msg("stat %s: %s", dir, strerror(errno));
	return st.st_ino;
}

static inline void guard(struct mw_kernel *k, const char *dir, __u32 slot, __u64 budget_ns, __u64 near_high)
{
	struct mw_worker_info info = {.class_name = "tool",
				      .slot = slot,
				      .pause_budget_ns = budget_ns,
				      .near_high_bytes = near_high};
	const char *name = strrchr(dir, '/') + 1;

	snprintf(info.name, sizeof(info.name), "%s", name);
	assert_int_equal(mw_kernel_worker_add(k, id_of(dir), &info), 0);
}

/* A child that moves into dir, runs fn and ends with its value. */
static inline pid_t child_in(const char *dir, int (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	if (put(dir, "cgroup.procs", "0"))
		_exit(99);
	_exit(fn(arg));
}

static inline int reap(pid_t pid)
{
	int status = 0;

	wait_for(waitpid(pid, &status, WNOHANG) == pid);
	return status;
}

static inline void hear(const struct mw_event *event, void *arg)
{
	struct heard *h = arg;

	if (h->count < MAX_EVENTS)
		h->events[h->count++] = *event;
}

static inline size_t hear_all(struct mw_kernel *k)
{
	assert_true(mw_kernel_events_consume(k, hear, &heard) >= 0);
	return heard.count;
}

static inline const struct mw_event *find_event(enum mw_event_type type, __u64 worker)
{
	for (size_t i = 0; i < heard.count; i++) {
		if (heard.events[i].type == type && heard.events[i].cgroup_id == worker)
			return &heard.events[i];
	}
	return NULL;
}

static inline size_t count_events(enum mw_event_type type, __u64 worker)
{
	size_t n = 0;

	for (size_t i = 0; i < heard.count; i++)
		n += heard.events[i].type == type && heard.events[i].cgroup_id == worker;
	return n;
}

static inline struct mw_kernel *open_kernel_without(const char *pin_dir, __u32 workers, __u32 ring, __u64 disable)
{
	struct mw_kernel_options opts = {.pin_dir = pin_dir,
					 .max_workers = workers,
					 .ring_bytes = ring,
					 .growth_stacks_per_s = 500,
					 .disable = disable};
	struct mw_kernel *k = NULL;
	struct mw_error err = {};

	if (mw_kernel_open(&opts, &k, &err))
		fail_msg("%s", err.text);
	heard.count = 0;
	opened = k;
	return k;
}

static inline struct mw_kernel *open_kernel(const char *pin_dir, __u32 workers, __u32 ring)
{
	return open_kernel_without(pin_dir, workers, ring, 0);
}

static inline void close_kernel(void)
{
	mw_kernel_close(opened);
	opened = NULL;
}

/* Cgroups below dir that a failed test left. */
static inline void clean(const char *dir)
{
	_cleanup_closedir_ DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));) {
		_cleanup_free_ char *path = NULL;

		if (e->d_type != DT_DIR || e->d_name[0] == '.' || asprintf(&path, "%s/%s", dir, e->d_name) < 0)
			continue;
		clean(path);
		drop_cgroup(path);
	}
}

static int end_test(void **state)
{
	(void)state;
	close_kernel();
	clean(world.root);
	return 0;
}

static inline struct mw_stats stats_of(struct mw_kernel *k)
{
	struct mw_stats stats = {};

	assert_int_equal(mw_kernel_stats(k, &stats), 0);
	return stats;
}

static inline int find_cgroup2(void)
{
	static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		snprintf(path, sizeof(path), "%s/cgroup.controllers", mounts[i]);
		if (access(path, F_OK) < 0)
			continue;
		snprintf(world.mount, sizeof(world.mount), "%s", mounts[i]);
		world.memory = file_has(path, "memory");
		return 0;
	}
	return -1;
}

static int make_world(void **state)
{
	(void)state;
	world.vm = file_has("/proc/cmdline", "cgroup_no_v1=all");
	if (geteuid() != 0 || find_cgroup2() < 0)
		return -1;
	snprintf(world.root, sizeof(world.root), "%s/mwkernel-%d", world.mount, getpid());
	if (mkdir(world.root, 0755) < 0)
		return -1;
	if (world.memory && (put(world.mount, "cgroup.subtree_control", "+memory") ||
			     put(world.root, "cgroup.subtree_control", "+memory")))
		return -1;
	return 0;
}

static int drop_world(void **state)
{
	(void)state;
	wait_for(rmdir(world.root) == 0 || errno != EBUSY);
	return 0;
}

#endif
