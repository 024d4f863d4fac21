/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A program under the sampler, and what a reader sees of it. */
#ifndef MW_TESTS_HEAP_PROGRAM_H
#define MW_TESTS_HEAP_PROGRAM_H

#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "leak/heap.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define DEADLINE_MS 120000

struct program {
	pid_t pid, who; /* who: whose the guilty code is */
	int in_fd, out_fd;
	unsigned long long held, begin, end; /* as it said last */
};

/* Below the build tree, three folders above this program. */
static const char *built(const char *name)
{
	static char path[4][PATH_MAX];
	static int turn;
	char self[PATH_MAX / 2];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	self[n] = '\0';
	for (int up = 0; up < 4; up++)
		*strrchr(self, '/') = '\0';
	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", self, name);
	return path[turn];
}

static bool have(const char *path)
{
	if (access(path, X_OK) == 0)
		return true;
	print_message("skipped: no %s here\n", path);
	return false;
}

static const char *program_seed = "7";
static const char *program_preload; /* behind the sampler */

/* sample: bytes; NULL: without the sampler. */
static struct program program_start(const char *sample, const char *const *argv)
{
	struct program p = {.in_fd = -1, .out_fd = -1};
	char preload[2 * PATH_MAX];
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	p.pid = fork();
	assert_true(p.pid >= 0);
	if (!p.pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		unsetenv("ASAN_OPTIONS");
		if (sample) {
			setenv("MEMWEIR_HEAP_SAMPLE", sample, 1);
			setenv("MEMWEIR_HEAP_SEED", program_seed, 1);
			snprintf(preload, sizeof(preload), "%s %s", built("libmemweir-heap.so"),
				 program_preload ? program_preload : "");
			setenv("LD_PRELOAD", preload, 1);
		}
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	p.in_fd = in[1];
	p.out_fd = out[0];
	return p;
}

/* One line of its output, or what there is of it at its end. */
static size_t program_line(struct program *p, char *line, size_t size)
{
	struct pollfd fd = {p->out_fd, POLLIN, 0};
	size_t n = 0;

	while (n + 1 < size) {
		assert_int_equal(poll(&fd, 1, DEADLINE_MS), 1);
		if (read(p->out_fd, line + n, 1) != 1 || line[n] == '\n')
			break;
		n++;
	}
	line[n] = '\0';
	return n;
}

static void program_ready(struct program *p)
{
	char line[256];
	int who = 0;

	program_line(p, line, sizeof(line));
	if (sscanf(line, "ready %llu %llx %llx %d", &p->held, &p->begin, &p->end, &who) != 4)
		fail_msg("the program said \"%s\"", line);
	p->who = who;
}

/* Its exit status, after its input was closed. */
static int program_end(struct program *p)
{
	struct timespec ms = {0, 1000000};
	int status = -1;

	mw_close(&p->in_fd);
	for (int i = 0; i < DEADLINE_MS; i++) {
		if (waitpid(p->pid, &status, WNOHANG) == p->pid) {
			mw_close(&p->out_fd);
			return status;
		}
		nanosleep(&ms, NULL);
	}
	kill(p->pid, SIGKILL);
	waitpid(p->pid, &status, 0);
	fail_msg("it hung");
	return -1;
}

static bool is_guilty(const struct program *p, const struct mw_heap_site *s)
{
	for (__u32 i = 0; i < s->n_frames; i++)
		if (s->frames[i] > p->begin && s->frames[i] <= p->end)
			return true;
	return false;
}

/* Bytes that the guilty code holds according to a reading. */
static __u64 guilty_bytes(const struct program *p, const struct mw_heap *h)
{
	__u64 sum = 0;

	for (size_t i = 0; i < h->n_sites; i++)
		sum += is_guilty(p, &h->sites[i]) ? h->sites[i].live_bytes : 0;
	return sum;
}

static void program_read(pid_t pid, struct mw_heap *ret_heap)
{
	struct mw_error err = {""};
	struct mw_heap h = {0};
	int r = mw_heap_read("/proc", pid, &h, &err);

	if (r < 0)
		fail_msg("%d: %s", r, err.text);
	mw_heap_sort(&h);
	*ret_heap = h;
}

#endif
