/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * One check over many cgroups: the iterator's pass against reading each file.
 * check CGROUPS ROUNDS. Prints "WAY MICROSECONDS" lines, the ways in turn and a
 * round apart, for the caller to take medians of. Twenty of the cgroups change
 * before every measurement, so that a flush has something to do.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/kernel.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define TOP   "/sys/fs/cgroup/memweir-bench"
#define BUSY  20
#define BYTES (1UL << 20)

struct busy {
	pid_t pid;
	int go, done;
};

static int cgroups, *current_fds, *stat_fds;
static __u64 *ids;
static struct busy busy[BUSY];
static struct mw_kernel *kernel;
static volatile __u64 sink;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void put(const char *dir, const char *file, const char *text)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static void path_of(int i, const char *file, char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, TOP "/w%d%s%s", i, file[0] ? "/" : "", file);
}

static int open_file(int i, const char *file)
{
	char path[PATH_MAX];
	int fd;

	path_of(i, file, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

/* In its cgroup: a MiB of it comes and goes at every byte of the pipe. */
static void live(int i, int go, int done)
{
	char dir[PATH_MAX], c, *area;

	path_of(i, "", dir);
	put(dir, "cgroup.procs", "0");
	area = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	while (read(go, &c, 1) == 1) {
		madvise(area, BYTES, MADV_DONTNEED);
		memset(area, 1, BYTES);
		(void)!write(done, &c, 1);
	}
	_exit(0);
}

static void start_busy(void)
{
	for (int i = 0; i < BUSY && i < cgroups; i++) {
		int go[2], done[2];

		if (pipe2(go, O_CLOEXEC) || pipe2(done, O_CLOEXEC))
			die("pipe");
		busy[i] = (struct busy){fork(), go[1], done[0]};
		if (!busy[i].pid) {
			for (int j = 0; j <= i; j++)
				close(busy[j].go);
			live(i, go[0], done[1]);
		}
		close(go[0]);
		close(done[1]);
	}
}

static void change(void)
{
	char c = 0;

	for (int i = 0; i < BUSY && i < cgroups; i++) {
		if (write(busy[i].go, &c, 1) != 1 || read(busy[i].done, &c, 1) != 1)
			die("a busy child");
	}
}

static void make_cgroups(void)
{
	struct rlimit files = {2 * cgroups + 4096, 2 * cgroups + 4096};
	char path[PATH_MAX];
	struct stat st;

	if (setrlimit(RLIMIT_NOFILE, &files))
		die("setrlimit");
	put("/sys/fs/cgroup", "cgroup.subtree_control", "+memory");
	if (mkdir(TOP, 0755))
		die(TOP);
	put(TOP, "cgroup.subtree_control", "+memory");
	current_fds = calloc(cgroups, sizeof(int));
	stat_fds = calloc(cgroups, sizeof(int));
	ids = calloc(cgroups, sizeof(*ids));
	for (int i = 0; i < cgroups; i++) {
		path_of(i, "", path);
		if (mkdir(path, 0755) || stat(path, &st))
			die(path);
		ids[i] = st.st_ino;
		current_fds[i] = open_file(i, "memory.current");
		stat_fds[i] = open_file(i, "memory.stat");
	}
}

static void remove_cgroups(void)
{
	char path[PATH_MAX];

	for (int i = 0; i < BUSY && i < cgroups; i++) {
		kill(busy[i].pid, SIGKILL);
		waitpid(busy[i].pid, NULL, 0);
	}
	for (int i = 0; i < cgroups; i++) {
		path_of(i, "", path);
		for (int tries = 0; rmdir(path) && tries < 200; tries++) /* a dead task leaves a little later */
			usleep(10000);
	}
	rmdir(TOP);
}

static void open_kernel(void)
{
	struct mw_kernel_options opts = {.pin_dir = "", .max_workers = cgroups, .growth_stacks_per_s = 500};
	_cleanup_close_ int top = open(TOP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct mw_error err = {};

	if (mw_kernel_open(&opts, &kernel, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	if (!mw_kernel_has(kernel, MW_CAP_SAMPLE_FLUSH)) {
		fprintf(stderr, "%s\n", mw_kernel_capability(kernel, MW_CAP_SAMPLE_FLUSH)->why);
		exit(1);
	}
	for (int i = 0; i < cgroups; i++) {
		struct mw_worker_info info = {.slot = i};

		snprintf(info.name, sizeof(info.name), "w%d", i);
		if (mw_kernel_worker_add(kernel, ids[i], &info))
			die("mw_kernel_worker_add");
	}
	if (mw_kernel_subtree_add(kernel, top, false) < 0)
		die("mw_kernel_subtree_add");
}

/* ---- the ways ---- */

static void by_pass(enum mw_sample_depth depth)
{
	struct mw_sample sample;

	if (mw_kernel_sample(kernel, depth))
		die("mw_kernel_sample");
	for (int i = 0; i < cgroups; i++) {
		if (mw_kernel_sample_read(kernel, i, ids[i], &sample))
			die("mw_kernel_sample_read");
		sink += sample.usage + sample.anon;
	}
}

static void counters(void)
{
	by_pass(MW_SAMPLE_COUNTERS);
}

static void statistics(void)
{
	by_pass(MW_SAMPLE_ALL);
}

static void pread_all(const int *fds)
{
	static char text[16384];

	for (int i = 0; i < cgroups; i++) {
		if (pread(fds[i], text, sizeof(text), 0) <= 0)
			die("pread");
		sink += text[0];
	}
}

static void pread_current(void)
{
	pread_all(current_fds);
}

static void pread_stat(void)
{
	pread_all(stat_fds);
}

static void open_stat(void)
{
	static char text[16384];

	for (int i = 0; i < cgroups; i++) {
		_cleanup_close_ int fd = open_file(i, "memory.stat");

		if (read(fd, text, sizeof(text)) <= 0)
			die("read");
		sink += text[0];
	}
}

static const struct {
	const char *name;
	void (*fn)(void);
} ways[] = {
	{"counters", counters},	    {"pread_current", pread_current}, {"statistics", statistics},
	{"pread_stat", pread_stat}, {"open_stat", open_stat},
};

int main(int argc, char **argv)
{
	int rounds = argc == 3 ? atoi(argv[2]) : 0;

	cgroups = argc == 3 ? atoi(argv[1]) : 0;
	if (cgroups < 1 || rounds < 1)
		return 2;
	make_cgroups();
	open_kernel();
	start_busy();
	for (int round = -1; round < rounds; round++) { /* the first one warms up */
		for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
			__u64 began;

			change();
			began = mw_now_ns();
			ways[i].fn();
			if (round >= 0)
				printf("%s %.1f\n", ways[i].name, (mw_now_ns() - began) / 1000.0);
		}
	}
	mw_kernel_close(kernel);
	remove_cgroups();
	return 0;
}
