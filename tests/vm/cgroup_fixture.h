/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A real cgroup tree and small programs to put into it, for the tests that run as root in a
 * virtual machine. The test binary is its own worker: "BINARY role ARG" plays a role.
 */
#ifndef MW_TESTS_VM_CGROUP_FIXTURE_H
#define MW_TESTS_VM_CGROUP_FIXTURE_H

#include "../unit/unit.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/cgroup_setup.h"
#include "core/proc.h"
#include "core/spawn.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define ROOT   "mwtest"
#define MB     (1ULL << 20)
#define WAIT_S 90 /* under emulation: a deadline, not an expectation */

static char mount[256];

/* A condition with a deadline. */
#define wait_for(condition)                                                                                            \
	do {                                                                                                           \
		__u64 _until = mw_now_ns() + WAIT_S * MW_NS_PER_S;                                                     \
		while (!(condition)) {                                                                                 \
			if (mw_now_ns() > _until)                                                                      \
				fail_msg("not within %d s: %s", WAIT_S, #condition);                                   \
			poll(NULL, 0, 5);                                                                              \
		}                                                                                                      \
	} while (0)

/* A call that must return 0, with its sentence if it does not. */
#define ok(call)                                                                                                       \
	do {                                                                                                           \
		int _r = (call);                                                                                       \
		if (_r)                                                                                                \
			fail_msg("%s: %s (%s)", #call, strerror(-_r), err.text);                                       \
	} while (0)

static inline int open_path(const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s/%s", mount, path);
	return mw_cgroup_open(full);
}

static inline __u64 figure(int fd, const char *file)
{
	__u64 value = 0;
	int r = mw_cgroup_read_u64(fd, file, &value);

	if (r)
		fail_msg("%s: %s", file, strerror(-r));
	return value;
}

static inline __u64 keyed(int fd, const char *file, const char *key)
{
	char buf[16384];
	__u64 value = 0;

	assert_true(mw_cgroup_read(fd, file, buf, sizeof(buf)) > 0);
	assert_int_equal(mw_keyed_u64(buf, key, &value), 0);
	return value;
}

static inline struct mw_limits limits_of(__u64 max, __u64 high)
{
	return (struct mw_limits){.max = max, .high = high, .low = 0, .swap_max = 0, .oom_group = true};
}

/* Start "BINARY role ARG" in a cgroup. */
static inline pid_t play(int cgroup_fd, const char *role, const char *arg)
{
	char *argv[] = {(char *)"/proc/self/exe", (char *)role, (char *)arg, NULL};
	struct mw_spawn s = {.cgroup_fd = cgroup_fd, .argv = argv, .envp = environ};
	_cleanup_close_ int pidfd = -1;
	pid_t pid;
	int r = mw_spawn(&s, &pid, &pidfd);

	if (r)
		fail_msg("spawn %s: %s", role, strerror(-r));
	return pid;
}

static inline void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static inline void touch(__u64 bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(p, bytes, MADV_NOHUGEPAGE);
	for (__u64 i = 0; i < bytes; i += 4096)
		p[i] = (char)(i >> 12 | 1);
}

static inline int read_file(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[65536];

	while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
		;
	return fd < 0;
}

/* A number in /proc/self/status, hexadecimal as signal sets are. */
static inline unsigned long long status_hex(const char *key)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/status", "re");
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			return strtoull(line + strlen(key) + 1, NULL, 16);
	return ~0ULL;
}

/* The worker's side. Roles that end give an exit status. */
static inline int role(const char *name, const char *arg)
{
	unsigned long long bytes = strtoull(arg, NULL, 10);

	if (!strcmp(name, "touch"))
		touch(bytes);
	else if (!strcmp(name, "grow"))
		for (unsigned long long i = 0; i < bytes; i += 256 << 10)
			touch(256 << 10);
	else if (!strcmp(name, "read"))
		read_file(arg);
	else if (!strcmp(name, "fork"))
		fork();
	else if (!strcmp(name, "exit"))
		return (int)bytes;
	else if (!strcmp(name, "signals"))
		return status_hex("SigCgt") ? 1 : status_hex("SigIgn") != bytes ? 2 : status_hex("SigBlk") ? 3 : 0;
	else if (!strcmp(name, "thp"))
		return status_hex("THP_enabled") == 0 ? 0 : 1;
	for (;;)
		pause();
}

#define SKIPPED 77

/* On a host without the v2 memory controller there is nothing to test; the cause is printed. */
static inline bool can_run(void)
{
	_cleanup_close_ int fd = -1;

	if (!mw_cgroup_mount("", mount, sizeof(mount)))
		fd = mw_cgroup_open(mount);
	if (!geteuid() && fd >= 0 && mw_cgroup_has_memory(fd))
		return true;
	printf("skipped: needs root and the memory controller on cgroup v2 (scripts/vm)\n");
	return false;
}

/* ROOT and ROOT/tool. */
static inline int make_tree(void **state)
{
	struct mw_class tool = {.name = "tool", .profile = {.policy = MW_POLICY_PROTECT, .budget = MW_UNLIMITED}};
	struct mw_error err = {""};

	(void)state;
	ok(mw_setup_init(&err));
	ok(mw_setup_root(mount, ROOT, MW_UNLIMITED, &err));
	ok(mw_setup_class(mount, ROOT, &tool, &err));
	return 0;
}

/* Whatever a test left: end it and remove it, so that the next one starts from nothing. */
static inline int remove_tree(void **state)
{
	_cleanup_close_ int fd = open_path(ROOT);
	struct mw_error err = {""};

	(void)state;
	if (fd < 0)
		return 0;
	assert_int_equal(mw_cgroup_kill(fd), 0);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	wait_for(mw_cgroup_populated(fd) == 0);
	ok(mw_setup_remove(mount, ROOT, &err));
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return 0;
}

static inline int make_worker(const char *name, const struct mw_limits *limits)
{
	struct mw_error err = {""};
	char path[256];
	int fd = -1;

	snprintf(path, sizeof(path), ROOT "/tool/%s", name);
	ok(mw_setup_worker(mount, path, limits, &fd, &err));
	return fd;
}

#define vm_test(f) cmocka_unit_test_setup_teardown(f, make_tree, remove_tree)

#endif
